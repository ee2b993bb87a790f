"""Turns: one speaker's speech, joined across short pauses."""

from __future__ import annotations

from blipper.results import Span
from blipper.speakers import Turn, turns_of_channel


def test_pauses_of_a_second_belong_to_the_turn() -> None:
    speech = (Span(1.0, 2.0), Span(3.0, 4.0), Span(5.01, 6.0))
    assert turns_of_channel(speech, "left") == (Turn(1.0, 4.0, "left"), Turn(5.01, 6.0, "left"))


def test_the_longest_pause_can_be_chosen() -> None:
    speech = (Span(1.0, 2.0), Span(2.5, 4.0))
    assert turns_of_channel(speech, "left", max_pause=0.4) == (Turn(1.0, 2.0, "left"), Turn(2.5, 4.0, "left"))


def test_silence_has_no_turns() -> None:
    assert turns_of_channel((), "left") == ()
