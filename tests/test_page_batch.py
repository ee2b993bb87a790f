"""The Batch page without a browser: Streamlit's AppTest runs the script, the batch runs for real."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from blipper.batch import read_rows
from blipper.errors import ModelError
from blipper.results import Analysis
from blipper.words import weights
from tests.conftest import ROOT
from tests.words.tiny_text_model import save_built_in
from ui import batch_run, batch_table
from ui.batch_open import load
from ui.batch_run import Batch

SCENE = ROOT / "ui" / "sample" / "scene.ogg"
PAGE = ROOT / "pages" / "batch.py"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give batches a temporary folder of the test's own, and no root but what the test sets."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(batch_run.tempfile, "tempdir", str(folder))
    monkeypatch.delenv("BLIPPER_BATCH_ROOT", raising=False)
    return folder


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=300).run()


def held(page: AppTest) -> Batch:
    batch = page.session_state["blipper_batch"]
    assert isinstance(batch, Batch)
    return batch


def finish(page: AppTest, seconds: float = 300) -> AppTest:
    """Rerun until the batch rests, as the page's own polling does in a browser."""
    deadline = time.monotonic() + seconds
    while held(page).is_working:
        assert time.monotonic() < deadline, "the batch did not come to its end"
        time.sleep(0.2)
        page.run()
    page.run()
    assert not page.exception
    return page


def shown(page: AppTest) -> str:
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.error, page.warning, page.success)
    return "\n".join(element.value for kind in (*kinds, page.info) for element in kind).replace("\\", "")


def test_the_empty_page_says_what_to_do(page: AppTest, own_folder: Path) -> None:
    assert not page.exception
    assert "Add recordings, then press **Start**." in shown(page)
    assert page.button(key="blipper_batch_start").disabled
    assert page.button(key="blipper_batch_stop").disabled
    assert len(page.dataframe) == 0
    assert list(own_folder.iterdir()) == []


def test_uploads_from_start_to_download_and_deletion(page: AppTest, own_folder: Path) -> None:
    page.file_uploader[0].set_value(
        [("calm <b>.ogg", SCENE.read_bytes(), "audio/ogg"), ("broken.wav", b"nothing", "audio/wav")]
    ).run()
    assert "2 recordings added" in shown(page)
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert "**2 of 2** recordings" in shown(page)
    assert "1 without a result" in shown(page)
    table = page.dataframe[0].value
    assert list(table["Recording"]) == ["calm _b_.ogg", "broken.wav"]
    (row,) = (row for row in read_rows(held(page).output) if row.status == "done")
    assert table["Highest score"][0] == pytest.approx(row.highest_score)
    assert "broken.wav" in table["Problem"][1]

    page.selectbox(key="blipper_batch_which").set_value("failed").run()
    assert list(page.dataframe[0].value["Recording"]) == ["broken.wav"]
    page.selectbox(key="blipper_batch_which").set_value("all").run()
    page.text_input(key="blipper_batch_text").set_value("CALM").run()
    assert list(page.dataframe[0].value["Recording"]) == ["calm _b_.ogg"]
    assert "1 fit the filter" in shown(page)

    output = held(page).output
    rows = list(csv.DictReader(io.StringIO((output / "results.csv").read_bytes().decode(), newline="")))
    assert {row["status"] for row in rows} == {"done", "failed"}
    archive = zipfile.ZipFile(io.BytesIO(batch_table._archive(output)()))
    assert {"results.csv", "results.parquet", Path(row.result or "").as_posix()} <= set(archive.namelist())
    assert archive.testzip() is None

    opened = load("id", "calm.ogg", Path(row.path), output / (row.result or ""), lambda *_: None)
    assert opened.analysis.provenance.sha256 == row.sha256
    assert len(opened.playback) == len(opened.analysis.tracks) == 1

    page.button(key="blipper_batch_delete").click().run()
    assert not page.exception
    assert list(own_folder.iterdir()) == []
    assert page.button(key="blipper_batch_start").disabled
    assert len(page.dataframe) == 0


def test_without_a_root_the_page_says_how_to_set_one(page: AppTest) -> None:
    page.segmented_control(key="blipper_batch_way").set_value("server").run()
    assert "BLIPPER_BATCH_ROOT=/srv/calls streamlit run app.py" in shown(page)
    assert page.button(key="blipper_batch_start").disabled


def test_a_root_that_is_none_is_told(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BLIPPER_BATCH_ROOT", str(tmp_path / "nowhere"))
    page.segmented_control(key="blipper_batch_way").set_value("server").run()
    assert "cannot be read" in shown(page)


def test_a_folder_of_the_server(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_folder: Path
) -> None:
    root = tmp_path / "calls"
    (root / "june").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    shutil.copy(SCENE, root / "june" / "a.ogg")
    shutil.copy(SCENE, tmp_path / "secret" / "b.ogg")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "june" / "out.ogg").symlink_to(tmp_path / "secret" / "b.ogg")
    monkeypatch.setenv("BLIPPER_BATCH_ROOT", str(root))
    page.segmented_control(key="blipper_batch_way").set_value("server").run()
    for name in ("../secret", "out", str(tmp_path), "nowhere"):
        page.text_input(key="blipper_batch_folder").set_value(name).run()
        assert page.error[0].value
        assert page.button(key="blipper_batch_start").disabled
    page.text_input(key="blipper_batch_folder").set_value("june").run()
    page.checkbox(key="blipper_batch_keep").check().run()
    page.text_input(key="blipper_batch_results").set_value("../elsewhere").run()
    assert "not below the root" in page.error[0].value.replace("\\", "")
    page.text_input(key="blipper_batch_results").set_value("results").run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert list(page.dataframe[0].value["Recording"]) == [str(Path("june", "a.ogg"))]
    assert (root / "results" / "results.csv").is_file()

    page.button(key="blipper_batch_start").click().run()  # again: nothing is done twice
    finish(page)
    assert "1 done before" in shown(page)

    before = float(page.dataframe[0].value["In events (s)"].iloc[0])
    page.number_input(key="blipper_batch_threshold").set_value(0.95).run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert "1 marked anew from kept results" in shown(page)
    # Less is marked, though an event may fall apart into two.
    assert float(page.dataframe[0].value["In events (s)"].iloc[0]) < before
    page.number_input(key="blipper_batch_threshold").set_value(0.05).run()
    page.number_input(key="blipper_batch_shortest").set_value(60.0).run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert "1 marked anew from kept results" in shown(page)
    assert float(page.dataframe[0].value["In events (s)"].iloc[0]) == 0
    page.button(key="blipper_batch_delete").click().run()
    assert (root / "results" / "results.csv").is_file()
    assert list(own_folder.iterdir()) == []


def test_words_are_asked_for_and_reach_the_results(
    page: AppTest, own_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "mel-cnn").symlink_to(ROOT / "models" / "mel-cnn")
    save_built_in(models / "text-small")
    monkeypatch.setenv("BLIPPER_MODELS", str(models))
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "none"))
    scene, rate = soundfile.read(SCENE)
    file = io.BytesIO()
    soundfile.write(file, scene[: 8 * rate], rate, format="WAV")
    page.file_uploader[0].set_value([("call.wav", file.getvalue(), "audio/wav")]).run()
    assert not [one for one in page.selectbox if one.key == "blipper_words_read_batch"]
    engines = page.selectbox(key="blipper_batch_transcript")
    assert engines.value == "none"
    assert not [option for option in engines.options if ".srt" in option]
    engines.set_value("pocketsphinx").run()
    page.selectbox(key="blipper_words_read_batch").set_value("named").run()
    assert page.button(key="blipper_batch_start").disabled
    page.text_input(key="blipper_words_named_batch").set_value(str(models / "text-small")).run()
    assert "a folder is read by the command line only" in shown(page)
    assert page.button(key="blipper_batch_start").disabled
    page.selectbox(key="blipper_words_read_batch").set_value("built-in").run()
    page.text_input(key="blipper_batch_language").set_value("e").run()
    assert "expected an ISO 639-1 code" in shown(page)
    assert page.button(key="blipper_batch_start").disabled
    page.text_input(key="blipper_batch_language").set_value("EN").run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    output = held(page).output
    (row,) = read_rows(output)
    found = Analysis.from_dict(json.loads((output / (row.result or "")).read_text("utf-8")))
    assert found.settings["transcript"] == "pocketsphinx"
    assert found.settings["language"] == "en"
    transcript = found.tracks[0].transcript
    assert transcript is not None
    assert transcript.draft
    assert [info.name for info in transcript.text_models] == ["text-small"]


def test_weights_that_cannot_be_had_are_told(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, **options: Any) -> Path:
        options["progress"]("download", 1, 4)
        fetched.append(held(page).fetched)
        raise ModelError(f"the weights {name} cannot be downloaded")

    fetched: list[float | None] = []
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "none"))
    monkeypatch.setattr(weights, "download", refuse)
    page.file_uploader[0].set_value([("a.ogg", SCENE.read_bytes(), "audio/ogg")]).run()
    page.selectbox(key="blipper_batch_transcript").set_value("whisper:tiny.en").run()
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert "the weights tiny.en cannot be downloaded" in shown(page)
    assert fetched == [0.25]


def test_stop_and_resume(page: AppTest) -> None:
    samples, rate = soundfile.read(SCENE)
    files = []
    for number in range(8):
        file = io.BytesIO()
        soundfile.write(file, samples * (0.5 + number / 20), rate, format="WAV")
        files.append((f"{number}.wav", file.getvalue(), "audio/wav"))
    page.file_uploader[0].set_value(files).run()
    page.number_input(key="blipper_batch_workers").set_value(1).run()
    page.button(key="blipper_batch_start").click().run()
    deadline = time.monotonic() + 300
    while held(page).state.analyzed < 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    page.run()
    assert page.button(key="blipper_batch_start").disabled
    page.button(key="blipper_batch_stop").click().run()
    finish(page)
    done = held(page).state.analyzed
    assert 1 <= done < 8
    assert f"Stopped at **{done} of 8**" in shown(page)
    assert len(page.dataframe[0].value) == done
    assert page.button(key="blipper_batch_start").label == "Resume"
    page.button(key="blipper_batch_start").click().run()
    finish(page)
    assert held(page).state.analyzed == 8 - done
    assert f"{done} done before" in shown(page)
    scores = list(page.dataframe[0].value["Highest score"])
    assert len(scores) == 8
    assert scores == sorted(scores, reverse=True)
    page.button(key="blipper_batch_delete").click().run()
