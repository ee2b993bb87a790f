"""The Explain page through Streamlit's AppTest, in the real app, with the sample and the shipped model."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from blipper import audio
from blipper.analysis import analyze
from blipper.explain.choice import of_event
from blipper.explain.voice import explain
from blipper.explain.wording import judge
from tests.helpers import recording, silence
from ui.engine import engine
from ui.session import Entry, OpenRecording, Shelf
from ui.text import plain

APP = Path(__file__).resolve().parent.parent / "app.py"
SAMPLE = APP.parent / "ui" / "sample" / "scene.ogg"


@pytest.fixture(scope="module")
def scene() -> tuple:
    assert engine().worker.warm.wait(300)
    sound = audio.load(SAMPLE)
    return sound, analyze(sound, model=engine().model())


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    return healthy(page.switch_page("pages/explain.py").run())


def healthy(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def show(page: AppTest, sound, analysis) -> AppTest:
    opened = OpenRecording("an-id", "scene.ogg", sound, analysis, (), 0.1)
    page.session_state["blipper_shelf"] = Shelf(
        {"an-id": Entry("an-id", "scene.ogg", opened=opened)}, "an-id"
    )
    return finish(page.run())


def finish(page: AppTest) -> AppTest:
    """Run the page until no job is left."""
    deadline = time.monotonic() + 300
    healthy(page)
    while any(not job.over for job in page.session_state["explain_jobs"].values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return healthy(page.run())


def text(page: AppTest) -> str:
    return "\n".join(element.value for element in (*page.markdown, *page.caption))


def titles(page: AppTest) -> list[str]:
    return [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in page.get("plotly_chart")]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_nothing_open_says_what_to_do(page):
    assert page.title[0].value == "Explain"
    assert "No recording is open" in page.info[0].value
    assert len(page.get("page_link")) == 1


def test_silence_has_nothing_to_explain(page):
    quiet = recording(silence(2.0))
    page.session_state["blipper_shelf"] = Shelf(
        {"an-id": Entry("an-id", "q", opened=OpenRecording("an-id", "q", quiet, analyze(quiet), (), 0.1))},
        "an-id",
    )
    healthy(page.run())
    assert "Nobody was heard to speak" in page.info[0].value


def test_an_event_is_explained_at_once_with_the_library_s_numbers(page, scene):
    sound, analysis = scene
    show(page, sound, analysis)
    choice = of_event(analysis, analysis.events[0])
    expected = explain(sound, choice.windows, engine().model())
    shown = metrics(page)
    assert shown["Score"] == f"{expected.score:.2f}"
    assert shown["Neutral speech"] == f"{expected.base_score:.2f}"
    assert shown["Contributions"] == f"{expected.total:+.2f}"
    assert shown["Completeness error"] == f"{100 * expected.relative_error:.1f} %"
    assert plain(f"from {expected.base_score:.2f} to {expected.score:.2f}") in text(page)
    assert f"Certainty {judge(expected, 0.9)[0]}" in text(page)
    assert titles(page)[:3] == [
        "What moved the score for aggression",
        "By named features (companion)",
        "What each piece gives the score",
    ]
    assert plain("not the model that scores") in text(page)
    players = [block.proto.body for block in page.get("html") if "<audio" in block.proto.body]
    assert len(players) == 2
    assert all("data:audio/flac;base64," in player for player in players)
    assert players[0] != players[1]
    labels = [button.label for button in page.get("download_button")]
    assert labels[:4] == ["Map (CSV)", "Explanation (JSON)", "Named features (CSV)", "Pieces (CSV)"]

    # What was computed is kept: nothing is submitted for what changes the picture alone.
    healthy(page.slider(key="explain_strength").set_value(0.3).run())
    healthy(page.slider(key="explain_share").set_value(30).run())
    assert not page.session_state["explain_jobs"]

    # The browser, which knows by now what is chosen, is not told again: that would take back a click.
    healthy(page.run())
    drawn = [*page.get("button_group"), *page.slider, *page.selectbox]
    assert [widget.proto.id for widget in drawn if widget.proto.set_value] == []
    assert len(drawn) >= 6


def test_another_score_another_method_and_back(page, scene):
    show(page, *scene)
    aggression = metrics(page)
    finish(page.selectbox(key="explain_target").set_value("sad").run())
    assert plain('"sad"') in text(page)
    assert metrics(page) != aggression
    page.selectbox(key="explain_target").set_value("aggression")
    healthy(page.get("button_group")[0].set_value("shap").run())
    assert not page.metric
    assert not page.session_state["explain_jobs"], "SHAP is computed when it is asked for"
    page.button(key="explain_start").click()
    finish(page.run())
    shap = metrics(page)
    assert shap["Score"] == aggression["Score"]
    assert shap["Neutral speech"] != aggression["Neutral speech"]
    healthy(page.get("button_group")[0].set_value("integrated gradients").run())
    assert metrics(page) == aggression
    assert not page.session_state["explain_jobs"]


def test_a_moment_is_chosen_by_its_time(page, scene):
    sound, analysis = scene
    show(page, sound, analysis)
    page.get("button_group")[1].set_value("moment")
    finish(page.run())
    windows = analysis.tracks[0].windows
    strongest = int(windows.aggression.argmax())
    assert metrics(page)["Score"] == f"{windows.aggression[strongest]:.2f}"
    page.number_input(key="explain_time_an-id_0").set_value(1.0)
    finish(page.run())
    nearest = int(np.abs((windows.start + windows.end) / 2 - 1.0).argmin())
    assert metrics(page)["Score"] == f"{windows.aggression[nearest]:.2f}"


def test_a_click_on_the_curve_outlasts_what_the_browser_still_holds(page, scene):
    sound, analysis = scene
    show(page, sound, analysis)
    page.get("button_group")[1].set_value("moment")
    finish(page.run())
    before = page.number_input(key="explain_time_an-id_0")
    at = before.value
    page.session_state["explain_curve_an-id_0_clicks"] = (1, 1.0)  # as the chart's callback does
    finish(page.run())
    assert page.number_input(key="explain_time_an-id_0_1").value == 1.0
    before.set_value(at).run()
    finish(page)
    assert page.number_input(key="explain_time_an-id_0_1").value == 1.0
    windows = analysis.tracks[0].windows
    nearest = int(np.abs((windows.start + windows.end) / 2 - 1.0).argmin())
    assert metrics(page)["Score"] == f"{windows.aggression[nearest]:.2f}"


def test_what_if_and_the_whole_recording_are_computed_on_request(page, scene):
    sound, analysis = scene
    show(page, sound, analysis)
    changed, whole = "What if: the score of the changed sound", "What carries the score for aggression"
    assert changed not in titles(page)
    page.button(key="explain_change").click()
    finish(page.run())
    assert changed in titles(page)
    assert whole not in titles(page)
    assert "The model levels every window" in text(page)
    page.button(key="explain_sum").click()
    finish(page.run())
    assert f"{len(analysis.tracks[0].windows)} windows by integrated gradients" in text(page)
    assert whole in titles(page)


def test_scores_of_another_model_are_not_explained(page, scene):
    sound, analysis = scene
    other = dataclasses.replace(analysis, model=dataclasses.replace(analysis.model, sha256="f" * 64))
    show(page, sound, other)
    assert "another model" in page.error[0].value
    assert not page.metric


def test_every_control_has_a_help_text(page, scene):
    show(page, *scene)
    controls = [*page.slider, *page.selectbox, *page.button, *page.number_input, *page.get("button_group")]
    assert len(controls) >= 11
    assert all(len(control.proto.help) > 15 for control in controls)
