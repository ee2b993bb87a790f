"""What the figures of an evaluation have in common: colours with dashes and symbols, error bars, layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from blipper.figures.palette import OKABE_ITO
from blipper.figures.style import TRANSPARENT

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.measures import Figure

BLUE: Final = OKABE_ITO["blue"]
RED: Final = OKABE_ITO["vermillion"]
GREEN: Final = OKABE_ITO["bluish green"]
PURPLE: Final = OKABE_ITO["reddish purple"]
GREY: Final = OKABE_ITO["grey"]
#: Colour, dash and symbol of the first, second, ... line of a figure.
LINES: Final = (
    (BLUE, "solid", "circle"),
    (RED, "dash", "square"),
    (GREEN, "dot", "diamond"),
    (PURPLE, "dashdot", "triangle-up"),
    (GREY, "longdash", "x"),
)


def bars(figures: Sequence[Figure]) -> dict[str, Any]:
    """Error bars from intervals; none where there is no interval."""
    up = [figure.interval[1] - figure.value if figure.interval else 0.0 for figure in figures]
    down = [figure.value - figure.interval[0] if figure.interval else 0.0 for figure in figures]
    return {
        "type": "data", "symmetric": False, "array": [max(0.0, value) for value in up],
        "arrayminus": [max(0.0, value) for value in down], "thickness": 1.5, "width": 4,
    }  # fmt: skip


def cycle(n: int) -> list[tuple[str, str, str]]:
    """Return the looks of `n` lines: colour, dash and symbol."""
    return [LINES[i % len(LINES)] for i in range(n)]


def unit_axes(figure: go.Figure, x: str, y: str) -> go.Figure:
    """Set both axes to shares from 0 to 1, with these titles."""
    axis = {"range": (-0.01, 1.02), "tickformat": ".0%", "zeroline": False}
    figure.update_layout(xaxis={**axis, "title": {"text": x}}, yaxis={**axis, "title": {"text": y}})
    return figure


def lay_out(figure: go.Figure, title: str, height: int, *, legend: bool = False, top: int = 58) -> None:
    """Set the title, the height and the legend below; clear grounds."""
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
