"""Gradients of a model's log-odds on its own input, compiled once a model.

TensorFlow is imported here alone, and lazily. In the app everything that calls this runs in the worker's
thread (``ui.engine``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from blipper.explain.targets import TARGETS, all_log_odds
from blipper.recording import Float32
from blipper.voice.models import Calibration

#: Inputs in one call: few shapes are ever compiled.
BATCH: Final = 32


class Differentiable(Protocol):
    """What gradients need of a voice model."""

    @property
    def differentiable(self) -> Any:
        """The ``keras.Model`` of ``[frames, lengths]`` to logits."""

    @property
    def calibration(self) -> Calibration:
        """What turns the logits into probabilities."""


#: For each model the way to log-odds alone, and the one to log-odds and gradients.
_compiled: WeakKeyDictionary[Differentiable, dict[bool, Callable[..., Any]]] = WeakKeyDictionary()
_compiling = threading.Lock()


def log_odds(model: Differentiable, frames: Float32, lengths: NDArray[np.int32]) -> NDArray[np.float64]:
    """Compute the calibrated log-odds of every target.

    Parameters
    ----------
    model : VoiceModel
    frames : numpy.ndarray of float32, shape (n, n_frames, n_bands)
    lengths : numpy.ndarray of int32, shape (n,)

    Returns
    -------
    numpy.ndarray of float64, shape (n, 9)
        Columns as :data:`blipper.explain.targets.TARGETS`.
    """
    found = np.empty((len(frames), len(TARGETS)))
    for first, part, valid in _batches(frames, lengths):
        values = _function(model, slopes=False)(part, valid)
        found[first : first + BATCH] = values.numpy()[: len(found) - first]
    return found


def gradients(
    model: Differentiable, frames: Float32, lengths: NDArray[np.int32], target: int
) -> tuple[NDArray[np.float64], Float32]:
    """Compute a target's log-odds and their gradient with respect to every cell of the input.

    Parameters
    ----------
    model : VoiceModel
    frames, lengths
        As for :func:`log_odds`.
    target : int
        Index into :data:`blipper.explain.targets.TARGETS`.

    Returns
    -------
    log_odds : numpy.ndarray of float64, shape (n,)
    gradients : numpy.ndarray of float32, shape (n, n_frames, n_bands)
    """
    chosen = np.zeros(len(TARGETS), np.float32)
    chosen[target] = 1
    values = np.empty(len(frames))
    slopes = np.empty(frames.shape, np.float32)
    for first, part, valid in _batches(frames, lengths):
        found, gradient = _function(model, slopes=True)(part, valid, chosen)
        rows = min(BATCH, len(frames) - first)
        values[first : first + rows] = found.numpy()[:rows, target]
        slopes[first : first + rows] = gradient.numpy()[:rows]
    return values, slopes


def _batches(frames: Float32, lengths: NDArray[np.int32]) -> Any:
    """Cut inputs into batches of one size; the last is filled up with its own first row."""
    for first in range(0, len(frames), BATCH):
        part = np.asarray(frames[first : first + BATCH], np.float32)
        valid = np.asarray(lengths[first : first + BATCH], np.int32)
        missing = BATCH - len(part)
        if missing:
            part = np.concatenate([part, np.repeat(part[:1], missing, axis=0)])
            valid = np.concatenate([valid, np.repeat(valid[:1], missing)])
        yield first, part, valid


def _function(model: Differentiable, *, slopes: bool) -> Callable[..., Any]:
    with _compiling:
        held = _compiled.setdefault(model, {})
        if slopes not in held:
            held[slopes] = _with_slopes(model) if slopes else _without(model)
        return held[slopes]


def _without(model: Differentiable) -> Callable[..., Any]:
    import tensorflow as tf

    network, calibration = model.differentiable, model.calibration
    frames, bands = network.inputs[0].shape[1:]

    @tf.function(
        input_signature=[tf.TensorSpec((BATCH, frames, bands), tf.float32), tf.TensorSpec((BATCH,), tf.int32)]
    )  # type: ignore[untyped-decorator]
    def run(x: Any, lengths: Any) -> Any:
        return all_log_odds(network([x, lengths], training=False), calibration)

    run.get_concrete_function()
    return run  # type: ignore[no-any-return]


def _with_slopes(model: Differentiable) -> Callable[..., Any]:
    import tensorflow as tf

    network, calibration = model.differentiable, model.calibration
    frames, bands = network.inputs[0].shape[1:]

    @tf.function(
        input_signature=[
            tf.TensorSpec((BATCH, frames, bands), tf.float32),
            tf.TensorSpec((BATCH,), tf.int32),
            tf.TensorSpec((len(TARGETS),), tf.float32),
        ]
    )  # type: ignore[untyped-decorator]
    def run(x: Any, lengths: Any, chosen: Any) -> tuple[Any, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            values = all_log_odds(network([x, lengths], training=False), calibration)
            wanted = tf.reduce_sum(values * chosen)
        return values, tape.gradient(wanted, x)

    # Traced here, under the lock: two threads at the start would trace twice.
    run.get_concrete_function()
    return run  # type: ignore[no-any-return]
