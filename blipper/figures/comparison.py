"""Figures that set groups, epochs and models side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from blipper.figures.evaluation_style import BLUE, GREEN, GREY, PURPLE, RED, bars, cycle, lay_out

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.groups import GroupFigure
    from blipper.measures import Figure


def groups_figure(rows: Sequence[GroupFigure], measure: str, overall: float) -> go.Figure:
    """Draw each group's figure with its interval, and that of all clips as a line."""
    import plotly.graph_objects as go

    names = [row.group for row in rows]
    figure = go.Figure(
        go.Scatter(
            x=[row.figure.value for row in rows], y=names, mode="markers", name="group, 95 % interval",
            error_x=bars([row.figure for row in rows]),
            marker={"size": 11, "symbol": "diamond", "color": BLUE},
            customdata=[[row.clips, row.speakers] for row in rows],
            hovertemplate="%{y}: %{x:.3f}<br>%{customdata[0]} clips of %{customdata[1]} speakers"
            "<extra></extra>",
        )
    )  # fmt: skip
    if math.isfinite(overall):
        figure.add_vline(
            x=overall, line={"color": GREY, "dash": "dot", "width": 2},
            annotation={"text": f"all {overall:.3f}", "showarrow": False, "yref": "paper", "y": 1.0,
                        "yanchor": "bottom"},
        )  # fmt: skip
    lay_out(figure, measure, 170 + 34 * len(rows), top=78)
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
            line={"color": RED, "width": 2}, marker={"size": 5, "symbol": "square"},
            hovertemplate="epoch %{x}: loss %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    for (colour, dash, symbol), key in zip(cycle(len(shown)), shown, strict=True):
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
        line={"color": GREY, "dash": "dash", "width": 2},
    )  # fmt: skip
    figure.add_annotation(
        x=best_epoch, y=1, yref="paper", yanchor="bottom", showarrow=False, text=f"kept: epoch {best_epoch}"
    )
    lay_out(figure, "Training, epoch by epoch", 620, legend=True, top=78)
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
    "own": ("Blipper's models", "circle", BLUE),
    "yes": ("published, speaker-independent", "diamond", GREEN),
    "unstated": ("published, speakers perhaps shared", "x", RED),
    "people": ("people who only heard it", "square", PURPLE),
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
                    name=name, error_x=bars([row.figure for row in own]),
                    marker={"size": 12, "symbol": symbol, "color": colour},
                    customdata=[[row.note] for row in own],
                    hovertemplate="%{y}: %{x:.3f}<br>%{customdata[0]}<extra></extra>",
                )
            )  # fmt: skip
    names = list(dict.fromkeys(row.name for row in rows))
    lay_out(figure, measure, 200 + 38 * len(names), legend=True)
    figure.update_layout(
        xaxis={"title": {"text": measure}, "range": (0, 1.02)},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure
