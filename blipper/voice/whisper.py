"""Whisper's audio encoder as a Keras network, filled from weights that are on this machine.

The published architecture (Radford et al. 2022): log-mel frames of 10 ms, two convolutions that halve them to
frames of 20 ms, sinusoidal positions, and pre-norm transformer blocks. Here it runs on the sound's own
length: positions are cut to it and nothing is padded to 30 s. Every block's output can be had.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.recording import Float32

SAMPLING_RATE: Final = 16_000
#: Samples in a frame and between frames: 400 = 25 ms, 160 = 10 ms.
FFT: Final = 400
HOP: Final = 160
#: Seconds from one encoder frame to the next: the second convolution halves the frames of 10 ms.
STEP: Final = 0.02
#: Seconds that the encoder's positions last for: 1500 * 0.02 s.
LONGEST: Final = 30.0
_MASKED: Final = -1e9
#: How many times as wide as a block its inner layer is.
INNER: Final = 4


@dataclass(frozen=True)
class Dimensions:
    """Size of an encoder; the defaults are those of ``tiny.en`` (8.2 million weights).

    Parameters
    ----------
    mels, width, heads, blocks, positions : int
    """

    mels: int = 80
    width: int = 384
    heads: int = 6
    blocks: int = 4
    positions: int = 1500


@functools.cache
def _filters(mels: int) -> tuple[Float32, Float32]:
    """Return the periodic Hann window (400,) and the mel filters (201, mels)."""
    import librosa

    filters = librosa.filters.mel(sr=SAMPLING_RATE, n_fft=FFT, n_mels=mels)
    hann = librosa.filters.get_window("hann", FFT).astype(np.float32)
    return hann, np.ascontiguousarray(filters.T, dtype=np.float32)


def log_mel(samples: Float32, mels: int = 80) -> Float32:
    """Compute the log-mel frames that Whisper hears, on the sound's own length.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        At 16 kHz; padded with zeros to one frame if shorter.
    mels : int

    Returns
    -------
    numpy.ndarray of float32, shape (n // 160, mels)
        As ``whisper.log_mel_spectrogram``, transposed: base-10 logarithms, not more than 8 below the highest,
        scaled to about -1 to 1.5.
    """
    from scipy import fft as scipy_fft

    samples = np.asarray(samples, dtype=np.float32)
    if len(samples) < FFT:
        samples = np.pad(samples, (0, FFT - len(samples)))
    hann, filters = _filters(mels)
    # Frames are centred; the edges are reflected, as torch.stft does.
    padded = np.pad(samples, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][: len(samples) // HOP]
    spectrum = scipy_fft.rfft(frames * hann, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    logs = np.log10(np.maximum(power @ filters, 1e-10))
    return np.asarray((np.maximum(logs, logs.max() - 8) + 4) / 4, dtype=np.float32)


def levelled(samples: Float32) -> Float32:
    """Scale to -26 dBFS RMS: Whisper's frames keep the level, which would give a corpus away."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
    return np.asarray(samples * np.float32(0.05 / max(rms, 1e-5)), dtype=np.float32)


def encoder_frames(frames: int) -> int:
    """Return how many encoder frames come of so many log-mel frames: half, rounded up."""
    return (frames + 1) // 2


def build_encoder(
    size: Dimensions | None = None, *, first: int = 0, rank: int = 0, inner: Sequence[int] = ()
) -> Any:
    """Build the encoder, with fresh weights.

    Parameters
    ----------
    size : Dimensions, optional
        ``tiny.en`` unless given.
    first : int
        The block to begin with: what the blocks below gave is then the input, and nothing of them is built.
    rank : int
        Of low-rank adapters beside each matrix of the blocks, as layers of their own, whose names end in
        ``_a`` and ``_b``; 0 for none. The second is zero, so that they change nothing at first.
    inner : sequence of int
        Blocks whose inner layer is wanted as well, from 0: what its perceptron holds after the GELU, four
        times as wide as the block.

    Returns
    -------
    keras.Model
        Inputs: ``frames`` (batch, n, mels) log-mel as :func:`log_mel` gives it, with n up to 3000, or else
        (batch, n, first, width), outputs of the blocks below; and ``lengths`` (batch,) int32, how many of
        them are sound. What lies behind takes no part.
        Outputs: one tensor a block, (batch, (n + 1) // 2, width), those that were the input among them, then
        each inner layer in four tensors of the same shape, then the last block normalised, which is what
        openai-whisper's ``AudioEncoder`` gives.
    """
    import keras
    from keras import layers, ops

    size = size or Dimensions()
    table = (size.positions, size.width)

    class Positions(keras.layers.Layer):  # type: ignore[misc]
        """Adds the positions, cut to the input's length."""

        def build(self, shape: Any) -> None:
            self.table = self.add_weight(name="table", shape=table, initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            return x + self.table[: ops.shape(x)[1]]

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    class Heard(keras.layers.Layer):  # type: ignore[misc]
        """Says which frames are sound: 1.0 or 0.0, shape (batch, n)."""

        def call(self, x: Any, lengths: Any) -> Any:
            places = ops.arange(ops.shape(x)[1], dtype="int32")
            return ops.cast(places[None, :] < ops.cast(lengths, "int32")[:, None], x.dtype)

        def compute_output_shape(self, x_shape: Any, lengths_shape: Any) -> Any:
            return x_shape[:2]

    def dense(x: Any, units: int, name: str, *, bias: bool = True) -> Any:
        y = layers.Dense(units, use_bias=bias, name=name)(x)
        if not rank:
            return y
        low = layers.Dense(rank, use_bias=False, kernel_initializer="he_uniform", name=f"{name}_a")(x)
        return y + layers.Dense(units, use_bias=False, kernel_initializer="zeros", name=f"{name}_b")(low)

    def heads(x: Any, name: str, *, bias: bool = True) -> Any:
        y = dense(x, size.width, name, bias=bias)
        y = layers.Reshape((-1, size.heads, size.width // size.heads), name=f"{name}_heads")(y)
        return ops.transpose(y, (0, 2, 1, 3))

    def convolve(x: Any, name: str, stride: int) -> Any:
        padded = layers.ZeroPadding1D(1, name=f"{name}_pad")(x)
        return ops.gelu(layers.Conv1D(size.width, 3, stride, name=name)(padded), approximate=False)

    lengths = keras.Input((), dtype="int32", name="lengths")
    outputs, inside_blocks = [], []
    if first:
        frames = keras.Input((None, first, size.width), name="frames")
        outputs += [frames[:, :, i] for i in range(first)]
        x = outputs[-1]
        heard = Heard(name="heard_halved")(x, lengths)
    else:
        frames = keras.Input((None, size.mels), name="frames")
        inside = ops.expand_dims(Heard(name="heard")(frames, lengths), 2)
        x = convolve(frames * inside, "conv1", 1)
        x = convolve(x * inside, "conv2", 2)
        x = Positions(name="positions")(x)
        heard = Heard(name="heard_halved")(x, (lengths + 1) // 2)
    mask = (ops.expand_dims(ops.expand_dims(heard, 1), 1) - 1.0) * -_MASKED
    for i in range(first, size.blocks):
        name = f"block{i}"
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_attn_ln")(x)
        query, value = heads(y, f"{name}_query"), heads(y, f"{name}_value")
        key = heads(y, f"{name}_key", bias=False)
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) * (size.width / size.heads) ** -0.5
        mixed = ops.matmul(ops.softmax(scores + mask), value)
        mixed = layers.Reshape((-1, size.width), name=f"{name}_joined")(ops.transpose(mixed, (0, 2, 1, 3)))
        x = x + dense(mixed, size.width, f"{name}_out")
        y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_mlp_ln")(x)
        y = ops.gelu(dense(y, 4 * size.width, f"{name}_mlp_0"), approximate=False)
        if i in inner:
            inside_blocks += [y[:, :, k * size.width : (k + 1) * size.width] for k in range(INNER)]
        x = x + dense(y, size.width, f"{name}_mlp_2")
        outputs.append(x)
    outputs += inside_blocks
    outputs.append(layers.LayerNormalization(epsilon=1e-5, name="ln_post")(x))
    return keras.Model([frames, lengths], outputs, name="whisper-encoder")


def tensor_names(size: Dimensions | None = None) -> dict[str, tuple[str, str]]:
    """Map openai-whisper's names to (layer, variable) of :func:`build_encoder`.

    Parameters
    ----------
    size : Dimensions, optional

    Returns
    -------
    dict of str to (str, str)
        ``{"encoder.conv1.weight": ("conv1", "kernel"), ...}``
    """
    size = size or Dimensions()
    names = {"encoder.positional_embedding": ("positions", "table")}
    names |= {
        f"encoder.{conv}.{part}": (conv, variable)
        for conv in ("conv1", "conv2")
        for part, variable in (("weight", "kernel"), ("bias", "bias"))
    }
    norms = {"encoder.ln_post": "ln_post"}
    for i in range(size.blocks):
        theirs, ours = f"encoder.blocks.{i}", f"block{i}"
        norms |= {f"{theirs}.{norm}": f"{ours}_{norm}" for norm in ("attn_ln", "mlp_ln")}
        dense = {f"attn.{part}": part for part in ("query", "key", "value", "out")}
        for their, our in (dense | {"mlp.0": "mlp_0", "mlp.2": "mlp_2"}).items():
            names[f"{theirs}.{their}.weight"] = (f"{ours}_{our}", "kernel")
            if our != "key":
                names[f"{theirs}.{their}.bias"] = (f"{ours}_{our}", "bias")
    for their, our in norms.items():
        names[f"{their}.weight"] = (our, "gamma")
        names[f"{their}.bias"] = (our, "beta")
    return names


def read_tensors(path: Path) -> dict[str, NDArray[np.float16]]:
    """Read an encoder's weights from a safetensors file.

    Parameters
    ----------
    path : path
        With the keys of ``whisper.load_model("tiny.en").state_dict()``, of which ``encoder.*`` are taken.

    Returns
    -------
    dict of str to numpy.ndarray of float16
        In half precision, as OpenAI published them.

    Raises
    ------
    ModelError
        If the file cannot be read, or holds no encoder of the size of ``tiny.en``.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: cannot be read as a Whisper encoder ({error})") from error
    return encoder_tensors(found, path)


def read_checkpoint(stream: BinaryIO, path: Path) -> dict[str, Any]:
    """Read the tensors of openai-whisper's own checkpoint ``tiny.en.pt``; no code in it is ever run.

    Parameters
    ----------
    stream : binary file
        Whose hash was compared.
    path : path
        For messages.

    Raises
    ------
    ModelError
        If it is none, or PyTorch is not installed.
    """
    import pickle

    try:
        import torch
    except ImportError as error:
        raise ModelError(f"{path}: reading OpenAI's own checkpoint needs PyTorch ({error})") from error
    try:
        found = torch.load(stream, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path}: cannot be read as a Whisper checkpoint ({error})") from error
    state = found.get("model_state_dict") if isinstance(found, dict) else None
    if not isinstance(state, dict):
        raise ModelError(f"{path}: has no model_state_dict, so it is no Whisper checkpoint")
    return {
        key: value.to(torch.float32).numpy() for key, value in state.items() if key.startswith("encoder.")
    }


def encoder_tensors(found: Mapping[str, Any], path: Path) -> dict[str, NDArray[np.float16]]:
    """Pick the encoder's tensors out of a model's, as :func:`read_tensors` gives them.

    Raises
    ------
    ModelError
        If they are not those of ``tiny.en``.
    """
    tensors = {key: value for key, value in found.items() if key.startswith("encoder.")}
    expected = set(tensor_names())
    if missing := sorted(expected - set(tensors)):
        raise ModelError(f"{path}: has no tensor {missing[0]}, so it is no encoder of Whisper tiny.en")
    if surplus := sorted(set(tensors) - expected):
        raise ModelError(f"{path}: has a tensor {surplus[0]}, so it is no encoder of Whisper tiny.en")
    if tensors["encoder.conv1.weight"].shape != (384, 80, 3):
        raise ModelError(
            f"{path}: encoder.conv1.weight has shape {tensors['encoder.conv1.weight'].shape}, that of "
            "Whisper tiny.en has (384, 80, 3)"
        )
    return {key: np.ascontiguousarray(value, dtype=np.float16) for key, value in tensors.items()}


def tensors_sha256(tensors: Mapping[str, NDArray[np.float16]]) -> str:
    """Return a digest of weights that is the same whatever file they came in.

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray of float16
        As :func:`read_tensors` gives them.

    Returns
    -------
    str
        SHA-256 over names, shapes and little-endian values, in the order of the names.
    """
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(f"{key} {tensors[key].shape}\n".encode())
        digest.update(tensors[key].astype("<f2").tobytes())
    return digest.hexdigest()


def fill_encoder(encoder: Any, tensors: Mapping[str, NDArray[np.floating]], path: Path) -> None:
    """Put weights into an encoder.

    Parameters
    ----------
    encoder : keras.Model
        Of :func:`build_encoder`.
    tensors : mapping of str to numpy.ndarray
    path : path
        For messages.

    Raises
    ------
    ModelError
        If a tensor is of another shape, or not finite.
    """
    built = {layer.name for layer in encoder.layers}
    for key, (layer, name) in tensor_names().items():
        if layer not in built:  # below the block that this encoder begins with
            continue
        values = tensors[key].astype(np.float32)
        variable = {v.name: v for v in encoder.get_layer(layer).weights}[name]
        if name == "kernel":  # PyTorch keeps outputs first
            values = values.transpose(2, 1, 0) if values.ndim == 3 else values.T
        if values.shape != tuple(variable.shape):
            raise ModelError(
                f"{path}: tensor {key} has shape {tensors[key].shape}, which does not fit Whisper tiny.en"
            )
        if not np.isfinite(values).all():
            raise ModelError(f"{path}: tensor {key} holds NaN or infinite values")
        variable.assign(values)


def load_encoder(
    tensors: Mapping[str, NDArray[np.floating]],
    path: Path,
    *,
    first: int = 0,
    rank: int = 0,
    inner: Sequence[int] = (),
) -> Any:
    """Build the encoder of ``tiny.en`` and fill it.

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray
        As :func:`read_tensors` gives them.
    path : path
        For messages.
    first, rank : int
    inner : sequence of int
        See :func:`build_encoder`.

    Returns
    -------
    keras.Model
        See :func:`build_encoder`; frozen.

    Raises
    ------
    ModelError
        If a tensor does not fit.
    """
    encoder = build_encoder(first=first, rank=rank, inner=inner)
    fill_encoder(encoder, tensors, path)
    encoder.trainable = False
    return encoder
