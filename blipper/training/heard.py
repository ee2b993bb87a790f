"""What Whisper's encoder hears in every clip: its blocks' outputs, computed once a version and cached.

A version is the sound as it is (0) or one more augmentation of it, put through the encoder anew. Kept are all
four blocks in half precision, averaged over four encoder frames (80 ms), on disk and mapped into memory.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training.augment import AugmentSettings, Surroundings, augment
from blipper.training.prepare import SAMPLING_RATE, Segments
from blipper.voice import whisper
from blipper.voice.heads import POOL
from blipper.voice.speeds import faster
from blipper.voice.whisper_files import read_file

#: Longest stretch encoded, in seconds; acted clips are shorter.
_LONGEST: Final = 8.0
#: Lengths are rounded up to a multiple of this many log-mel frames, so that few shapes are traced.
_BUCKET: Final = 40
_BATCH: Final = 16
#: Clips encoded between two saves.
_SHARD: Final = 1000
#: Clips augmented by one worker in one go.
_CHUNK: Final = 50
#: Raised when what is stored changes, so that an old cache is not read.
_FORMAT: Final = 1


@dataclass(frozen=True)
class HeardSettings:
    """What is put through the encoder.

    Parameters
    ----------
    version : int
        0 for the sound as it is; each other number is another augmented version.
    seed : int
        Together with `version` and the clip's number it decides the augmentation.
    augmentation : AugmentSettings
    noises, rooms : tuple of path
        Surroundings for augmentation.
    speed : float
        How much faster, and so higher, it is played; see :func:`blipper.voice.speeds.faster`.
    """

    version: int = 0
    seed: int = 0
    augmentation: AugmentSettings = field(default_factory=AugmentSettings)
    noises: tuple[Path, ...] = ()
    rooms: tuple[Path, ...] = ()
    speed: float = 1.0

    def describe(self) -> list[Any]:
        """Return what decides the result, as JSON values."""
        played = [] if self.speed == 1 else [f"at {self.speed}"]
        if not self.version:
            return [0, *played]
        paths = [[str(path.resolve()) for path in paths] for paths in (self.noises, self.rooms)]
        return [self.version, self.seed, repr(self.augmentation), *paths, *played]


@dataclass(frozen=True, eq=False)
class Heard:
    """The blocks' outputs for clips.

    Parameters
    ----------
    shards : tuple of numpy.ndarray of float16, shape (n_frames, slices, width), or (n_frames, mels)
        Mapped files, each of :data:`_SHARD` clips but the last.
    shard, start, length : numpy.ndarray of int, shape (n_clips,)
        Which shard a clip is in, and where.
    """

    shards: tuple[NDArray[np.float16], ...]
    shard: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.length)

    def read(self, clip: int) -> NDArray[np.float16]:
        """Return one clip's frames, shape (n, slices, width)."""
        first = self.start[clip]
        found: NDArray[np.float16] = self.shards[self.shard[clip]][first : first + self.length[clip]]
        return found


def hear(
    segments: Segments,
    n_clips: int,
    encoder: Path,
    cache: Path,
    *,
    inner: tuple[int, ...] = (),
    settings: HeardSettings | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Heard:
    """Encode every clip's speech, its segments joined, or read the result from the cache.

    Parameters
    ----------
    segments : Segments
    n_clips : int
    encoder : path
        Whisper's weights; see :func:`blipper.voice.whisper_files.read_file`.
    cache : path
        Folder for the result and, after an interrupt, for what there is of it.
    inner : tuple of int
        Blocks whose inner layers are kept as well; see :func:`blipper.voice.whisper.build_encoder`.
    settings : HeardSettings, optional
        The sound as it is unless given.
    workers : int
        Processes for augmentation.
    progress : Progress
        Told clips, as step ``"encode"``.

    Returns
    -------
    Heard

    Raises
    ------
    ModelError
        If the encoder cannot be read.
    """
    settings = settings or HeardSettings()
    tensors = read_file(encoder)
    digest = whisper.tensors_sha256(tensors)
    described: list[Any] = [_FORMAT, POOL, _LONGEST, digest, segments.fingerprint, settings.describe()]
    described += [list(inner)] if inner else []
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    run: Any = None

    def encoded(mels: list[Float32]) -> list[NDArray[np.float16]]:
        nonlocal run
        run = run or encoder_runner(tensors, encoder, inner=inner)
        return encode_all(run, mels)

    return _in_shards(cache / f"heard-{name}", segments, n_clips, settings, encoded, workers, progress)


def put_in(
    segments: Segments,
    n_clips: int,
    encoder: Path,
    cache: Path,
    first: int,
    *,
    settings: HeardSettings | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Heard:
    """Compute what goes into the blocks of the encoder that are trained; see :func:`hear`.

    Parameters
    ----------
    first : int
        The first of them, from 0.

    Returns
    -------
    Heard
        If `first` is 0, log-mel frames of 10 ms, shape (n_frames, 80); else outputs of the blocks below it,
        frames of 20 ms, shape (n_frames, first, width).
    """
    settings = settings or HeardSettings()
    described: list[Any] = [_FORMAT, "mels", _LONGEST, segments.fingerprint, settings.describe()]
    tensors: Mapping[str, NDArray[np.floating[Any]]] = {}
    if first:
        tensors = read_file(encoder)
        described += [whisper.tensors_sha256(tensors), first]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    run: Any = None

    def made(mels: list[Float32]) -> list[NDArray[np.float16]]:
        nonlocal run
        if not first:
            return [mel.astype(np.float16) for mel in mels]
        run = run or encoder_runner(tensors, encoder, below=first)
        return encode_all(run, mels, pool=1)

    folder = cache / f"{'below' if first else 'mels'}-{name}"
    return _in_shards(folder, segments, n_clips, settings, made, workers, progress)


def _in_shards(
    folder: Path,
    segments: Segments,
    n_clips: int,
    settings: HeardSettings,
    make: Callable[[list[Float32]], list[NDArray[np.float16]]],
    workers: int,
    progress: Progress,
) -> Heard:
    """Make one array a clip out of its log-mel frames, a shard of clips at a time, unless it is on file."""
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[NDArray[np.float16]] = []
    lengths: list[NDArray[np.int64]] = []
    with ExitStack() as stack:
        pool = None
        for first in range(0, n_clips, _SHARD):
            values, counts = folder / f"{first:06d}.npy", folder / f"{first:06d}-lengths.npy"
            if not (values.exists() and counts.exists()):
                if pool is None and settings.version and workers > 1:
                    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
                    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=context))
                clips = list(range(first, min(first + _SHARD, n_clips)))
                sounds = _sounds(segments, clips, settings, pool)
                progress("encode", first, n_clips)
                mels = [whisper.log_mel(whisper.levelled(sound)) for sound in sounds]
                if settings.speed != 1:
                    mels = [faster(mel, settings.speed) for mel in mels]
                made = make(mels)
                counted = np.array([len(one) for one in made])
                for path, array in ((values, np.concatenate(made)), (counts, counted)):
                    partial = path.with_suffix(".partial.npy")
                    np.save(partial, array)
                    partial.replace(path)
            shards.append(np.load(values, mmap_mode="r"))
            lengths.append(np.load(counts))
    progress("encode", n_clips, n_clips)
    length = np.concatenate(lengths)
    start = np.concatenate([np.cumsum(counted) - counted for counted in lengths])
    return Heard(tuple(shards), np.arange(n_clips) // _SHARD, start, length)


def encoder_runner(
    tensors: Mapping[str, NDArray[np.floating[Any]]],
    path: Path,
    *,
    first: int = 0,
    below: int = 0,
    inner: Sequence[int] = (),
) -> Any:
    """Return a function from padded frames and lengths to blocks (batch, n, blocks, width).

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray
        The encoder's weights.
    path : path
        For messages.
    first : int
        See :func:`blipper.voice.whisper.build_encoder`.
    below : int
        If given, so many blocks alone are run, and their frames are not pooled.
    inner : sequence of int
        See :func:`blipper.voice.whisper.build_encoder`.
    """
    import tensorflow as tf

    encoder = whisper.load_encoder(tensors, path, first=first, inner=inner)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(frames: Any, lengths: Any) -> Any:
        if below:
            return tf.cast(tf.stack(encoder([frames, lengths])[:below], axis=2), tf.float16)
        return tf.cast(pooled_blocks(encoder, frames, lengths), tf.float16)

    return run


def pooled_blocks(encoder: Any, frames: Any, lengths: Any, *, training: bool = False) -> Any:
    """Return what an encoder hears, averaged over 80 ms.

    Parameters
    ----------
    encoder : keras.Model
        Of :func:`blipper.voice.whisper.build_encoder`.
    frames : tensorflow.Tensor of float32, shape (batch, n, mels) or (batch, n, first, width)
        `n` a multiple of 8, or of 4 where the encoder begins with a block.
    lengths : tensorflow.Tensor of int32, shape (batch,)
        How many frames are sound.
    training : bool

    Returns
    -------
    tensorflow.Tensor of float32, shape (batch, n // 8 or n // 4, slices, width)
    """
    import tensorflow as tf

    x = tf.stack(encoder([frames, lengths], training=training)[:-1], axis=2)
    shape = tf.shape(x)
    if len(frames.shape) == 3:
        lengths = (lengths + 1) // 2
    heard = tf.range(shape[1])[tf.newaxis] < lengths[:, tf.newaxis]
    share = tf.cast(heard, tf.float32)[:, :, tf.newaxis, tf.newaxis]
    pairs = [shape[0], shape[1] // POOL, POOL]
    total = tf.reduce_sum(tf.reshape(x * share, [*pairs, x.shape[2], x.shape[3]]), axis=2)
    count = tf.reduce_sum(tf.reshape(share, [*pairs, 1, 1]), axis=2)
    return total / tf.maximum(count, 1.0)


def encode_all(
    run: Any, given: Sequence[NDArray[np.floating[Any]]], pool: int = POOL
) -> list[NDArray[np.float16]]:
    """Run an encoder over frames of any length, those of like length together.

    Parameters
    ----------
    run : callable
        ``run(frames, lengths)`` of :func:`encoder_runner`.
    given : sequence of numpy.ndarray, shape (n_frames, mels) or (n_frames, first, width)
    pool : int
        How many of the encoder's frames make one of the result's.

    Returns
    -------
    list of numpy.ndarray of float16, shape (n, blocks, width)
    """
    lengths = np.array([max(1, len(one)) for one in given])
    pooled = -(-lengths // (2 * pool if given[0].ndim == 2 else pool))
    found: list[NDArray[np.float16]] = [np.zeros(0, dtype=np.float16)] * len(given)
    order = np.argsort(lengths, kind="stable")
    for first in range(0, len(order), _BATCH):
        chosen = order[first : first + _BATCH]
        width = -(-int(lengths[chosen].max()) // _BUCKET) * _BUCKET
        batch = np.zeros((len(chosen), width, *given[0].shape[1:]), dtype=np.float32)
        for row, i in enumerate(chosen):
            batch[row, : len(given[i])] = given[i]
        out = run(batch, lengths[chosen].astype(np.int32)).numpy()
        for row, i in enumerate(chosen):
            found[i] = out[row, : pooled[i]]
    return found


def _sounds(
    segments: Segments, clips: Sequence[int], settings: HeardSettings, pool: ProcessPoolExecutor | None
) -> list[Float32]:
    most = round(_LONGEST * SAMPLING_RATE)
    rows = {clip: np.flatnonzero(segments.clip == clip) for clip in clips}
    joined = [np.concatenate([segments.read(int(i)) for i in rows[clip]])[:most] for clip in clips]
    if not settings.version:
        return joined
    parts = [(joined[i : i + _CHUNK], clips[i : i + _CHUNK], settings) for i in range(0, len(joined), _CHUNK)]
    done = map(_augmented, parts) if pool is None else pool.map(_augmented, parts)
    return [sound[:most] for part in done for sound in part]


def _augmented(part: tuple[list[Float32], Sequence[int], HeardSettings]) -> list[Float32]:
    sounds, numbers, settings = part
    surroundings = _surroundings(settings.noises, settings.rooms)
    return [
        augment(
            sound,
            surroundings,
            settings.augmentation,
            np.random.default_rng((settings.seed, settings.version, number)),
        )
        for sound, number in zip(sounds, numbers, strict=True)
    ]


_SURROUNDINGS: dict[tuple[tuple[Path, ...], tuple[Path, ...]], Surroundings] = {}


def _surroundings(noises: tuple[Path, ...], rooms: tuple[Path, ...]) -> Surroundings:
    """Read the surroundings once a process."""
    if (noises, rooms) not in _SURROUNDINGS:
        _SURROUNDINGS[noises, rooms] = Surroundings.read(noises, rooms)
    return _SURROUNDINGS[noises, rooms]
