"""Sentences for people."""

import dataclasses

import numpy as np
import pytest

from blipper.recording import Provenance
from blipper.results import Analysis, Curve, Event, ModelInfo, Quality, Span, Track, Trend, no_windows
from blipper.wording import clock, length, moment, summary_sentence, trend_sentence


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (67, "1:07"), (3599.9, "59:59"), (3723, "1:02:03")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0:00.0"), (0.96, "0:01.0"), (59.96, "1:00.0"), (3723, "1:02:03.0"), (36_000, "10:00:00.0")),
        *(
            (1.25, "0:01.3"),
            (67.25, "1:07.3"),
            (67.75, "1:07.8"),
            (-0.01, "0:00.0"),
        ),  # halves as in the player
    ],
)
def test_moments(seconds, text):
    assert moment(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (14.2, "14 s"), (60, "1 min"), (192, "3 min 12 s"), (3600, "1 h"), (3720, "1 h 2 min")],
)
def test_length(seconds, text):
    assert length(seconds) == text


@pytest.fixture
def quiet():
    curve = Curve(0.5, np.array([0.25]), np.array([0.1]), np.full((1, 8), 0.125))
    track = Track("mix", Quality(()), (Span(0, 1),), no_windows(), curve, Trend("unknown", None))
    provenance = Provenance("a.wav", "0" * 64, 1, "WAV", "PCM_16", 16000, 1, "soundfile")
    return Analysis(provenance, 192.0, (track,), (), ModelInfo("m", "0" * 64, 0.5), {})


def event(start, end, peak):
    return Event(start, end, peak, (start + end) / 2, peak, "angry")


def test_summary(quiet):
    assert summary_sentence(quiet) == "Nothing above the threshold in 3 min 12 s"
    quiet.tracks[0].curve.aggression[0] = 0.5
    assert summary_sentence(quiet) == "Nothing long enough above the threshold in 3 min 12 s"
    one = dataclasses.replace(quiet, events=(event(10, 14, 0.7),))
    assert summary_sentence(one) == "1 stretch worth a listen, 4 s of 3 min 12 s; strongest at 0:12.0"
    two = dataclasses.replace(quiet, events=(event(10, 14, 0.7), event(62, 72, 0.9)))
    assert summary_sentence(two) == "2 stretches worth a listen, 14 s of 3 min 12 s; strongest at 1:07.0"


def test_trend_sentence():
    assert "rises by about 0.25" in trend_sentence(Trend("rising", 0.25))
    assert "falls by about 0.25" in trend_sentence(Trend("falling", -0.25))
    assert "level" in trend_sentence(Trend("steady", 0.01))
    assert "Too little" in trend_sentence(Trend("unknown", None))
