"""The companion's figures over a test set: SHAP's summary plot, and which features each emotion rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from blipper.explain.companion_summary import Summary
from blipper.explain.features import GROUPS
from blipper.explain.targets import TARGETS, target_index
from blipper.figures.explain import sign_scale
from blipper.figures.palette import FEATURE_SCALE
from blipper.figures.style import lay_out

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Standard deviations at which a dot has the full colour.
_FULL: Final = 2.0


def summary_figure(summary: Summary, target: str) -> go.Figure:
    """Draw SHAP's summary plot: one dot a clip and feature group, the strongest group on top.

    Parameters
    ----------
    summary : Summary
    target : str
        Of :data:`blipper.explain.targets.TARGETS`.

    Returns
    -------
    plotly.graph_objects.Figure
        Where a dot lies says what the features give, its colour how they are. Cividis reads the same with any
        colour vision, and the hover says both.
    """
    import plotly.graph_objects as go

    index = target_index(target)
    order = np.argsort(summary.size[index])
    x, y, colour, hover = [], [], [], []
    for row, group in enumerate(order):
        values = summary.values[index][:, group]
        x += list(values)
        y += list(row + _swarm(values))
        colour += list(summary.deviations[:, group])
        hover += [GROUPS[group].name] * len(values)
    figure = go.Figure(
        go.Scatter(
            x=x, y=y, mode="markers", customdata=np.column_stack([hover, np.round(colour, 1)]),
            marker={
                "size": 6, "color": colour, "cmin": -_FULL, "cmax": _FULL, "colorscale": FEATURE_SCALE,
                "line": {"width": 0.5, "color": "#8C8C8C"},
                "colorbar": {
                    "title": {"text": "below (dark) or above (light) the usual, standard deviations",
                              "side": "top"},
                    "orientation": "h", "thickness": 10, "y": -0.2, "yanchor": "top",
                },
            },
            hovertemplate="%{customdata[0]}: gives %{x:+.2f} log-odds,<br>%{customdata[1]} standard "
            "deviations from usual<extra></extra>",
        )
    )  # fmt: skip
    lay_out(figure, f"Named features and the score for {target} (companion)", 190 + 34 * len(order))
    figure.update_layout(
        margin={"b": 130},
        xaxis={"title": {"text": "SHAP value (log-odds)"}, "zeroline": True, "zerolinecolor": "#8C8C8C"},
        yaxis={
            "title": {"text": "Feature group"}, "tickvals": list(range(len(order))), "automargin": True,
            "ticktext": [GROUPS[group].name for group in order], "zeroline": False,
        },
    )  # fmt: skip
    return figure


def rests_on_figure(summary: Summary) -> go.Figure:
    """Draw which feature groups each emotion's own score rests on, on average over clips acted in it."""
    import plotly.graph_objects as go

    rows = [
        k for k in range(len(TARGETS)) if np.isfinite(summary.own[k]).all() and TARGETS[k] != "aggression"
    ]
    values = summary.own[rows]
    bound = float(np.abs(values).max()) or 1.0
    groups = [group.name for group in GROUPS]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=groups, y=[TARGETS[k].capitalize() for k in rows], zmin=-bound, zmax=bound,
            colorscale=sign_scale(1.0),
            # The sign also in writing, for those who do not see the colours.
            text=[[f"{value:+.1f}" for value in row] for row in values], texttemplate="%{text}",
            hovertemplate="%{y}, %{x}: %{z:+.2f} log-odds<extra></extra>",
            colorbar={"title": {"text": "lowers (blue) or raises (vermillion), log-odds", "side": "top"},
                      "orientation": "h", "thickness": 10, "y": -0.42, "yanchor": "top", "nticks": 5,
                      "tickformat": "+.2g"},
        )
    )  # fmt: skip
    lay_out(figure, "Named features that each emotion rests on (companion)", 480)
    figure.update_layout(
        margin={"b": 170, "l": 80},
        xaxis={"title": {"text": "Feature group"}, "tickangle": -40},
        yaxis={"title": {"text": "Acted emotion"}, "autorange": "reversed"},
    )
    return figure


def _swarm(values: np.ndarray) -> np.ndarray:
    """Return heights in [-0.4, 0.4] that keep dots of like values apart: the fuller a bin, the wider."""
    spread = float(np.ptp(values)) or 1.0
    bins = np.floor((values - values.min()) / spread * 40).astype(int)
    heights = np.zeros(len(values))
    fullest = np.bincount(bins).max()
    for number in np.unique(bins):
        inside = np.flatnonzero(bins == number)
        places = np.arange(len(inside)) - (len(inside) - 1) / 2
        heights[inside] = 0.8 * places / max(fullest, 8)
    return heights
