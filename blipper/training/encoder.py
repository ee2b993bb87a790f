"""Whisper's encoder, frozen: means and deviations of two of its layers over a clip's speech.

The published architecture (Radford et al. 2022), built here in TensorFlow operations and filled from a
safetensors file with the keys of ``whisper.load_model("tiny.en").state_dict()``.
"""

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

#: Layers whose mean and deviation over time are the embedding (counted from 1).
_LAYERS: Final = (2, 3)
_HEADS: Final = 6
_MELS: Final = 80
#: Longest stretch encoded, in seconds; acted clips are shorter.
_LONGEST: Final = 8.0
#: Lengths are rounded up to a multiple of this many frames of 10 ms, so that few shapes are traced.
_BUCKET: Final = 40
_BATCH: Final = 16


def whisper_log_mel(samples: Float32) -> Float32:
    """Compute Whisper's log-mel frames on the clip's own length, without its 30 s padding.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        At 16 kHz.

    Returns
    -------
    numpy.ndarray of float32, shape (n // 160, 80)
    """
    import librosa

    spectrum = librosa.stft(np.pad(samples, (0, max(0, 400 - len(samples)))), n_fft=400, hop_length=160)
    power = np.abs(spectrum[:, :-1]) ** 2
    mel = librosa.filters.mel(sr=SAMPLING_RATE, n_fft=400, n_mels=_MELS) @ power
    log = np.log10(np.maximum(mel, 1e-10))
    return np.ascontiguousarray(((np.maximum(log, log.max() - 8) + 4) / 4).T, dtype=np.float32)


def load_encoder(path: Path) -> Callable[[Any, Any], Any]:
    """Build the encoder.

    Parameters
    ----------
    path : path
        Safetensors file, keys ``encoder.*``.

    Returns
    -------
    callable
        Takes log-mel frames ``(batch, frames, 80)`` with an even number of frames and the valid lengths
        ``(batch,)``, gives the embeddings ``(batch, 2 * len(layers) * 384)`` as tensors.

    Raises
    ------
    ModelError
        If the file is missing, or is no such encoder.
    """
    import tensorflow as tf
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = {key: value.astype(np.float32) for key, value in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as a Whisper encoder ({error})") from error
    if "encoder.conv1.weight" not in weights:
        raise ModelError(f"{path}: has no tensor encoder.conv1.weight, so it is no Whisper encoder")

    def layer_norm(x: Any, name: str) -> Any:
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-5) * weights[f"{name}.weight"] + weights[
            f"{name}.bias"
        ]

    def linear(x: Any, name: str) -> Any:
        y = tf.linalg.matmul(x, weights[f"{name}.weight"], transpose_b=True)
        bias = weights.get(f"{name}.bias")  # the key projection has none
        return y if bias is None else y + bias

    def convolve(x: Any, name: str, stride: int) -> Any:
        kernel = weights[f"encoder.{name}.weight"].transpose(2, 1, 0)
        padded = tf.pad(x, [[0, 0], [1, 1], [0, 0]])
        y = tf.nn.conv1d(padded, kernel, stride=stride, padding="VALID")
        return tf.nn.gelu(y + weights[f"encoder.{name}.bias"])

    def attend(x: Any, name: str, mask: Any) -> Any:
        shape = tf.shape(x)

        def heads(part: str) -> Any:
            y = tf.reshape(linear(x, f"{name}.{part}"), [shape[0], shape[1], _HEADS, -1])
            return tf.transpose(y, [0, 2, 1, 3])

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = tf.linalg.matmul(query, key, transpose_b=True) / np.sqrt(384 / _HEADS).astype(np.float32)
        mixed = tf.linalg.matmul(tf.nn.softmax(scores + mask), value)
        return linear(tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), shape), f"{name}.out")

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def encode(frames: Any, lengths: Any) -> Any:
        x = convolve(convolve(frames, "conv1", 1), "conv2", 2)
        n = tf.shape(x)[1]
        x = x + tf.constant(weights["encoder.positional_embedding"])[:n]
        valid = tf.cast(tf.range(n)[tf.newaxis] < (lengths[:, tf.newaxis] + 1) // 2, tf.float32)
        mask = (valid[:, tf.newaxis, tf.newaxis] - 1) * 1e9
        share = (valid / tf.reduce_sum(valid, axis=1, keepdims=True))[..., tf.newaxis]
        pooled = []
        for layer in range(max(_LAYERS)):
            block = f"encoder.blocks.{layer}"
            x = x + attend(layer_norm(x, f"{block}.attn_ln"), f"{block}.attn", mask)
            hidden = tf.nn.gelu(linear(layer_norm(x, f"{block}.mlp_ln"), f"{block}.mlp.0"))
            x = x + linear(hidden, f"{block}.mlp.2")
            if layer + 1 in _LAYERS:
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
    name = hashlib.sha256("".join(segments.digest).encode() + path.read_bytes()).hexdigest()[:16]
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
        batch = np.zeros((len(chosen), n_frames, _MELS), dtype=np.float32)
        for row, i in enumerate(chosen):
            frames = whisper_log_mel(_levelled(clips[i]))[: lengths[i]]
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


def _levelled(samples: Float32) -> Float32:
    """Scale to -26 dBFS RMS: Whisper's frames keep the level, which would give a corpus away."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
    return samples * np.float32(0.05 / max(rms, 1e-5))
