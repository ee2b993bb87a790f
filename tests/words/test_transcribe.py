"""Which engine writes, what it says about that, and how a transcript gets into an analysis."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from blipper import audio
from blipper.errors import ModelError, SettingsError, TranscriptError
from blipper.recording import Recording
from blipper.results import Analysis, Span
from blipper.settings import Settings
from blipper.words import weights
from blipper.words.attach import with_correction, with_transcripts
from blipper.words.recognise_sphinx import SphinxEngine
from blipper.words.transcribe import (
    auto_choice,
    check_engine,
    load_engine,
    share_out,
    transcribe,
    transcribe_channels,
)
from blipper.words.transcript import Transcript, Utterance

SAMPLE = Path(__file__).parents[2] / "ui" / "sample" / "scene.ogg"
SRT = "1\n00:00:01,000 --> 00:00:02,500\nWhere is my parcel\n\n2\n00:00:04,000 --> 00:00:05,000\nGone.\n"


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever this machine has: start without Whisper's weights, and without network."""
    folder = tmp_path / "weights"
    monkeypatch.setenv("BLIPPER_WHISPER", str(folder))
    monkeypatch.setattr(weights, "BASE_URL", "http://127.0.0.1:9")
    return folder


@pytest.fixture
def silence() -> Recording:
    return audio.from_samples(np.zeros((1, 6 * 16_000), np.float32), 16_000)


def test_auto_says_which_engine_and_why(no_weights: Path) -> None:
    engine, why = auto_choice()
    assert engine == "pocketsphinx"
    assert "none of Whisper's weights are on this machine" in why
    assert str(no_weights) not in why  # a result travels further than this machine
    loaded = load_engine("auto")
    assert isinstance(loaded, SphinxEngine)
    recording = audio.from_samples(np.zeros((1, 16_000), np.float32), 16_000)
    transcript = loaded.transcribe(recording, 0, ())
    assert transcript.notices[0].message == why
    assert transcript.draft

    no_weights.mkdir()
    for name in ("tiny.en.pt", "large-v3-turbo.pt"):
        (no_weights / name).write_bytes(b"x")
    assert auto_choice()[0] == auto_choice("en")[0] == "whisper:tiny.en"
    assert auto_choice("de")[0] == "whisper:turbo"
    (no_weights / "base.pt").write_bytes(b"x")
    assert auto_choice()[0] == auto_choice("de")[0] == "whisper:base"
    with pytest.raises(ModelError, match=r"base\.pt: has the SHA-256"):
        load_engine("auto")


def test_auto_without_a_model_for_the_language_says_so() -> None:
    with pytest.raises(SettingsError, match="knows English only"):
        load_engine("auto", language="de")


def test_whisper_without_weights_or_network_says_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"tiny\.en \(about 76 MB\) cannot be downloaded from"):
        load_engine("whisper:tiny.en")


@pytest.mark.parametrize("engine", ["whisperer", "whisper:giant", "nothing.srt", "x" * 5000, "a\0b"])
def test_an_unknown_engine_is_named_with_what_is_accepted(engine: str) -> None:
    for refuse in (check_engine, load_engine):
        with pytest.raises(SettingsError, match=r"accepted.*tiny\.en"):
            refuse(engine)


def test_a_file_is_laid_beside_its_recording(tmp_path: Path, silence: Recording) -> None:
    path = tmp_path / "call.srt"
    path.write_text(SRT)
    check_engine(str(path))
    for engine in (path, str(path), load_engine(path)):
        transcript = transcribe(silence, engine=engine)
        assert [one.text for one in transcript.utterances] == ["Where is my parcel", "Gone."]
    path.write_text("1\n0:1 --> 2\n")
    with pytest.raises(TranscriptError, match=r"call\.srt: line 2"):
        transcribe(silence, engine=path)


def test_speech_is_detected_unless_given(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("one two three")
    transcript = transcribe(audio.load(SAMPLE), engine=tmp_path / "words.txt")
    assert transcript.timing == "spread"
    assert transcript.utterances[0].start > 0.05


def test_a_files_utterances_go_to_the_channel_that_speaks() -> None:
    utterances = tuple(Utterance(at, at + 1, str(at)) for at in range(4))
    transcript = Transcript("file:srt", None, utterances, timing="utterances")
    left, right = share_out(transcript, [[Span(0, 1), Span(2, 2.4)], [Span(1, 2), Span(2.4, 3)]])
    assert [one.text for one in left.utterances] == ["0", "3"]  # nobody speaks at 3: the first channel's
    assert [one.text for one in right.utterances] == ["1", "2"]
    assert any(notice.code == "shared-out" for notice in right.notices)
    assert share_out(transcript, [[Span(0, 1)]]) == (transcript,)


def test_channels_get_transcripts_of_their_own() -> None:
    class Echo:
        name = "echo"

        def transcribe(self, recording, channel, speech, progress=None):  # type: ignore[no-untyped-def]
            return Transcript(self.name, None, (Utterance(0, 1, f"{channel}: {speech}"),))

    recording = audio.from_samples(np.zeros((2, 16_000), np.float32), 16_000)
    found = transcribe_channels(recording, [["a"], ["b"]], Echo())  # type: ignore[list-item]
    assert [one.text for one in found] == ["0: ['a']\n"[:-1], "1: ['b']"]


def test_analyze_writes_the_transcript_into_the_result(tmp_path: Path) -> None:
    from blipper import analyze

    path = tmp_path / "call.srt"
    path.write_text(SRT)
    plain = analyze(SAMPLE)
    assert plain.tracks[0].transcript is None
    assert plain.settings["transcript"] == "none"
    analysis = analyze(SAMPLE, settings=Settings(transcript=str(path)))
    transcript = analysis.tracks[0].transcript
    assert transcript is not None
    assert [one.text for one in transcript.utterances] == ["Where is my parcel", "Gone."]
    assert analysis.settings["transcript"] == "call.srt"  # no folder of this machine
    assert np.array_equal(
        analysis.tracks[0].curve.aggression, plain.tracks[0].curve.aggression, equal_nan=True
    )
    assert Analysis.from_dict(analysis.to_dict()).tracks[0].transcript == transcript
    assert "pocketsphinx" not in analysis.versions

    drafted = with_transcripts(
        analysis, [Transcript("pocketsphinx:en-us", "en", (), draft=True)], asked="auto"
    )
    assert drafted.versions["pocketsphinx"]
    assert drafted.settings["transcript"] == "auto"
    corrected = with_correction(analysis, 0, 1, "Gone!")
    assert corrected.tracks[0].transcript is not None
    assert corrected.tracks[0].transcript.edited
    assert corrected.tracks[0].transcript.utterances[1].text == "Gone!"
    with pytest.raises(ValueError, match="no transcript"):
        with_correction(plain, 0, 0, "x")


def test_a_missing_file_is_told_before_the_work() -> None:
    from blipper import analyze

    with pytest.raises(SettingsError, match=r"nowhere\.srt"):
        analyze(SAMPLE, settings=Settings(transcript="nowhere.srt"))


@pytest.mark.parametrize("settings", [{"transcript": ""}, {"language": "English"}, {"language": "E"}])
def test_settings_outside_their_domain(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"the (transcript|language) is"):
        Settings(**settings)  # type: ignore[arg-type]


def test_importing_the_words_imports_no_recogniser() -> None:
    import subprocess
    import sys

    code = (
        "import sys, blipper.words.transcribe, blipper.words.weights, blipper.cli\n"
        "assert not {'torch', 'whisper', 'pocketsphinx', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
