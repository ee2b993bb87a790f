"""Silero VAD's network in NumPy: many frames at once where it may be, one after the other where it must.

The ``silero-vad`` package (MIT) carries the weights, in a graph that convolves each frame of 32 ms by itself:
many tiny matrix products, where here a few large ones go over all frames of a block. Only the recurrent
layer, a tenth of the arithmetic, goes frame by frame. The numbers are those of the package's own loop (tested
to 1e-4), and neither PyTorch nor ONNX Runtime is imported.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from blipper.errors import ModelError
from blipper.onnx_weights import read_initializers
from blipper.recording import Float32

#: Samples in a frame (32 ms at 16 kHz), and of the frame before that the network also sees.
FRAME: Final = 512
CONTEXT: Final = 64

#: Size of the recurrent state.
STATE: Final = 128

_FILE: Final = "silero_vad_16k_sequence.onnx"

#: Spectra of 256 samples every 128 of the frame with its context and 64 mirrored samples: 4 of 129 bins each.
_SPECTRUM, _STEP, _SPECTRA, _BINS = 256, 128, 4, 129


@dataclass(frozen=True)
class Weights:
    """The weights, laid out for products of rows by matrices.

    Parameters
    ----------
    window : numpy.ndarray, shape (256,)
        Of the spectra, whose windowed cosines and sines the package writes out as a convolution.
    convolutions : tuple of (matrix, bias)
        Four layers; a matrix has shape (taps * channels, channels out).
    gates : (matrix, bias)
        From the encoder to the four gates, shape (128, 512). The three that end in a sigmoid are halved, as
        ``sigmoid(x) = (1 + tanh(x / 2)) / 2``.
    recurrent : numpy.ndarray, shape (128, 512)
        From the state to the gates, halved likewise.
    output : (vector, bias)
    """

    window: Float32
    convolutions: tuple[tuple[Float32, Float32], ...]
    gates: tuple[Float32, Float32]
    recurrent: Float32
    output: tuple[Float32, float]


@functools.cache
def load() -> Weights:
    """Load the weights, once a process.

    Raises
    ------
    ModelError
        If the package is not installed or has other weights.
    """
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or spec.origin is None:
        raise ModelError("the package silero-vad is not installed; it carries the speech detector's weights")
    path = Path(spec.origin).parent / "data" / _FILE
    if not path.is_file():
        raise ModelError(f"silero-vad has no {path.name}; version 6.2.3 or newer is needed")
    found = {name: array for name, array in read_initializers(path.read_bytes()) if array.dtype == np.float32}
    try:
        weights = _arranged(found)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelError(
            f"{path}: is not the network that Blipper knows ({error}); silero-vad 6.2.3 has it"
        ) from error
    return weights


def _arranged(found: dict[str, Float32]) -> Weights:
    # The recurrent layer's names end in the exporter's numbers; its gates are input, output, forget, new.
    layers = [found[name] for name in sorted(found) if "LSTM" in name]
    given, recurrent, biases = layers
    halves = np.repeat(np.array([0.5, 0.5, 0.5, 1.0], dtype=np.float32), STATE)

    def matrix(layer: int, taps: slice, shape: tuple[int, int, int]) -> tuple[Float32, Float32]:
        kernel = found[f"encoder.{layer}.weight"]
        if kernel.shape != shape:
            raise ValueError(f"layer {layer} has shape {kernel.shape}, expected {shape}")
        rows = kernel[:, :, taps].transpose(2, 1, 0).reshape(-1, shape[0])
        return np.ascontiguousarray(rows), found[f"encoder.{layer}.bias"]

    return Weights(
        window=_window(found["stft.forward_basis_buffer"].reshape(2 * _BINS, _SPECTRUM)),
        # What only ever meets padding is left out: the third layer sees two steps, the fourth one.
        convolutions=(
            matrix(0, slice(0, 3), (128, _BINS, 3)),
            matrix(1, slice(0, 3), (64, 128, 3)),
            matrix(2, slice(1, 3), (64, 64, 3)),
            matrix(3, slice(1, 2), (STATE, 64, 3)),
        ),
        gates=(
            np.ascontiguousarray(given.reshape(4 * STATE, STATE).T * halves),
            biases.reshape(2, 4 * STATE).sum(axis=0) * halves,
        ),
        recurrent=np.ascontiguousarray(recurrent.reshape(4 * STATE, STATE).T * halves),
        output=(found["output.weight"].reshape(STATE), float(found["output.bias"][0])),
    )


def _window(basis: Float32) -> Float32:
    """Return the window of a basis of cosines and sines, which a Fourier transform takes the place of."""
    window = basis[0]
    angles = 2 * np.pi * np.outer(np.arange(_BINS), np.arange(_SPECTRUM)) / _SPECTRUM
    waves = np.concatenate([np.cos(angles), -np.sin(angles)])
    if not np.allclose(basis, window * waves, atol=1e-4):
        raise ValueError("its spectrum is no windowed Fourier transform")
    return np.ascontiguousarray(window)


def encode(frames: Float32) -> Float32:
    """Compute what each frame brings to the recurrent layer's gates.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (n_frames, 576)
        Each with the last 64 samples of the frame before.

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, 512)
    """
    from scipy import fft

    weights = load()
    n = len(frames)
    mirrored = np.concatenate([frames, frames[:, -2 : -CONTEXT - 2 : -1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, _SPECTRUM, axis=1)[:, ::_STEP]
    spectra = fft.rfft(windows * weights.window, axis=2, overwrite_x=True)
    # A step of silence before and after, as the convolutions are padded.
    x = np.zeros((n, _SPECTRA + 2, _BINS), dtype=np.float32)
    x[:, 1:-1] = np.sqrt(spectra.real**2 + spectra.imag**2)  # several times as quick as abs
    first = _layer(np.concatenate([x[:, i : i + _SPECTRA] for i in range(3)], axis=2), 0)
    padded = np.zeros((n, _SPECTRA + 1, first.shape[2]), dtype=np.float32)
    padded[:, 1:] = first
    second = _layer(np.concatenate([padded[:, i : i + 3 : 2] for i in range(3)], axis=2), 1)
    third = _layer(second.reshape(n, 1, -1), 2)
    matrix, bias = weights.gates
    gates = _layer(third, 3)[:, 0] @ matrix
    gates += bias
    return np.asarray(gates, dtype=np.float32)


def recur(gates: Float32, hidden: Float32, cell: Float32) -> tuple[Float32, Float32, Float32]:
    """Run the recurrent layer over frames.

    Parameters
    ----------
    gates : numpy.ndarray of float32, shape (n_frames, 512)
        From :func:`encode`.
    hidden, cell : numpy.ndarray of float32, shape (128,)
        The state before the first frame: zeros at a recording's start.

    Returns
    -------
    probabilities : numpy.ndarray of float32, shape (n_frames,)
        Of speech, in [0, 1].
    hidden, cell : numpy.ndarray of float32, shape (128,)
        The state after the last frame.
    """
    weights = load()
    recurrent = weights.recurrent
    states = np.empty((len(gates), STATE), dtype=np.float32)
    cell = cell.copy()
    z = np.empty(4 * STATE, dtype=np.float32)
    opened = np.empty_like(z)
    into, out, forget = (opened[i * STATE : (i + 1) * STATE] for i in range(3))
    new = z[3 * STATE :]
    half = np.float32(0.5)
    for i, given in enumerate(gates):  # (1 + tanh) / 2 of halved inputs is the sigmoid
        np.dot(hidden, recurrent, out=z)
        z += given
        np.tanh(z, out=z)
        np.multiply(z, half, out=opened)
        opened += half
        cell *= forget
        into *= new
        cell += into
        hidden = states[i]
        np.tanh(cell, out=hidden)
        hidden *= out
    vector, bias = weights.output
    logits = np.maximum(states, 0) @ vector + np.float32(bias)
    return np.asarray(half * (1 + np.tanh(half * logits)), dtype=np.float32), hidden.copy(), cell


def _layer(x: Float32, i: int) -> Float32:
    matrix, bias = load().convolutions[i]
    y = x.reshape(-1, x.shape[2]) @ matrix
    y += bias
    np.maximum(y, 0, out=y)
    return np.asarray(y.reshape(x.shape[0], x.shape[1], -1), dtype=np.float32)
