"""From windows to the voice's curve: smoothed scores on a regular grid, NaN where nobody speaks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.fusion.surroundings import SURROUNDINGS, Surroundings
from blipper.results import Curve, Float, Span, Windows
from blipper.voice.labels import EMOTIONS

#: Seconds between the curve's points.
STEP = 0.5
#: Standard deviation in seconds of the Gaussian that weighs windows by the distance of their middles.
SMOOTHING = 0.5


def smooth(
    windows: Windows,
    speech: Sequence[Span],
    duration: float,
    *,
    step: float = STEP,
    smoothing: float = SMOOTHING,
    surroundings: float = SURROUNDINGS,
) -> Curve:
    """Smooth the windows' scores onto a regular grid.

    A cell's score is the mean of the windows that reach into it, weighted by a Gaussian of the distance
    between the window's middle and the cell's. Windows never reach across a pause, so up to here no score
    leaks across one. Then aggression is averaged with what surrounds it, before and after a pause too
    (:mod:`blipper.fusion.surroundings`); emotions are not.

    Parameters
    ----------
    windows : Windows
    speech : sequence of Span
        Where somebody speaks; cells outside are NaN.
    duration : float
        Length of the recording in seconds.
    step, smoothing : float
        Seconds; both above 0.
    surroundings : float
        Seconds, 0 to 10, over which surroundings count less by a factor e; 0 leaves them out.

    Returns
    -------
    Curve

    Raises
    ------
    SettingsError
        If a value is outside its domain.
    """
    if step <= 0 or smoothing <= 0:
        raise SettingsError(f"step {step} s and smoothing {smoothing} s: both must be above 0")
    around = Surroundings(surroundings, step)
    n_cells = math.ceil(duration / step - 1e-9)
    times = (np.arange(n_cells) + 0.5) * step
    weights = np.zeros(n_cells)
    sums = np.zeros((n_cells, 1 + len(EMOTIONS)))
    scores = np.column_stack([windows.aggression, windows.emotions]) if len(windows) else sums[:0]
    for start, end, score in zip(windows.start, windows.end, scores, strict=True):
        first, last = int(start / step + 1e-9), min(n_cells, math.ceil(end / step - 1e-9))
        weight = window_weights(times[first:last], (start + end) / 2, smoothing)
        weights[first:last] += weight
        sums[first:last] += weight[:, None] * score
    valid = spoken_cells(speech, 0, n_cells, step) & (weights > 0)
    means = np.full_like(sums, np.nan)
    means[valid] = sums[valid] / weights[valid, None]
    return Curve(step=step, times=times, aggression=around.apply(means[:, 0]), emotions=means[:, 1:])


def spoken_cells(speech: Sequence[Span], first: int, n: int, step: float) -> NDArray[np.bool_]:
    """Say which cells somebody speaks in.

    Parameters
    ----------
    speech : sequence of Span
    first, n : int
        Number of the first cell, and how many there are.
    step : float
        Length of a cell in seconds.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    spoken = np.zeros(n, dtype=np.bool_)
    for span in speech:
        begin, end = int(span.start / step + 1e-9), math.ceil(span.end / step - 1e-9)
        spoken[max(0, begin - first) : max(0, end - first)] = True
    return spoken


def window_weights(times: Float, middle: float, smoothing: float) -> Float:
    """Return how much a window counts at each time: a Gaussian of the distance from the window's middle.

    The floor keeps the edge of a long window, which no other window may reach, above underflow.
    """
    weights: Float = np.exp(-0.5 * ((times - middle) / smoothing) ** 2) + 1e-6
    return weights
