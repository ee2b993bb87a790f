"""Runs of high values by onset/offset hysteresis: for speech probabilities and for aggression curves.

A run opens where a value reaches the onset and closes where one falls below the release, so that a curve
that trembles around one threshold does not fall into crumbs (Schmitt trigger; the field's usage follows
pyannote.audio's ``Binarize``). It may take in the values that led up to the onset: the double threshold of
sound event detection (Dinkel et al. 2021, "Towards duration robust weakly supervised sound event detection").
Gaps are bridged before short runs are dropped.
"""

from __future__ import annotations

import numpy as np

from blipper.results import Float

Runs = list[tuple[int, int]]


def find_runs(values: Float, onset: float, release: float, rise: int = 0) -> Runs:
    """Find the runs of high values.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN counts as low.
    onset, release : float
        A run opens at the first value ``>= onset`` and closes before the first value ``< release``;
        ``release <= onset``.
    rise : int
        In cells: how much of the values ``>= release`` just before the onset belongs to a run.

    Returns
    -------
    list of (int, int)
        Half-open index ranges, in order.
    """
    high = np.nan_to_num(values, nan=-np.inf)
    # Carry the last decisive value forward: +1 opens, -1 closes, 0 leaves the state as it is.
    decisive = np.where(high >= onset, 1, np.where(high < release, -1, 0))
    index = np.maximum.accumulate(np.where(decisive != 0, np.arange(len(high)), -1))
    state = (index >= 0) & (decisive[np.maximum(index, 0)] == 1)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], state, [False])).astype(np.int8)))
    # Where each value's stretch above the release began; a run never reaches back into another, which ended
    # below the release.
    began = np.maximum.accumulate(np.where(decisive == -1, np.arange(len(high)), -1)) + 1
    return [(int(max(began[first], first - rise)), int(last)) for first, last in edges.reshape(-1, 2)]


def tidy_runs(runs: Runs, bridge: float, min_length: float) -> Runs:
    """Join runs across short gaps, then drop the runs that are still short.

    Parameters
    ----------
    runs : list of (int, int)
        Half-open index ranges, in order.
    bridge, min_length : float
        In cells: gaps of at most `bridge` are closed, runs shorter than `min_length` are dropped.

    Returns
    -------
    list of (int, int)
    """
    joined: Runs = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= bridge:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return [(first, last) for first, last in joined if last - first >= min_length]


class RunTracker:
    """Finds the same runs as :func:`find_runs` and :func:`tidy_runs`, one value after the other.

    Parameters
    ----------
    onset, release, bridge, min_length : float
    rise : int
        As for those two functions.
    """

    def __init__(self, onset: float, release: float, bridge: float, min_length: float, rise: int = 0) -> None:
        self.onset, self.release, self.rise = onset, release, rise
        self.bridge, self.min_length = bridge, min_length
        #: How many values were taken in so far.
        self.count = 0
        #: Whether the newest value is inside a run, as far as its own value says.
        self.is_open = False
        #: The run that goes on or may yet go on, half-open; None between runs.
        self.current: tuple[int, int] | None = None
        self._began = 0

    @property
    def opens_from(self) -> int:
        """Where a run would begin that the next value opened."""
        return max(self._began, self.count - self.rise)

    @property
    def is_long_enough(self) -> bool:
        """Whether the run that goes on is sure not to be dropped."""
        return self.current is not None and self.current[1] - self.current[0] >= self.min_length

    def add(self, value: float) -> tuple[int, int] | None:
        """Take the next value; NaN counts as low.

        Returns
        -------
        (int, int) or None
            A run that has now ended for good; runs that were too short are never returned.
        """
        first, ended = self.opens_from, None
        self.count += 1
        self.is_open = value >= self.release if self.is_open else value >= self.onset
        if not value >= self.release:
            self._began = self.count
        if self.is_open:  # what could not be bridged has ended before
            self.current = (first if self.current is None else self.current[0], self.count)
        elif self.current is not None and self.opens_from - self.current[1] > self.bridge:
            ended = self._end()
        return ended

    def finish(self) -> tuple[int, int] | None:
        """Say that no more values come; returns what :meth:`add` does."""
        self.is_open = False
        return self._end()

    def _end(self) -> tuple[int, int] | None:
        ended = self.current if self.is_long_enough else None
        self.current = None
        return ended
