"""Metrics: pure functions from labels and scores to figures.

Labels are indices into :data:`blipper.voice.labels.EMOTIONS`; ``angry`` is boolean; scores are probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def choose(emotions: Scores, labels: Labels) -> Labels:
    """Choose the likeliest emotion of each clip among those that occur in `labels`.

    A corpus without "calm" is scored on the classes that it has, as published figures are.

    Parameters
    ----------
    emotions : numpy.ndarray, shape (n, 8)
    labels : numpy.ndarray of int, shape (n,)
    """
    classes = np.unique(labels)
    return np.asarray(classes[emotions[:, classes].argmax(axis=1)], dtype=np.int64)


def accuracy(labels: Labels, guessed: Labels) -> float:
    """Share of clips guessed right."""
    return float(np.mean(labels == guessed))


def recalls(labels: Labels, guessed: Labels) -> dict[int, float]:
    """Share found of each class that occurs."""
    return {int(c): float(np.mean(guessed[labels == c] == c)) for c in np.unique(labels)}


def uar(labels: Labels, guessed: Labels) -> float:
    """Unweighted average recall: the mean of the recalls."""
    return float(np.mean(list(recalls(labels, guessed).values())))


def macro_f1(labels: Labels, guessed: Labels) -> float:
    """Mean F1 over the classes that occur in `labels`."""
    return float(np.mean(_f1(labels, guessed)))


def weighted_f1(labels: Labels, guessed: Labels) -> float:
    """Mean F1 over the classes that occur in `labels`, each weighted by how often it does."""
    return float(np.average(_f1(labels, guessed), weights=np.unique(labels, return_counts=True)[1]))


def _f1(labels: Labels, guessed: Labels) -> list[float]:
    """F1 of each class that occurs in `labels`."""
    scores = []
    for c in np.unique(labels):
        right = np.sum((labels == c) & (guessed == c))
        scores.append(float(2 * right / (np.sum(labels == c) + np.sum(guessed == c))))
    return scores


def confusion(labels: Labels, guessed: Labels, n: int = 8) -> NDArray[np.int64]:
    """Count clips by label (rows) and guess (columns), shape (n, n)."""
    counts = np.zeros((n, n), dtype=np.int64)
    np.add.at(counts, (labels, guessed), 1)
    return counts


def roc_auc(positive: NDArray[np.bool_], scores: Scores) -> float:
    """Area under the ROC curve: how often a positive scores above a negative, ties half."""
    from scipy.stats import rankdata

    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        raise ValueError(f"ROC-AUC needs both kinds; there are {n} positives and {m} negatives")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def pr_auc(positive: NDArray[np.bool_], scores: Scores) -> float:
    """Average precision: the area under the precision-recall steps."""
    if not positive.any():
        raise ValueError("average precision needs a positive")
    order = np.argsort(-scores, kind="stable")
    ordered, found = scores[order], np.cumsum(positive[order])
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # ties are one step
    precision, recall = found[last] / (last + 1), found[last] / positive.sum()
    return float(np.sum(np.diff(np.append(0.0, recall)) * precision))


def brier(positive: NDArray[np.bool_], scores: Scores) -> float:
    """Mean squared distance of a probability from what was so."""
    return float(np.mean((scores - positive) ** 2))


def calibration_error(right: NDArray[np.bool_], confidence: Scores, bins: int = 10) -> float:
    """Compute the expected calibration error over bins of equal width (Guo et al. 2017).

    Parameters
    ----------
    right : numpy.ndarray of bool, shape (n,)
    confidence : numpy.ndarray, shape (n,)
        Probability given to it.
    bins : int
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    gap = np.bincount(index, weights=confidence, minlength=bins) - np.bincount(
        index, weights=right.astype(float), minlength=bins
    )
    return float(np.abs(gap[count > 0]).sum() / len(right))


def interval(
    measure: Callable[[NDArray[np.int64]], float],
    speakers: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile interval by bootstrap over speakers, since clips of one speaker are not independent.

    Parameters
    ----------
    measure : callable
        Takes row numbers, gives a figure; a resample on which it raises ValueError (one class alone) is
        left out.
    speakers : sequence of str
        One a row.
    seed, resamples : int
    level : float

    Returns
    -------
    (low, high) or None
        None with a single speaker, of whom nothing can be said about others.
    """
    names = np.array(speakers)
    rows = [np.flatnonzero(names == name) for name in np.unique(names)]
    if len(rows) < 2:
        return None
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        try:
            found.append(measure(drawn))
        except ValueError:
            continue
    if len(found) < resamples / 2:
        return None
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
