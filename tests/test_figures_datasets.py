"""Figures of a summary: what they show, and that they can be read without colour, by name and by hover."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from blipper.datasets.summary import Summary, shipped_summary
from blipper.errors import SettingsError
from blipper.figures import (
    EMOTION_COLOURS,
    EMOTION_PATTERNS,
    counts_figure,
    coverage_figure,
    histogram_figure,
    spread_figure,
)


@pytest.fixture(scope="module")
def summary() -> Summary:
    return shipped_summary()


def bars(figure: go.Figure) -> dict[str, dict[str, float]]:
    """Return each trace's values by the bar's name."""
    return {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}


def test_bars_show_the_counts(summary: Summary) -> None:
    figure = counts_figure(summary, summary.corpora)
    assert figure.layout.barmode == "stack"
    assert bars(figure)["Calm"] == {"RAVDESS": 192, "CREMA-D": 0, "TESS": 0, "SAVEE": 0}
    assert bars(figure)["Neutral"] == {"RAVDESS": 96, "CREMA-D": 1086, "TESS": 400, "SAVEE": 120}
    assert sum(sum(trace.x) for trace in figure.data) == 12_155
    assert counts_figure(summary, ["tess"], arrangement="side by side").layout.barmode == "group"


def test_shares_are_of_each_group(summary: Summary) -> None:
    figure = counts_figure(summary, summary.corpora, "sex", shares=True)
    total = np.sum([trace.x for trace in figure.data], axis=0)
    assert total == pytest.approx(100)
    assert list(figure.data[0].y) == [
        "RAVDESS female", "RAVDESS male", "CREMA-D female", "CREMA-D male", "TESS female", "SAVEE male",
    ]  # fmt: skip
    assert "%" in figure.layout.xaxis.title.text
    assert bars(figure)["Neutral"]["TESS female"] == pytest.approx(100 / 7)


def test_an_emotion_that_no_group_has_is_not_drawn(summary: Summary) -> None:
    names = [trace.name for trace in counts_figure(summary, ["crema-d"], "intensity").data]
    assert names == ["Neutral", "Happy", "Sad", "Angry", "Fear", "Disgust"]


@pytest.mark.parametrize("grouping", ["corpus", "sex", "intensity", "speaker", "sentence"])
@pytest.mark.parametrize("arrangement", ["stacked", "side by side"])
def test_every_grouping_has_titles_hover_and_patterns(summary: Summary, grouping, arrangement) -> None:
    figure = counts_figure(summary, ["ravdess", "savee"], grouping, arrangement=arrangement, part=(0, 12))
    assert figure.layout.title.text.endswith(f"by {grouping}")
    assert figure.layout.xaxis.title.text == "Clips"
    assert figure.layout.yaxis.title.text
    for trace in figure.data:
        emotion = trace.name.lower()
        assert trace.marker.color == EMOTION_COLOURS[emotion]
        assert trace.marker.pattern.shape == EMOTION_PATTERNS[emotion]
        assert "clips" in trace.hovertemplate
        assert len(trace.y) <= 12
    assert 250 < figure.layout.height < 2000


def test_a_part_of_many_groups(summary: Summary) -> None:
    figure = counts_figure(summary, ["crema-d"], "speaker", part=(24, 48))
    assert list(figure.data[0].y) == [str(speaker) for speaker in range(1025, 1049)]


def test_coverage_says_none_where_there_is_none(summary: Summary) -> None:
    figure = coverage_figure(summary, ["ravdess", "tess"])
    (heat,) = figure.data
    assert list(heat.x) == ["RAVDESS women", "RAVDESS men", "TESS women", "TESS men"]
    cells = {(y, x): heat.z[i][j] for i, y in enumerate(heat.y) for j, x in enumerate(heat.x)}
    none = {(a.y, a.x) for a in figure.layout.annotations if a.text == "none"}
    assert none == {where for where, n in cells.items() if n is None}
    assert ("Calm", "TESS women") in none
    assert cells["Calm", "RAVDESS men"] == 96
    assert figure.layout.xaxis.title.text == "Corpus and sex"


@pytest.mark.parametrize(("measure", "unit"), [("duration", "(s)"), ("loudness", "(LUFS)")])
def test_histograms_have_a_panel_a_corpus_over_one_axis(summary: Summary, measure, unit) -> None:
    figure = histogram_figure(summary, summary.corpora, measure)
    assert len(figure.data) == 4
    assert len({trace.x for trace in figure.data}) == 1
    for trace in figure.data:
        assert sum(trace.y) == pytest.approx(100)
    axes = list(figure.select_xaxes())
    assert axes[-1].title.text.endswith(unit)
    assert {axis.title.text for axis in figure.select_yaxes()} == {"Clips (%)"}
    assert [shape.line.dash for shape in figure.layout.shapes] == ["dash"] * 4
    spread = summary.spread(measure, "savee")
    assert spread is not None
    assert figure.layout.shapes[-1].x0 == spread.quantiles[3]
    assert any("SAVEE" in annotation.text for annotation in figure.layout.annotations)


@pytest.mark.parametrize("measure", ["duration", "loudness"])
def test_boxes_are_the_quantiles(summary: Summary, measure) -> None:
    figure = spread_figure(summary, summary.corpora, measure)
    assert len([trace for trace in figure.data if trace.type == "box"]) == 8 + 6 + 7 + 7
    medians = [trace for trace in figure.data if trace.name == "Median"]
    assert [len(trace.x) for trace in medians] == [8, 6, 7, 7]
    assert all("median" in trace.hovertemplate for trace in medians)
    box = next(trace for trace in figure.data if trace.name == "Angry")
    spread = summary.spread(measure, "ravdess", "angry")
    assert spread is not None
    drawn = (box.lowerfence[0], box.q1[0], box.median[0], box.q3[0], box.upperfence[0])
    assert drawn == spread.quantiles[1:-1]
    assert tuple(box.y) == ("Angry",)


def test_figures_follow_the_theme_of_the_page(summary: Summary) -> None:
    for figure in (
        counts_figure(summary, summary.corpora),
        coverage_figure(summary, summary.corpora),
        histogram_figure(summary, summary.corpora, "duration"),
        spread_figure(summary, summary.corpora, "loudness"),
    ):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        layout = json.loads(figure.to_json())["layout"]
        layout.pop("template", None)
        assert '"font": {"color"' not in json.dumps(layout)


def test_choices_that_do_not_exist(summary: Summary) -> None:
    with pytest.raises(SettingsError, match="arrangement is 'heap'"):
        counts_figure(summary, ["tess"], arrangement="heap")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="measure is 'pitch', expected one of duration, loudness"):
        histogram_figure(summary, ["tess"], "pitch")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="grouping is 'age'"):
        counts_figure(summary, ["tess"], "age")
