"""Figures of an evaluation: confusion, ROC, PR, reliability, groups, training, comparison of models.

Shares and probabilities lie on axes from 0 to 1. What has a colour has a dash, a symbol or a place of its own
as well; clicks are told by Plotly's ``customdata``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.figures.palette import FEATURE_SCALE, OKABE_ITO
from blipper.figures.style import TRANSPARENT

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.curves import AtThreshold, Bin, Points
    from blipper.groups import GroupFigure
    from blipper.measures import Figure

_BLUE: Final = OKABE_ITO["blue"]
_RED: Final = OKABE_ITO["vermillion"]
_GREEN: Final = OKABE_ITO["bluish green"]
_PURPLE: Final = OKABE_ITO["reddish purple"]
_GREY: Final = OKABE_ITO["grey"]
#: Colour, dash and symbol of the first, second, ... line of a figure.
_LINES: Final = (
    (_BLUE, "solid", "circle"),
    (_RED, "dash", "square"),
    (_GREEN, "dot", "diamond"),
    (_PURPLE, "dashdot", "triangle-up"),
    (_GREY, "longdash", "x"),
)


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
    _lay_out(figure, "Clips, and share of those acted so", 150 + 52 * n)
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
        figure.add_shape(**frame, line={"color": _RED, "width": 3, "dash": "dash"})
    return figure


def _ink(share: float) -> str:
    """Return the colour of text on a cell: at least 4 : 1 on every colour of the scale."""
    return "#000000" if share > 0.45 else "#FFFFFF"


def roc_figure(points: Points, now: AtThreshold, area: float) -> go.Figure:
    """Draw the ROC curve with what the threshold does now."""
    import plotly.graph_objects as go

    figure = go.Figure([
        go.Scatter(
            x=points.false, y=points.found, mode="lines", name="this model", customdata=points.threshold,
            line={"color": _BLUE, "width": 2.5, "shape": "linear"},
            hovertemplate="threshold %{customdata:.3f}<br>angry found %{y:.1%}<br>others called angry "
            "%{x:.1%}<extra></extra>",
        ),
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="guessing", hoverinfo="skip",
            line={"color": _GREY, "width": 1.5, "dash": "dot"},
        ),
    ])  # fmt: skip
    if now.found is not None and now.false_share is not None:
        figure.add_trace(_now(now.false_share, now.found, now.threshold))
    _lay_out(figure, f"ROC curve, area {area:.3f}", 430, legend=True)
    return _unit_axes(figure, "Others called angry", "Angry clips found (recall)")


def precision_recall_figure(points: Points, now: AtThreshold, area: float) -> go.Figure:
    """Draw precision over recall with what the threshold does now."""
    import plotly.graph_objects as go

    base = now.angry / now.clips
    figure = go.Figure([
        go.Scatter(
            x=points.found, y=points.precision, mode="lines", name="this model",
            customdata=points.threshold, line={"color": _BLUE, "width": 2.5, "shape": "vh"},
            hovertemplate="threshold %{customdata:.3f}<br>angry found %{x:.1%}<br>precision %{y:.1%}"
            "<extra></extra>",
        ),
        go.Scatter(
            x=[0, 1], y=[base, base], mode="lines", name=f"guessing ({base:.0%} are angry)",
            hoverinfo="skip", line={"color": _GREY, "width": 1.5, "dash": "dot"},
        ),
    ])  # fmt: skip
    if now.found is not None and now.precision is not None:
        figure.add_trace(_now(now.found, now.precision, now.threshold))
    _lay_out(figure, f"Precision and recall, area {area:.3f}", 430, legend=True)
    return _unit_axes(figure, "Angry clips found (recall)", "Precision")


def reliability_figure(bins: Sequence[Bin], title: str, said: str, so: str) -> go.Figure:
    """Draw what was so over what was said, above the number of clips in each bin.

    Parameters
    ----------
    bins : sequence of Bin
    title, said, so : str
        Of the figure, the x axis and the upper y axis.
    """
    import plotly.graph_objects as go

    figure = go.Figure([
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="perfect", hoverinfo="skip",
            line={"color": _GREY, "width": 1.5, "dash": "dot"},
        ),
        go.Scatter(
            x=[b.confidence for b in bins], y=[b.right.value for b in bins], mode="lines+markers",
            name="this model, 95 % interval", error_y=_bars([b.right for b in bins]),
            line={"color": _BLUE, "width": 2}, marker={"size": 8, "symbol": "circle"},
            customdata=[[b.clips] for b in bins],
            hovertemplate="said %{x:.1%}, was so %{y:.1%}<br>%{customdata[0]} clips<extra></extra>",
        ),
        go.Bar(
            x=[(b.low + b.high) / 2 for b in bins], y=[b.clips for b in bins], yaxis="y2",
            width=[0.9 * (b.high - b.low) for b in bins], showlegend=False,
            marker={"color": _BLUE, "opacity": 0.55, "pattern": {"shape": "/", "size": 5}},
            hovertemplate="%{y} clips<extra></extra>",
        ),
    ])  # fmt: skip
    _lay_out(figure, title, 480, legend=True)
    _unit_axes(figure, said, so)
    figure.update_layout(
        xaxis={"anchor": "y2"},
        yaxis={"domain": (0.3, 1)},
        yaxis2={"domain": (0, 0.2), "title": {"text": "Clips"}, "anchor": "x", "nticks": 3},
    )
    return figure


def groups_figure(rows: Sequence[GroupFigure], measure: str, overall: float) -> go.Figure:
    """Draw each group's figure with its interval, and that of all clips as a line."""
    import plotly.graph_objects as go

    names = [row.group for row in rows]
    figure = go.Figure(
        go.Scatter(
            x=[row.figure.value for row in rows], y=names, mode="markers", name="group, 95 % interval",
            error_x=_bars([row.figure for row in rows]),
            marker={"size": 11, "symbol": "diamond", "color": _BLUE},
            customdata=[[row.clips, row.speakers] for row in rows],
            hovertemplate="%{y}: %{x:.3f}<br>%{customdata[0]} clips of %{customdata[1]} speakers"
            "<extra></extra>",
        )
    )  # fmt: skip
    if math.isfinite(overall):
        figure.add_vline(
            x=overall, line={"color": _GREY, "dash": "dot", "width": 2},
            annotation={"text": f"all {overall:.3f}", "showarrow": False, "yref": "paper", "y": 1.0,
                        "yanchor": "bottom"},
        )  # fmt: skip
    _lay_out(figure, measure, 170 + 34 * len(rows), top=78)
    figure.update_layout(
        xaxis={"title": {"text": measure}, "range": (0, 1.02)},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure


def training_figure(history: Sequence[Mapping[str, float]], best_epoch: int) -> go.Figure:
    """Draw the loss, and below it what validation speakers gave, epoch by epoch."""
    import plotly.graph_objects as go

    epochs = [entry["epoch"] for entry in history]
    shown = [key for key in history[0] if key == "accuracy_common" or key.startswith(("uar_", "angry_"))]
    labels = {"accuracy_common": "accuracy, six common emotions", "angry_roc_auc": "ROC-AUC, angry"}
    figure = go.Figure(
        go.Scatter(
            x=epochs, y=[entry["loss"] for entry in history], mode="lines+markers", name="training loss",
            line={"color": _RED, "width": 2}, marker={"size": 5, "symbol": "square"},
            hovertemplate="epoch %{x}: loss %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    for (colour, dash, symbol), key in zip(_cycle(len(shown)), shown, strict=True):
        name = labels.get(key, f"UAR, {key.removeprefix('uar_').upper()}")
        figure.add_trace(
            go.Scatter(
                x=epochs, y=[entry.get(key) for entry in history], mode="lines+markers", name=name,
                yaxis="y2", line={"color": colour, "dash": dash, "width": 2},
                marker={"size": 5, "symbol": symbol},
                hovertemplate=f"epoch %{{x}}: {name} %{{y:.3f}}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_shape(
        type="line", x0=best_epoch, x1=best_epoch, y0=0, y1=1, yref="paper",
        line={"color": _GREY, "dash": "dash", "width": 2},
    )  # fmt: skip
    figure.add_annotation(
        x=best_epoch, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"kept: epoch {best_epoch}"
    )
    _lay_out(figure, "Training, epoch by epoch", 620, legend=True, top=78)
    figure.update_layout(
        xaxis={"title": {"text": "Epoch"}, "anchor": "y2"},
        yaxis={"title": {"text": "Training loss"}, "domain": (0.62, 1)},
        yaxis2={
            "title": {"text": "On validation speakers"},
            "domain": (0, 0.54),
            "range": (0, 1.02),
            "anchor": "x",
        },
    )
    return figure


@dataclass(frozen=True)
class Compared:
    """One row of :func:`comparison_figure`.

    Parameters
    ----------
    name : str
    figure : Figure
    kind : str
        A key of :data:`KINDS`.
    note : str
        For the hover: the protocol.
    """

    name: str
    figure: Figure
    kind: str
    note: str


#: Kinds of rows: name, symbol, colour.
KINDS: Final = {
    "own": ("Blipper's models", "circle", _BLUE),
    "yes": ("published, speaker-independent", "diamond", _GREEN),
    "unstated": ("published, speakers perhaps shared", "x", _RED),
    "people": ("people who only heard it", "square", _PURPLE),
}


def comparison_figure(rows: Sequence[Compared], measure: str) -> go.Figure:
    """Draw models and published figures side by side, with a symbol for how each was measured."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for kind, (name, symbol, colour) in KINDS.items():
        own = [row for row in rows if row.kind == kind]
        if own:
            figure.add_trace(
                go.Scatter(
                    x=[row.figure.value for row in own], y=[row.name for row in own], mode="markers",
                    name=name, error_x=_bars([row.figure for row in own]),
                    marker={"size": 12, "symbol": symbol, "color": colour},
                    customdata=[[row.note] for row in own],
                    hovertemplate="%{y}: %{x:.3f}<br>%{customdata[0]}<extra></extra>",
                )
            )  # fmt: skip
    names = list(dict.fromkeys(row.name for row in rows))
    _lay_out(figure, measure, 200 + 38 * len(names), legend=True)
    figure.update_layout(
        xaxis={"title": {"text": measure}, "range": (0, 1.02)},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure


def _now(x: float, y: float, threshold: float) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[x], y=[y], mode="markers", name=f"at threshold {threshold:.2f}",
        marker={"size": 15, "symbol": "star", "color": _RED, "line": {"color": "#FFFFFF", "width": 1}},
        hovertemplate=f"at threshold {threshold:.2f}<extra></extra>",
    )  # fmt: skip


def _bars(figures: Sequence[Figure]) -> dict[str, Any]:
    """Error bars from intervals; none where there is no interval."""
    up = [figure.interval[1] - figure.value if figure.interval else 0.0 for figure in figures]
    down = [figure.value - figure.interval[0] if figure.interval else 0.0 for figure in figures]
    return {
        "type": "data", "symmetric": False, "array": [max(0.0, value) for value in up],
        "arrayminus": [max(0.0, value) for value in down], "thickness": 1.5, "width": 4,
    }  # fmt: skip


def _cycle(n: int) -> list[tuple[str, str, str]]:
    return [_LINES[i % len(_LINES)] for i in range(n)]


def _unit_axes(figure: go.Figure, x: str, y: str) -> go.Figure:
    axis = {"range": (-0.01, 1.02), "tickformat": ".0%", "zeroline": False}
    figure.update_layout(xaxis={**axis, "title": {"text": x}}, yaxis={**axis, "title": {"text": y}})
    return figure


def _lay_out(figure: go.Figure, title: str, height: int, *, legend: bool = False, top: int = 58) -> None:
    figure.update_layout(
        title={"text": title, "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top",
               "pad": {"t": 10}},
        height=height + (40 if legend else 0),
        margin={"l": 62, "r": 16, "t": top, "b": 56 + (70 if legend else 0)},
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        hovermode="closest",
        showlegend=legend,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
