"""Figures of text models, each with its 95 % interval by bootstrap over utterances, or over dialogues.

Labels are class indices 0 … k-1, ``positive`` is boolean, probabilities are in [0, 1]. Utterances are drawn
with replacement where each stands alone; where several come from one conversation, ``groups`` names it and
whole conversations are drawn. The measures are those of :mod:`blipper.training.metrics`, the draws those of
:mod:`blipper.training.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.training import bootstrap, metrics
from blipper.training.bootstrap import Bootstrap

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """A figure and its 95 % interval.

    Parameters
    ----------
    value : float
    low, high : float or None
        None where nothing can be said about others: a single group, or a figure that is undefined in most of
        the draws.
    """

    value: float
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Return the three as plain JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


def of_guesses(
    labels: Labels,
    guessed: Labels,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measured]:
    """Measure guesses of one class each.

    Parameters
    ----------
    labels, guessed : numpy.ndarray of int, shape (n,)
    groups : sequence of str, optional
        The conversation of each utterance; each utterance is its own unless given.
    seed, resamples : int

    Returns
    -------
    dict of str to Measured
        ``accuracy``, ``uar``, ``macro_f1`` and ``weighted_f1``; the means are over the classes that occur.

    Raises
    ------
    SettingsError
        If there is nothing to measure, or the lengths differ.
    """
    labels, guessed = _rows(labels), _rows(guessed)
    _fit(len(labels), guesses=len(guessed))
    draws = _draws(len(labels), groups, seed, resamples)
    return _of_guesses(labels, guessed, draws)


def of_probabilities(
    labels: Labels,
    probabilities: Floats,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measured]:
    """Measure probabilities of several classes; the likeliest is the guess.

    Parameters
    ----------
    labels : numpy.ndarray of int, shape (n,)
        In 0 … k-1.
    probabilities : numpy.ndarray, shape (n, k)
        Rows sum to 1.
    groups, seed, resamples
        As in :func:`of_guesses`.

    Returns
    -------
    dict of str to Measured
        Those of :func:`of_guesses`; ``ece``, the expected calibration error of the likeliest class in
        ten bins; ``brier``, the squared distance summed over the classes (Brier 1950), from 0 to 2.

    Raises
    ------
    SettingsError
        If the shapes do not fit, a label has no column, or a row is no distribution.
    """
    labels, probabilities = _rows(labels), np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 2:
        raise SettingsError(
            f"probabilities have the shape {probabilities.shape}, expected (utterances, classes)"
        )
    _fit(len(labels), probabilities=len(probabilities))
    k = probabilities.shape[1]
    if labels.min() < 0 or labels.max() >= k:
        raise SettingsError(f"labels run from {labels.min()} to {labels.max()}, expected 0 to {k - 1}")
    _check_unit(probabilities)
    off = np.abs(probabilities.sum(axis=1) - 1).max()
    if off > 1e-3:
        raise SettingsError(f"the probabilities of an utterance sum to {1 + off:.3f} or less, expected 1")
    draws = _draws(len(labels), groups, seed, resamples)
    guessed = np.asarray(probabilities.argmax(axis=1), dtype=np.int64)
    confidence = np.asarray(probabilities.max(axis=1))
    right = np.asarray(guessed == labels)
    found = _of_guesses(labels, guessed, draws)
    found["ece"] = _measured(
        metrics.calibration_error(right, confidence), draws, draws.calibration_error(right, confidence)
    )
    found["brier"] = _mean(((probabilities - np.eye(k)[labels]) ** 2).sum(axis=1), draws)
    return found


def of_ranking(
    positive: Bools,
    scores: Floats,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measured]:
    """Measure how well scores of any scale put the positives above the others.

    Parameters
    ----------
    positive : numpy.ndarray of bool, shape (n,)
    scores : numpy.ndarray, shape (n,)
        Finite; higher means likelier.
    groups, seed, resamples
        As in :func:`of_guesses`.

    Returns
    -------
    dict of str to Measured
        ``roc_auc`` and ``pr_auc`` (average precision).

    Raises
    ------
    SettingsError
        If a kind is missing, a score is not finite, or the lengths differ.
    """
    positive, scores = _detected(positive, scores)
    return _of_ranking(positive, scores, _draws(len(positive), groups, seed, resamples))


def of_detection(
    positive: Bools,
    scores: Floats,
    *,
    threshold: float = 0.5,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Measured]:
    """Measure the probability of one thing: its ranking, its calibration, and guesses at a threshold.

    Parameters
    ----------
    positive : numpy.ndarray of bool, shape (n,)
    scores : numpy.ndarray, shape (n,)
        Probabilities, in [0, 1].
    threshold : float
        At or above it the guess is that it is so.
    groups, seed, resamples
        As in :func:`of_guesses`.

    Returns
    -------
    dict of str to Measured
        Those of :func:`of_ranking`, those of :func:`of_guesses`, ``ece`` (of the probability itself, ten
        bins) and ``brier`` (from 0 to 1).

    Raises
    ------
    SettingsError
        As :func:`of_ranking`, and for a score outside [0, 1].
    """
    positive, scores = _detected(positive, scores)
    _check_unit(scores)
    draws = _draws(len(positive), groups, seed, resamples)
    found = _of_ranking(positive, scores, draws)
    found |= _of_guesses(_rows(positive), _rows(scores >= threshold), draws)
    found["ece"] = _measured(
        metrics.calibration_error(positive, scores), draws, draws.calibration_error(positive, scores)
    )
    found["brier"] = _mean((scores - positive) ** 2, draws)
    return found


def calibration_bins(positive: Bools, scores: Floats, *, bins: int = 10) -> list[dict[str, Any]]:
    """Compare what was said with what was so, in bins of equal width.

    Parameters
    ----------
    positive : numpy.ndarray of bool, shape (n,)
    scores : numpy.ndarray, shape (n,)
        In [0, 1].
    bins : int

    Returns
    -------
    list of dict
        From low to high scores, of the bins that hold anything: ``mean_score``, ``share`` (that was so) and
        ``n``. With ten bins, the gaps weighted by ``n`` are ``ece`` of :func:`of_detection`.
    """
    positive, scores = np.asarray(positive, dtype=np.bool_), np.asarray(scores, dtype=np.float64)
    _fit(len(positive), scores=len(scores))
    _check_unit(scores)
    index = np.minimum((scores * bins).astype(np.int64), bins - 1)
    return [
        {
            "mean_score": float(scores[index == b].mean()),
            "share": float(positive[index == b].mean()),
            "n": int((index == b).sum()),
        }
        for b in range(bins)
        if (index == b).any()
    ]


def wilson(right: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return the interval of a share by Wilson's score (1927), which holds for few cases and at 0 and 1.

    Parameters
    ----------
    right, n : int
        ``0 <= right <= n``, ``n`` at least 1.
    z : float
        Of the normal distribution; 95 % unless given.

    Raises
    ------
    SettingsError
        If there is no case, or more are right than there are.
    """
    if n < 1 or not 0 <= right <= n:
        raise SettingsError(f"{right} of {n} is no share; expected 0 to n of at least 1")
    share = right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _of_guesses(labels: Labels, guessed: Labels, draws: Bootstrap) -> dict[str, Measured]:
    classes = np.unique(np.concatenate([labels, guessed]))
    counts = draws.confusion(labels, guessed, [int(c) for c in classes])
    return {
        "accuracy": _measured(metrics.accuracy(labels, guessed), draws, bootstrap.accuracy(counts)),
        "uar": _measured(metrics.uar(labels, guessed), draws, bootstrap.uar(counts)),
        "macro_f1": _measured(metrics.macro_f1(labels, guessed), draws, bootstrap.macro_f1(counts)),
        "weighted_f1": _measured(metrics.weighted_f1(labels, guessed), draws, bootstrap.weighted_f1(counts)),
    }


def _of_ranking(positive: Bools, scores: Floats, draws: Bootstrap) -> dict[str, Measured]:
    return {
        "roc_auc": _measured(metrics.roc_auc(positive, scores), draws, draws.roc_auc(positive, scores)),
        "pr_auc": _measured(metrics.pr_auc(positive, scores), draws, draws.pr_auc(positive, scores)),
    }


def _measured(value: float, draws: Bootstrap, drawn: Floats) -> Measured:
    low, high = draws.interval(drawn) or (None, None)
    return Measured(float(value), low, high)


def _mean(values: Floats, draws: Bootstrap) -> Measured:
    return _measured(float(values.mean()), draws, draws.total(values) / draws.total(np.ones(len(values))))


def _draws(n: int, groups: Sequence[str] | None, seed: int, resamples: int) -> Bootstrap:
    if groups is None:
        # Of one width, so that the names' order is the rows'.
        groups = [f"{row:09d}" for row in range(n)]
    _fit(n, groups=len(groups))
    return Bootstrap(groups, seed=seed, resamples=resamples)


def _rows(values: NDArray[Any]) -> Labels:
    return np.asarray(values, dtype=np.int64)


def _detected(positive: Bools, scores: Floats) -> tuple[Bools, Floats]:
    positive, scores = np.asarray(positive, dtype=np.bool_), np.asarray(scores, dtype=np.float64)
    _fit(len(positive), scores=len(scores))
    if positive.all() or not positive.any():
        raise SettingsError(f"ranking needs both kinds; all {len(positive)} utterances are of one")
    if not np.isfinite(scores).all():
        raise SettingsError(f"{np.sum(~np.isfinite(scores))} scores are not finite")
    return positive, scores


def _check_unit(values: Floats) -> None:
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise SettingsError(f"probabilities run from {values.min()} to {values.max()}, expected 0 to 1")


def _fit(n: int, **lengths: int) -> None:
    if not n:
        raise SettingsError("there is no utterance to measure")
    for name, length in lengths.items():
        if length != n:
            raise SettingsError(f"{length} {name} for {n} utterances; expected as many")
