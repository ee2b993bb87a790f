"""The Datasets page through Streamlit's AppTest, in the real app; folders are read for real."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import streamlit as st
from streamlit.testing.v1 import AppTest

# Read the project's settings now: where AppTest is the first to ask for one, it reads none of them.
assert st.get_option("server.address") == "localhost"

APP = Path(__file__).resolve().parent.parent / "app.py"


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    return healthy(page.switch_page("pages/datasets.py").run())


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Return a folder with four clips of TESS and one that cannot be read."""
    for speaker in ("OAF", "YAF"):
        for emotion in ("angry", "sad"):
            path = tmp_path / f"{speaker}_{emotion}" / f"{speaker}_back_{emotion}.wav"
            path.parent.mkdir()
            soundfile.write(path, rng.normal(0, 0.1, 16_000), 16_000)
    (tmp_path / "OAF_sad" / "OAF_bar_sad.wav").write_bytes(b"no sound")
    return tmp_path


def healthy(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def charts(page: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def titles(page: AppTest) -> list[str]:
    return [chart["layout"]["title"]["text"] for chart in charts(page)]


def words(page: AppTest) -> str:
    """Return all Markdown of the page, without the signs that escape and keep names from turning live."""
    parts = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return "\n".join(part.value for part in parts).replace("\\", "").replace("\u2060", "")


def choose(page: AppTest, name: str, value: object) -> AppTest:
    return healthy(page.segmented_control(key=f"datasets_{name}").set_value(value).run())


def read(page: AppTest, path: str) -> AppTest:
    """Name a folder and rerun until it is read, as the page's own polling does in a browser."""
    choose(page, "way", "folder")
    page.text_input(key="datasets_folder").set_value(path)
    healthy(page.button[0].click().run())
    deadline = time.monotonic() + 300
    while page.session_state["blipper_datasets"].job is not None:
        assert time.monotonic() < deadline, "the folder was not read"
        time.sleep(0.1)
        page.run()
    return healthy(page.run())


def test_the_shipped_summary_is_there_at_once(page: AppTest) -> None:
    assert page.title[0].value == "Datasets"
    assert {metric.label: metric.value for metric in page.metric} == {
        "Clips": "12,155", "Hours": "8.8", "Speakers": "121", "Women and men": "57 and 64",
    }  # fmt: skip
    assert titles(page) == [
        "Clips of each emotion, by corpus",
        "Clips of each emotion, by corpus and sex",
        "Length of the clips, by corpus",
    ]
    text = words(page)
    assert "python -m blipper.datasets.summary DATA OUTPUT" in text
    assert "acted speech" in text
    assert "Calm exists in RAVDESS alone" in text
    assert "TESS has two speakers, both women" in text
    assert "Neutral is half as common as the other emotions in RAVDESS" in text


def test_every_table_can_be_downloaded(page: AppTest) -> None:
    assert len(page.dataframe) == len(page.get("download_button")) == 5
    licences = page.dataframe[3].value
    assert list(licences["Licence"]) == [
        "CC BY-NC-SA 4.0",
        "ODbL 1.0",
        "CC BY-NC-ND 4.0",
        "research use only",
    ]
    assert list(page.dataframe[4].value["Reason"])[-1] == "silence"


def test_bars_by_everything_stacked_and_side_by_side(page: AppTest) -> None:
    for grouping in ("sex", "intensity", "corpus"):
        choose(page, "grouping", grouping)
        assert titles(page)[0] == f"Clips of each emotion, by {grouping}"
    assert charts(page)[0]["layout"]["barmode"] == "stack"
    choose(page, "arrangement", "side by side")
    assert charts(page)[0]["layout"]["barmode"] == "group"
    choose(page, "shares", "Shares")
    assert titles(page)[0] == "Share of each emotion, by corpus"


def test_many_speakers_and_sentences_are_paged_through(page: AppTest) -> None:
    choose(page, "grouping", "speaker")
    assert charts(page)[0]["data"][0]["y"][0] == "01"
    healthy(page.selectbox(key="datasets_one").set_value("crema-d").run())
    assert charts(page)[0]["data"][0]["y"][0] == "1001"
    assert len(charts(page)[0]["data"][0]["y"]) == 24
    healthy(page.selectbox(key="datasets_part_24_speaker_crema-d").set_value(72).run())
    assert charts(page)[0]["data"][0]["y"][-1] == "1091"
    assert len(page.dataframe[1].value) == 91
    choose(page, "grouping", "sentence")
    assert "DFA" in charts(page)[0]["data"][0]["y"]
    assert "codes in the file names" in words(page)


def test_length_and_loudness_by_corpus_and_emotion(page: AppTest) -> None:
    choose(page, "measure", "loudness")
    assert titles(page)[2] == "Loudness of the clips, by corpus"
    assert "LUFS" in words(page)
    choose(page, "detail", "By emotion")
    assert titles(page)[2] == "Loudness of the clips, by emotion"
    assert {trace["type"] for trace in charts(page)[2]["data"]} == {"box", "scatter"}


def test_fewer_corpora_and_none(page: AppTest) -> None:
    pills = page.pills[0]
    healthy(pills.set_value(["savee"]).run())
    assert page.metric[0].value == "480"
    assert "SAVEE has four speakers, all men" in words(page)
    assert "CREMA-D" not in "".join(titles(page))
    choose(page, "grouping", "speaker")
    assert charts(page)[0]["data"][0]["y"] == ["DC", "JE", "JK", "KL"]
    healthy(page.pills[0].set_value([]).run())
    assert page.info[0].value == "Choose at least one corpus."
    assert not charts(page)


def test_choices_outlive_a_visit_to_another_page(page: AppTest) -> None:
    choose(page, "grouping", "intensity")
    choose(page, "measure", "loudness")
    healthy(page.switch_page("pages/signal.py").run())
    healthy(page.switch_page("pages/datasets.py").run())
    assert titles(page)[0] == "Clips of each emotion, by intensity"
    assert titles(page)[2] == "Loudness of the clips, by corpus"


def test_a_folder_is_read_in_the_background(page: AppTest, folder: Path) -> None:
    choose(page, "way", "folder")
    assert "Name the folder" in page.info[0].value
    assert not page.metric
    read(page, str(folder))
    assert page.metric[0].value == "4"
    text = words(page)
    assert "TESS is not complete here: 4 of the 2,800 published clips" in text
    assert "No clip of RAVDESS, CREMA-D, SAVEE was found" in text
    assert list(page.dataframe[-1].value["File"]) == ["OAF_sad/OAF_bar_sad.wav"]
    choose(page, "way", "shipped")
    assert page.metric[0].value == "12,155"
    choose(page, "way", "folder")
    assert page.metric[0].value == "4"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: str(path / "none"), "no such folder"),
        (lambda path: "", "no folder is named"),
        (lambda path: str(path / "empty"), "no known corpus here"),
        (lambda path: str(path / "<b>![x](http:") , "no such folder"),
        (lambda path: "/x\x00y", "null character"),
        (lambda path: "~no such user/x", "no such home folder"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_folder_is_said(page: AppTest, tmp_path: Path, make, message: str) -> None:
    (tmp_path / "empty").mkdir()
    read(page, make(tmp_path))
    assert message in words(page)
    assert "![x](" not in page.error[0].value
    assert not page.metric


def test_a_running_job_can_be_cancelled(page: AppTest, folder: Path, monkeypatch) -> None:
    from ui import datasets_live

    def endless(path: Path, *, progress) -> None:
        while True:
            progress("measure", 1, 4)
            time.sleep(0.01)

    monkeypatch.setattr(datasets_live, "summarize_folder", endless)
    choose(page, "way", "folder")
    page.text_input(key="datasets_folder").set_value(str(folder))
    healthy(page.button[0].click().run())
    job = page.session_state["blipper_datasets"].job
    deadline = time.monotonic() + 300
    while job.step != "measure":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    healthy(page.run())
    healthy(page.button(key="datasets_cancel").click().run())
    while not job.over:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert job.status == "cancelled"
    assert "Name the folder" in page.info[0].value


def test_an_app_that_others_can_reach_reads_no_folder(page: AppTest, monkeypatch) -> None:
    get = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: None if name == "server.address" else get(name))
    choose(page, "way", "folder")
    assert "can be reached from other machines" in page.warning[0].value
    assert not page.text_input
    assert not page.metric
