"""Figures of an evaluation: confusion, ROC, precision and recall, reliability.

Shares and probabilities lie on axes from 0 to 1. What has a colour has a dash, a symbol or a place of its own
as well; clicks are told by Plotly's ``customdata``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blipper.figures.evaluation_style import BLUE, GREY, RED, bars, lay_out, unit_axes
from blipper.figures.palette import FEATURE_SCALE
from blipper.figures.style import TRANSPARENT

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.curves import AtThreshold, Bin, Points


def confusion_figure(
    counts: NDArray[np.int64], classes: Sequence[str], chosen: tuple[str, str] | None = None
) -> go.Figure:
    """Draw a confusion matrix whose cells can be clicked.

    Heatmaps cannot be selected in Streamlit, so an invisible marker lies on every cell, with
    ``customdata`` (acted, heard); the nearest one takes the click wherever it falls.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (n, n)
        Clips by what was acted (rows) and what the model heard (columns).
    classes : sequence of str, n of them
    chosen : (acted, heard), optional
        The cell to frame.
    """
    import plotly.graph_objects as go

    n = len(classes)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    places = [(i, j) for i in range(n) for j in range(n)]
    figure = go.Figure([
        go.Heatmap(
            z=shares, zmin=0, zmax=1, colorscale=FEATURE_SCALE, showscale=False, hoverinfo="skip",
            xgap=1, ygap=1,
        ),
        go.Scatter(
            x=[j for _, j in places], y=[i for i, _ in places], mode="markers", showlegend=False,
            marker={"size": 34, "symbol": "square", "color": TRANSPARENT},
            customdata=[[classes[i], classes[j], int(counts[i, j]), shares[i, j]] for i, j in places],
            hovertemplate="acted %{customdata[0]}, heard %{customdata[1]}<br>%{customdata[2]} clips, "
            "%{customdata[3]:.1%} of the acted<br>click to list them<extra></extra>",
        ),
    ])  # fmt: skip
    ticks = {"tickvals": list(range(n)), "ticktext": list(classes), "fixedrange": True, "showgrid": False,
             "zeroline": False, "range": (-0.5, n - 0.5), "automargin": True}  # fmt: skip
    lay_out(figure, "Clips, and share of those acted so", 150 + 52 * n)
    figure.update_layout(
        xaxis={**ticks, "title": {"text": "Heard by the model"}, "autotickangles": (0, -60, -90)},
        yaxis={**ticks, "title": {"text": "Acted"}, "range": (n - 0.5, -0.5)},
        hoverdistance=-1,
        dragmode=False,
        # Annotations, because a selection dims the text of every trace that lies beside what was clicked.
        annotations=[
            {
                "x": j,
                "y": i,
                "showarrow": False,
                "font": {"size": 11, "color": _ink(shares[i, j])},
                "text": f"<b>{counts[i, j]}</b><br>{shares[i, j]:.0%}",
            }
            for i, j in places
        ],
    )
    if chosen is not None:
        i, j = classes.index(chosen[0]), classes.index(chosen[1])
        frame = {"x0": j - 0.49, "x1": j + 0.49, "y0": i - 0.49, "y1": i + 0.49, "type": "rect"}
        figure.add_shape(**frame, line={"color": "#FFFFFF", "width": 5})
        figure.add_shape(**frame, line={"color": RED, "width": 3, "dash": "dash"})
    return figure


def _ink(share: float) -> str:
    """Return the colour of text on a cell: at least 4 : 1 on every colour of the scale."""
    return "#000000" if share > 0.45 else "#FFFFFF"


def roc_figure(points: Points, now: AtThreshold | None, area: float, of: str = "angry") -> go.Figure:
    """Draw the ROC curve of an emotion, with what the threshold does now where it is of this curve."""
    import plotly.graph_objects as go

    figure = go.Figure([
        go.Scatter(
            x=points.false, y=points.found, mode="lines", name="this model", customdata=points.threshold,
            line={"color": BLUE, "width": 2.5, "shape": "linear"},
            hovertemplate="threshold %{customdata:.3f}<br>found %{y:.1%}<br>others called so "
            "%{x:.1%}<extra></extra>",
        ),
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="guessing", hoverinfo="skip",
            line={"color": GREY, "width": 1.5, "dash": "dot"},
        ),
    ])  # fmt: skip
    if now is not None and now.found is not None and now.false_share is not None:
        figure.add_trace(_now(now.false_share, now.found, now.threshold))
    lay_out(figure, f"ROC curve, {of}: area {area:.3f}", 430, legend=True)
    return unit_axes(figure, f"Others called {of}", f"{of.capitalize()} clips found (recall)")


def precision_recall_figure(
    points: Points, now: AtThreshold | None, area: float, of: str = "angry", *, base: float
) -> go.Figure:
    """Draw precision over recall; `base` is the share of the clips that are so, which guessing gives."""
    import plotly.graph_objects as go

    figure = go.Figure([
        go.Scatter(
            x=points.found, y=points.precision, mode="lines", name="this model",
            customdata=points.threshold, line={"color": BLUE, "width": 2.5, "shape": "vh"},
            hovertemplate="threshold %{customdata:.3f}<br>found %{x:.1%}<br>precision %{y:.1%}"
            "<extra></extra>",
        ),
        go.Scatter(
            x=[0, 1], y=[base, base], mode="lines", name=f"guessing ({base:.0%} are {of})",
            hoverinfo="skip", line={"color": GREY, "width": 1.5, "dash": "dot"},
        ),
    ])  # fmt: skip
    if now is not None and now.found is not None and now.precision is not None:
        figure.add_trace(_now(now.found, now.precision, now.threshold))
    lay_out(figure, f"Precision and recall, {of}: area {area:.3f}", 430, legend=True)
    return unit_axes(figure, f"{of.capitalize()} clips found (recall)", "Precision")


def reliability_figure(
    bins: Sequence[Bin], title: str, said: str, so: str, *, unit: str = "clips"
) -> go.Figure:
    """Draw what was so over what was said, above the number of clips in each bin.

    Parameters
    ----------
    bins : sequence of Bin
    title, said, so : str
        Of the figure, the x axis and the upper y axis.
    unit : str
        What is counted, in the plural.
    """
    import plotly.graph_objects as go

    figure = go.Figure([
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="perfect", hoverinfo="skip",
            line={"color": GREY, "width": 1.5, "dash": "dot"},
        ),
        go.Scatter(
            x=[b.confidence for b in bins], y=[b.right.value for b in bins], mode="lines+markers",
            name="this model, 95 % interval", error_y=bars([b.right for b in bins]),
            line={"color": BLUE, "width": 2}, marker={"size": 8, "symbol": "circle"},
            customdata=[[b.clips] for b in bins],
            hovertemplate="said %{x:.1%}, was so %{y:.1%}<br>%{customdata[0]} " + unit + "<extra></extra>",
        ),
        go.Bar(
            x=[(b.low + b.high) / 2 for b in bins], y=[b.clips for b in bins], yaxis="y2",
            width=[0.9 * (b.high - b.low) for b in bins], showlegend=False,
            marker={"color": BLUE, "opacity": 0.55, "pattern": {"shape": "/", "size": 5}},
            hovertemplate="%{y} " + unit + "<extra></extra>",
        ),
    ])  # fmt: skip
    lay_out(figure, title, 480, legend=True)
    unit_axes(figure, said, so)
    figure.update_layout(
        xaxis={"anchor": "y2"},
        yaxis={"domain": (0.3, 1)},
        yaxis2={"domain": (0, 0.2), "title": {"text": unit.capitalize()}, "anchor": "x", "nticks": 3},
    )
    return figure


def _now(x: float, y: float, threshold: float) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[x], y=[y], mode="markers", name=f"at threshold {threshold:.2f}",
        marker={"size": 15, "symbol": "star", "color": RED, "line": {"color": "#FFFFFF", "width": 1}},
        hovertemplate=f"at threshold {threshold:.2f}<extra></extra>",
    )  # fmt: skip
