"""Runs by hysteresis: opening, holding, closing, bridging, dropping."""

import numpy as np
import pytest

from blipper.hysteresis import find_runs, tidy_runs


@pytest.mark.parametrize(
    ("values", "runs"),
    [
        ([], []),
        ([0.1, 0.2], []),
        ([0.5], [(0, 1)]),
        ([0.1, 0.6, 0.45, 0.6, 0.1], [(1, 4)]),  # trembling between release and onset stays one run
        ([0.45, 0.6, 0.1], [(1, 2)]),  # does not open before the onset
        ([0.6, 0.39, 0.45, 0.6], [(0, 1), (3, 4)]),  # closed, and 0.45 does not open it again
        ([0.6, np.nan, 0.45, 0.6], [(0, 1), (3, 4)]),  # silence closes
        ([0.2, 0.9, 0.9], [(1, 3)]),  # open at the end
    ],
)
def test_runs(values, runs):
    assert find_runs(np.array(values, dtype=float), onset=0.5, release=0.4) == runs


def test_runs_equal_a_plain_loop(rng):
    values = rng.random(2000)
    values[rng.random(2000) < 0.1] = np.nan
    state, expected, start = False, [], 0
    for i, value in enumerate([*values, -1.0]):
        if not state and value >= 0.7:
            state, start = True, i
        elif state and not value >= 0.3:
            state = False
            expected.append((start, i))
    assert find_runs(values, 0.7, 0.3) == expected


def test_gaps_are_bridged_before_short_runs_are_dropped():
    assert tidy_runs([(0, 1), (2, 3), (10, 11)], bridge=1, min_length=2) == [(0, 3)]
    assert tidy_runs([(0, 1), (3, 4)], bridge=1, min_length=0) == [(0, 1), (3, 4)]
