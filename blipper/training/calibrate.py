"""Calibration on the validation speakers: probabilities that mean what they say, and the threshold."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import DatasetError
from blipper.training.data import ANGRY
from blipper.training.validate import WindowLogits
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration

#: Emotions that nobody would want an alarm for.
QUIET: Final = ("neutral", "calm")
#: The threshold is kept in this range, on this grid.
_LOWEST, _HIGHEST, _GRID = 0.5, 0.95, 0.01

#: How the threshold was chosen, for ``config.json`` and the card.
THRESHOLD_RULE: Final = (
    f"the lowest score in [{_LOWEST}, {_HIGHEST}] that none of the validation speakers' neutral and calm "
    "clips reaches"
)


def calibrate(logits: WindowLogits) -> Calibration:
    """Fit the temperature of the emotions and Platt's line for aggression.

    Parameters
    ----------
    logits : WindowLogits
        Of validation speakers, windows weighted so that every clip counts once.

    Returns
    -------
    Calibration

    Raises
    ------
    DatasetError
        If there is no angry clip, or nothing else.
    """
    from scipy.optimize import minimize, minimize_scalar

    labels = logits.labels[logits.owner]
    counts = np.bincount(logits.owner, minlength=len(logits.labels))
    weight = 1.0 / counts[logits.owner]
    values = logits.values.astype(np.float64)
    rows = np.arange(len(values))

    def emotions_loss(log_temperature: float) -> float:
        scaled = values[:, : len(EMOTIONS)] / np.exp(log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
        return float(np.sum(weight * (total - scaled[rows, labels])) / weight.sum())

    angry = labels == ANGRY
    if not angry.any() or angry.all():
        raise DatasetError("calibration needs angry and other clips among the validation speakers")
    # Platt's targets: a little inside 0 and 1, so that few clips cannot push the line to infinity.
    n_angry, n_other = float((logits.labels == ANGRY).sum()), float((logits.labels != ANGRY).sum())
    target = np.where(angry, (n_angry + 1) / (n_angry + 2), 1 / (n_other + 2))

    def aggression_loss(line: NDArray[np.float64]) -> float:
        raised = np.exp(line[0]) * values[:, len(EMOTIONS)] + line[1]
        loss = np.logaddexp(0, raised) - target * raised
        return float(np.sum(weight * loss) / weight.sum())

    temperature = minimize_scalar(emotions_loss, bounds=(-2.0, 2.0), method="bounded").x
    line = minimize(aggression_loss, np.zeros(2), method="Nelder-Mead").x
    return Calibration(
        temperature=round(float(np.exp(temperature)), 4),
        # Scores that say nothing would have a slope of 0, which no model's configuration may hold.
        slope=max(round(float(np.exp(line[0])), 4), 0.001),
        intercept=round(float(line[1]), 4),
    )


def choose_threshold(labels: NDArray[np.int64], aggression: NDArray[np.float64]) -> float:
    """Choose the threshold on validation clips; see :data:`THRESHOLD_RULE`.

    Parameters
    ----------
    labels : numpy.ndarray of int, shape (n_clips,)
    aggression : numpy.ndarray, shape (n_clips,)
        Calibrated.
    """
    quiet = aggression[np.isin(labels, [EMOTIONS.index(emotion) for emotion in QUIET])]
    grid = np.arange(round(_LOWEST / _GRID), round(_HIGHEST / _GRID) + 1) * _GRID
    allowed = [t for t in grid if not (quiet >= t).any()]
    return round(float(allowed[0] if allowed else _HIGHEST), 2)
