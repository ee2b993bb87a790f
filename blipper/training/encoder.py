"""Whisper's encoder, frozen: means and deviations of two of its layers over a clip's speech."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training.prepare import SAMPLING_RATE, Segments
from blipper.voice import whisper
from blipper.voice.whisper_files import read_file

#: Layers whose mean and deviation over time are the embedding (counted from 1).
_LAYERS: Final = (2, 3)
#: Longest stretch encoded, in seconds; acted clips are shorter.
_LONGEST: Final = 8.0
#: Lengths are rounded up to a multiple of this many frames of 10 ms, so that few shapes are traced.
_BUCKET: Final = 40
_BATCH: Final = 16


def load_encoder(path: Path) -> Callable[[Any, Any], Any]:
    """Build the encoder and the pooling behind it.

    Parameters
    ----------
    path : path
        See :func:`blipper.voice.whisper_files.read_file`.

    Returns
    -------
    callable
        Takes log-mel frames ``(batch, frames, 80)`` and the valid lengths ``(batch,)``, gives the embeddings
        ``(batch, 2 * len(layers) * 384)`` as tensors.

    Raises
    ------
    ModelError
        If the file is missing, or is no such encoder.
    """
    import tensorflow as tf

    encoder = whisper.load_encoder(read_file(path), path)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def encode(frames: Any, lengths: Any) -> Any:
        layers = encoder([frames, lengths], training=False)
        places = tf.range(tf.shape(layers[0])[1])[tf.newaxis]
        valid = tf.cast(places < (lengths[:, tf.newaxis] + 1) // 2, tf.float32)
        share = (valid / tf.reduce_sum(valid, axis=1, keepdims=True))[..., tf.newaxis]
        pooled = []
        for layer in _LAYERS:
            x = layers[layer - 1]
            mean = tf.reduce_sum(x * share, axis=1)
            variance = tf.reduce_sum((x - mean[:, tf.newaxis]) ** 2 * share, axis=1)
            pooled += [mean, tf.sqrt(variance + 1e-6)]
        return tf.concat(pooled, axis=-1)

    return cast("Callable[[Any, Any], Any]", encode)


def embed(
    segments: Segments, n_clips: int, path: Path, cache: Path, *, progress: Progress = silent
) -> Float32:
    """Encode every clip's speech.

    Parameters
    ----------
    segments : Segments
    n_clips : int
    path : path
        The encoder's weights.
    cache : path
        Folder for the result and, after an interrupt, for what there is of it.
    progress : Progress
        Told clips, as step ``"teacher"``.

    Returns
    -------
    numpy.ndarray of float32, shape (n_clips, 1536)
    """
    name = hashlib.sha256(segments.fingerprint.encode() + path.read_bytes()).hexdigest()[:16]
    done = cache / f"embeddings-{name}.npy"
    if done.exists():
        return np.asarray(np.load(done), dtype=np.float32)
    clips = _clips(segments, n_clips)
    lengths = np.array([min(len(clip), round(_LONGEST * SAMPLING_RATE)) // 160 for clip in clips])
    order = np.argsort(lengths, kind="stable")
    encode = load_encoder(path)
    out: Float32 | None = None
    for first in range(0, n_clips, _BATCH):
        progress("teacher", first, n_clips)
        chosen = order[first : first + _BATCH]
        n_frames = -(-int(lengths[chosen].max()) // _BUCKET) * _BUCKET
        batch = np.zeros((len(chosen), n_frames, 80), dtype=np.float32)
        for row, i in enumerate(chosen):
            frames = whisper.log_mel(whisper.levelled(clips[i]))[: lengths[i]]
            batch[row, : len(frames)] = frames
        embedded = encode(batch, np.maximum(lengths[chosen], 1).astype(np.int32)).numpy()
        if out is None:
            out = np.zeros((n_clips, embedded.shape[1]), dtype=np.float32)
        out[chosen] = embedded
    if out is None:
        raise ModelError("there are no clips to teach from")
    partial = done.with_suffix(".partial.npy")
    np.save(partial, out)
    partial.replace(done)
    progress("teacher", n_clips, n_clips)
    return out


def _clips(segments: Segments, n_clips: int) -> list[Float32]:
    """Join each clip's segments."""
    parts: list[list[Float32]] = [[] for _ in range(n_clips)]
    for i in range(len(segments)):
        parts[segments.clip[i]].append(segments.read(i))
    return [np.concatenate(part) for part in parts]
