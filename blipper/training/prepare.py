"""Corpora to trimmed speech: decoded once, cut as the app cuts it, cached against interrupts."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import DatasetError
from blipper.progress import Progress, silent
from blipper.recording import Float32, Provenance, Recording
from blipper.results import Span
from blipper.speech import SpeechSettings, detect_speech
from blipper.voice.windows import Margins, reached

SAMPLING_RATE: Final = 16_000
#: Raised when what is stored changes, so that an old cache is not read.
_FORMAT: Final = 3
#: Clips decoded between two saves.
_SHARD: Final = 1000


@dataclass(frozen=True, eq=False)
class Segments:
    """Stretches of speech, one after another in one array.

    Parameters
    ----------
    samples : numpy.ndarray of int16, shape (n_samples,)
        All segments; each clip scaled to a peak of 0.9 of full scale, since corpora differ in level.
    clip : numpy.ndarray of int, shape (n_segments,)
        Which clip a segment belongs to, as an index into the list that was prepared.
    start, length : numpy.ndarray of int, shape (n_segments,)
        Where it lies in `samples`.
    without_speech : numpy.ndarray of bool, shape (n_clips,)
        Clips in which no speech was detected; they are kept whole, so that every clip gets a score.
    digest : tuple of str
        SHA-256 of each clip's decoded samples.
    """

    samples: NDArray[np.int16]
    clip: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    without_speech: NDArray[np.bool_]
    digest: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of segments."""
        return len(self.clip)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the clips and of where speech lies in them; what follows from them is kept by it."""
        digest = hashlib.sha256("".join(self.digest).encode())
        for array in (self.clip, self.start, self.length):
            digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return digest.hexdigest()

    def read(self, index: int) -> Float32:
        """Return one segment as float32 in [-1, 1], shape (n,)."""
        first = self.start[index]
        return self.samples[first : first + self.length[index]].astype(np.float32) / np.float32(32768)


def read_mono(path: Path) -> Float32:
    """Decode a sound file, mix it down and resample it to 16 kHz.

    Parameters
    ----------
    path : path

    Returns
    -------
    numpy.ndarray of float32, shape (n,)

    Raises
    ------
    DatasetError
        If it cannot be decoded or is empty.
    """
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise DatasetError(f"{path}: cannot be read as sound ({error})") from error
    if not len(samples):
        raise DatasetError(f"{path}: holds no sound")
    mono = samples.mean(axis=1, dtype=np.float32)
    if rate != SAMPLING_RATE:
        mono = soxr.resample(mono, rate, SAMPLING_RATE)
    return np.ascontiguousarray(mono, dtype=np.float32)


def as_recording(samples: Float32, name: str) -> Recording:
    """Wrap samples at 16 kHz, so that the app's own speech detector can read them."""
    provenance = Provenance(name, "", 0, "", "", SAMPLING_RATE, 1, "array")
    return Recording(samples[np.newaxis], SAMPLING_RATE, ("mix",), provenance)


def prepare(
    paths: Sequence[Path],
    cache: Path,
    *,
    trim: bool = True,
    speech: SpeechSettings | None = None,
    margins: Margins | None = None,
    progress: Progress = silent,
) -> Segments:
    """Decode clips and keep the stretches in which somebody speaks.

    Parameters
    ----------
    paths : sequence of path
    cache : path
        Folder for the result; a second call with the same paths and settings reads it.
    trim : bool
        Whether to look for speech; noises are kept whole instead.
    speech : SpeechSettings, optional
    margins : Margins, optional
        What is kept around each stretch, as far as it fits `speech`; nothing unless given.
    progress : Progress
        Told clips, as step ``"prepare"``.

    Returns
    -------
    Segments
    """
    speech = speech or SpeechSettings()
    margins = (margins or Margins()).fitting(speech)
    described = [_FORMAT, trim, repr(speech), *[[str(p.resolve()), p.stat().st_size] for p in paths]]
    if margins != Margins():
        described.append(repr(margins))
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    folder = cache / f"prepared-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    shards = []
    for first in range(0, len(paths), _SHARD):
        file = folder / f"{first:06d}.npz"
        if not file.exists():
            part = paths[first : first + _SHARD]
            _save(file, _prepare_shard(part, first, len(paths), trim, speech, margins, progress))
        with np.load(file) as arrays:
            shards.append({key: arrays[key] for key in arrays.files})
    progress("prepare", len(paths), len(paths))
    return _join(shards)


def _prepare_shard(
    paths: Sequence[Path],
    first: int,
    total: int,
    trim: bool,
    speech: SpeechSettings,
    margins: Margins,
    progress: Progress,
) -> dict[str, NDArray[Any]]:
    pieces: list[NDArray[np.int16]] = []
    clips: list[int] = []
    silent_clips: list[bool] = []
    digests: list[str] = []
    for i, path in enumerate(paths):
        progress("prepare", first + i, total)
        samples = read_mono(path)
        digests.append(hashlib.sha256(samples.tobytes()).hexdigest())
        whole = (Span(0.0, len(samples) / SAMPLING_RATE),)
        spans = detect_speech(as_recording(samples, path.name), settings=speech) if trim else whole
        silent_clips.append(not spans)
        samples = samples * np.float32(0.9 / max(float(np.abs(samples).max()), 1e-4))
        before = 0.0
        for span in spans or whole:
            kept = reached(span, margins, before, len(samples) / SAMPLING_RATE)
            piece = samples[round(kept.start * SAMPLING_RATE) : round(kept.end * SAMPLING_RATE)]
            pieces.append(np.round(piece * 32767).astype(np.int16))
            clips.append(i)
            before = span.end
    return {
        "samples": np.concatenate(pieces),
        "clip": np.array(clips) + first,
        "length": np.array([len(piece) for piece in pieces]),
        "without_speech": np.array(silent_clips),
        "digest": np.array(digests),
    }


def _join(shards: list[dict[str, NDArray[Any]]]) -> Segments:
    joined = {key: np.concatenate([shard[key] for shard in shards]) for key in shards[0]}
    length = joined["length"].astype(np.int64)
    return Segments(
        samples=joined["samples"],
        clip=joined["clip"].astype(np.int64),
        start=np.cumsum(length) - length,
        length=length,
        without_speech=joined["without_speech"],
        digest=tuple(str(digest) for digest in joined["digest"]),
    )


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays so that an interrupt leaves no half a file."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **arrays)
    partial.replace(path)
