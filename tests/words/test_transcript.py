"""The dataclasses, corrections, and JSON both ways."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from blipper.recording import Notice, Provenance
from blipper.results import Analysis, Curve, ModelInfo, Quality, Span, Track, Trend, no_windows
from blipper.words.transcript import Dropped, Transcript, Utterance, Word, correct, spread_words


@pytest.fixture
def transcript() -> Transcript:
    words = (
        Word("Ask", 1.0, 1.3, 0.9),
        Word("not", 1.3, 1.6, 0.8),
        Word("what", 1.7, 2.0, None),
        Word("you", 2.0, 2.2, 0.4),
    )
    return Transcript(
        engine="whisper:tiny.en",
        language="en",
        utterances=(
            Utterance(1.0, 2.2, "Ask not what you", words, 0.7, {"negative": 0.2, "neutral": 0.8}, 0.1),
            Utterance(3.0, 4.0, "שלום <b>עולם</b>"),
        ),
        dropped=(Dropped(5.0, 6.0, "Thanks for watching!", "compression ratio 3.1"),),
        draft=True,
        timing="words",
        notices=(Notice("engine", "Whisper tiny.en wrote it.", "info"),),
    )


def analysis_with(transcript: Transcript | None) -> Analysis:
    curve = Curve(0.5, np.array([0.25]), np.array([np.nan]), np.full((1, 8), np.nan))
    track = Track(
        "mix", Quality(()), (Span(0, 1),), no_windows(), curve, Trend("unknown", None), transcript=transcript
    )
    provenance = Provenance("a.wav", "ab" * 32, 1, "WAV", "PCM_16", 16_000, 1, "soundfile")
    return Analysis(provenance, 6.0, (track,), (), ModelInfo("m", "cd" * 32, 0.5), {})


def test_a_transcript_survives_json(transcript: Transcript) -> None:
    text = json.dumps(analysis_with(transcript).to_dict(), ensure_ascii=False)
    assert Analysis.from_dict(json.loads(text)).tracks[0].transcript == transcript


def test_a_track_without_transcript_and_an_older_file_read_alike() -> None:
    data = analysis_with(None).to_dict()
    assert data["tracks"][0]["transcript"] is None
    assert Analysis.from_dict(data).tracks[0].transcript is None
    del data["tracks"][0]["transcript"]
    assert Analysis.from_dict(data).tracks[0].transcript is None


@pytest.mark.parametrize(
    ("keys", "value", "complaint"),
    [
        (("draft",), 1, r"transcript\.draft is 1; expected true or false"),
        (("timing",), "guessed", "expected one of words, utterances, spread"),
        (("utterances", 0, "start"), "soon", r"utterances\[0\]\.start is 'soon'"),
        (("utterances", 0, "words", 1), ["not", 1.3], r"words\[1\] is .* expected \[text, start"),
        (("utterances", 0, "words", 1, 0), 7, r"words\[1\]\.text is 7"),
        (("utterances", 0, "words"), "Ask", r"words is str; expected a list"),
        (("utterances", 0, "sentiment", "neutral"), None, r"sentiment\.neutral is None"),
        (("dropped", 0, "reason"), None, r"dropped\[0\]\.reason is None"),
    ],
)
def test_a_wrong_value_is_named(
    transcript: Transcript, keys: tuple[Any, ...], value: object, complaint: str
) -> None:
    data = analysis_with(transcript).to_dict()
    place = data["tracks"][0]["transcript"]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(ValueError, match=complaint):
        Analysis.from_dict(data)


def test_confidence_counts_every_word_once(transcript: Transcript) -> None:
    assert transcript.confidence == pytest.approx(0.7)
    more = dataclasses.replace(transcript, utterances=(*transcript.utterances, Utterance(5, 6, "x", (), 0.2)))
    assert more.confidence == pytest.approx((4 * 0.7 + 0.2) / 5)
    assert Transcript("file:srt", None, (Utterance(0, 1, "a"),)).confidence is None
    assert transcript.text == "Ask not what you\nשלום <b>עולם</b>"


def test_a_correction_keeps_the_times_of_words_that_stay(transcript: Transcript) -> None:
    fixed = transcript.corrected(0, "  Ask  not,  whatever they want, you ")
    utterance = fixed.utterances[0]
    assert fixed.edited
    assert not transcript.edited
    assert utterance.text == "Ask not, whatever they want, you"
    assert [word.text for word in utterance.words] == ["Ask", "not,", "whatever", "they", "want,", "you"]
    assert (utterance.words[1].start, utterance.words[1].end) == (1.3, 1.6)
    assert utterance.words[2].start == 1.7  # the three share the time of "what"
    assert utterance.words[4].end == pytest.approx(2.0)
    assert utterance.words[5] == Word("you", 2.0, 2.2, 1.0)
    assert utterance.sentiment is None  # what was thought of the old text
    assert utterance.aggression is None
    assert fixed.utterances[1] == transcript.utterances[1]


def test_a_correction_can_insert_remove_and_leave_alone(transcript: Transcript) -> None:
    assert correct(transcript, 0, " Ask not what you") is transcript
    longer = correct(transcript, 0, "So ask not what you can").utterances[0].words
    assert all(1.0 <= word.start <= word.end <= 2.2 for word in longer)
    assert [word.start for word in longer] == sorted(word.start for word in longer)
    shorter = correct(transcript, 0, "Ask you").utterances[0].words
    assert [(word.text, word.start) for word in shorter] == [("Ask", 1.0), ("you", 2.0)]
    gone = correct(transcript, 0, " ")
    assert [utterance.start for utterance in gone.utterances] == [3.0]
    without_times = correct(transcript, 1, "hello").utterances[1]
    assert without_times.words == ()
    with pytest.raises(IndexError, match="there are 2"):
        correct(transcript, 2, "x")


def test_spread_words_tile_their_stretch() -> None:
    words = spread_words(["a", "bbb"], 2.0, 4.0, None)
    assert words == (Word("a", 2.0, 2.5), Word("bbb", 2.5, 4.0))
    assert spread_words([], 0, 1, None) == ()
