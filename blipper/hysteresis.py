"""Runs of high values by onset/offset hysteresis: for speech probabilities and for aggression curves.

A run opens where a value reaches the onset and closes where one falls below the release, so that a curve
that trembles around one threshold does not fall into crumbs (Schmitt trigger; the field's usage follows
pyannote.audio's ``Binarize``). Gaps are bridged before short runs are dropped.
"""

from __future__ import annotations

import numpy as np

from blipper.results import Float

Runs = list[tuple[int, int]]


def find_runs(values: Float, onset: float, release: float) -> Runs:
    """Find the runs of high values.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN counts as low.
    onset, release : float
        A run opens at the first value ``>= onset`` and closes before the first value ``< release``;
        ``release <= onset``.

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
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


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
