"""Silero VAD's network: many frames at once where it may be, one after the other where it must.

The ``silero-vad`` package (MIT) carries the weights, in a graph that convolves each frame of 32 ms by itself:
many tiny matrix products, where here a few large ones go over all frames of a block. Only the recurrent
layer, a tenth of the arithmetic, goes frame by frame, in ONNX Runtime. The numbers are those of the package's
own loop (tested to 1e-4), and PyTorch is not imported.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from blipper.errors import ModelError
from blipper.onnx_weights import read_initializers
from blipper.recording import Float32

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Samples in a frame (32 ms at 16 kHz), and of the frame before that the network also sees.
FRAME: Final = 512
CONTEXT: Final = 64

#: Size of the recurrent state.
STATE: Final = 128

#: Frames at a time: 128 * 32 ms = 4.1 s. More are no quicker (measured): these stay within a core's cache.
FRAMES_A_CALL: Final = 128
#: Up to so many frames, as come while listening live, go one by one: a few together wake the threads of the
#: matrix library, which on a busy machine wait for each other for tens of milliseconds (measured).
FEW_FRAMES: Final = 16
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
    recurrent : onnxruntime.InferenceSession
        The recurrent layer and the output: ``x`` (n_frames, 1, 128), ``hidden`` and ``cell`` (1, 1, 128) in;
        the probabilities and the new state out. Safe to share between threads.
    """

    window: Float32
    convolutions: tuple[tuple[Float32, Float32], ...]
    recurrent: InferenceSession


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
    given, recurrent, biases = (found[name] for name in sorted(found) if "LSTM" in name)

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
        recurrent=_session(
            given.reshape(1, 4 * STATE, STATE),
            recurrent.reshape(1, 4 * STATE, STATE),
            biases.reshape(1, 8 * STATE),
            *(found["output.weight"].reshape(STATE, 1), found["output.bias"].reshape(1)),
        ),
    )


def _window(basis: Float32) -> Float32:
    """Return the window of a basis of cosines and sines, which a Fourier transform takes the place of."""
    window = basis[0]
    angles = 2 * np.pi * np.outer(np.arange(_BINS), np.arange(_SPECTRUM)) / _SPECTRUM
    waves = np.concatenate([np.cos(angles), -np.sin(angles)])
    if not np.allclose(basis, window * waves, atol=1e-4):
        raise ValueError("its spectrum is no windowed Fourier transform")
    return np.ascontiguousarray(window)


def _session(
    given: Float32, recurrent: Float32, biases: Float32, weight: Float32, bias: Float32
) -> InferenceSession:
    """Return the recurrent layer and the output as a graph of its own."""
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import InferenceSession, SessionOptions

    numbers = {"W": given, "R": recurrent, "B": biases, "weight": weight, "bias": bias}
    nodes = [
        helper.make_node(
            "LSTM",
            ["x", "W", "R", "B", "", "hidden", "cell"],
            ["states", "new_hidden", "new_cell"],
            hidden_size=STATE,
        ),
        helper.make_node("Relu", ["states"], ["heard"]),
        helper.make_node("MatMul", ["heard", "weight"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    shapes: dict[str, list[int | str]] = {
        "x": ["n", 1, STATE],
        "hidden": [1, 1, STATE],
        "cell": [1, 1, STATE],
        "probabilities": ["n", 1, 1, 1],
        "new_hidden": [1, 1, STATE],
        "new_cell": [1, 1, STATE],
    }
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(
        *(nodes, "silero-recurrent", values[:3], values[3:]),
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8  # what opset 17 came with; older runtimes refuse newer ones
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a frame is too little to share
    return InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def encode(frames: Float32) -> Float32:
    """Compute what each frame brings to the recurrent layer.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (n_frames, 576)
        Each with the last 64 samples of the frame before.

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, 128)
    """
    from scipy import fft

    weights = load()
    n = len(frames)
    mirrored = np.concatenate([frames, frames[:, -2 : -CONTEXT - 2 : -1]], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, _SPECTRUM, axis=1)[:, ::_STEP]
    spectra = fft.rfft(windows * weights.window, axis=2, overwrite_x=True)
    parts = spectra.view(np.float32)
    np.multiply(parts, parts, out=parts)
    heard = np.sqrt(parts[..., ::2] + parts[..., 1::2]).reshape(n, -1)  # several times as quick as abs
    # Convolutions of three steps over the four spectra. What would only meet padding is left out.
    steps = [(0, 2), (0, 3), (1, 4), (2, 4)]
    first = _over_steps(heard, 0, steps, _BINS)
    second = _over_steps(first, 1, [(0, 2), (1, 4)], first.shape[1] // _SPECTRA)
    third = _over_steps(second, 2, [(0, 2)], second.shape[1] // 2)
    return _over_steps(third, 3, [(0, 1)], third.shape[1])


def recur(encoded: Float32, hidden: Float32, cell: Float32) -> tuple[Float32, Float32, Float32]:
    """Run the recurrent layer over frames.

    Parameters
    ----------
    encoded : numpy.ndarray of float32, shape (n_frames, 128)
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
    found, hidden, cell = load().recurrent.run(
        None,
        {
            "x": encoded[:, np.newaxis],
            "hidden": hidden.reshape(1, 1, STATE),
            "cell": cell.reshape(1, 1, STATE),
        },
    )
    return found.ravel(), hidden.ravel(), cell.ravel()


class Memory:
    """The network with its recurrent state, for frames that come in blocks."""

    def __init__(self) -> None:
        self._hidden = np.zeros(STATE, dtype=np.float32)
        self._cell = self._hidden

    def hear(self, frames: Float32) -> Float32:
        """Return the probabilities of speech in the next frames.

        Parameters
        ----------
        frames : numpy.ndarray of float32, shape (n_frames, 576)
            Each with the last 64 samples of the frame before.

        Returns
        -------
        numpy.ndarray of float32, shape (n_frames,)
        """
        found = np.empty(len(frames), dtype=np.float32)
        size = 1 if len(frames) <= FEW_FRAMES else FRAMES_A_CALL
        for first in range(0, len(frames), size):
            part = slice(first, first + size)
            found[part], self._hidden, self._cell = recur(encode(frames[part]), self._hidden, self._cell)
        return found


def _over_steps(x: Float32, i: int, steps: Sequence[tuple[int, int]], width: int) -> Float32:
    """Apply layer `i` at each of some places.

    Parameters
    ----------
    x : numpy.ndarray of float32, shape (n_frames, n_steps * width)
    i : int
    steps : sequence of (first, last)
        What each place sees, half-open. One that begins at the first step and sees fewer than all taps
        has padding before it, any other one behind it.
    width : int
        Values in a step.

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, n_places * channels)
    """
    matrix, bias = load().convolutions[i]
    y = np.empty((len(x), len(steps), len(bias)), dtype=np.float32)
    for place, (first, last) in enumerate(steps):
        size = (last - first) * width
        rows = matrix[-size:] if first == 0 else matrix[:size]
        np.matmul(x[:, first * width : last * width], rows, out=y[:, place])
    y += bias
    np.maximum(y, 0, out=y)
    return y.reshape(len(x), -1)
