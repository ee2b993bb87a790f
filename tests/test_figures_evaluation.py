"""Figures of an evaluation: what is drawn where, that it reads without colour, clear grounds."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import pytest

from blipper import curves, groups, measures
from blipper.figures import (
    Compared,
    comparison_figure,
    conditions_figure,
    confusion_figure,
    corpora_figure,
    groups_figure,
    precision_recall_figure,
    reliability_figure,
    roc_figure,
    scenes_figure,
    training_figure,
)
from blipper.figures.comparison import KINDS
from blipper.measures import Figure
from tests.evaluated import THRESHOLD, described, made_up, met

pytestmark = pytest.mark.filterwarnings("error")

COUNTS = np.array([[8, 2, 0], [1, 4, 5], [0, 0, 0]])
CLASSES = ("neutral", "sad", "angry")


@pytest.fixture(scope="module")
def selection() -> measures.Selection:
    return measures.select(made_up(), "common")


def looks_like_ours(figure: go.Figure, *, axes: bool = True) -> None:
    """Check title, axes, grounds and hover, and that no two lines differ in colour alone."""
    assert figure.layout.title.text
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None
    assert figure.layout.xaxis.title.text
    assert all(trace.hovertemplate or trace.hoverinfo == "skip" for trace in figure.data)
    looks = [
        (trace.yaxis, trace.line.dash, trace.marker.symbol, trace.mode)
        for trace in figure.data
        if isinstance(trace, go.Scatter) and trace.showlegend is not False
    ]
    assert len(set(looks)) == len(looks)


def test_every_cell_of_the_confusion_matrix_can_be_clicked():
    figure = confusion_figure(COUNTS, CLASSES)
    heat, cells = figure.data
    assert heat.hoverinfo == "skip"  # or it would take the click
    assert len(cells.x) == 9
    for x, y, (acted, heard, count, share) in zip(cells.x, cells.y, cells.customdata, strict=True):
        assert (acted, heard) == (CLASSES[int(y)], CLASSES[int(x)])
        assert int(count) == COUNTS[int(y), int(x)]
        assert float(share) == pytest.approx(COUNTS[int(y)][int(x)] / max(COUNTS[int(y)].sum(), 1))
    assert cells.marker.color == "rgba(0,0,0,0)"
    assert figure.layout.hoverdistance == -1
    looks_like_ours(figure)


def test_confusion_shows_counts_and_shares_and_frames_the_cell():
    figure = confusion_figure(COUNTS, CLASSES, ("sad", "angry"))
    texts = {(note.x, note.y): note.text for note in figure.layout.annotations}
    assert texts[2, 1] == "<b>5</b><br>50%"
    assert texts[0, 2] == "<b>0</b><br>0%"
    frame = figure.layout.shapes[-1]
    assert (frame.x0 < 2 < frame.x1, frame.y0 < 1 < frame.y1) == (True, True)
    assert not confusion_figure(COUNTS, CLASSES).layout.shapes


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = (
            [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
            if colour[0] == "#"
            else [float(part) for part in colour[4:-1].split(",")]
        )
        linear = [
            p / 255 / 12.92 if p / 255 <= 0.04045 else ((p / 255 + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_numbers_can_be_read_on_every_colour_of_the_matrix():
    from plotly.colors import sample_colorscale

    for right in range(0, 101, 5):
        counts = np.array([[right, 100 - right], [0, 100]])
        figure = confusion_figure(counts, ("sad", "angry"))
        for note in figure.layout.annotations:
            share = figure.data[0].z[int(note.y)][int(note.x)]
            (ground,) = sample_colorscale("Cividis", [share])
            assert contrast(note.font.color, ground) >= 4, (share, ground)


def test_roc_and_pr_mark_the_threshold(selection):
    angry, scores = selection.angry, selection.aggression
    points = curves.curve(angry, scores)
    now = curves.at_threshold(selection, 0.4)
    roc = roc_figure(points, now, 0.9)
    assert (roc.data[-1].x[0], roc.data[-1].y[0]) == (now.false_share, now.found)
    assert "0.900" in roc.layout.title.text
    pr = precision_recall_figure(points, now, 0.8, base=float(angry.mean()))
    assert (pr.data[-1].x[0], pr.data[-1].y[0]) == (now.found, now.precision)
    assert pr.data[1].y[0] == pytest.approx(angry.mean())
    for figure in (roc, pr):
        looks_like_ours(figure)
    nothing = precision_recall_figure(
        points, curves.at_threshold(selection, 1.0), 0.8, base=float(angry.mean())
    )
    assert len(nothing.data) == 2  # precision is undefined there


def test_events_over_the_threshold():
    found = met()
    figure = scenes_figure(found["scenes"]["thresholds"], 0.5)
    looks_like_ours(figure)
    assert [trace.name for trace in figure.data] == ["recall", "precision", "F1", "false alarms an hour"]
    assert figure.data[0].x == (0.2, 0.4, 0.6, 0.8)
    assert figure.data[0].y[0] == found["scenes"]["thresholds"]["0.20"]["recall"]["value"]
    assert figure.layout.shapes[0].x0 == 0.5


def test_alarms_by_condition():
    figure = conditions_figure(met()["alarms"]["speech"])
    looks_like_ours(figure)
    assert figure.data[0].y == ("as recorded", "noise at 0 dB")
    assert figure.data[0].x == (4.0, 4.0)
    assert figure.data[0].error_x.array == (2.0, 2.0)
    assert figure.data[2].xaxis == "x2"


def test_corpora_left_out():
    rows = [("RAVDESS", Figure(0.5, (0.4, 0.6)), Figure(0.7)), ("TESS", Figure(0.3), None)]
    figure = corpora_figure(rows, "Accuracy")
    looks_like_ours(figure)
    assert figure.data[0].y == ("RAVDESS", "TESS")
    assert figure.data[1].y == ("RAVDESS",)


def test_reliability(selection):
    bins = curves.reliability(selection.angry, selection.aggression, selection.speakers, resamples=20)
    figure = reliability_figure(bins, "Aggression", "Mean score", "Share angry")
    _, line, bars = figure.data
    assert list(line.y) == [b.right.value for b in bins]
    assert list(bars.y) == [b.clips for b in bins]
    for b, up, down in zip(bins, line.error_y.array, line.error_y.arrayminus, strict=True):
        if b.right.interval:
            assert b.right.value + up == pytest.approx(b.right.interval[1])
            assert b.right.value - down == pytest.approx(b.right.interval[0])
    assert bars.marker.pattern.shape
    looks_like_ours(figure)


def test_groups(selection):
    ways = groups.groupings(selection)
    rows = groups.by_group(selection, ways["sex"], "accuracy", THRESHOLD, resamples=20)
    figure = groups_figure(rows, "Accuracy", 0.6)
    assert list(figure.data[0].y) == ["female", "male"]
    assert "0.600" in figure.layout.annotations[0].text
    looks_like_ours(figure)
    assert not groups_figure(rows, "Accuracy", math.nan).layout.shapes


def test_training():
    history = described(made_up(), "0" * 64)["training"]["history"]
    figure = training_figure(history, 2)
    names = [trace.name for trace in figure.data]
    assert names == ["training loss", "accuracy, six common emotions", "ROC-AUC, angry", "UAR, RAVDESS"]
    assert list(figure.data[0].x) == [1, 2, 3]
    assert figure.layout.shapes[0].x0 == 2
    looks_like_ours(figure)


def test_comparison_tells_how_each_was_measured():
    rows = [Compared("ours", Figure(0.6, (0.5, 0.7)), "own", "n")]
    rows += [Compared(kind, Figure(0.5), kind, "note") for kind in KINDS if kind != "own"]
    figure = comparison_figure(rows, "UAR")
    assert {trace.name for trace in figure.data} == {name for name, *_ in KINDS.values()}
    assert figure.layout.showlegend
    assert figure.data[0].error_x.array[0] == pytest.approx(0.1)
    looks_like_ours(figure)
