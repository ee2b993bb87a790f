"""Subtitles opened again by pysubs2 and webvtt-py."""

from __future__ import annotations

import dataclasses
import io
import re
import unicodedata

import pysubs2
import pytest
import webvtt

from blipper.export.subtitles import events_srt, events_vtt, srt, transcript_srt, transcript_vtt
from blipper.export.text import Cue, within
from blipper.results import Analysis
from tests.export.conftest import ODD_TEXTS


def visible(text: str) -> str:
    """Return text as it shows: without marks that have no width, white space and full-width forms folded."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    shown = "".join(char for char in spaced if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def said(analysis: Analysis, channel: int) -> list[str]:
    transcript = analysis.tracks[channel].transcript
    assert transcript is not None
    return [visible(one.text) for one in transcript.utterances if one.text.strip()]


def test_srt_holds_every_utterance_and_its_times(talk: Analysis) -> None:
    subtitles = pysubs2.SSAFile.from_string(transcript_srt(talk), format_="srt")
    lines = [visible(line.plaintext) for line in subtitles]
    assert lines[0] == "[rough draft by pocketsphinx:en-us: many words are wrong]"
    assert [line.removeprefix("left: ") for line in lines if line.startswith("left")] == said(talk, 0)
    assert [line.removeprefix("right: ") for line in lines if line.startswith("right")] == said(talk, 1)
    left = [line for line in subtitles if visible(line.plaintext).startswith("left")]
    assert [(line.start, line.end) for line in left[:4]] == [
        (0, 1500),
        (2000, 3500),
        (4000, 7000),
        (6000, 7500),
    ]
    assert all(line.start < line.end <= 20_000 for line in subtitles)
    starts = [line.start for line in subtitles]
    assert starts[1:] == sorted(starts[1:])


def test_one_channel_needs_no_name(talk: Analysis) -> None:
    alone = dataclasses.replace(talk, tracks=talk.tracks[:1])
    subtitles = pysubs2.SSAFile.from_string(transcript_srt(alone), format_="srt")
    assert [visible(line.plaintext) for line in subtitles] == [visible(text) for text in ODD_TEXTS]


def test_numbers_alone_stay_text() -> None:
    cues = [Cue(0, 1, "42"), Cue(1, 2, "7"), Cue(2, 3, "x 8")]
    lines = [visible(line.plaintext) for line in pysubs2.SSAFile.from_string(srt(cues), format_="srt")]
    assert lines == ["42", "7", "x 8"]


def test_nothing_said_is_taken_for_markup(talk: Analysis) -> None:
    subtitles = pysubs2.SSAFile.from_string(transcript_srt(talk), format_="srt", keep_unknown_html_tags=False)
    text = " ".join(visible(line.plaintext) for line in subtitles)
    assert "<b>never</b>" in text
    assert "{\\an8}said" in text
    assert "<v Somebody>" in text


def test_right_to_left_text_keeps_its_direction_beside_a_name(talk: Analysis) -> None:
    (line,) = [line for line in transcript_srt(talk).splitlines() if "צועק" in line]
    assert line == "left: \u2068למה אתה צועק עליי?\u2069"


def test_vtt_holds_every_utterance_its_times_and_its_speaker(talk: Analysis) -> None:
    document = transcript_vtt(talk)
    captions = list(webvtt.from_string(document))
    assert captions[0].text == "[rough draft by pocketsphinx:en-us: many words are wrong]"
    assert {caption.voice for caption in captions[1:]} == {"left", "right"}
    left = [caption for caption in captions if caption.voice == "left"]
    unescaped = [
        visible(c.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) for c in left
    ]
    assert unescaped == said(talk, 0)
    assert (left[2].start, left[2].end) == ("00:00:04.000", "00:00:07.000")
    assert "NOTE A rough draft by pocketsphinx:en-us: many words are wrong." in document
    for line in document.splitlines():
        assert ("-->" in line) == bool(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}", line))
    for caption in captions:  # a browser drops a cue that ends when it begins
        assert caption.start_in_seconds <= caption.end_in_seconds
        assert caption.start < caption.end


def test_events(talk: Analysis) -> None:
    (line,) = pysubs2.SSAFile.from_string(events_srt(talk), format_="srt")
    assert line.plaintext == "left: [event 1: sounds angry, peak score 0.90, mostly angry]"
    assert (line.start, line.end) == (1000, 2000)
    (caption,) = webvtt.from_string(events_vtt(talk))
    assert caption.voice == "left"
    assert caption.text == "[event 1: sounds angry, peak score 0.90, mostly angry]"
    assert "from a score of 0.50" in events_vtt(talk)
    assert "is aggressive" not in events_srt(talk) + events_vtt(talk)


def test_no_events_are_no_cues_and_the_note_counts_them(talk: Analysis) -> None:
    calm = dataclasses.replace(talk, events=())
    assert events_srt(calm) == ""
    assert len(webvtt.from_buffer(io.StringIO(events_vtt(calm)))) == 0
    assert "worth a listen: 0" in events_vtt(calm)


def test_long_times() -> None:
    assert "11:46:40,001 --> 27:46:40,999" in srt([Cue(42_400.001, 100_000.999, "x")])
    assert "00:00:59,999 --> 00:01:00,000" in srt([Cue(59.9994, 59.9996, "x")])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (1.0, 2.0, (1.0, 2.0)),
        (1.0, 1.0, (1.0, 1.001)),
        (2.0, 1.0, (2.0, 2.001)),
        (-1.0, 0.5, (0.0, 0.5)),
        (9.0, 99.0, (9.0, 10.0)),
        (99.0, 100.0, (9.999, 10.0)),
    ],
)
def test_times_lie_within_the_recording(start: float, end: float, expected: tuple[float, float]) -> None:
    assert within(start, end, 10.0) == expected
