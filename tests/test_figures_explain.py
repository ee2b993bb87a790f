"""Figures of explanations: what is drawn is what was computed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from blipper.explain.overview import Overview
from blipper.explain.pieces import LeftOut
from blipper.explain.what_if import CHANGES, WhatIf
from blipper.figures.explain import (
    COLUMNS,
    attribution_figure,
    moments_figure,
    overview_figure,
    pieces_figure,
    what_if_figure,
)
from tests.explain.test_wording import made, planted


def titled(figure: go.Figure) -> None:
    assert figure.layout.title.text
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text


def test_the_map_holds_every_contribution():
    found = made(planted())
    figure = attribution_figure(found)
    titled(figure)
    spectrum, cells, raises, lowers, bands = figure.data
    assert np.sum(cells.z) == pytest.approx(found.total)
    assert np.sum(raises.y) + np.sum(lowers.y) == pytest.approx(found.total)
    assert np.sum(bands.x) == pytest.approx(found.total)
    assert cells.x[100] == pytest.approx(11.005)
    assert spectrum.z.shape == cells.z.shape == (40, 300)
    assert cells.zmax == -cells.zmin


def test_colours_tell_the_sign_and_opacity_the_strength():
    scale = attribution_figure(made(planted()), strength=0.5).data[1].colorscale
    assert scale[0][1] == "rgba(0,114,178,0.500)"
    assert scale[8][1].endswith(",0.000)")
    assert scale[-1][1] == "rgba(213,94,0,0.500)"
    clear = attribution_figure(made(planted()), strength=0.0).data[1].colorscale
    assert all(stop[1].endswith(",0.000)") for stop in clear)


def test_a_long_map_is_added_up_into_columns():
    values = np.random.default_rng(0).normal(0, 0.01, (4001, 40))
    figure = attribution_figure(made(values))
    assert figure.data[1].z.shape[1] <= COLUMNS
    assert np.sum(figure.data[1].z) == pytest.approx(values.sum())
    assert figure.layout.yaxis2.title.text == "per 70 ms"


def test_what_if_marks_the_unchanged_step_and_score():
    curves = [
        WhatIf(change, "aggression", np.linspace(0.1, 0.9, len(change.steps)), 0.4) for change in CHANGES
    ]
    figure = what_if_figure(curves, 0.5)
    assert len(figure.data) == 4
    assert figure.data[0].marker.symbol[4] == "circle-open"
    assert "circle-open" not in figure.data[3].marker.symbol
    assert {shape.y0 for shape in figure.layout.shapes} == {0.4, 0.5}
    assert figure.layout.xaxis4.autorange == "reversed"
    assert len(what_if_figure(curves[:1]).data) == 1


def test_words_are_shown_as_text():
    pieces = [LeftOut(1.0, 1.3, "<b>loud</b>", 0.2, 0.7), LeftOut(1.3, 1.6, "", 0.6, -0.4)]
    figure = pieces_figure(pieces)
    titled(figure)
    (bars,) = figure.data
    assert bars.text[0] == "&lt;b&gt;loud&lt;/b&gt;"
    assert tuple(bars.marker.pattern.shape) == ("", "/")
    assert bars.x == pytest.approx((1.15, 1.45))


def test_the_overview():
    n = np.arange(5.0)
    found = Overview("sad", np.array([100.0, 900.0]), np.array([0.3, -0.1]), n, n + 1, n - 2, n / 10, 0.01, 0)
    figure = overview_figure(found)
    assert "sad" in figure.layout.title.text
    assert np.array(figure.data[0].y) + np.array(figure.data[1].y) == pytest.approx(n - 2)
    assert list(figure.data[2].x) == [0.3, -0.1]


def test_moments_are_one_trace_of_points():
    figure = moments_figure(
        np.array([1.0, 2.0]), np.array([0.2, 0.7]), threshold=0.5, chosen=(0.5, 3.5), target="aggression"
    )
    titled(figure)
    assert len(figure.data) == 1
    assert figure.layout.shapes[1].x1 == 3.5
    other = moments_figure(np.array([1.0]), np.array([0.2]), threshold=0.5, chosen=None, target="sad")
    assert not other.layout.shapes
