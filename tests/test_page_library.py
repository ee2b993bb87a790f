"""The Library page and its section on Review, without a browser: AppTest on a real library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, place
from tests.library.making import SCORES, analysis, sound, track
from tests.test_page_review import held, open_sample, shown
from ui import library_dataset, library_state

PAGE = Path(__file__).resolve().parent.parent / "pages" / "library.py"
APP = PAGE.parent.parent / "app.py"
HOSTILE = "<img src=x onerror=alert(1)> **bold** $x$.wav"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    yield tmp_path / "home"
    library_state.close()


@pytest.fixture
def library(home: Path) -> Iterator[Database]:
    """A library that is on and holds two recordings: one with its sound, one with two analyses."""
    place.choose(place.Choices(on=True))
    database = lib.open_library()
    loud = analysis(HOSTILE)
    lib.save(database, loud, analyst="Ana", sound=lib.encode_sound(sound(loud)), tags=["calls"])
    other = analysis("two.wav", track(SCORES, 5))
    lib.save(database, other, analyst="Ben")
    lib.save(database, analysis("two.wav", track(SCORES, 5), threshold=0.4), analyst="Ben")
    yield database
    database.close()


def page() -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=300)
    app.session_state["blipper_analyst"] = "Ana"
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def part(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="library_part").set_value(name)
    return run(app)


def test_it_is_off_until_it_is_turned_on(home: Path) -> None:
    app = page()
    text = shown(app)
    for words in ("The library is **off**", "its sound only if you say so", "whoever can open this app sees"):
        assert words in text
    assert str(home / "library.sqlite").replace("_", "\\_").split("/")[-2] in text
    assert not home.exists(), "looking at the page makes nothing"
    app.button(key="library_on").click()
    run(app)
    assert place.choices().on
    assert "The library is **on**: 0 recordings" in shown(app)
    assert "The library is empty" in shown(app)
    assert (home / "library.sqlite").is_file()
    part(app, "settings")
    app.button(key="library_off").click()
    run(app)
    assert not place.choices().on
    assert "The library is **off**" in shown(app)


def test_recordings_are_listed_filtered_and_escaped(library: Database) -> None:
    app = page()
    assert list(app.dataframe[0].value["Name"]) == ["two.wav", HOSTILE]
    app.text_input(key="library_name").set_value("ALERT")
    run(app)
    assert list(app.dataframe[0].value["Name"]) == [HOSTILE]
    app.text_input(key="library_name").set_value("nothing like it")
    run(app)
    assert "Nothing fits this search" in shown(app)
    app.text_input(key="library_name").set_value("")
    app.multiselect(key="library_tags").set_value(["calls"])
    run(app)
    assert list(app.dataframe[0].value["Tags"]) == ["calls"]
    app.multiselect(key="library_tags").set_value([])
    app.selectbox(key="library_verdicts").set_value("some")
    run(app)
    assert "Nothing fits this search" in shown(app)


def choose(app: AppTest, name: str) -> lib.Item:
    """Choose a row, which AppTest cannot click, as the page keeps it."""
    names = list(app.dataframe[0].value["Name"])
    app.session_state["library_table"] = {
        "selection": {"rows": [names.index(name)], "columns": [], "cells": []}
    }
    run(app)
    return lib.search(lib.open_library(), lib.Query(name=name))[0]


def test_recordings_are_gone_through_by_keys(library: Database) -> None:
    app = page()
    keys = {name: app.button(key=f"library_{name}") for name in ("previous", "next")}
    assert {name: key.proto.shortcut.upper() for name, key in keys.items()} == {"previous": "K", "next": "J"}
    assert keys["previous"].disabled
    app.button(key="library_next").click()
    run(app)
    assert [heading.value for heading in app.subheader] == ["two\\.wav"]
    app.button(key="library_next").click()
    run(app)
    assert "1 of 2" not in shown(app)
    assert "2 of 2" in shown(app)
    assert app.button(key="library_next").disabled
    (item,) = lib.search(library, lib.Query(name="alert"))
    opens = app.button(key=f"library_open_{item.newest.id}")
    assert opens.proto.shortcut.upper() == "O"
    app.button(key="library_previous").click()
    run(app)
    assert "1 of 2" in shown(app)
    choose(app, HOSTILE)  # a click in the table has its say after the keys
    assert "2 of 2" in shown(app)


def test_the_queue_is_judged_by_buttons_with_keys(library: Database) -> None:
    app = part(page(), "queue")
    assert "their sound is not kept" in shown(app)
    assert [app.button(key=f"library_{k}").proto.shortcut for k in ("yes", "no", "other", "skip")] == list(
        "1234"
    )
    assert "<img" not in shown(app).replace("\\<", "")
    assert app.get("audio")
    app.text_input(key="library_queue_note").set_value("a note")
    app.button(key="library_yes").click()
    run(app)
    [given] = lib.read_verdicts(library)
    assert (given.verdict, given.target, given.score, given.note) == ("missed", "near-miss", 0.42, "a note")
    assert "its score was 0\\.42" in shown(app)
    assert app.text_input(key="library_queue_note").value == ""
    app.button(key="library_undo").click()
    run(app)
    assert lib.read_verdicts(library) == ()
    app.button(key="library_skip").click()
    run(app)
    app.selectbox(key="library_queue_emotion").set_value("fear")
    app.button(key="library_other").click()
    run(app)
    [given] = lib.read_verdicts(library)
    assert (given.verdict, given.emotion, given.target) == ("other emotion", "fear", "event")
    assert app.success[0].value.startswith("Nothing is left to judge")
    app.button(key="library_unskip").click()
    run(app)
    app.button(key="library_no").click()
    run(app)
    assert [given.verdict for given in lib.read_verdicts(library)] == ["other emotion", "wrong"]
    app.toggle(key="library_second_opinions").set_value(True)
    run(app)
    assert app.success
    app.text_input(key="blipper_analyst_library").set_value("Ben")
    run(app)
    assert not app.success, "Ben has judged nothing yet"


def test_the_queue_reads_the_library_again_only_when_it_has_changed(
    library: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = lib.read_stretches
    monkeypatch.setattr(lib, "read_stretches", lambda database: (read.append("all"), real(database))[1])
    app = part(page(), "queue")
    for _ in range(2):
        app.button(key="library_no").click()
        run(app)
    assert read == ["all"]
    assert app.success, "both are judged"
    more = analysis("more.wav", track(SCORES, 9))
    lib.save(library, more, analyst="Ben", sound=lib.encode_sound(sound(more)))
    run(app)
    assert read == ["all"] * 2
    assert "more\\.wav" in shown(app)
    [item] = lib.search(library, lib.Query(name="more"))
    lib.delete_sound(library, item.id, actor="Ben")
    run(app)
    assert read == ["all"] * 3
    assert app.success, "what cannot be heard is not offered"


def test_without_a_name_nothing_is_judged_or_deleted(library: Database) -> None:
    app = AppTest.from_file(str(PAGE), default_timeout=300)
    run(app)
    part(app, "queue")
    assert app.button(key="library_yes").disabled
    part(app, "settings")
    assert app.button(key="library_delete_all").disabled


def test_agreement_and_precision(library: Database) -> None:
    app = part(page(), "figures")
    assert "There are no verdicts yet" in shown(app)
    for item in lib.search(library):
        for analyst, answer in (("Ana", "right"), ("Ben", "wrong" if item.name == "two.wav" else "right")):
            lib.judge(
                library, item.id, target="event", start=2, end=5, verdict=answer, analyst=analyst,
                analysis_id=item.newest.id,
            )  # fmt: skip
            lib.judge(
                library, item.id, target="utterance", start=3, end=4, verdict=answer, analyst=analyst,
                analysis_id=item.newest.id,
            )  # fmt: skip
    run(app)
    assert len(app.get("plotly_chart")) == 1
    precision, pairs = (frame.value for frame in app.dataframe)
    # The tie does not count, and neither do utterances: the threshold is the curve's.
    assert precision["Judged"].tolist()[:3] == [1, 1, 1]
    assert pairs.iloc[0].tolist() == ["Ana", "Ben", 4, "50%", "0.00"]
    labels = [button.label for button in app.get("download_button")]
    assert labels == ["This table (CSV)"] * 2 + ["Dataset (ZIP)"]
    packed = zipfile.ZipFile(io.BytesIO(library_dataset._make(library, "Ana", True)()))
    names = {Path(name).name for name in packed.namelist()}
    assert {"db.yaml", "verdicts.csv", "labels.csv"} < names
    assert sum(name.endswith(".flac") for name in names) == 1
    assert lib.audit(library)[0].action == "export"


def test_delete_everything_keeps_the_audit(library: Database) -> None:
    app = part(page(), "settings")
    app.button(key="library_delete_all").click()
    run(app)
    assert lib.count(library) == 0
    assert app.dataframe[0].value["What"].tolist() == ["delete everything"]
    app.checkbox(key="library_keep_audio").set_value(True)
    app.checkbox(key="library_expire").set_value(True)
    run(app)
    assert place.choices() == place.Choices(True, True, 30)


def test_a_library_that_cannot_be_opened_says_so(home: Path) -> None:
    place.choose(place.Choices(on=True))
    (home / "library.sqlite").write_bytes(b"no database at all, this is" * 100)
    app = page()
    assert "file is not a database" in app.error[0].value
    app.button(key="library_off").click()
    run(app)
    assert not place.choices().on


def test_review_shows_nothing_of_it_while_it_is_off() -> None:
    app = AppTest.from_file(str(APP), default_timeout=300).run()
    open_sample(app)
    assert not [header for header in app.subheader if "Library" in header.value]


def test_save_judge_and_open_again(library: Database) -> None:
    app = AppTest.from_file(str(APP), default_timeout=300).run()
    open_sample(app)
    opened = held(app).finished[0]
    save = f"blipper_save_{opened.id}"
    assert app.button(key=save).disabled
    app.text_input(key=f"blipper_analyst_review_{opened.id}").set_value("Cem")
    run(app)
    app.text_input(key=f"blipper_tags_{opened.id}").set_value("sample, calls")
    app.checkbox(key=f"blipper_keep_sound_{opened.id}").set_value(True)
    app.number_input(key=f"blipper_keep_days_{opened.id}").set_value(9)
    app.button(key=save).click()
    run(app)
    item = lib.find(library, opened.analysis.provenance.sha256)
    assert item is not None
    assert item.tags == ("calls", "sample")
    assert item.audio == {"mix"}
    assert item.expires_at is not None
    assert "In the library since" in shown(app)
    assert "All of it is there" in shown(app)
    app.slider(key=f"shortest_{opened.id}").set_value(9.0)
    run(app)
    assert "All of it is there" not in shown(app)
    app.slider(key=f"shortest_{opened.id}").set_value(1.0)
    run(app)
    assert "All of it is there" in shown(app)

    event = opened.analysis.events[0]
    key = f"event_{item.id}_0_{round(event.start * 1000)}_{round(event.end * 1000)}"
    app.button(key=f"blipper_right_{key}").click()
    run(app)
    [given] = lib.read_verdicts(library, item.id)
    assert (given.verdict, given.analyst, given.start, given.end) == ("right", "Cem", event.start, event.end)
    assert given.score == pytest.approx(event.peak)
    app.selectbox(key=f"blipper_emotion_{key}").set_value("happy")
    app.text_area(key=f"blipper_note_{key}").set_value("cheering")
    app.button(key=f"blipper_other_{key}").click()
    run(app)
    [given] = lib.read_verdicts(library, item.id)
    assert (given.verdict, given.emotion, given.note) == ("other emotion", "happy", "cheering")
    app.button(key=f"blipper_back_{key}").click()
    run(app)
    assert lib.read_verdicts(library, item.id) == ()
    app.number_input(key=f"blipper_missed_from_{opened.id}").set_value(3.0)
    app.button(key=f"blipper_missed_{opened.id}").click()
    run(app)
    assert "expected one within" in app.error[0].value.replace("\\", "")  # from 3 to 2 s
    app.number_input(key=f"blipper_missed_to_{opened.id}").set_value(4.0)
    app.button(key=f"blipper_missed_{opened.id}").click()
    run(app)
    assert [v.target for v in lib.read_verdicts(library, item.id)] == ["marked"]


def test_opening_from_kept_sound_and_from_the_file(library: Database) -> None:
    from ui import library_open

    made = analysis("file.wav")
    file = io.BytesIO()
    sf.write(file, np.zeros(12 * 16_000), 16_000, format="WAV", subtype="PCM_16")
    for item in lib.search(library):
        info = item.newest
        data = None if item.audio else file.getvalue()
        back = library_open._work(
            "id", library, item, lib.read_analysis(library, info.id), data, lambda *_: None
        )
        assert back.recording.duration == pytest.approx(made.duration)
        assert len(back.playback) == 1
        assert back.shown_threshold == pytest.approx(info.threshold)
        assert back.marked.events == lib.read_analysis(library, info.id).events


def open_page() -> None:
    """A page with nothing but the way back into Review, for the one recording that has no sound."""
    from blipper import library as lib
    from ui import library_open, library_state

    item = lib.search(library_state.library(), lib.Query(name="two.wav"))[0]
    library_open.show(library_state.library(), item, item.newest)


def test_another_file_than_the_one_that_was_kept_is_refused(library: Database) -> None:
    app = run(AppTest.from_function(open_page, default_timeout=300))
    assert "choose its file again" in app.file_uploader[0].label
    app.file_uploader[0].upload("two.wav", b"something else altogether", "audio/wav")
    run(app)
    assert "its content differs" in app.error[0].value


def test_utterances_are_judged_too(library: Database) -> None:
    from dataclasses import replace

    from blipper.words.transcript import Transcript, Utterance

    app = AppTest.from_file(str(APP), default_timeout=300).run()
    app.session_state["blipper_analyst"] = "Ana"
    open_sample(app)
    opened = held(app).finished[0]
    said = Transcript("test", "en", (Utterance(3.0, 4.25, "**You** <b>lost</b> it"),))
    [old] = opened.analysis.tracks
    opened.analysis = replace(opened.analysis, tracks=(replace(old, transcript=said),))
    run(app)
    app.button(key=f"blipper_save_{opened.id}").click()
    run(app)
    item = lib.find(library, opened.analysis.provenance.sha256)
    assert item is not None
    key = f"utterance_{item.id}_0_3000_4250"
    assert "\\*\\*You\\*\\* \\<b\\>lost" in shown(app)
    app.button(key=f"blipper_missed_{key}").click()
    run(app)
    [given] = lib.read_verdicts(library, item.id)
    assert (given.target, given.verdict, given.start, given.end) == ("utterance", "missed", 3.0, 4.25)
    kept = lib.read_analysis(library, item.newest.id).tracks[0].transcript
    assert kept is not None
    assert kept.utterances[0].text == "**You** <b>lost</b> it"


def test_a_library_that_does_not_answer_is_not_asked_at_every_run(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(address: str) -> Database:
        asked.append(address)
        raise LibraryError("nobody answers")

    place.choose(place.Choices(on=True))
    monkeypatch.setattr(lib, "open_library", fail)
    app = page()
    run(app)
    assert len(asked) == 1
    assert app.error[0].value == "nobody answers"
    monkeypatch.setattr(library_state, "_PAUSE", 0.0)
    run(app)
    assert len(asked) == 2
