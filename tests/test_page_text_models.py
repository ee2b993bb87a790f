"""Which models read the words, on the Review page without a browser; a tiny text model reads for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

import blipper
from blipper.words.transcript import Transcript
from tests.test_page_review import open_sample, page, shown, wav  # noqa: F401
from tests.test_page_transcript import correct, opened, written
from tests.words.tiny_text_model import SENTENCES, save_built_in
from ui import intake
from ui import transcript as view
from ui.engine import engine
from ui.intake import SAMPLE
from ui.session import OpenRecording

SRT = (
    f"1\n00:00:01,000 --> 00:00:02,500\n{SENTENCES[1]}\n\n2\n00:00:04,000 --> 00:00:05,000\n{SENTENCES[0]}\n"
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for voice in blipper.models_dir().iterdir():
        if voice.name != "text-small":
            (folder / voice.name).symlink_to(voice)
    save_built_in(folder / "text-small")
    return folder


@pytest.fixture(autouse=True)
def surroundings(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Twelve seconds of the sample, a tiny text model, no network, and nothing of it in later tests."""
    samples, rate = sf.read(SAMPLE, frames=12 * 16_000)
    sf.write(tmp_path / "short.wav", samples, rate)
    monkeypatch.setattr(intake, "SAMPLE", tmp_path / "short.wav")
    monkeypatch.setenv("BLIPPER_MODELS", str(models))
    monkeypatch.setenv("BLIPPER_TEXT_MODELS", str(tmp_path / "kept"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    engine()._readers.clear()  # what other tests have loaded
    yield
    engine()._readers.clear()


def transcript_of(found: OpenRecording) -> Transcript:
    transcript = found.analysis.tracks[0].transcript
    assert transcript is not None
    return transcript


def test_words_are_scored_corrected_and_scored_by_others(page: AppTest) -> None:  # noqa: F811
    open_sample(page)
    found = opened(page)
    view._read(found, "call.srt", SRT.encode(), "built-in")
    assert transcript_of(found).text_models == ()  # the text is there at once, its scores follow
    written(page)
    scores = [one.aggression for one in transcript_of(found).utterances]
    assert None not in scores
    assert found.analysis.settings["transcript"] == "call.srt"
    assert "Words scored for sentiment and verbal aggression by text-small" in shown(page).replace("\\", "")
    labels = [table.value for table in page.dataframe if "Taken for" in table.value]
    assert list(labels[0]["Taken for"])[:4] == [
        *("sentiment: negative", "sentiment: neutral", "sentiment: positive"),
        "verbal aggression",
    ]

    # A correction is scored at once, in both copies of the result.
    found.mark(0.5)
    correct(page, {"index": 0, "old": SENTENCES[1], "text": SENTENCES[3]})
    assert found.words is None
    for analysis in (found.analysis, found.marked):
        transcript = analysis.tracks[0].transcript
        assert transcript is not None
        assert transcript.utterances[0].aggression is not None
        assert transcript.utterances[0].aggression != pytest.approx(scores[0])
        assert transcript.utterances[1].aggression == scores[1]

    # Where the models have to be loaded first, as after a start, it is scored soon after.
    engine()._readers.clear()
    correct(page, {"index": 0, "old": SENTENCES[3], "text": SENTENCES[1]})
    assert transcript_of(found).utterances[0].aggression is None
    assert found.words is not None
    correct(page, {"index": 1, "old": SENTENCES[0], "text": SENTENCES[2]})
    written(page)
    assert transcript_of(found).utterances[0].aggression == pytest.approx(scores[0])
    assert transcript_of(found).utterances[1].text == SENTENCES[2]
    assert transcript_of(found).utterances[1].aggression is not None

    # A model that cannot be had: the reason, and what was there stays.
    before = transcript_of(found)
    box = page.selectbox(key=f"blipper_words_read_{found.id}")
    toxic = next(label for label in box.options if label.startswith("unitary/toxic-bert and built-in"))
    assert "downloads about 438 MB first" in toxic
    box.set_value("unitary/toxic-bert+built-in").run()
    page.button(key=f"blipper_words_again_{found.id}").click().run()
    written(page)
    assert "blipper models download unitary/toxic-bert" in found.words_error
    assert transcript_of(found) == before

    # Names: what is none is said, and folders of the machine are not loaded from a page.
    page.selectbox(key=f"blipper_words_read_{found.id}").set_value("named").run()
    again = page.button(key=f"blipper_words_again_{found.id}")
    assert again.disabled
    for name, complaint in (("parrot", "accepted: none"), (str(SAMPLE.parents[2]), "command line only")):
        page.text_input(key=f"blipper_words_named_{found.id}").set_value(name).run()
        assert any(complaint in error.value.replace("\\", "") for error in page.error), name
        assert page.button(key=f"blipper_words_again_{found.id}").disabled

    page.selectbox(key=f"blipper_words_read_{found.id}").set_value("none").run()
    page.button(key=f"blipper_words_again_{found.id}").click().run()
    written(page)
    assert all(one.aggression is None for one in transcript_of(found).utterances)
    assert "Words scored" not in shown(page)
    assert found.analysis.settings["text_model"] == "none"

    # The language, where a person names it, decides what is read.
    page.selectbox(key=f"blipper_words_read_{found.id}").set_value("built-in").run()
    code = page.text_input(key=f"blipper_words_language_{found.id}")
    code.set_value("d").run()
    assert any("expected two or three letters" in error.value for error in page.error)
    assert page.button(key=f"blipper_words_again_{found.id}").disabled
    for language, is_read in (("DE", False), ("en", True)):
        page.text_input(key=f"blipper_words_language_{found.id}").set_value(language).run()
        page.button(key=f"blipper_words_again_{found.id}").click().run()
        written(page)
        assert transcript_of(found).language == language.lower() == found.analysis.settings["language"]
        assert all((one.aggression is not None) == is_read for one in transcript_of(found).utterances)
    assert transcript_of(found).utterances


def test_a_stored_result_knows_what_read_it(page: AppTest) -> None:  # noqa: F811
    open_sample(page)
    found = opened(page)
    assert found.reader_setting == "none"
    view._read(found, "call.srt", SRT.encode(), "built-in")
    written(page)
    stored = blipper.Analysis.from_dict(found.analysis.to_dict())
    again = OpenRecording("b", "again", found.recording, stored, found.playback, 0.0)
    assert again.reader_setting == "built-in"
    assert again.has_transcript
