"""Plain text, and Audacity's labels read as Audacity's manual describes them."""

from __future__ import annotations

import dataclasses

from blipper.export.plain import event_labels, transcript_labels, transcript_text
from blipper.results import Analysis
from blipper.speakers.turns import Turn
from tests.export.conftest import ODD_TEXTS
from tests.export.test_subtitles import said, visible


def read_labels(document: str) -> list[tuple[float, float, str]]:
    """Read a label track: start, tab, end, tab, the rest of the line; any line end separates labels."""
    rows = [line.split("\t", 2) for line in document.splitlines()]
    return [(float(start), float(end), text) for start, end, text in rows]


def test_text_is_one_utterance_a_line(talk: Analysis) -> None:
    lines = [visible(line) for line in transcript_text(talk).splitlines()]
    assert len(lines) == 1 + len(said(talk, 0)) + len(said(talk, 1))
    assert lines[0].startswith("[rough draft by pocketsphinx")
    alone = dataclasses.replace(talk, tracks=talk.tracks[:1])
    assert [visible(line) for line in transcript_text(alone).splitlines()] == [visible(t) for t in ODD_TEXTS]


def test_labels(talk: Analysis) -> None:
    assert read_labels(event_labels(talk)) == [
        (1.0, 2.0, "left: [event 1: sounds angry, peak score 0.90, mostly angry]")
    ]
    labels = read_labels(transcript_labels(talk))
    assert [visible(text.removeprefix("left: ")) for *_, text in labels if text.startswith("left")] == said(
        talk, 0
    )
    assert all(0 <= start < end <= 20 for start, end, _ in labels)
    assert (18.0, 20.0, "right: beyond the end") in labels


def test_no_events_are_no_labels(talk: Analysis) -> None:
    assert event_labels(dataclasses.replace(talk, events=())) == ""


def test_a_channels_only_speaker_gives_the_name(talk: Analysis) -> None:
    left = dataclasses.replace(talk.tracks[0], turns=(Turn(0.0, 1.0, "Agent"),))
    named = dataclasses.replace(talk, tracks=(left, talk.tracks[1]))
    starts = {line.partition(":")[0] for line in transcript_text(named).splitlines()[1:]}
    assert starts == {"Agent", "right"}


def test_speakers_told_apart_on_one_channel_are_named(talk: Analysis) -> None:
    turns = (Turn(0.0, 1.9, "Speaker 1"), Turn(1.9, 20.0, "Speaker\n2"))
    alone = dataclasses.replace(talk, tracks=(dataclasses.replace(talk.tracks[0], turns=turns),))
    lines = transcript_text(alone).splitlines()
    assert lines[0].startswith("Speaker 1: You")
    assert lines[1] == "Speaker 2: 42"
