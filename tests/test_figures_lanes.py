"""The lanes of all speakers: what is drawn, and that labels stay text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blipper.figures.lanes import lanes_figure, talk_figure
from blipper.results import Analysis, Curve, Event
from blipper.speakers import Turn
from blipper.speakers.talk import rename, talk
from tests.speakers.test_talk import call


@pytest.fixture
def quarrel() -> Analysis:
    event = Event(4.0, 7.0, 0.9, 5.0, 0.8, "angry", channel=1)
    analysis = call([(0, 5)], [(4, 8)], events=(event,))
    curve = Curve(0.5, np.arange(120) * 0.5 + 0.25, np.full(120, 0.2), np.full((120, 8), 0.125))
    tracks = []
    for track, level in zip(analysis.tracks, (-25.0, -15.0), strict=True):
        turns = tuple(Turn(turn.start, turn.end, turn.speaker, level) for turn in track.turns)
        tracks.append(replace(track, curve=curve, turns=turns))
    return replace(analysis, tracks=tuple(tracks))


def titles(figure: object) -> list[str]:
    return [annotation.text for annotation in figure.layout.annotations]  # type: ignore[attr-defined]


def test_every_channel_has_its_curve_over_one_time_axis(quarrel: Analysis) -> None:
    figure = lanes_figure(quarrel)
    curves = [trace for trace in figure.data if trace.name == "Aggression score"]
    assert [trace.yaxis for trace in curves] == ["y", "y2"]
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert [trace.showlegend for trace in curves] == [True, False]
    assert titles(figure) == [
        "<b>a: aggression score</b>",
        "<b>b: aggression score</b>",
        "<b>Who speaks</b>",
        "<b>How loud each turn is</b>",
    ]
    assert figure.layout.xaxis.title.text == "Time (s)"
    (events,) = [trace for trace in figure.data if trace.name == "Event's peak" and len(trace.x)]
    assert events.yaxis == "y2"


def test_interruptions_and_loudness_are_marked(quarrel: Analysis) -> None:
    figure = lanes_figure(quarrel)
    (taken,) = [trace for trace in figure.data if trace.name == "Takes over while another speaks"]
    assert list(taken.x) == [4.0]
    assert tuple(taken.customdata[0]) == ("b", "a", 1.0)
    levels = {trace.name: trace.y[0] for trace in figure.data if trace.name.startswith("Loudness")}
    assert levels == {"Loudness of a": -25.0, "Loudness of b": -15.0}
    dashes = {trace.line.dash for trace in figure.data if trace.name.startswith("Loudness")}
    assert dashes == {"solid", "dash"}


def test_the_figure_of_the_talk_alone(quarrel: Analysis) -> None:
    summed = talk(quarrel)
    assert summed is not None
    assert titles(talk_figure(quarrel, summed)) == ["<b>Who speaks</b>", "<b>How loud each turn is</b>"]
    unmeasured = call([(0, 5)], [(4, 8)])
    assert titles(talk_figure(unmeasured, summed)) == ["<b>Who speaks</b>"]


def test_labels_are_no_markup(quarrel: Analysis) -> None:
    named = rename(quarrel, {"a": "<a href='http://x'>x</a>", "b": "<b>"})
    text = lanes_figure(named).to_json()
    assert "<a href" not in text
    assert "&lt;a href" in text


def test_without_turns_there_are_only_curves() -> None:
    figure = lanes_figure(call([(0, 5)], turns=False))
    assert titles(figure) == ["<b>a: aggression score</b>"]
