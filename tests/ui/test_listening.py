"""A live stream as the page holds it: pieces in, scores and an alert out, and no sound kept."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from blipper.errors import AudioError
from blipper.live import windowing
from blipper.settings import Settings
from tests.helpers import RATE
from tests.live.test_live import GivenSpeech, LevelModel
from ui import listening
from ui.listening import Listening, begin


@pytest.fixture(autouse=True)
def always_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    import itertools

    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(itertools.repeat(0.9)))


def piece(number: int, level: float, seconds: float = 0.5, **changes: Any) -> dict[str, Any]:
    pcm = np.full(round(seconds * RATE), round(level * 32767), "<i2").tobytes()
    text = base64.b64encode(pcm).decode()
    return {"run": "a", "number": number, "rate": RATE, "pcm": text, "lost": 0, "ending": None} | changes


def stream(min_duration: float = 2.0) -> Listening:
    return begin(piece(1, 0.0), LevelModel(), Settings(min_duration=min_duration, window=1.0, hop=0.5))  # type: ignore[arg-type]


def play(held: Listening, level: float, seconds: float) -> None:
    for _ in range(round(2 * seconds)):
        held.take(piece(held.number + 1, level))


def test_the_alert_needs_its_duration() -> None:
    held = stream()
    play(held, 0.01, 10)
    play(held, 0.09, 1)
    play(held, 0.01, 10)
    assert (held.alert, list(held.events)) == (None, [])


def test_the_alert_comes_stays_and_goes() -> None:
    held = stream()
    play(held, 0.01, 10)
    play(held, 0.09, 4)
    assert held.alert is None  # it waits for what follows
    play(held, 0.09, 3)
    assert held.alert is not None
    assert held.alert.going_on
    assert held.alert.start == pytest.approx(9, abs=0.6)  # where the score rose, which hears 0.8 s around
    assert held.alert.peak == pytest.approx(0.9, abs=0.01)
    play(held, 0.01, 7)
    assert held.alert is not None
    assert not held.alert.going_on
    assert len(held.events) == held.n_events == 1
    play(held, 0.01, 10)
    assert held.alert is None


def test_two_minutes_are_kept_and_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    held = stream()
    for number in range(1, 200):
        held.take(piece(number, 0.02, 4.0))
    assert held.now == pytest.approx(796)
    assert held.points[0].end >= held.now - 120
    assert 230 <= len(held.points) <= 240
    assert held.analyser.buffered_bytes < 5 * RATE * 4


def test_events_are_bounded() -> None:
    assert stream().events.maxlen == listening.MOST_EVENTS


def test_a_piece_counts_once_and_none_after_the_end() -> None:
    held = stream()
    held.take(piece(1, 0.01))
    held.take(piece(1, 0.01))
    assert held.now == 0.5
    held.take(piece(2, 0.01, ending="stopped"))
    assert held.ended == "stopped"
    held.take(piece(3, 0.01))
    assert held.now == 1.0
    held.finish("left")
    assert held.ended == "stopped"


def test_leaving_closes_the_open_event() -> None:
    held = stream()
    play(held, 0.09, 8)
    assert held.alert is not None
    assert held.alert.going_on
    held.finish("left")
    assert [event.end for event in held.events] == [8.0]
    assert not held.alert.going_on


def test_lost_sound_and_the_clock() -> None:
    held = stream()
    held.take(piece(1, 0.01, lost=1.5))
    assert held.lost == 1.5
    assert held.clock(60) - held.started == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"pcm": "!!"}, "damaged"),
        ({"pcm": 7}, "too long or no text"),
        ({"pcm": "A" * 9_000_000}, "too long"),
        ({"rate": 48_000}, "changed from 16000 to 48000 Hz"),
        ({"rate": 100}, "100 Hz"),
    ],
)
def test_pieces_that_are_none(changes: dict[str, Any], fault: str) -> None:
    held = stream()
    with pytest.raises((AudioError, ValueError), match=fault):
        held.take(piece(1, 0.01, **changes))
