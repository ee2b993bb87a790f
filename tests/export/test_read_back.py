"""A transcript that was taken away can be brought back: the files' readers of Blipper itself."""

from __future__ import annotations

import dataclasses
import unicodedata

import pytest

from blipper.export import WRITERS
from blipper.results import Analysis
from blipper.words.files import lay, read_transcript
from tests.export.test_subtitles import said


def plain(text: str) -> str:
    """Return text without what the subtitles' reader drops on purpose, as it takes it for markup."""
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", shown).split())


@pytest.mark.parametrize("name", ["srt", "vtt", "txt", "textgrid"])
def test_words_come_back(talk: Analysis, name: str) -> None:
    transcript = talk.tracks[0].transcript
    assert transcript is not None
    calm = [one for one in transcript.utterances if not set("<{") & set(one.text)]
    ordered = tuple(dataclasses.replace(one, end=one.start + 1.5) for one in calm)
    written = dataclasses.replace(transcript, utterances=ordered)
    track = dataclasses.replace(talk.tracks[0], transcript=written)
    alone = dataclasses.replace(talk, tracks=(track,))
    reading = read_transcript(WRITERS[name].content(alone), name="call" + WRITERS[name].extension)
    assert [plain(cue.text) for cue in reading.cues] == said(alone, 0)
    if name != "txt":
        assert [(cue.start, cue.end) for cue in reading.cues] == [(one.start, one.end) for one in ordered]


@pytest.mark.parametrize("name", ["srt", "vtt", "txt", "textgrid"])
def test_a_rough_draft_comes_back_as_one_without_its_mark_among_the_words(talk: Analysis, name: str) -> None:
    alone = dataclasses.replace(talk, tracks=talk.tracks[1:], events=())
    reading = read_transcript(WRITERS[name].content(alone), name="call" + WRITERS[name].extension)
    assert [plain(cue.text) for cue in reading.cues] == said(alone, 0)
    assert lay(reading, 20.0, alone.tracks[0].speech).draft
    sure = dataclasses.replace(talk, tracks=talk.tracks[:1], events=())
    assert not read_transcript(WRITERS[name].content(sure), name="x").draft
