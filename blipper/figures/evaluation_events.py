"""Figures of events: what a threshold does in conversations, alarms by condition, corpora left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blipper.figures.evaluation_style import BLUE, GREEN, GREY, PURPLE, RED, bars, lay_out
from blipper.measures import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure_of(entry: Mapping[str, Any]) -> Figure:
    """Read a figure as ``metrics.json`` has it: ``value`` and ``interval``."""
    value, bounds = entry.get("value"), entry.get("interval")
    return Figure(
        float("nan") if value is None else float(value),
        None if bounds is None else (float(bounds[0]), float(bounds[1])),
    )


def scenes_figure(thresholds: Mapping[str, Mapping[str, Any]], chosen: float) -> go.Figure:
    """Draw precision, recall and F1 of events over the threshold, and below it the false alarms an hour.

    Parameters
    ----------
    thresholds : mapping
        ``thresholds`` of the scenes in ``metrics.json``.
    chosen : float
        Where the marker line lies.
    """
    import plotly.graph_objects as go

    steps = [float(step) for step in thresholds]
    figure = go.Figure()
    looks = {"recall": (BLUE, "solid"), "precision": (RED, "dash"), "f1": (GREEN, "dot")}
    for name, (colour, dash) in looks.items():
        title = "F1" if name == "f1" else name
        figure.add_trace(
            go.Scatter(
                x=steps, y=[entry[name]["value"] for entry in thresholds.values()], mode="lines", name=title,
                line={"color": colour, "dash": dash, "width": 2.5},
                hovertemplate=f"threshold %{{x:.2f}}: {title} %{{y:.3f}}<extra></extra>",
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=steps, y=[entry["false_alarms_per_hour"]["value"] for entry in thresholds.values()],
            mode="lines+markers", name="false alarms an hour", yaxis="y2",
            line={"color": PURPLE, "dash": "dashdot", "width": 2}, marker={"size": 5, "symbol": "diamond"},
            hovertemplate="threshold %{x:.2f}: %{y:.1f} an hour<extra></extra>",
        )
    )  # fmt: skip
    figure.add_shape(
        type="line", x0=chosen, x1=chosen, y0=0, y1=1, yref="paper",
        line={"color": GREY, "dash": "dash", "width": 2},
    )  # fmt: skip
    lay_out(figure, "Events in conversations, by threshold", 520, legend=True)
    figure.update_layout(
        xaxis={"title": {"text": "Threshold (aggression score)"}, "range": (0, 1), "anchor": "y2"},
        yaxis={"title": {"text": "Share of events or stretches"}, "range": (0, 1.02), "domain": (0.46, 1)},
        yaxis2={
            "title": {"text": "False alarms an hour"},
            "domain": (0, 0.38),
            "anchor": "x",
            "rangemode": "tozero",
        },
    )
    return figure


def conditions_figure(speech: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Draw false alarms an hour on neutral and happy speech by condition, and the angry clips found.

    Parameters
    ----------
    speech : mapping
        ``alarms.speech`` of ``metrics.json``: condition to kind.
    """
    import plotly.graph_objects as go

    names = list(speech)
    figure = go.Figure()
    for kind, colour, symbol in (("neutral", BLUE, "circle"), ("happy", RED, "square")):
        figures = [figure_of(speech[name][kind]["per_hour"]) for name in names]
        figure.add_trace(
            go.Scatter(
                x=[one.value for one in figures], y=names, mode="markers",
                name=f"{kind} speech, alarms an hour",
                error_x=bars(figures), marker={"size": 11, "symbol": symbol, "color": colour},
                hovertemplate=f"%{{y}}, {kind}: %{{x:.1f}} an hour<extra></extra>",
            )
        )  # fmt: skip
    found = [figure_of(speech[name]["angry"]["share"]) for name in names]
    figure.add_trace(
        go.Scatter(
            x=[one.value for one in found], y=names, mode="markers", name="angry clips found", xaxis="x2",
            error_x=bars(found), marker={"size": 11, "symbol": "diamond", "color": GREEN},
            hovertemplate="%{y}: %{x:.1%} of the angry clips<extra></extra>",
        )
    )  # fmt: skip
    lay_out(figure, "False alarms, and what is found in the same sound", 210 + 44 * len(names), legend=True)
    figure.update_layout(
        xaxis={"title": {"text": "Alarms an hour"}, "domain": (0, 0.56), "rangemode": "tozero"},
        xaxis2={
            "title": {"text": "Found"},
            "dtick": 0.5,
            "domain": (0.62, 1),
            "range": (0, 1.02),
            "tickformat": ".0%",
            "anchor": "y",
        },
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1]},
    )
    return figure


def corpora_figure(rows: Sequence[tuple[str, Figure, Figure | None]], measure: str) -> go.Figure:
    """Draw a figure for each corpus: the corpus left out whole, beside other speakers of it in training.

    Parameters
    ----------
    rows : sequence of (str, Figure, Figure or None)
        Name of the corpus, the figure with it left out, and with its other speakers taught.
    measure : str
    """
    import plotly.graph_objects as go

    names = [name for name, *_ in rows]
    within = [(name, inside) for name, _, inside in rows if inside is not None]
    figure = go.Figure(
        go.Scatter(
            x=[left.value for _, left, _ in rows], y=names, mode="markers", name="corpus never heard",
            error_x=bars([left for _, left, _ in rows]),
            marker={"size": 12, "symbol": "square", "color": RED},
            hovertemplate="%{y}, never heard: %{x:.3f}<extra></extra>",
        )
    )  # fmt: skip
    if within:
        figure.add_trace(
            go.Scatter(
                x=[inside.value for _, inside in within], y=[name for name, _ in within], mode="markers",
                name="its other speakers taught", error_x=bars([inside for _, inside in within]),
                marker={"size": 12, "symbol": "circle", "color": BLUE},
                hovertemplate="%{y}, its other speakers taught: %{x:.3f}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(figure, measure, 200 + 44 * len(names), legend=True)
    figure.update_layout(
        xaxis={"title": {"text": measure}, "range": (0, 1.02)},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1]},
    )
    return figure
