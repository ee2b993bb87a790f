"""Figures of the library: two analyses over each other, and precision over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from blipper.figures.evaluation_style import BLUE, GREY, RED, lay_out
from blipper.figures.style import Panel, stack
from blipper.figures.timeline import thinned
from blipper.library.comparing import highest_curve
from blipper.results import Analysis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.library.agreement import Precision

_LOOKS = ((BLUE, "solid", "circle"), (RED, "dash", "square"))


def analyses_figure(first: Analysis, second: Analysis, names: tuple[str, str]) -> go.Figure:
    """Draw two analyses' curves over each other, and below them the events of each.

    Parameters
    ----------
    first, second : Analysis
        Of one recording; of several channels the highest score counts.
    names : (str, str)
        For the legend: plain text.
    """
    import plotly.graph_objects as go

    curves, rows = [], []
    for analysis, name, (colour, dash, symbol), row in zip(
        (first, second), names, _LOOKS, (1, 0), strict=True
    ):
        times, scores, _ = thinned(highest_curve(analysis))
        curves.append(
            go.Scatter(
                x=times, y=scores, mode="lines", name=name, connectgaps=False, legendgroup=name,
                line={"color": colour, "dash": dash, "width": 2}, hovertemplate="%{x:.1f} s: %{y:.2f}",
            )
        )  # fmt: skip
        curves.append(
            go.Scatter(
                x=[0.0, analysis.duration], y=[analysis.threshold] * 2, mode="lines",
                name=f"threshold {analysis.threshold:.2f} of {name}", legendgroup=name, hoverinfo="skip",
                line={"color": colour, "dash": "dot", "width": 1.2},
            )
        )  # fmt: skip
        x: list[float | None] = []
        said: list[Any] = []
        for event in analysis.events:
            x += [event.start, event.end, None]
            said += [[event.start, event.end, event.peak, event.emotion]] * 3
        rows.append(
            go.Scatter(
                x=x, y=[row] * len(x), mode="lines+markers", name=f"events of {name}", showlegend=False,
                line={"color": colour, "width": 10}, marker={"symbol": symbol, "size": 9, "color": colour},
                customdata=said,
                hovertemplate="%{customdata[0]:.1f} to %{customdata[1]:.1f} s, peak %{customdata[2]:.2f}, "
                "%{customdata[3]}",
            )
        )  # fmt: skip
    panels = [
        Panel("Aggression score", curves, {"title": {"text": "Score"}, "range": (-0.02, 1.02)}, 260),
        Panel(
            "Events", rows,
            {"range": (-0.6, 1.6), "tickvals": [1, 0], "ticktext": ["first", "second"], "showgrid": False},
            90,
        ),
    ]  # fmt: skip
    end = max(first.duration, second.duration)
    return stack(panels, start=0.0, end=end, title="Two analyses of one recording", legend=True)


def precision_figure(rows: Sequence[Precision], own: float | None = None) -> go.Figure:
    """Draw precision over thresholds with its interval, and below it how much was judged.

    Parameters
    ----------
    rows : sequence of Precision
    own : float, optional
        The model's own threshold, drawn as a line.
    """
    import plotly.graph_objects as go

    known = [row for row in rows if row.precision is not None]
    value = np.array([row.precision for row in known], dtype=np.float64)
    low = np.array([row.low for row in known], dtype=np.float64)
    high = np.array([row.high for row in known], dtype=np.float64)
    figure = go.Figure([
        go.Scatter(
            x=[row.threshold for row in known], y=value, mode="lines+markers",
            name="precision so far, 95 % interval (Wilson)",
            error_y={"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low,
                     "thickness": 1.5, "width": 4},
            line={"color": BLUE, "width": 2}, marker={"size": 8, "symbol": "circle"},
            customdata=[[row.right, row.judged, row.low, row.high] for row in known],
            hovertemplate="threshold %{x:.2f}: %{y:.0%}<br>%{customdata[0]} of %{customdata[1]} judged right"
            "<br>95 % interval %{customdata[2]:.0%} to %{customdata[3]:.0%}<extra></extra>",
        ),
        go.Bar(
            x=[row.threshold for row in rows], y=[row.judged for row in rows], yaxis="y2", width=0.035,
            name="judged stretches", marker={"color": GREY, "pattern": {"shape": "/", "size": 5}},
            hovertemplate="threshold %{x:.2f}: %{y} judged<extra></extra>",
        ),
    ])  # fmt: skip
    if own is not None:
        figure.add_vline(x=own, line={"color": RED, "dash": "dash", "width": 2})
        figure.add_annotation(
            x=own, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"the model's own, {own:.2f}"
        )
    lay_out(figure, "Precision so far at each threshold", 430, legend=True, top=78)
    figure.update_layout(
        xaxis={"title": {"text": "Threshold (score)"}, "range": (0, 1), "anchor": "y2"},
        yaxis={
            "title": {"text": "Right among the judged"},
            "range": (-0.02, 1.04),
            "tickformat": ".0%",
            "domain": (0.34, 1),
        },
        yaxis2={"title": {"text": "Judged"}, "domain": (0, 0.24), "anchor": "x", "nticks": 3},
    )
    return figure
