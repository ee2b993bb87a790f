"""PocketSphinx on real recordings: plain speech with exact transcripts, and the shipped synthetic sample."""

from __future__ import annotations

import csv
from pathlib import Path

import jiwer
import numpy as np
import pytest

from benchmarks.words import normalised
from blipper import audio
from blipper.errors import Cancelled, SettingsError
from blipper.results import Span
from blipper.speech import detect_speech
from blipper.words.recognise_sphinx import SphinxEngine, levelled
from blipper.words.transcript import LOW_CONFIDENCE, Transcript
from tests.conftest import DATA, needed

#: Errors a word over the six files together; ``python -m benchmarks.words`` measures 0.25. They were also
#: used to choose how speech is cut, so this is no estimate for other speech.
WORD_ERROR_BOUND = 0.30


@pytest.fixture(scope="module")
def engine() -> SphinxEngine:
    return SphinxEngine()


@pytest.fixture(scope="module")
def transcripts(data_dir_of_speech: Path, engine: SphinxEngine) -> dict[str, Transcript]:
    found = {}
    for path in sorted(data_dir_of_speech.glob("*.flac")):
        recording = audio.load(path)
        found[path.name] = engine.transcribe(recording, 0, detect_speech(recording))
    return found


@pytest.fixture(scope="module")
def data_dir_of_speech() -> Path:
    return needed(DATA / "speech" / "transcripts.tsv").parent


@pytest.mark.data
def test_word_errors_stay_below_the_bound(
    transcripts: dict[str, Transcript], data_dir_of_speech: Path
) -> None:
    with (data_dir_of_speech / "transcripts.tsv").open(encoding="utf-8", newline="") as stream:
        wanted = {row["file"]: row["text"] for row in csv.DictReader(stream, delimiter="\t")}
    assert set(wanted) == set(transcripts)
    rate = jiwer.wer(
        [normalised(text) for text in wanted.values()],
        [normalised(transcripts[file].text) for file in wanted],
    )
    assert rate <= WORD_ERROR_BOUND


@pytest.mark.data
def test_confidence_tells_right_words_from_wrong_ones(
    transcripts: dict[str, Transcript], data_dir_of_speech: Path
) -> None:
    with (data_dir_of_speech / "transcripts.tsv").open(encoding="utf-8", newline="") as stream:
        wanted = {row["file"]: row["text"] for row in csv.DictReader(stream, delimiter="\t")}
    sure: dict[bool, list[bool]] = {True: [], False: []}
    for file, transcript in transcripts.items():
        spoken = set(normalised(wanted[file]).split())
        for one in transcript.utterances:
            for word in one.words:
                assert word.confidence is not None
                sure[word.confidence >= LOW_CONFIDENCE].append(normalised(word.text) in spoken)
    assert len(sure[False]) >= 10
    assert np.mean(sure[True]) > np.mean(sure[False]) + 0.15


@pytest.mark.data
def test_times_and_confidences_are_in_their_domains(
    transcripts: dict[str, Transcript], data_dir_of_speech: Path
) -> None:
    for file, transcript in transcripts.items():
        duration = audio.load(data_dir_of_speech / file).duration
        assert transcript.draft
        assert transcript.engine == "pocketsphinx:en-us"
        assert any("rough draft" in notice.message for notice in transcript.notices)
        words = [word for one in transcript.utterances for word in one.words]
        assert words
        assert [word.start for word in words] == sorted(word.start for word in words)
        for word in words:
            assert 0 <= word.start < word.end <= duration + 1e-9
            assert word.confidence is not None
            assert 0 <= word.confidence <= 1
            assert not word.text.startswith(("<", "["))
            assert "(" not in word.text
        for one in transcript.utterances:
            assert (one.start, one.end) == (one.words[0].start, one.words[-1].end)
            assert one.text == " ".join(word.text for word in one.words)


@pytest.mark.data
def test_a_word_is_where_it_is_spoken(transcripts: dict[str, Transcript]) -> None:
    words = [word for one in transcripts["jfk.flac"].utterances for word in one.words]
    (fellow,) = [word for word in words if word.text == "fellow"]
    assert fellow.start == pytest.approx(1.3, abs=0.4)


def test_nothing_is_said_where_nobody_speaks(engine: SphinxEngine) -> None:
    recording = audio.from_samples(np.zeros((1, 16_000), np.float32), 16_000)
    assert engine.transcribe(recording, 0, []).utterances == ()
    assert engine.transcribe(recording, 0, [Span(0.0, 1.0)]).utterances == ()


def test_it_can_be_cancelled_between_stretches(engine: SphinxEngine) -> None:
    recording = audio.from_samples(np.zeros((1, 10 * 16_000), np.float32), 16_000)
    seen: list[float] = []

    def stop(step: str, completed: float, total: float) -> None:
        seen.append(completed)
        if completed == 0:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        engine.transcribe(recording, 0, [Span(0, 1), Span(5, 6), Span(8, 9)], stop)
    assert seen == [0.0]


def test_other_languages_are_refused() -> None:
    with pytest.raises(SettingsError, match="'de': PocketSphinx's model knows English only"):
        SphinxEngine(language="de")


def test_only_quiet_speech_is_raised() -> None:
    loud = np.array([0.5, -0.5], np.float32)
    assert np.array_equal(levelled(loud, -40), loud)
    quiet = np.full(100, 1e-4, np.float32)
    assert np.sqrt(np.mean(levelled(quiet, -40) ** 2)) == pytest.approx(0.01, rel=1e-3)
    spike = np.append(np.zeros(9_999, np.float32), np.float32(0.5))
    assert np.abs(levelled(spike, -20)).max() <= 0.99 + 1e-6
    assert len(levelled(np.zeros(0, np.float32), -20)) == 0
