"""The Review page without a browser: Streamlit's AppTest runs the script, the engine runs for real."""

from __future__ import annotations

import dataclasses
import gc
import io
import json
import math
import shutil
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import streamlit as st
from streamlit.testing.v1 import AppTest

from blipper import models_dir, summary_sentence
from blipper.audio import Limits
from blipper.export import WRITERS
from blipper.speakers import Turn, guess
from blipper.voice.models import available_models
from ui.intake import SAMPLE, TOUR
from ui.session import Shelf

APP = Path(__file__).resolve().parent.parent / "app.py"


@pytest.fixture
def page() -> AppTest:
    if not any(models_dir().glob("*/config.json")):
        pytest.fail(f"no model in {models_dir()}; the page cannot be tested without one")
    return AppTest.from_file(str(APP), default_timeout=300).run()


def held(page: AppTest) -> Shelf:
    shelf = page.session_state["blipper_shelf"]
    assert isinstance(shelf, Shelf)
    return shelf


def finish(page: AppTest, seconds: float = 300) -> AppTest:
    """Rerun until no job is left, as the page's own polling does in a browser."""
    deadline = time.monotonic() + seconds
    while held(page).working:
        assert time.monotonic() < deadline, "the analysis did not come to its end"
        time.sleep(0.1)
        page.run()
    assert not page.exception
    return page


def open_sample(page: AppTest) -> AppTest:
    page.segmented_control(key="blipper_way").set_value("sample").run()
    page.button(key="blipper_sample").click().run()
    return finish(page)


def shown(page: AppTest) -> str:
    """Everything that the page says, as Markdown."""
    kinds = (page.title, page.header, page.subheader, page.markdown, page.caption, page.error, page.warning)
    return "\n".join(element.value for kind in (*kinds, page.info) for element in kind)


def wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def speech_and_silence() -> np.ndarray:
    """Both sides of a call: the sample's first half minute on the left, nothing on the right."""
    samples, rate = sf.read(SAMPLE, frames=30 * 16_000)
    assert rate == 16_000
    return np.stack([samples, np.zeros_like(samples)], axis=1)


def test_the_first_visit_is_a_tour_in_three_sentences(page: AppTest) -> None:
    assert len(TOUR) == 3
    assert all(sentence in shown(page) for sentence in TOUR)
    assert all(sentence.count(". ") == 0 and sentence.endswith(".") for sentence in TOUR)


def test_the_empty_page_says_what_a_score_is(page: AppTest) -> None:
    assert not page.exception
    text = shown(page)
    for words in ("sounds angry", "worth a listen", "decides nothing", "actors speaking English"):
        assert words in text
    assert "is aggressive" not in text
    assert page.file_uploader[0].accept_multiple_files


def test_upload_limit_is_the_library_s() -> None:
    assert st.get_option("server.maxUploadSize") * 2**20 == Limits().max_decoded_bytes


def test_nothing_is_told_to_others() -> None:
    assert st.get_option("browser.gatherUsageStats") is False
    assert st.get_option("server.address") == "localhost"


def test_sample_gives_sentence_quality_player_and_files(page: AppTest) -> None:
    open_sample(page)
    opened = held(page).finished[0]
    sentence = summary_sentence(opened.analysis)
    assert page.header[0].value == sentence
    text = shown(page).replace("\\", "").replace("\u2060", "")
    for check in opened.analysis.tracks[0].quality.checks:
        assert check.label in text
        assert check.message in text
    labels = [button.label for button in page.get("download_button")]
    assert labels[:4] == ["Report (HTML)", "Events (CSV)", "Windows (CSV)", "Everything (JSON)"]
    assert len(labels) == len(set(labels)) == len(WRITERS)
    kinds = [block.proto.component_name for block in page.get("bidi_component")]
    assert kinds.count("blipper_player") == (2 if opened.analysis.events else 1)
    assert len(page.dataframe[0].value) == len(opened.analysis.tracks[0].windows)
    origin = dict(page.dataframe[1].value.itertuples(index=False))
    assert origin["Model's SHA-256"] == opened.analysis.model.sha256
    assert origin["File's SHA-256"] == opened.analysis.provenance.sha256


def test_threshold_marks_anew_without_the_model(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    open_sample(page)
    opened = held(page).finished[0]
    before = opened.analysis
    monkeypatch.setattr("blipper.analysis.score_windows", None)  # any use of the model would fail
    slider = page.slider(key=f"threshold_{opened.id}")
    assert slider.value == round(before.model.threshold, 2)
    assert "At 0.50 mel-cnn found " in shown(page).replace("\\", "")
    slider.set_value(0.05).run()
    assert "At 0.05 mel-cnn found " in shown(page).replace("\\", "")  # what was measured there
    assert "At 0.50 mel-cnn" not in shown(page).replace("\\", "")
    assert opened.threshold == 0.05
    assert opened.analysis is before
    low = opened.marked
    assert sum(event.duration for event in low.events) > sum(event.duration for event in before.events)
    assert page.header[0].value == summary_sentence(low)
    page.button(key=f"blipper_reset_{opened.id}").click().run()
    assert opened.marked is before
    assert page.slider(key=f"threshold_{opened.id}").value == round(before.model.threshold, 2)
    assert not page.exception


def test_a_longer_shortest_event_marks_fewer_at_any_threshold(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_sample(page)
    opened = held(page).finished[0]
    before = opened.analysis
    monkeypatch.setattr("blipper.analysis.score_windows", None)
    page.slider(key=f"threshold_{opened.id}").set_value(0.3).run()
    low = opened.marked.events
    shortest = page.slider(key=f"shortest_{opened.id}")
    assert shortest.value == 1.0
    limit = math.ceil(2 * min(event.duration for event in low)) / 2 + 0.5
    shortest.set_value(limit).run()
    assert opened.min_duration == limit
    kept = opened.marked
    assert kept.settings["min_duration"] == limit
    assert kept.settings["threshold"] == opened.threshold == 0.3
    assert set(kept.events) < set(low)
    assert page.header[0].value == summary_sentence(kept)
    page.button(key=f"blipper_reset_{opened.id}").click().run()  # takes the threshold back alone
    assert opened.marked.settings["min_duration"] == limit
    page.slider(key=f"shortest_{opened.id}").set_value(1.0).run()
    assert opened.marked.events == before.events
    assert not page.exception


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, this is no sound", b"RIFF\x24\x00\x00\x00WAVEfmt "],
    ids=["empty", "text", "header"],
)
def test_a_bad_file_says_so_and_the_page_stays_up(page: AppTest, content: bytes) -> None:
    page.file_uploader[0].upload("<b>broken<b>.wav", content, "audio/wav").run()
    finish(page)
    assert len(page.error) == 1
    message = page.error[0].value
    assert "<" not in message.replace("\\<", "")
    assert "broken" in message
    assert "WAV, FLAC, OGG Vorbis" in message.replace("\\", "")  # what is accepted
    [failed] = held(page).failed
    page.button(key=f"blipper_put_away_{failed.id}").click().run()
    assert not page.error
    page.file_uploader[0].upload("good.wav", wav(speech_and_silence()[:, 0]), "audio/wav").run()
    finish(page)
    assert held(page).finished


def test_several_files_make_a_table_to_choose_from(page: AppTest) -> None:
    half = wav(speech_and_silence()[: 10 * 16_000, 0])
    page.file_uploader[0].set_value(
        [("one.wav", half, "audio/wav"), ("bad.wav", b"nothing", "audio/wav"), ("two.wav", half, "audio/wav")]
    ).run()
    finish(page)
    assert [opened.name for opened in held(page).finished] == ["one.wav", "two.wav"]
    assert len(page.error) == 1
    one, two = held(page).finished
    assert held(page).open_id == one.id
    assert page.button(key=f"blipper_open_{one.id}").disabled
    page.button(key=f"blipper_open_{two.id}").click().run()
    assert held(page).open_id == two.id
    assert page.button(key=f"blipper_open_{two.id}").disabled


def test_recordings_of_different_models_name_them(page: AppTest) -> None:
    def named() -> list[str]:
        said = [caption.value.replace("\\", "") for caption in page.caption]
        return [caption for caption in said if caption in available_models()]

    half = wav(speech_and_silence()[: 10 * 16_000, 0])
    page.selectbox(key="blipper_model").set_value("mel-cnn").run()
    page.file_uploader[0].set_value([("one.wav", half, "audio/wav"), ("two.wav", half, "audio/wav")]).run()
    finish(page)
    assert named() == []
    page.selectbox(key="blipper_model").set_value("mel-cnn-open").run()
    page.file_uploader[0].upload("three.wav", half, "audio/wav").run()
    finish(page)
    assert named() == ["mel-cnn", "mel-cnn", "mel-cnn-open"]


def test_channels_kept_apart_are_chosen_from(page: AppTest) -> None:
    page.radio(key="blipper_channels").set_value("separate").run()
    page.file_uploader[0].upload("call.wav", wav(speech_and_silence()), "audio/wav").run()
    finish(page)
    [opened] = held(page).finished
    assert len(opened.analysis.tracks) == len(opened.playback) == 2
    chooser = page.radio(key=f"channel_{opened.id}")
    assert [option.partition(":")[0] for option in chooser.options] == ["Left", "Right"]
    chooser.set_value(1).run()
    assert opened.channel == 1
    assert not page.exception


def test_every_channels_sound_is_judged_before_its_scores_are_shown(page: AppTest) -> None:
    page.radio(key="blipper_channels").set_value("separate").run()
    both = speech_and_silence().copy()
    both[:, 1] = np.clip(both[:, 1] * 50 + 0.001, -0.2, 0.2)  # clipped, so that the second one's is poor
    page.file_uploader[0].upload("call.wav", wav(both), "audio/wav").run()
    finish(page)
    [opened] = held(page).finished
    page.text_input(key=f"label_{opened.id}_0_left").set_value("Agent").run()
    shown = [element.value for element in page.main if element.type in ("markdown", "subheader", "warning")]
    rows = [place for place, text in enumerate(shown) if text.startswith("**Sound quality, ")]
    assert [shown[place].partition("**")[2].partition("**")[0] for place in rows] == [
        "Sound quality, Agent",
        "Sound quality, Right",
    ]
    assert rows[-1] < shown.index("Speakers")
    assert any(text.startswith("**Right: ") for text in shown[: shown.index("Speakers")])


def test_speakers_can_be_named_and_the_names_stay(page: AppTest) -> None:
    page.radio(key="blipper_channels").set_value("separate").run()
    page.file_uploader[0].upload("call.wav", wav(speech_and_silence()), "audio/wav").run()
    finish(page)
    [opened] = held(page).finished
    assert any(heading.value == "Speakers" for heading in page.subheader)
    assert page.text_input(key=f"label_{opened.id}_0_left").value == "left"
    page.text_input(key=f"label_{opened.id}_0_left").set_value("Agent [x](y)").run()
    assert not page.exception
    assert {turn.speaker for turn in opened.analysis.tracks[0].turns} == {"Agent [x](y)"}
    (talk,) = [table.value for table in page.dataframe if "Takes over" in table.value]
    assert list(talk["Speaker"]) == ["Agent [x](y)"]
    assert page.radio(key=f"channel_{opened.id}").options[0].startswith(r"Agent \[x\]\(y\): ")
    page.slider(key=f"threshold_{opened.id}").set_value(0.2).run()
    assert {turn.speaker for turn in opened.marked.tracks[0].turns} == {"Agent [x](y)"}
    page.text_input(key=f"label_{opened.id}_0_Agent [x](y)").set_value("").run()
    assert any("expected 1 to 60 printable" in error.value.replace("\\", "") for error in page.error)


def speakers_page() -> None:
    """A page with the speakers of a call in which "b" takes over from "a" once."""
    from types import SimpleNamespace

    from tests.speakers.test_talk import call
    from ui.speakers_view import show_speakers

    show_speakers(SimpleNamespace(id="x", name="call.wav"), call([(0, 5)], [(4.05, 8)]))  # type: ignore[arg-type]


def test_each_interruption_is_listed() -> None:
    page = AppTest.from_function(speakers_page, default_timeout=300).run()
    assert not page.exception, page.exception
    assert any(one.label == "1 time somebody took over" for one in page.expander)
    (listed,) = [table.value for table in page.dataframe if "Both speak (s)" in table.value]
    assert listed.iloc[0].tolist() == ["0:04.1", "b", "a", 0.9]
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Talk time (CSV)", "Turns (CSV)", "Interruptions (CSV)"]


def test_a_guess_at_the_speakers_is_marked_as_one(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def guessed(*_: object, count: int | None, **__: object) -> tuple[Turn, ...]:
        asked.append(count)
        return (Turn(0.0, 4.0, "Speaker 1"), Turn(4.0, 8.0, "Speaker 2"))

    monkeypatch.setattr(guess, "is_installed", lambda: True)
    monkeypatch.setattr(guess, "guess_turns", guessed)
    monkeypatch.setattr(guess, "version", lambda: "0")  # pip's own answer needs the extra
    page.run()
    page.toggle(key="blipper_guess").set_value(True).run()
    page.selectbox(key="blipper_most").set_value(3).run()
    page.file_uploader[0].upload("call.wav", wav(speech_and_silence()), "audio/wav").run()
    finish(page)
    assert asked == [3]
    assert not held(page).failed
    assert any(heading.value == "Speakers, as guessed" for heading in page.subheader)
    assert any("Who speaks is a guess" in info.value for info in page.info)
    assert not page.exception


def test_guessing_that_is_not_installed_says_how_to(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "is_installed", lambda: False)
    page.run()
    toggle = page.toggle(key="blipper_guess")
    assert toggle.disabled
    assert "requirements-speakers.txt" in toggle.help


def test_a_mix_has_no_lanes(page: AppTest) -> None:
    page.file_uploader[0].upload("call.wav", wav(speech_and_silence()), "audio/wav").run()
    finish(page)
    assert not any(heading.value == "Speakers" for heading in page.subheader)


def test_a_recording_from_the_microphone_is_analysed(page: AppTest) -> None:
    page.segmented_control(key="blipper_way").set_value("microphone").run()
    page.audio_input[0].upload("audio.wav", wav(speech_and_silence()[: 5 * 16_000, 0])).run()
    finish(page)
    assert [opened.name for opened in held(page).finished] == ["Microphone 1.wav"]


def test_silence_says_that_nobody_speaks(page: AppTest) -> None:
    page.file_uploader[0].upload("silence.wav", wav(np.zeros(32_000)), "audio/wav").run()
    finish(page)
    [opened] = held(page).finished
    assert not opened.analysis.has_speech
    assert "Nobody was heard to speak" in page.header[0].value


def test_delete_forgets_everything(page: AppTest) -> None:
    open_sample(page)
    opened = weakref.ref(held(page).finished[0])
    key = f"threshold_{held(page).open_id}"
    assert key in page.session_state
    page.button(key="blipper_delete").click().run()
    assert not page.exception
    assert held(page).entries == {}
    assert not page.header
    assert key not in page.session_state
    gc.collect()
    assert opened() is None  # nothing holds the sound or the result any more
    assert "what it is not" in shown(page)


def test_delete_stops_what_is_under_way(page: AppTest) -> None:
    open_sample(page)
    long = np.tile(speech_and_silence()[:, 0], 20)
    page.file_uploader[0].upload("long.wav", wav(long), "audio/wav").run()
    [entry] = held(page).working
    job = entry.job
    page.button(key="blipper_delete").click().run()
    assert job is not None
    deadline = time.monotonic() + 300
    while not job.over:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert job.status == "cancelled"
    assert held(page).entries == {}


def test_downloads_are_the_writers_own(page: AppTest) -> None:
    open_sample(page)
    opened = held(page).finished[0]
    from ui.downloads import FIRST, MORE, write_later

    assert {*FIRST, *(name for group in MORE.values() for name in group)} == set(WRITERS)
    for name, writer in WRITERS.items():
        if writer.lacks(opened.marked):
            continue
        written = write_later(WRITERS[name], opened.marked, opened.recording)()
        if name == "html":
            assert b"Why the strongest stretches" in written
            assert b"figure-event-" in written
        else:
            assert written == writer.content(opened.marked)


def test_what_has_no_transcript_offers_none(page: AppTest) -> None:
    open_sample(page)
    opened = held(page).finished[0]
    plain = dataclasses.replace(
        opened.analysis,
        tracks=tuple(dataclasses.replace(track, transcript=None) for track in opened.analysis.tracks),
    )
    opened.analysis = plain
    page.run()
    off = {button.label for button in page.get("download_button") if button.proto.disabled}
    assert off == {
        *("Subtitles (SRT)", "Web subtitles (VTT)", "Plain text (TXT)", "Audacity labels"),
        "Utterances with scores (CSV)",
    }


def test_the_model_can_be_chosen_where_there_are_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mel-cnn", "whisper-cnn"):
        shutil.copytree(models_dir() / "mel-cnn", tmp_path / name)
    config = tmp_path / "whisper-cnn" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"encoder": {"name": "tiny.en"}}))
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "nowhere"))
    shutil.copytree(models_dir() / "mel-cnn", tmp_path / "ours")
    config = tmp_path / "ours" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"commercial": True}))
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    ours = "ours (commercial use allowed)"
    assert page.selectbox(key="blipper_model").options == ["Automatic (mel-cnn)", "mel-cnn", ours]
    assert any("blipper models download" in caption.value for caption in page.caption)
    (tmp_path / "nowhere").touch()  # a file by that name stands in for Whisper's weights
    page.run()
    assert page.selectbox(key="blipper_model").options == [
        *("Automatic (whisper-cnn)", "mel-cnn", ours, "whisper-cnn")
    ]


def test_a_model_that_the_environment_names_and_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_VOICE_MODEL", "none-such")
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    assert not page.exception
    (said,) = [error.value for error in page.error]
    assert "has no such voice model; available: mel-cnn" in said.replace("\\", "")
    assert page.selectbox(key="blipper_model").options[0] == "Automatic (none)"
    for name in ("costs", "live"):
        page.switch_page(f"pages/{name}.py").run()
        assert not page.exception
