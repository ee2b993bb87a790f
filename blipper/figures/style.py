"""What all figures have in common: transparent grounds, panels on one time axis, titles, hover.

No text colour is set, so that a page's theme (dark or light) decides it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Nothing is painted behind a figure.
TRANSPARENT = "rgba(0,0,0,0)"

#: Pixels between panels (a title line), above the first (title and toolbar) and below the last (the axis).
GAP, TOP, BOTTOM = 44, 58, 48


@dataclass(frozen=True, eq=False)
class Panel:
    """One chart among those stacked over one time axis.

    Parameters
    ----------
    title : str
    traces : list of plotly traces
        Without axes; those with a colour bar get it beside the panel.
    y : dict
        Properties of the y axis (title with unit, range, ...).
    height : int
        In pixels.
    """

    title: str
    traces: list[Any]
    y: dict[str, Any]
    height: int = 160


def stack(
    panels: Sequence[Panel], *, start: float, end: float, title: str | None = None, legend: bool = False
) -> go.Figure:
    """Stack panels into one figure in which zooming one zooms all.

    Parameters
    ----------
    panels : sequence of Panel
        From top to bottom; none give an empty figure.
    start, end : float
        What the time axis shows at first, in seconds.
    title : str, optional
    legend : bool
        Whether the traces' names stand in a legend below.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace lies on the one x axis, so a cursor line runs through all panels.
    """
    import plotly.graph_objects as go

    top = TOP + (24 if title else 0)
    bottom = BOTTOM + (70 if legend else 0)
    height = sum(panel.height for panel in panels) + GAP * max(0, len(panels) - 1)
    figure = go.Figure()
    offset = 0
    for number, panel in enumerate(panels, start=1):
        key = "" if number == 1 else str(number)
        upper = 1 - offset / height
        lower = max(0.0, upper - panel.height / height)
        offset += panel.height + GAP
        figure.update_layout({
            f"yaxis{key}": {
                "domain": (lower, upper), "anchor": "x", "automargin": False, "title_standoff": 4,
                "zeroline": False, **panel.y,
            }
        })  # fmt: skip
        for trace in panel.traces:
            trace.update(xaxis="x", yaxis=f"y{key}")
            if getattr(trace, "showscale", None):
                trace.colorbar.update(
                    x=1.0, y=(lower + upper) / 2, yanchor="middle", len=panel.height, lenmode="pixels"
                )
            figure.add_trace(trace)
        figure.add_annotation(
            text=f"<b>{panel.title}</b>", x=0, xref="paper", xanchor="left", y=upper, yref="paper",
            yanchor="bottom", yshift=3, showarrow=False, align="left",
        )  # fmt: skip
    figure.update_layout(
        height=height + top + bottom,
        margin={"l": 62, "r": 16, "t": top, "b": bottom},
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        hovermode="closest",
        spikedistance=-1,
        dragmode="zoom",
        showlegend=legend,
        legend={
            "orientation": "h",
            "traceorder": "normal",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
        },
        xaxis={
            "title": {"text": "Time (s)"},
            "range": (start, end),
            "anchor": f"y{len(panels) if len(panels) > 1 else ''}",
            "showspikes": True,
            "spikemode": "across",
            "spikesnap": "cursor",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": "#8C8C8C",
            "zeroline": False,
            "exponentformat": "none",
            "unifiedhovertitle": {"text": "%{x:.2f} s"},
        },
    )
    if title:
        figure.update_layout(title={"text": title, "x": 0, "xanchor": "left", "yref": "container", "y": 1,
                                    "yanchor": "top", "pad": {"t": 10}})  # fmt: skip
    return figure


def lay_out(figure: go.Figure, title: str, height: int) -> None:
    """Give a figure that stands alone its title, height in pixels, margins and grounds."""
    figure.update_layout(
        title={"text": title, "x": 0, "xanchor": "left", "yref": "container", "y": 1, "yanchor": "top",
               "pad": {"t": 10}},
        height=height, margin={"l": 62, "r": 16, "t": 66, "b": 50}, showlegend=False,
        paper_bgcolor=TRANSPARENT, plot_bgcolor=TRANSPARENT, hovermode="closest",
    )  # fmt: skip


def as_text(text: str) -> str:
    """Return text from outside so that Plotly, which reads markup, shows it as it stands."""
    return html.escape(text, quote=False)
