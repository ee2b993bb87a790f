"""Explanations in words: what the numbers say, and never surer than they allow."""

from __future__ import annotations

import re

import numpy as np
import pytest

from blipper.explain.attribution import Attribution, Part
from blipper.explain.check import alike
from blipper.explain.reports import attribution_csv, attribution_text
from blipper.explain.targets import probability
from blipper.explain.wording import busiest, judge, shares, tell

EDGES = np.linspace(0, 8000, 42)


def made(
    values: np.ndarray,
    *,
    difference: float | None = None,
    louder: float = 6.0,
    uncertainty: float = 0.0,
    target: str = "aggression",
) -> Attribution:
    """Return an attribution with such contributions, from a base of -3."""
    total = float(values.sum())
    difference = total if difference is None else difference
    odds = -3.0 + difference
    part = Part(10.0, 10.0 + 0.01 * len(values), float(probability(odds)), odds, -3.0, total)
    neutral = np.full(40, 20.0)
    inputs = np.full(values.shape, 20.0) + louder * (values != 0)
    method = "integrated gradients"
    return Attribution(
        method, target, 10.0, 0.01, EDGES, values, inputs, neutral, (part,), 32, uncertainty, "m"
    )


def planted(amount: float = 4.0) -> np.ndarray:
    """Contributions from about 400 to 800 Hz between 11.0 and 11.5 s alone."""
    values = np.zeros((300, 40))
    values[100:150, 2:4] = amount / 100
    return values


def test_the_sentence_names_band_time_and_level():
    told = tell(made(planted()), 0.95)
    assert told.certainty == "good"
    assert "raises the score for how angry the voice sounds from 0.05 to 0.73" in told.sentence
    assert "300 to 900 Hz" in told.sentence
    assert re.search(r"between 11\.[0-2] and 11\.[3-5] s", told.sentence)
    assert "stronger than in neutral speech" in told.sentence
    assert "probably" not in told.sentence


def test_a_lowered_score_and_a_weaker_sound():
    told = tell(made(-planted(), louder=-5.0, target="sad"), 0.95)
    assert 'lowers the score for "sad"' in told.sentence
    assert "weaker than in neutral speech" in told.sentence


def test_no_level_is_named_where_there_is_no_difference():
    assert "and not by its level" in tell(made(planted(), louder=0.3), 0.95).sentence


@pytest.mark.parametrize(
    ("changes", "stability", "certainty"),
    [
        ({}, 0.95, "good"),
        ({}, 0.75, "fair"),
        ({}, 0.3, "poor"),
        ({}, None, "fair"),
        ({"difference": 4.3}, 0.95, "fair"),
        ({"difference": 6.0}, 0.95, "poor"),
        ({"uncertainty": 0.15}, 0.95, "fair"),
        ({"uncertainty": 0.5}, 0.95, "poor"),
    ],
)
def test_never_surer_than_the_numbers(changes, stability, certainty):
    told = tell(made(planted(), **changes), stability)
    assert told.certainty == certainty
    assert ("probably" in told.sentence) == (certainty == "fair")
    assert ("300 to 900 Hz" in told.sentence) == (certainty != "poor")
    assert ("cannot be told apart" in told.sentence) == (certainty == "poor")


def test_an_even_spread_names_no_band():
    told = tell(made(np.full((300, 40), 4 / 12000)), 0.95)
    assert "all along" in told.sentence
    assert "between" not in told.sentence
    values = np.zeros((300, 40))
    for low, n in ((0, 1), (1, 3), (4, 6), (10, 10), (20, 20)):  # every range gives the same
        values[:, low : low + n] = 0.8 / (300 * n)
    assert "none stands out" in tell(made(values), 0.95).sentence


def test_hardly_a_difference_is_no_story():
    told = tell(made(planted(0.1)), 0.95)
    assert "about that of neutral speech" in told.sentence
    assert "Hz" not in told.sentence


def test_ranges_share_out_the_whole():
    values = np.random.default_rng(0).normal(0, 0.1, (50, 40))
    found = made(values)
    assert sum(value for *_, value in shares(found)) == pytest.approx(found.total)


def test_the_busiest_stretch():
    start, end = busiest(made(planted()), 300, 900)
    assert start == pytest.approx(11.1, abs=0.2)
    assert end - start == pytest.approx(0.3, abs=0.1)


def test_the_reason_gives_the_numbers():
    _, reason = judge(made(planted(), difference=4.2), 0.91)
    assert "within 4.8 %" in reason
    assert "0.91" in reason and "random draws" not in reason
    _, reason = judge(made(planted(), difference=4.2, uncertainty=0.21), 0.91)
    # What the sum misses and what the draws leave open are two figures: the page shows the first by itself.
    assert "within 4.8 %; twice the standard error of the random draws is 10.0 % of it" in reason


def test_maps_are_compared_where_both_listened():
    values = np.random.default_rng(1).normal(0, 1, (300, 40))
    one = made(values)
    later = made(values[20:])
    shifted = Attribution(**{**vars(later), "start": 10.2})
    assert alike(one, shifted) == pytest.approx(1.0)
    assert abs(alike(one, made(np.random.default_rng(2).normal(0, 1, (300, 40))))) < 0.2
    assert alike(one, made(np.zeros((300, 40)))) is None


def test_text_and_table_hold_the_numbers():
    found = made(planted())
    text = attribution_text("call.wav", found, tell(found, 0.95))
    assert "300 to 900" in text
    assert "together +4.00" in text
    lines = attribution_csv(found).splitlines()
    assert len(lines) == 1 + 300 * 40
    assert lines[0] == "start_s,band_hz,contribution_log_odds,level_db"
    total = sum(float(line.split(",")[2]) for line in lines[1:])
    assert total == pytest.approx(4.0, abs=1e-3)
    whole = found.to_dict(cells=True)
    assert np.sum(whole["values"]) == pytest.approx(4.0, abs=1e-3)
    assert sum(whole["band_profile"]) == pytest.approx(sum(whole["time_profile"]), abs=1e-3)
