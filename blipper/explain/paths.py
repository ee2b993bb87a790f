"""Integrals of a model's gradient along straight paths, from neutral speech to a window."""

from __future__ import annotations

from typing import Final

import numpy as np

from blipper.explain.attribution import Piece
from blipper.explain.gradients import BATCH, Differentiable, gradients, log_odds
from blipper.progress import Progress, silent
from blipper.recording import Float32

#: Points on the path; doubled up to the second number while the sum misses by more than :data:`TOLERANCE`.
STEPS: Final = (BATCH, 8 * BATCH)
#: Share of the difference, and log-odds, that the sum of contributions may miss at most.
TOLERANCE: Final = (0.02, 0.01)
#: The same where a walk starts from several windows, and the points on each of its paths in a round.
TOLERANCE_OF_MANY: Final = (0.05, 0.05)
POINTS: Final = 8
ROUNDS: Final = 2


def walk(
    model: Differentiable,
    frames: Float32,
    length: int,
    baselines: Float32,
    target: int,
    steps: int = STEPS[0],
    *,
    progress: Progress = silent,
) -> Piece:
    """Integrate the gradient from baselines to one piece's input.

    Parameters
    ----------
    model : VoiceModel, or what else is differentiable
    frames : numpy.ndarray of float32, shape (n_frames, n_bands)
        Padded.
    length : int
        Valid frames.
    baselines : numpy.ndarray of float32, shape (n_starts, n_frames, n_bands)
        As :meth:`blipper.explain.background.Background.baselines` gives them; contributions are averaged.
    target : int
        Index into the targets.
    steps : int
        Points at first, where there is one baseline.
    progress : Progress
        Told rounds of points, as step ``"path"``; what it raises ends the work there.

    Returns
    -------
    Piece
        Its base is the mean over the baselines, its steps the points on each path.
    """
    starts = np.zeros((len(baselines), *frames.shape), np.float32)
    starts[:, :length] = baselines[:, :length]
    pictures = np.concatenate([starts, frames[np.newaxis]])
    *bases, here = log_odds(model, pictures, np.full(len(pictures), length, np.int32))[:, target]
    if len(starts) > 1:
        return _from_many(model, frames, length, starts, target, float(here), float(np.mean(bases)), progress)
    return _from_one(model, frames, length, starts[0], target, float(here), float(bases[0]), steps, progress)


def _from_one(
    model: Differentiable,
    frames: Float32,
    length: int,
    start: Float32,
    target: int,
    here: float,
    base: float,
    steps: int,
    progress: Progress,
) -> Piece:
    """Take Gauss-Legendre points, as Captum does: on a smooth path far fewer do than of rectangles."""
    step = frames - start
    allowed = max(TOLERANCE[0] * abs(here - base), TOLERANCE[1])
    while True:
        progress("path", STEPS[0], STEPS[1])  # how many there will be is not known
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        alphas = ((nodes + 1) / 2).astype(np.float32)[:, None, None]
        _, slopes = gradients(model, start + alphas * step, np.full(steps, length, np.int32), target)
        values = step[:length] * np.tensordot(weights / 2, slopes[:, :length], axes=1)
        if abs(values.sum() - (here - base)) <= allowed or 2 * steps > STEPS[1]:
            return Piece(values, here, base, 0.0, steps)
        steps *= 2


def _from_many(
    model: Differentiable,
    frames: Float32,
    length: int,
    starts: Float32,
    target: int,
    here: float,
    base: float,
    progress: Progress,
) -> Piece:
    """Take few points on each path, in other places on every one.

    Over all paths together the points are evenly spread, so that what each path's sum misses mostly evens
    out. A second round lies between the first one's points.
    """
    allowed = max(TOLERANCE_OF_MANY[0] * abs(here - base), TOLERANCE_OF_MANY[1])
    total = np.zeros((length, frames.shape[1]))
    for number in range(ROUNDS):
        alphas = _spread(len(starts), number)
        points = [(start, alpha) for start, own in zip(starts, alphas, strict=True) for alpha in own]
        for some in range(0, len(points), BATCH):
            progress("path", number * len(points) + some, ROUNDS * len(points))
            part = points[some : some + BATCH]
            pictures = np.stack([start + alpha * (frames - start) for start, alpha in part])
            _, slopes = gradients(model, pictures, np.full(len(part), length, np.int32), target)
            total += sum(
                (frames - start)[:length].astype(np.float64) * slope[:length]
                for (start, _), slope in zip(part, slopes, strict=True)
            )
        values = total / (len(points) * (number + 1))
        if abs(values.sum() - (here - base)) <= allowed:
            break
    return Piece(values, here, base, 0.0, POINTS * (number + 1))


def _spread(paths: int, number: int) -> Float32:
    """Return where on each path a round's points lie, in (0, 1), shape (paths, POINTS)."""
    # Windows are ordered by how typical they are: neighbours get shifts that are far apart.
    shift = (np.argsort(np.argsort([_mirrored(path) for path in range(paths)])) + 0.5) / paths
    first = (shift + number / ROUNDS) % 1
    alphas: Float32 = ((np.arange(POINTS) + first[:, np.newaxis]) / POINTS).astype(np.float32)
    return alphas


def _mirrored(number: int) -> float:
    """Return van der Corput's number: the binary digits behind the point, in reverse."""
    found, part = 0.0, 0.5
    while number:
        number, digit = divmod(number, 2)
        found += digit * part
        part /= 2
    return found
