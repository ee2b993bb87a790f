"""Voice and words on the Review page without a browser: the slider, and what the components are given."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from blipper import summary_sentence
from blipper.results import Analysis
from blipper.words.transcript import Transcript
from tests.fusion.making import analysis_of, said
from tests.test_page_review import held, open_sample, page, shown  # noqa: F401
from ui.player import data
from ui.session import OpenRecording

HOSTILE = said(1.0, 9.0, 0.97, text="some hostile words")


def with_words(opened: OpenRecording) -> None:
    """Lay scored words beside the open recording, as a text model would have left them."""
    calm = opened.analysis.tracks[0].speech[-1]
    late = replace(
        said(calm.start, calm.end, 0.02), sentiment={"negative": 0.1, "neutral": 0.7, "positive": 0.2}
    )
    transcript = Transcript("file:srt", "en", (HOSTILE, late))
    opened.set_transcripts((transcript,), "call.srt")


def test_the_slider_fuses_again_without_a_model(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    open_sample(page)
    (opened,) = held(page).finished
    key = f"balance_{opened.id}"
    assert not [slider for slider in page.slider if slider.key == key]  # nothing to weigh without words
    bare = opened.analysis
    with_words(opened)
    page.run()
    assert not page.exception
    monkeypatch.setattr("blipper.analysis.score_windows", None)  # any use of a model would fail
    slider = page.slider(key=key)
    assert slider.value == 0.5
    assert page.button(key=f"blipper_balance_{opened.id}").disabled
    alike = opened.analysis
    assert page.header[0].value == summary_sentence(alike)
    assert "of voice and words together" in shown(page)

    slider.set_value(0.0).run()
    assert opened.balance == 0.0
    assert [(e.start, e.end) for e in opened.analysis.events] == [(e.start, e.end) for e in bare.events]
    np.testing.assert_array_equal(
        opened.analysis.tracks[0].scored.aggression, bare.tracks[0].curve.aggression
    )
    page.slider(key=f"threshold_{opened.id}").set_value(0.3).run()
    page.slider(key=key).set_value(0.8).run()
    assert opened.marked.threshold == 0.3  # both settings hold
    assert opened.marked.settings["balance"] == opened.analysis.settings["balance"] == 0.8
    assert page.header[0].value == summary_sentence(opened.marked)
    page.button(key=f"blipper_balance_{opened.id}").click().run()
    assert page.slider(key=key).value == opened.balance == 0.5
    page.button(key=f"blipper_reset_{opened.id}").click().run()
    assert opened.marked.to_dict() == alike.to_dict()
    assert not page.exception


def test_a_correction_takes_the_words_out_of_the_score(page: AppTest) -> None:  # noqa: F811
    open_sample(page)
    (opened,) = held(page).finished
    with_words(opened)
    before = opened.analysis.tracks[0].fused
    assert before is not None
    opened.correct(0, 0, "something else")
    after = opened.analysis.tracks[0].fused
    assert after is not None
    assert np.isnan(after.words_score[2:18]).all()
    assert not np.isnan(before.words_score[2:18]).all()
    page.run()
    assert not page.exception


@pytest.fixture
def fused() -> Analysis:
    return analysis_of([0.02] * 20 + [0.9] * 10, said(1, 4, 0.95), said(11, 14, 0.02, 0.3))


def test_what_the_components_get_is_plain_and_whole(fused: Analysis) -> None:
    sent = data.curves(fused, 0)
    assert sent is not None
    json.dumps(sent)
    curve = fused.tracks[0].fused
    assert curve is not None
    for name, expected in (("fused", curve.aggression), ("words", curve.words_score)):
        numbers = np.frombuffer(base64.b64decode(str(sent[name])), "<u2")
        read = np.where(numbers == data.NONE, np.nan, numbers / (data.NONE - 1))
        np.testing.assert_allclose(read, expected, atol=1e-5)
    (threat, shout) = data.events(fused, list(enumerate(fused.events, 1)))
    assert threat["carrier"] == "mostly the words"
    assert threat["case"] == "sounds calm, hostile words"
    assert "a threat can be spoken calmly" in str(threat["meaning"])
    assert shout["carrier"] == "mostly the voice"
    assert shout["case"] == "no scored words here"  # they were not surely heard
    first, second = data.utterances(fused, 0)
    assert first[5] == (None, 0.95, "sounds calm, hostile words")
    assert second[5] == (None, 0.02, None)
    json.dumps([first, second])


def test_without_scored_words_there_is_nothing_to_tell_apart(fused: Analysis) -> None:
    bare = replace(fused, tracks=tuple(replace(t, fused=None, transcript=None) for t in fused.tracks))
    assert data.curves(bare, 0) is None
    assert data.utterances(bare, 0) == []
    plain = [replace(event, voice_share=None, words_share=None) for event in fused.events]
    for event in data.events(bare, list(enumerate(plain, 1))):
        assert event["carrier"] is event["case"] is event["meaning"] is None
