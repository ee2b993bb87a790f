"""Figures of words and of named features: what is drawn is what was computed, and text stays text."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.explain.companion_summary import read_summary, summarise, write_summary
from blipper.explain.decomposition import decompose, with_words
from blipper.explain.features import GROUPS, USED, explain_vector
from blipper.explain.reports_words import decomposition_csv, parts, words_csv, words_dict, words_text
from blipper.explain.targets import TARGETS
from blipper.explain.words import explain_words
from blipper.figures.explain import LOWERS, RAISES, waterfall_range
from blipper.figures.explain_named import rests_on_figure, summary_figure
from blipper.figures.explain_words import decomposition_figure, steps, words_figure
from tests.explain.readers import Made, adding, said, tangled
from tests.explain.test_named_features import companion
from tests.fusion.making import analysis_of
from ui.words import coloured

HOSTILE = "<b>you</b> stupid =liar please"
WEIGHTS = {"<b>you</b>": 0.3, "stupid": 2.0, "=liar": 1.0, "please": -1.0}


@pytest.fixture
def explained():
    shares = explain_words(said(HOSTILE, start=1.0, unsure=[2]), [Made(adding(WEIGHTS))])
    utterance = dataclasses.replace(
        said(HOSTILE, start=1.0, unsure=[2]), aggression=shares.score_of("aggression")
    )
    analysis = analysis_of([0.1, 0.2, 0.6, 0.8], utterance)
    return shares, with_words(decompose(analysis, 0, 1.2), shares)


def test_bars_of_words_are_their_shares_and_their_text_is_no_markup(explained):
    shares, _ = explained
    (bars,) = words_figure(shares, "aggression").data
    np.testing.assert_allclose(bars.y, [0.3, 2.0, 0.0, -1.0], atol=1e-12)
    assert list(bars.marker.color) == [RAISES, RAISES, LOWERS, LOWERS]
    assert list(bars.marker.pattern.shape) == ["", "", "/", "/"]
    figure = words_figure(shares, "negative")
    assert figure.layout.xaxis.ticktext == ("&lt;b&gt;you&lt;/b&gt;", "stupid", "(=liar)", "please")
    assert "never seen" in bars.customdata[2][3]
    assert figure.layout.title.text == 'What each word gives: "negative"'


def test_the_waterfall_adds_up_to_the_score(explained):
    _, found = explained
    figure = decomposition_figure(found)
    (bars,) = figure.data
    assert sum(bars.x[:-1]) == pytest.approx(found.log_odds, abs=1e-9)
    assert bars.measure[-1] == "total"
    assert bars.text[-1] == f"score {found.score:.2f}"
    assert "&lt;b&gt;you&lt;/b&gt;" in "".join(figure.layout.yaxis.ticktext)
    few = steps(found, most=1)
    assert [label for label, _ in few] == [
        "prior", "voice", "“stupid”", "3 other words", "an utterance of no words",
    ]  # fmt: skip
    assert sum(value for _, value in few) == pytest.approx(found.log_odds, abs=1e-9)
    bare = dataclasses.replace(found, shares=(), rest=0.0)
    assert [label for label, _ in steps(bare)] == ["prior", "voice", "words"]
    voice = dataclasses.replace(bare, words=0.0, fused=False)
    assert [label for label, _ in steps(voice)] == ["prior", "voice"]


def test_tables_hold_the_same_and_no_formula(explained):
    shares, found = explained
    lines = decomposition_csv(found).splitlines()
    values = {line.rsplit(",", 1)[0]: float(line.rsplit(",", 1)[1]) for line in lines[1:]}
    assert values["score"] == pytest.approx(found.score)
    assert sum(list(values.values())[:-2]) == pytest.approx(found.log_odds, abs=1e-6)
    rows = words_csv(shares).splitlines()
    assert len(rows) == 2 + 4
    assert not any(cell.startswith("=") for row in rows for cell in row.split(","))
    document = words_dict(shares)
    assert [word["shares"]["aggression"] for word in document["words"]] == pytest.approx([0.3, 2, 0, -1])
    assert document["scores"]["aggression"]["base_log_odds"] == pytest.approx(-2.0)
    told = words_text(found, shares)
    assert "together" in told
    assert "never given to the model: =liar" in told
    assert words_text(None, None) == ""
    assert len(parts(found)) == 2 + 4 + 1


def test_coloured_words_show_their_sign_without_colour(explained):
    shares, _ = explained
    words = coloured(shares.words, shares.of("aggression"), shares.errors_of("aggression"))
    assert [word["sign"] for word in words] == ["raises", "raises", "unseen", "lowers"]
    assert [word["mark"] for word in words] == ["+", "+", "", "−"]
    assert words[0]["text"] == "<b>you</b>", "the front end sets it as text"
    assert words[1]["strength"] == 1.0
    assert words[1]["told"].startswith("+2.00 log-odds; 1.4 to 1.8 s")
    assert "never saw it" in words[2]["told"]
    rough = explain_words(said("a bb ccc not dddd you liar then so"), [Made(tangled)])
    drawn = coloured(rough.words, rough.of("aggression"), rough.errors_of("aggression"))
    assert any("±" in word["told"] for word in drawn)


def test_the_front_end_never_makes_markup_of_text():
    from ui.words import _FOLDER

    script = (_FOLDER / "words.js").read_text(encoding="utf-8")
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script


def made_summary():
    rng = np.random.default_rng(1)
    made = companion(rms_mean=1.5, f0_median=-0.5, syllable_rate=0.7)
    emotions = np.array(["angry", "sad", "neutral", "fear"] * 30)
    relative = rng.normal(0, 2, (120, len(USED)))
    relative[emotions == "angry", USED.index("rms_mean")] += 6
    return made, relative, emotions, summarise(made, relative, emotions)


def test_the_summary_holds_shap_s_own_values():
    made, relative, emotions, summary = made_summary()
    k = TARGETS.index("aggression")
    by_shap = np.array([
        [share.value for group in GROUPS for share in explain_vector(row, made, target="aggression").shares
         if share.name == group.name]
        for row in relative
    ])  # fmt: skip
    np.testing.assert_allclose(summary.own[k], by_shap[emotions == "angry"].mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(summary.size[k], np.abs(by_shap).mean(axis=0), atol=1e-9)
    assert np.isnan(summary.own[TARGETS.index("calm")]).all()
    assert summary.clips == {"angry": 30, "sad": 30, "neutral": 30, "fear": 30}


def test_the_summary_plot_shows_every_dot_and_the_strongest_group_on_top():
    *_, summary = made_summary()
    figure = summary_figure(summary, "aggression")
    (dots,) = figure.data
    assert len(dots.x) == len(summary.deviations) * len(GROUPS)
    assert figure.layout.yaxis.ticktext[-1] == "loudness"
    heights = np.array(dots.y)
    assert np.abs(heights - heights.round()).max() <= 0.41
    for made in (figure, rests_on_figure(summary)):
        assert made.layout.title.text
        assert made.layout.xaxis.title.text
        assert made.layout.yaxis.title.text
    (cells,) = rests_on_figure(summary).data
    assert list(cells.y) == ["Neutral", "Sad", "Angry", "Fear"]


def test_a_summary_survives_its_file_and_belongs_to_its_companion(tmp_path):
    *_, summary = made_summary()
    path, other = tmp_path / "s.json", tmp_path / "c.json"
    other.write_text("{}")
    write_summary(summary, path, other)
    found = read_summary(path, other)
    np.testing.assert_allclose(found.own, summary.own, atol=6e-4)
    np.testing.assert_allclose(found.values, summary.values, atol=6e-3)
    other.write_text("{ }")
    with pytest.raises(ModelError, match="another companion"):
        read_summary(path, other)
    path.write_text("[]")
    with pytest.raises(ModelError, match="cannot be read"):
        read_summary(path, other)


def test_the_shipped_summary_is_of_the_shipped_companion():
    found = read_summary()
    assert found.split == "test speakers of fold 1"
    assert sum(found.clips.values()) >= 200
    assert np.isfinite(found.own[TARGETS.index("aggression")]).all()


def test_a_waterfall_leaves_room_for_its_numbers() -> None:
    low, high = waterfall_range(0.0, [-1.7, 5.2, 0.8])
    assert low < -1.7 and high > 4.3 + 1.0
    assert waterfall_range(0.0, []) == (-0.2, 0.35)
