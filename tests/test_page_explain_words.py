"""The Explain page's words and decomposition through AppTest, with a text model made for the test."""

from __future__ import annotations

import json

import numpy as np
import pytest

from blipper import audio
from blipper.analysis import analyze
from blipper.explain.decomposition import decompose, with_words
from blipper.explain.words import explain_words
from blipper.words.attach import with_transcripts
from blipper.words.sentiment import load_text_model, read_transcript
from blipper.words.transcript import Transcript, Utterance, Word
from tests.explain.with_text import models_with_text
from tests.test_page_explain import SAMPLE, finish, healthy, metrics, page, show, text, titles  # noqa: F401
from ui.engine import engine
from ui.text import plain

HOSTILE = "You are a useless liar <b>sorry</b>"


def utterance(content: str, start: float, end: float, unsure: int | None = None) -> Utterance:
    texts = content.split()
    edges = np.linspace(start, end, len(texts) + 1).tolist()
    words = tuple(
        Word(one, edges[i], edges[i + 1], 0.2 if i == unsure else 0.95) for i, one in enumerate(texts)
    )
    return Utterance(start, end, content, words, 0.9)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Return the sample, analysed, with a transcript that the tiny model has read."""
    assert engine().worker.warm.wait(300)
    patch = pytest.MonkeyPatch()
    patch.setenv("BLIPPER_MODELS", str(models_with_text(tmp_path_factory.mktemp("models"))))
    sound = audio.load(SAMPLE)
    analysis = analyze(sound, model=engine().model())
    event = analysis.events[0]
    said = Transcript(
        "file:srt",
        "en",
        (
            utterance("Where is my parcel", 0.5, 2.0),
            utterance(HOSTILE, event.start, event.end, unsure=3),
            utterance("I don't know", analysis.duration - 2, analysis.duration - 0.5),
        ),
    )
    read = read_transcript(said, load_text_model())
    yield sound, with_transcripts(analysis, [read], asked="call.srt")
    patch.undo()


def test_an_event_is_taken_apart_into_voice_and_words(page, spoken):  # noqa: F811
    sound, analysis = spoken
    show(page, sound, analysis)
    finish(page.run())
    shown = metrics(page)
    event = analysis.events[0]
    expected = decompose(analysis, 0, event.peak_time)
    assert expected.utterance == 1
    assert shown["Score on the curve"] == f"{event.peak:.2f}"
    assert [shown[name] for name in ("Prior", "Voice", "Words")] == [
        f"{value:+.2f}" for value in (expected.prior, expected.voice, expected.words)
    ]
    shares = explain_words(analysis.tracks[0].transcript.utterances[1], [load_text_model()])
    whole = with_words(expected, shares)
    spec = next(
        json.loads(chart.proto.spec)
        for chart in page.get("plotly_chart")
        if "taken apart" in json.loads(chart.proto.spec)["layout"]["title"]["text"]
    )
    steps = spec["data"][0]["x"][:-1]
    assert sum(steps) == pytest.approx(whole.log_odds, abs=1e-6)
    assert 1 / (1 + np.exp(-sum(steps))) == pytest.approx(event.peak, abs=1e-6)
    assert len(steps) == 2 + len(shares.words) + 1
    assert "What each word gives: verbal aggression" in titles(page)
    assert plain(f"The score at {expected.time:.1f} s is {event.peak:.2f}") in text(page)
    assert "1 words with a confidence below 0.5" in text(page)
    assert "Shapley values themselves" in text(page)
    assert "<b>sorry</b>" not in text(page)
    labels = [button.label for button in page.get("download_button")]
    assert {"Parts (CSV)", "Parts (JSON)", "Words (CSV)", "Words (JSON)"} <= set(labels)


def test_an_utterance_and_its_sentiment(page, spoken):  # noqa: F811
    sound, analysis = spoken
    show(page, sound, analysis)
    page.get("button_group")[1].set_value("utterance")
    finish(page.run())
    finish(page.selectbox(key="explain_utterance_an-id_0").set_value(1).run())
    group = next(
        control for control in page.get("button_group") if control.proto.id.endswith("explain_words_target")
    )
    healthy(group.set_value("positive").run())
    shares = explain_words(analysis.tracks[0].transcript.utterances[1], [load_text_model()])
    assert plain(f"score {shares.score_of('positive'):.2f}").replace("\\", "") in text(page).replace("\\", "")
    assert 'What each word gives: "positive"' in titles(page)
    # Another score of the voice keeps the words, and takes no fused score apart.
    finish(page.selectbox(key="explain_target").set_value("sad").run())
    assert "Score on the curve" not in metrics(page)
    assert any("What each word gives" in title for title in titles(page))


def test_without_scored_words_the_page_says_what_to_do(page, spoken):  # noqa: F811
    sound, _ = spoken
    bare = analyze(sound, model=engine().model())
    show(page, sound, bare)
    assert any("There is no transcript yet" in info.value for info in page.info)
    said = Transcript("file:srt", "en", (utterance("Where is my parcel", 0.5, 2.0),))
    show(page, sound, with_transcripts(bare, [said], asked="call.srt"))
    assert any("has no scores yet" in info.value for info in page.info)


def test_scores_of_another_text_model_are_not_explained(page, spoken):  # noqa: F811
    import dataclasses

    sound, analysis = spoken
    track = analysis.tracks[0]
    infos = tuple(dataclasses.replace(info, sha256="f" * 64) for info in track.transcript.text_models)
    other = dataclasses.replace(track, transcript=dataclasses.replace(track.transcript, text_models=infos))
    show(page, sound, dataclasses.replace(analysis, tracks=(other,)))
    finish(page.run())
    assert any("read the words again" in error.value for error in page.error)
