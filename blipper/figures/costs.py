"""The price of a volume, service beside service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blipper.figures.evaluation_style import lay_out
from blipper.figures.palette import OKABE_ITO

if TYPE_CHECKING:
    import plotly.graph_objects as go


def costs_figure(own: Sequence[tuple[str, float]], cloud: Sequence[tuple[str, float]]) -> go.Figure:
    """Draw prices as bars: one's own machine with a pattern, cloud services plain.

    Parameters
    ----------
    own, cloud : sequence of (str, float)
        Name and price in US dollars; each is drawn from top to bottom in the order given.
    """
    import plotly.graph_objects as go

    names = [name for name, _ in (*own, *cloud)]
    figure = go.Figure()
    for rows, label, colour, pattern in (
        (own, "this machine", OKABE_ITO["bluish green"], "/"),
        (cloud, "cloud service", OKABE_ITO["blue"], ""),
    ):
        if rows:
            figure.add_bar(
                x=[price for _, price in rows],
                y=[name for name, _ in rows],
                orientation="h",
                name=label,
                marker={"color": colour, "pattern": {"shape": pattern}},
                text=[f"${price:,.2f}" for _, price in rows],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}: $%{x:,.2f}<extra></extra>",
            )
    lay_out(figure, "Price of the volume", 150 + 32 * len(names), top=78)
    top = max((price for _, price in (*own, *cloud)), default=0) or 1
    figure.update_layout(
        xaxis={"title": {"text": "US dollars"}, "range": (0, 1.22 * top), "tickprefix": "$"},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure
