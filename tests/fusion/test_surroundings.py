"""What surrounds a score: by hand, at the edges, and as the other stages meet it."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.fusion import STEP, SURROUNDINGS, Surroundings, log_odds, smooth
from blipper.results import Span
from blipper.settings import Settings
from tests.fusion.test_events import scored


def by_hand(scores: np.ndarray, seconds: float, step: float) -> np.ndarray:
    """Average one cell after the other."""
    around = Surroundings(seconds, step)
    averaged = np.full(len(scores), np.nan)
    for i in np.flatnonzero(~np.isnan(scores)):
        total = weights = 0.0
        for j in np.flatnonzero(~np.isnan(scores)):
            if abs(i - j) <= around.reach:
                weight = np.exp(-abs(i - j) * step / seconds)
                total, weights = total + weight * float(log_odds(scores[j])), weights + weight
        averaged[i] = 1 / (1 + np.exp(-total / weights))
    return averaged


@pytest.mark.parametrize(("seconds", "step"), [(0.8, 0.5), (3.0, 0.1), (0.1, 0.5), (10.0, 0.7)])
@pytest.mark.parametrize("n", [1, 2, 7, 90])
def test_it_is_the_weighted_mean_of_log_odds(
    rng: np.random.Generator, n: int, seconds: float, step: float
) -> None:
    scores = rng.random(n)
    scores[rng.random(n) < 0.3] = np.nan
    np.testing.assert_allclose(
        Surroundings(seconds, step).apply(scores), by_hand(scores, seconds, step), rtol=1e-9
    )


def test_a_slip_falls_and_a_gap_in_anger_rises() -> None:
    around = Surroundings(SURROUNDINGS, STEP)
    slip, gap = np.full(20, 0.02), np.full(20, 0.95)
    slip[10:12], gap[10:12] = 0.7, 0.3
    assert around.apply(slip)[10:12].max() < 0.25
    assert around.apply(gap)[10:12].min() > 0.6


@pytest.mark.parametrize("score", [0.0, 0.2, 1.0])
def test_a_constant_stays_as_it_is(score: float) -> None:
    np.testing.assert_allclose(Surroundings(0.8, 0.5).apply(np.full(9, score)), score, atol=1.1e-6)


def test_a_pause_neither_raises_nor_lowers_and_hides_nothing() -> None:
    around = Surroundings(0.8, 0.5)
    assert around.reach == 5
    alone = np.array([np.nan, 0.9, np.nan, np.nan])
    np.testing.assert_allclose(around.apply(alone), alone)
    near = around.apply(np.array([0.9, np.nan, np.nan, 0.1]))
    far = around.apply(np.array([0.9, *[np.nan] * 5, 0.1]))
    assert 0.6 < near[0] < 0.9
    np.testing.assert_allclose(far[[0, -1]], [0.9, 0.1])


def test_silence_and_nothing_at_all() -> None:
    around = Surroundings(0.8, 0.5)
    assert len(around.apply(np.zeros(0))) == 0
    assert np.isnan(around.apply(np.full(30, np.nan))).all()


def test_none_leaves_every_score(rng: np.random.Generator) -> None:
    scores = rng.random(50)
    np.testing.assert_array_equal(Surroundings(0.0, 0.5).apply(scores), scores)


def test_they_count_before_and_after_a_pause_and_emotions_do_not_change() -> None:
    speech = (Span(0.0, 5.0), Span(5.5, 10.0))
    windows = scored(speech, lambda t: 0.9 if t > 5.2 else 0.1)
    plain, wide = smooth(windows, speech, 10.0, surroundings=0), smooth(windows, speech, 10.0)
    assert plain.aggression[9] == pytest.approx(0.1)
    assert 0.1 < wide.aggression[9] < 0.5 < wide.aggression[11] < 0.9
    np.testing.assert_array_equal(plain.emotions, wide.emotions)


@pytest.mark.parametrize("seconds", [-0.1, 10.1, float("nan")])
def test_outside_their_domain(seconds: float) -> None:
    with pytest.raises(SettingsError, match=r"surroundings are .* expected 0 \(none\) to 10 s"):
        Surroundings(seconds, 0.5)
    with pytest.raises(SettingsError, match="surroundings"):
        Settings(surroundings=seconds)
