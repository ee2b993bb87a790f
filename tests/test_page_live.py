"""The Live page through Streamlit's AppTest; its microphone is tested in a browser."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from blipper.live import windowing
from blipper.settings import Settings
from tests.live.test_live import GivenSpeech, LevelModel
from tests.ui.test_listening import piece, play
from ui import live_view
from ui.listening import Listening, begin

APP = Path(__file__).resolve().parent.parent / "app.py"


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    page.switch_page("pages/live.py").run()
    assert not page.exception, page.exception
    return page


def test_it_says_what_to_do_and_that_nothing_is_kept(page: AppTest) -> None:
    assert page.title[0].value == "Live"
    assert any("Nothing of the live sound is kept" in caption.value for caption in page.caption)
    assert any("Start listening" in info.value for info in page.info)
    assert page.slider(key="blipper_live_threshold").value == pytest.approx(0.5, abs=0.05)
    assert page.slider(key="blipper_live_shortest").value == 2.0
    (patient,) = page.toggle
    assert patient.value and "2.5 s around it" in patient.label


@pytest.mark.parametrize(("patient", "surroundings"), [(True, 0.8), (False, 0.0)])
def test_a_stream_begins_as_the_controls_say(
    monkeypatch: pytest.MonkeyPatch, patient: bool, surroundings: float
) -> None:
    chosen = {
        "blipper_live_threshold": 0.7,
        "blipper_live_shortest": 3.0,
        "blipper_live_patient": patient,
    }
    begun = []

    def began(_piece: object, _model: object, settings: Settings) -> Listening:
        begun.append(settings)
        return begin(piece(1, 0.0), LevelModel(), settings)  # type: ignore[arg-type]

    monkeypatch.setattr(live_view, "begin", began)
    monkeypatch.setattr(live_view, "piece_of", lambda _key: piece(1, 0.0))
    monkeypatch.setattr(live_view, "engine", lambda: SimpleNamespace(live_model=LevelModel))
    monkeypatch.setattr(live_view, "st", SimpleNamespace(session_state=chosen))
    live_view._take()
    assert begun == [Settings(threshold=0.7, min_duration=3.0, surroundings=surroundings)]
    live_view._take()
    assert len(begun) == 1


def test_a_stream_that_was_left_shows_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(itertools.repeat(0.9)))
    settings = Settings(min_duration=2.0, window=1.0, hop=0.5)
    held = begin(piece(1, 0.0), LevelModel(), settings)  # type: ignore[arg-type]
    play(held, 0.01, 5)
    play(held, 0.09, 5)
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    page.session_state["blipper_listening"] = held
    page.switch_page("pages/live.py").run()
    assert not page.exception, page.exception
    assert any("Listening ended when you left this page." in info.value for info in page.info)
    assert any("Sounded angry from" in warning.value for warning in page.warning)
    (table,) = page.dataframe
    np.testing.assert_allclose(table.value["Peak score"], [0.9], atol=0.01)
    assert not page.slider(key="blipper_live_threshold").disabled


def test_another_page_ends_the_stream_and_lets_go_of_its_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(itertools.repeat(0.9)))
    held = begin(piece(1, 0.0), LevelModel(), Settings())  # type: ignore[arg-type]
    play(held, 0.01, 5)
    assert held.analyser.buffered_bytes > 0
    monkeypatch.setattr(live_view, "_held", lambda: held)
    live_view.leave()
    assert held.ended == "left"
    assert held.analyser.buffered_bytes == 0
    monkeypatch.setattr(live_view, "_held", lambda: None)
    live_view.leave()
