"""Bootstrap over speakers for all figures at once: speakers are drawn once, figures follow from sums.

Clips of one speaker are not independent, so whole speakers are drawn (with replacement), never clips. A draw
is a row of weights, one a speaker; whatever is a ratio of sums over clips (accuracy, recall, F1, Brier,
calibration error) is then a matrix product instead of a thousand passes over the clips. The draws are those
of :func:`blipper.training.metrics.interval`, which computes any figure, clip by clip.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

#: Above so many speakers their pairs cost more than a pass over the clips for each draw.
_MANY = 200


class Bootstrap:
    """Draws of speakers.

    Parameters
    ----------
    speakers : sequence of str, one a clip
    seed, resamples : int

    Attributes
    ----------
    n_speakers : int
    weights : numpy.ndarray, shape (resamples, n_speakers)
        How often each was drawn.
    """

    def __init__(self, speakers: Sequence[str], *, seed: int = 0, resamples: int = 1000) -> None:
        names, owner = np.unique(np.array(speakers, dtype=np.str_), return_inverse=True)
        self.owner: Rows = owner.astype(np.int64)
        self.n_speakers = len(names)
        rng = np.random.default_rng(seed)
        drawn = [rng.integers(self.n_speakers, size=self.n_speakers) for _ in range(resamples)]
        counted = [np.bincount(one, minlength=self.n_speakers) for one in drawn]
        self.weights: Floats = np.array(counted, dtype=np.float64)

    def total(self, values: NDArray[np.generic]) -> Floats:
        """Sum values (n,) or (n, k) over each draw's clips, shape (resamples,) or (resamples, k)."""
        values = np.asarray(values, dtype=np.float64)
        sums = np.zeros((self.n_speakers, *values.shape[1:]))
        np.add.at(sums, self.owner, values)
        return np.asarray(self.weights @ sums, dtype=np.float64)

    def share(self, inside: Bools, of: Bools | None = None) -> Floats:
        """Share of clips that are `inside`, among those that are `of`; NaN in draws without one."""
        among = np.ones(len(inside), dtype=np.bool_) if of is None else of
        return _ratio(self.total(inside & among), self.total(among))

    def confusion(self, labels: Rows, guessed: Rows, classes: Sequence[int]) -> Floats:
        """Count clips by label and guess in each draw, shape (resamples, n_classes, n_classes)."""
        n = len(classes)
        place = {c: i for i, c in enumerate(classes)}
        cell = np.array([place[int(a)] * n + place[int(b)] for a, b in zip(labels, guessed, strict=True)])
        sums = np.zeros((self.n_speakers, n * n))
        np.add.at(sums, (self.owner, cell), 1.0)
        return np.asarray(self.weights @ sums, dtype=np.float64).reshape(-1, n, n)

    def roc_auc(self, positive: Bools, scores: Floats, among: Bools | None = None) -> Floats:
        """ROC-AUC of each draw; NaN in draws that lack a kind. `among` leaves the other clips out."""
        among = np.ones(len(scores), dtype=np.bool_) if among is None else among
        if self.n_speakers > _MANY:
            return self._roc_auc_of_many(positive[among], scores[among], self.owner[among])
        above = np.zeros((self.n_speakers, self.n_speakers))
        ours = np.flatnonzero(positive & among)
        counts = np.zeros((2, self.n_speakers))
        np.add.at(counts[0], self.owner[ours], 1.0)
        for speaker in range(self.n_speakers):
            theirs = np.sort(scores[(self.owner == speaker) & ~positive & among])
            counts[1, speaker] = len(theirs)
            if len(theirs) and len(ours):
                # Pairs in which the positive is above, ties half.
                wins = np.searchsorted(theirs, scores[ours], "left") / 2
                wins += np.searchsorted(theirs, scores[ours], "right") / 2
                np.add.at(above[:, speaker], self.owner[ours], wins)
        won = np.einsum("rs,st,rt->r", self.weights, above, self.weights, optimize=True)
        return _ratio(won, (self.weights @ counts[0]) * (self.weights @ counts[1]))

    def _roc_auc_of_many(self, positive: Bools, scores: Floats, owner: Rows) -> Floats:
        """Compute the same draw by draw: pairs of speakers are too many where each utterance is its own."""
        if not positive.any() or positive.all():
            return np.full(len(self.weights), np.nan)
        order = np.argsort(scores, kind="stable")
        ordered, hit, owner = scores[order], positive[order], owner[order]
        starts = np.append(0, np.flatnonzero(np.diff(ordered)) + 1)  # ties are one step
        found = np.full(len(self.weights), np.nan)
        step = max(1, 400_000 // len(order))
        for first in range(0, len(found), step):
            weight = np.take(self.weights[first : first + step], owner, axis=1)
            ours = np.add.reduceat(np.where(hit, weight, 0.0), starts, axis=1)
            theirs = np.add.reduceat(np.where(hit, 0.0, weight), starts, axis=1)
            won = (ours * (np.cumsum(theirs, axis=1) - theirs / 2)).sum(axis=1)
            found[first : first + step] = _ratio(won, ours.sum(axis=1) * theirs.sum(axis=1))
        return found

    def pr_auc(self, positive: Bools, scores: Floats) -> Floats:
        """Average precision of each draw; NaN in draws without a positive."""
        order = np.argsort(-scores, kind="stable")
        ordered, hit, owner = scores[order], positive[order], self.owner[order]
        ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # ties are one step
        end = ends[np.searchsorted(ends, np.flatnonzero(hit))]  # of each positive's own step
        rank = np.searchsorted(np.flatnonzero(hit), end, "right") - 1  # its last positive
        weights = self.weights.astype(np.float32)  # counts: exact
        found = np.full(len(weights), np.nan)
        step = max(1, 400_000 // max(1, len(order)))  # few draws at a time stay in the processor's cache
        for first in range(0, len(found), step):
            weight = np.take(weights[first : first + step], owner, axis=1)
            ours = np.compress(hit, weight, axis=1)
            called = np.cumsum(weight, axis=1)[:, end].astype(np.float64)
            right = np.cumsum(ours, axis=1)[:, rank].astype(np.float64)
            precision = np.divide(right, called, out=np.zeros_like(right), where=called > 0)
            found[first : first + step] = _ratio(
                (ours * precision).sum(axis=1), ours.sum(axis=1, dtype=np.float64)
            )
        return found

    def calibration_error(self, right: Bools, confidence: Floats, bins: int = 10) -> Floats:
        """Compute each draw's :func:`blipper.training.metrics.calibration_error`."""
        index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
        gap = np.zeros((len(confidence), bins))
        gap[np.arange(len(confidence)), index] = confidence - right
        return _ratio(np.abs(self.total(gap)).sum(axis=1), self.total(np.ones(len(confidence))))

    def interval(self, values: Floats, level: float = 0.95) -> tuple[float, float] | None:
        """Percentile interval of a figure's draws.

        Parameters
        ----------
        values : numpy.ndarray, shape (resamples,)
            NaN where the figure is undefined.
        level : float

        Returns
        -------
        (low, high) or None
            None with a single speaker, of whom nothing can be said about others, and where the figure is
            undefined in more than half of the draws.
        """
        known = values[~np.isnan(values)]
        if self.n_speakers < 2 or len(known) < len(values) / 2:
            return None
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def uar(confusion: Floats) -> Floats:
    """Mean recall of the classes that occur, from counts of shape (resamples, n, n)."""
    acted = confusion.sum(axis=2)
    return _mean(_ratio(np.diagonal(confusion, axis1=1, axis2=2), acted))


def macro_f1(confusion: Floats) -> Floats:
    """Mean F1 of the classes that occur, from counts of shape (resamples, n, n)."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    acted = confusion.sum(axis=2)
    score = _ratio(2 * right, acted + confusion.sum(axis=1))
    return _mean(np.where(acted > 0, score, np.nan))


def weighted_f1(confusion: Floats) -> Floats:
    """Mean F1 weighted by how often each class occurs, from counts of shape (resamples, n, n)."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    acted = confusion.sum(axis=2)
    score = np.nan_to_num(_ratio(2 * right, acted + confusion.sum(axis=1)))
    return _ratio((score * acted).sum(axis=1), acted.sum(axis=1))


def accuracy(confusion: Floats) -> Floats:
    """Share guessed right, from counts of shape (resamples, n, n)."""
    return _ratio(np.trace(confusion, axis1=1, axis2=2), confusion.sum(axis=(1, 2)))


def _ratio(over: Floats, under: Floats) -> Floats:
    found: Floats = np.divide(over, under, out=np.full(np.shape(over), np.nan), where=under > 0)
    return found


def _mean(values: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a draw without any class: NaN, as it should be
        return np.asarray(np.nanmean(values, axis=1), dtype=np.float64)
