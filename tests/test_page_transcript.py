"""The transcript on the Review page without a browser: PocketSphinx writes it for real."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

from blipper import Analysis, audio
from blipper.progress import Progress
from blipper.words import weights
from tests.test_page_review import finish, held, open_sample, page, shown, wav  # noqa: F401
from ui import engine as ui_engine
from ui import intake
from ui import transcript as view
from ui.intake import SAMPLE
from ui.session import OpenRecording


@pytest.fixture(autouse=True)
def short_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve seconds of the sample are enough to write down."""
    samples, rate = sf.read(SAMPLE, frames=12 * 16_000)
    sf.write(tmp_path / "short.wav", samples, rate)
    monkeypatch.setattr(intake, "SAMPLE", tmp_path / "short.wav")


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path))
    monkeypatch.setattr(weights, "BASE_URL", "http://127.0.0.1:9")


def opened(page: AppTest) -> OpenRecording:  # noqa: F811
    (found,) = held(page).finished
    return found


def written(page: AppTest, seconds: float = 300) -> AppTest:  # noqa: F811
    deadline = time.monotonic() + seconds
    while opened(page).words is not None:
        assert time.monotonic() < deadline, "the transcript did not come to its end"
        time.sleep(0.2)
        page.run()
    assert not page.exception
    return page


def test_from_no_transcript_to_a_corrected_draft(page: AppTest) -> None:  # noqa: F811
    open_sample(page)
    found = opened(page)
    assert "There is no transcript of this recording yet" in shown(page)
    box = page.selectbox(key=f"blipper_words_engine_{found.id}")
    assert box.options[0] == "Automatic: PocketSphinx, a rough draft"
    assert any("Whisper tiny.en (English; downloads about 76 MB first)" in one for one in box.options)

    # Whisper without weights and without network: the reason and the remedy.
    box.set_value("whisper:tiny.en").run()
    page.button(key=f"blipper_words_write_{found.id}").click().run()
    written(page)
    assert "cannot be downloaded from" in found.words_error
    assert "BLIPPER_WHISPER" in "".join(error.value.replace("\\", "") for error in page.error)

    page.selectbox(key=f"blipper_words_engine_{found.id}").set_value("auto").run()
    page.button(key=f"blipper_words_write_{found.id}").click().run()
    written(page)
    assert not page.error
    transcript = found.analysis.tracks[0].transcript
    assert transcript is not None
    assert transcript.draft
    assert transcript.utterances
    text = shown(page)
    assert "Rough draft" in text
    assert "mean confidence" in text
    assert "PocketSphinx was taken, since none of Whisper" in text.replace("\\", "")
    assert found.analysis.settings["transcript"] == "auto"
    assert "pocketsphinx" in found.analysis.versions

    # What the browser sends is checked before it is believed.
    first = transcript.utterances[0]
    for sent in (
        {"index": 99, "old": first.text, "text": "x"},
        {"index": 0, "old": "something else", "text": "x"},
        {"index": True, "old": first.text, "text": "x"},
        {"index": 0, "old": first.text, "text": 7},
        {},
    ):
        before = found.analysis
        correct(page, sent)
        assert found.analysis is before
    found.mark(0.5)
    correct(page, {"index": 0, "old": first.text, "text": "  Hello <b>there</b>\u202e "})
    page.run()
    for analysis in (found.analysis, found.marked):
        edited = analysis.tracks[0].transcript
        assert edited is not None
        assert edited.edited
        assert edited.utterances[0].text == "Hello <b>there</b>"
    assert "corrected by hand" in shown(page)
    kept = Analysis.from_dict(found.marked.to_dict()).tracks[0].transcript
    assert kept is not None
    assert kept.edited


def correct(page: AppTest, sent: dict[str, object]) -> None:  # noqa: F811
    """What the component's callback does, with this page's session."""
    shelf = held(page)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view, "shelf", lambda: shelf)
        view._correct(opened(page).id, 0, sent)


def test_writing_can_be_cancelled(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    class Endless:
        name = "endless"

        def transcribe(self, recording: object, channel: int, speech: object, progress: Progress) -> None:
            while True:
                progress("words", 1, 2)
                time.sleep(0.02)

    monkeypatch.setattr(ui_engine, "load_engine", lambda *args, **options: Endless())
    open_sample(page)
    found = opened(page)
    page.button(key=f"blipper_words_write_{found.id}").click().run()
    job = found.words
    assert job is not None
    page.button(key=f"blipper_words_cancel_{found.id}").click().run()
    assert found.words is None
    assert found.analysis.tracks[0].transcript is None
    deadline = time.monotonic() + 300
    while not job.over:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert job.status == "cancelled"
    assert "There is no transcript of this recording yet" in shown(page)


def test_a_file_is_read_or_refused_with_its_line() -> None:
    from blipper import analyze

    recording = audio.load(SAMPLE)
    found = OpenRecording("a", "scene.ogg", recording, analyze(recording), (), 0.0)
    view._read(found, "call.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    transcript = found.analysis.tracks[0].transcript
    assert transcript is not None
    assert transcript.text == "Hello"
    assert found.analysis.settings["transcript"] == "call.srt"
    assert transcript.language is None
    view._read(found, "call.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHallo\n", language="de")
    named = found.analysis.tracks[0].transcript
    assert named is not None
    assert named.language == "de"
    found.set_transcripts((transcript,), "call.srt")
    view._read(found, "bad.srt", b"1\n0:1 --> x\nHello\n")
    assert found.words_error.startswith("bad.srt: line 2")
    assert found.analysis.tracks[0].transcript is transcript
    assert dataclasses.replace(transcript) == transcript
    assert np.isfinite(found.analysis.duration)
