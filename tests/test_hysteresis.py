"""Runs by hysteresis: opening, holding, closing, bridging, dropping."""

import numpy as np
import pytest

from blipper.hysteresis import RunTracker, find_runs, tidy_runs


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


@pytest.mark.parametrize(
    ("values", "rise", "runs"),
    [
        ([0.1, 0.45, 0.45, 0.6, 0.1], 9, [(1, 4)]),  # begins where it rose above the release
        ([0.1, 0.45, 0.45, 0.6, 0.1], 1, [(2, 4)]),  # but no earlier than that
        ([0.45, 0.6], 9, [(0, 2)]),
        ([0.6, 0.39, 0.45, 0.6], 9, [(0, 1), (2, 4)]),  # never reaches into the run before
        ([0.45, np.nan, 0.45, 0.6], 9, [(2, 4)]),  # nor across silence
        ([0.45, 0.45, 0.1], 9, []),  # what never opens is none
    ],
)
def test_a_run_takes_in_what_led_up_to_it(
    values: list[float], rise: int, runs: list[tuple[int, int]]
) -> None:
    assert find_runs(np.array(values), onset=0.5, release=0.4, rise=rise) == runs


def test_with_a_long_rise_runs_are_those_of_a_double_threshold(rng: np.random.Generator) -> None:
    values = rng.random(2000)
    values[rng.random(2000) < 0.1] = np.nan
    expected, first = [], None
    for i, value in enumerate([*values, np.nan]):
        if value >= 0.3:
            first = i if first is None else first
        elif first is not None:
            if (values[first:i] >= 0.7).any():
                expected.append((first, i))
            first = None
    assert find_runs(values, 0.7, 0.3, rise=2000) == expected


def test_gaps_are_bridged_before_short_runs_are_dropped():
    assert tidy_runs([(0, 1), (2, 3), (10, 11)], bridge=1, min_length=2) == [(0, 3)]
    assert tidy_runs([(0, 1), (3, 4)], bridge=1, min_length=0) == [(0, 1), (3, 4)]


@pytest.mark.parametrize("bridge", [0, 0.5, 1, 3, 9.375])
@pytest.mark.parametrize("min_length", [0, 1, 2.5, 8])
@pytest.mark.parametrize("rise", [0, 1, 4, 300])
def test_the_tracker_finds_the_same_runs_one_value_after_the_other(
    rng: np.random.Generator, bridge: float, min_length: float, rise: int
) -> None:
    for _ in range(20):
        values = np.clip(np.cumsum(rng.normal(0, 0.2, 300)) % 1.4 - 0.2, 0, 1)
        values[rng.random(300) < 0.05] = np.nan
        tracker = RunTracker(0.5, 0.35, bridge, min_length, rise)
        found = [run for value in values if (run := tracker.add(value)) is not None]
        if (run := tracker.finish()) is not None:
            found.append(run)
        assert found == tidy_runs(find_runs(values, 0.5, 0.35, rise), bridge, min_length)


def test_the_tracker_says_that_a_run_will_count_before_it_ends() -> None:
    tracker = RunTracker(0.5, 0.4, 2, 3)
    assert [tracker.add(value) for value in (0.6, 0.45, 0.1)] == [None, None, None]
    assert tracker.current == (0, 2)
    assert not tracker.is_long_enough
    assert tracker.add(0.9) is None
    assert tracker.is_long_enough
    assert tracker.current == (0, 4)
    assert [tracker.add(0.0) for _ in range(3)] == [None, None, (0, 4)]
    assert tracker.current is None
