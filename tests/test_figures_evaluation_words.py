"""Figures of a text model's evaluation: what is drawn where, and that it reads without colour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from blipper.figures import bias_figure, checklist_figure, reliability_figure, text_corpora_figure
from blipper.text_evaluation import TextEvaluation, read_text_evaluation
from tests.evaluated_words import make_text_folder
from tests.test_figures_evaluation import looks_like_ours

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> TextEvaluation:
    folder: Path = tmp_path_factory.mktemp("models") / "text-small"
    return read_text_evaluation(make_text_folder(folder))


def test_corpora_beside_baselines_and_targets(found: TextEvaluation) -> None:
    figure = text_corpora_figure(found.corpora)
    looks_like_ours(figure)
    own, tfidf, vader, target = figure.data
    first, second = found.corpora
    assert list(own.x) == [first.figure.value, second.figure.value]
    low, high = first.figure.interval
    assert own.error_x.array[0] == pytest.approx(high - first.figure.value)
    assert own.error_x.arrayminus[0] == pytest.approx(first.figure.value - low)
    assert list(tfidf.x) == [first.baselines["tfidf-lr"].value, second.baselines["tfidf-lr"].value]
    assert list(vader.y) == [own.y[1]]  # it does not do the first task
    assert list(target.x) == [0.6, 0.9]
    assert "TF-IDF" in tfidf.name
    assert "VADER" in vader.name
    assert figure.layout.yaxis.categoryarray == tuple(reversed(own.y))
    assert "weighted F1" in own.y[0]


def test_long_names_of_tasks_leave_room_for_the_figures(found: TextEvaluation) -> None:
    first, second = found.corpora
    rows = [first, replace(second, task="abuse of a machine or harmless twin")]
    (name, long) = text_corpora_figure(rows).data[0].y
    assert long.replace("<br>", " ") == f"{second.corpus}: {rows[1].task} {second.metric}, {second.split}"
    assert max(map(len, long.split("<br>"))) <= 29 and name != long


def test_corpora_without_targets_or_baselines(found: TextEvaluation) -> None:
    bare = [replace(row, target=None, baselines={}) for row in found.corpora]
    (own,) = text_corpora_figure(bare).data
    assert "this model" in own.name


def test_each_side_of_the_checklist_has_its_pattern(found: TextEvaluation) -> None:
    figure = checklist_figure(found.checklist.categories, 0.8)
    looks_like_ours(figure)
    hostile, harmless = figure.data
    assert hostile.marker.pattern.shape != harmless.marker.pattern.shape
    assert set(hostile.y) == {one.name for one in found.checklist.categories if one.expected}
    assert len(hostile.y) + len(harmless.y) == len(found.checklist.categories)
    rates = {one.name: one.rate for one in found.checklist.categories}
    for bars in (hostile, harmless):
        assert [rates[name] for name in bars.y] == list(bars.x)
        assert "of %{customdata[1]}" in bars.hovertemplate
    (line,) = figure.layout.shapes
    assert line.x0 == 0.8
    only = [one for one in found.checklist.categories if one.expected]
    alone = checklist_figure(only, 0.8, "Further sentences")
    assert len(alone.data) == 1 and "Further sentences" in alone.layout.title.text


def test_identities_with_the_worst_term(found: TextEvaluation) -> None:
    figure = bias_figure(found.bias, 0.1)
    looks_like_ours(figure)
    bars, worst = figure.data
    assert isinstance(bars, go.Bar)
    assert bars.marker.pattern.shape
    place = list(worst.y).index("disability")
    assert worst.customdata[place][0] == "deaf"
    assert worst.x[place] == pytest.approx(found.bias.max_shift)
    assert bars.x[place] == max(bars.x)
    assert figure.layout.xaxis.range[1] > max(0.1, *worst.x)
    (line,) = figure.layout.shapes
    assert line.x0 == 0.1


def test_calibration_counts_utterances(found: TextEvaluation) -> None:
    (part,) = found.calibration
    figure = reliability_figure(part.bins, "Aggression", "Mean score", "Share", unit="utterances")
    looks_like_ours(figure)
    assert figure.layout.yaxis2.title.text == "Utterances"
    assert "utterances" in figure.data[1].hovertemplate
    assert "clips" not in figure.data[1].hovertemplate + figure.data[2].hovertemplate
