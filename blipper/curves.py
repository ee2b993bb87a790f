"""What a threshold does, and whether probabilities mean what they say: ROC, PR, alarms, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.measures import Bools, Figure, Floats, Selection
from blipper.training.bootstrap import Bootstrap
from blipper.training.predictions import Scored

#: Kinds of speech without anger, and the emotion that was acted.
QUIET: Final = {"neutral speech": "neutral", "happy speech": "happy"}


@dataclass(frozen=True, eq=False)
class Points:
    """A curve over all thresholds, from the highest score down; clips of one score are one step.

    Parameters
    ----------
    threshold : numpy.ndarray, shape (n,)
        Clips at or over it are called angry. The first is infinite: nothing is.
    found : numpy.ndarray, shape (n,)
        Share of the angry clips (recall, true positive rate).
    false : numpy.ndarray, shape (n,)
        Share of the others (false positive rate).
    precision : numpy.ndarray, shape (n,)
        Share of angry clips among those called so; 1 where there is none.
    """

    threshold: Floats
    found: Floats
    false: Floats
    precision: Floats


def curve(positive: Bools, scores: Floats) -> Points:
    """Compute the ROC and precision-recall curves.

    Parameters
    ----------
    positive : numpy.ndarray of bool, shape (n,)
    scores : numpy.ndarray, shape (n,)

    Raises
    ------
    ValueError
        If one of the two kinds is missing.
    """
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        raise ValueError(f"a curve needs both kinds; there are {n} positives and {m} negatives")
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = np.cumsum(positive[order])[last]
    return Points(
        np.append(np.inf, scores[order][last]),
        np.append(0.0, found / n),
        np.append(0.0, (last + 1 - found) / m),
        np.append(1.0, found / (last + 1)),
    )


@dataclass(frozen=True)
class AtThreshold:
    """What one threshold does.

    Parameters
    ----------
    threshold : float
    called, right, angry, clips : int
        Clips at or over it, the angry ones among them, all angry ones, all.
    """

    threshold: float
    called: int
    right: int
    angry: int
    clips: int

    @property
    def found(self) -> float | None:
        """Recall: share of the angry clips at or over the threshold; None where there is no angry clip."""
        return self.right / self.angry if self.angry else None

    @property
    def precision(self) -> float | None:
        """Share of angry clips among those at or over the threshold; None where there is none."""
        return self.right / self.called if self.called else None

    @property
    def false_share(self) -> float | None:
        """Share of the other clips at or over the threshold; None where there is no other clip."""
        others = self.clips - self.angry
        return (self.called - self.right) / others if others else None


def at_threshold(selection: Selection, threshold: float) -> AtThreshold:
    """Count what a threshold does; clips at it are called angry."""
    over, angry = selection.aggression >= threshold, selection.angry
    return AtThreshold(
        threshold, int(over.sum()), int((over & angry).sum()), int(angry.sum()), len(selection)
    )


@dataclass(frozen=True)
class Alarms:
    """Clips without anger that a threshold calls angry, by the hour.

    Parameters
    ----------
    alarms, clips : int
    seconds : float
        Speech in all of them.
    """

    alarms: int
    clips: int
    seconds: float

    @property
    def per_hour(self) -> float:
        """Alarms in an hour of such speech."""
        return self.alarms / self.seconds * 3600


def alarms(scored: Sequence[Scored], kind: str, threshold: float) -> Alarms | None:
    """Count a threshold's false alarms in an hour of neutral or happy speech.

    A clip whose score reaches the threshold is one alarm.

    Parameters
    ----------
    scored : sequence of Scored
    kind : str
        A key of :data:`QUIET`.
    threshold : float

    Returns
    -------
    Alarms or None
        None where there is no such clip, or the predictions do not say how long their speech is.
    """
    # The app gives no score where it hears nobody speak, so such a clip is neither an alarm nor time.
    seconds, over = 0.0, 0
    clips = [row for row in scored if row.emotion == QUIET[kind] and row.speech]
    for row in clips:
        if row.seconds is None:
            return None
        seconds += row.seconds
        over += row.aggression >= threshold
    return Alarms(over, len(clips), seconds) if seconds else None


@dataclass(frozen=True)
class Bin:
    """Clips of like confidence.

    Parameters
    ----------
    low, high : float
    clips : int
    confidence : float
        Their mean.
    right : Figure
        Share of them that was so.
    """

    low: float
    high: float
    clips: int
    confidence: float
    right: Figure


def reliability(
    right: Bools,
    confidence: Floats,
    speakers: Sequence[str],
    *,
    bins: int = 10,
    seed: int = 0,
    resamples: int = 1000,
) -> list[Bin]:
    """Compare confidence with what was so, in bins of equal width; empty ones are left out.

    The bins are those of :func:`blipper.training.metrics.calibration_error`.

    Parameters
    ----------
    right : numpy.ndarray of bool, shape (n,)
    confidence : numpy.ndarray, shape (n,)
        From 0 to 1.
    speakers : sequence of str, one a clip
    bins, seed, resamples : int
    """
    index: NDArray[np.int64] = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    found = []
    for number in np.unique(index):
        inside = np.flatnonzero(index == number)
        draws = Bootstrap([speakers[int(i)] for i in inside], seed=seed, resamples=resamples)
        found.append(
            Bin(
                float(number / bins),
                float((number + 1) / bins),
                len(inside),
                float(confidence[inside].mean()),
                Figure(float(right[inside].mean()), draws.interval(draws.share(right[inside]))),
            )
        )
    return found
