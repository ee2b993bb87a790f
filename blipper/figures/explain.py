"""Figures of explanations: the map over the spectrogram, what-if curves, pieces left out, a whole recording.

What raised a score is vermillion, what lowered it blue: the pair of Okabe and Ito's palette that every kind
of colour vision tells apart. In profiles and bars the sign is also the side of the zero line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.explain.attribution import Attribution
from blipper.explain.features import Named
from blipper.explain.overview import Overview
from blipper.explain.pieces import LeftOut
from blipper.explain.what_if import WhatIf
from blipper.figures.palette import OKABE_ITO
from blipper.figures.style import TRANSPARENT, as_text, lay_out

if TYPE_CHECKING:
    import plotly.graph_objects as go

RAISES: Final = OKABE_ITO["vermillion"]
LOWERS: Final = OKABE_ITO["blue"]
_RAISES_RGB, _LOWERS_RGB = (213, 94, 0), (0, 114, 178)
#: Columns and rows of a map at most: more cannot be seen.
COLUMNS: Final = 600
#: Hz that are named at the axis of bands.
_NAMED_HZ: Final = (100, 200, 500, 1000, 2000, 4000, 7000)

Float = NDArray[np.floating[Any]]


def attribution_figure(
    attribution: Attribution, *, strength: float = 0.8, contrast: float = 0.99
) -> go.Figure:
    """Lay contributions over the spectrogram, with their sums over bands and over time at the edges.

    Parameters
    ----------
    attribution : Attribution
    strength : float
        Opacity of the strongest contributions, 0 (the spectrogram alone) to 1.
    contrast : float
        Quantile of the contributions' size that gets the full opacity, in (0, 1].

    Returns
    -------
    plotly.graph_objects.Figure
    """
    import plotly.graph_objects as go

    times, values, levels = _columns(attribution)
    width = attribution.step * -(-len(attribution.values) // COLUMNS)
    rows = np.arange(values.shape[1])
    bound = max(float(np.quantile(np.abs(values), contrast)), 1e-9)
    top = float(np.nanmax(levels)) if np.isfinite(levels).any() else 0.0
    profile = values.sum(axis=1)
    bands = attribution.band_profile
    figure = go.Figure([
        go.Heatmap(
            x=times, y=rows, z=levels.T, colorscale="Greys", reversescale=False, zmin=top - 60, zmax=top,
            showscale=False, hoverinfo="skip", name="spectrogram",
        ),
        go.Heatmap(
            x=times, y=rows, z=values.T, zmin=-bound, zmax=bound, colorscale=sign_scale(strength),
            customdata=np.dstack([
                np.broadcast_to(attribution.bands[:, None], values.T.shape), np.nan_to_num(levels.T),
            ]),
            hovertemplate="%{x:.2f} s, %{customdata[0]:.0f} Hz<br>contribution %{z:+.4f}<br>"
            "level %{customdata[1]:.0f} dB<extra></extra>",
            colorbar={
                "title": {"text": "lowers (blue) or raises (vermillion), log-odds", "side": "top"},
                "orientation": "h", "thickness": 10, "x": 0.42, "len": 0.84, "y": -0.16, "yanchor": "top",
                "tickformat": "+.2g", "nticks": 5,
            },
            name="contributions",
        ),
        *_filled(times, profile),
        go.Bar(
            x=bands, y=rows, orientation="h", xaxis="x2", yaxis="y",
            marker={"color": [RAISES if value > 0 else LOWERS for value in bands], "line": {"width": 0}},
            customdata=attribution.bands, showlegend=False,
            hovertemplate="%{customdata:.0f} Hz: %{x:+.3f} log-odds<extra></extra>", name="band",
        ),
    ])  # fmt: skip
    named = [hz for hz in _NAMED_HZ if attribution.bands[0] <= hz <= attribution.bands[-1]]
    what = "aggression" if attribution.target == "aggression" else attribution.target
    side = {"zeroline": True, "zerolinecolor": "#8C8C8C", "zerolinewidth": 1}
    figure.update_layout(
        title={"text": f"What moved the score for {what}", "x": 0, "xanchor": "left", "yref": "container",
               "y": 1, "yanchor": "top", "pad": {"t": 10}},
        height=580, margin={"l": 62, "r": 16, "t": 52, "b": 116},
        paper_bgcolor=TRANSPARENT, plot_bgcolor=TRANSPARENT, hovermode="closest", showlegend=False, bargap=0,
        xaxis={"domain": (0, 0.84), "title": {"text": "Time (s)"}, "anchor": "y", "zeroline": False,
               "range": (attribution.start, attribution.end), "exponentformat": "none"},
        yaxis={"domain": (0, 0.76), "title": {"text": "Frequency (Hz)"}, "zeroline": False,
               "tickvals": np.interp(named, attribution.bands, rows), "ticktext": [f"{hz:,}" for hz in named],
               "range": (-0.5, len(rows) - 0.5)},
        xaxis2={"domain": (0.86, 1.0), "anchor": "y", "title": {"text": "per band"}, "nticks": 3, **side},
        yaxis2={"domain": (0.80, 1.0), "anchor": "x", "title": {"text": f"per {1000 * width:.0f} ms"},
                "nticks": 3, **side},
    )  # fmt: skip
    return figure


def what_if_figure(curves: Sequence[WhatIf], threshold: float | None = None) -> go.Figure:
    """Draw the score over each change, side by side on one scale.

    Parameters
    ----------
    curves : sequence of WhatIf
        At least one.
    threshold : float, optional
        Drawn as a dotted line.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    columns = 2 if len(curves) > 1 else 1
    rows = -(-len(curves) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=[curve.change.label for curve in curves],
        shared_yaxes=True, vertical_spacing=0.28 / max(1, rows - 1), horizontal_spacing=0.06,
    )  # fmt: skip
    for number, curve in enumerate(curves):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        change = curve.change
        same = [step == change.unchanged for step in change.steps]
        figure.add_trace(
            go.Scatter(
                x=change.steps, y=curve.scores, mode="lines+markers", name=change.label,
                line={"color": RAISES, "width": 2},
                marker={
                    "size": [13 if unchanged else 7 for unchanged in same],
                    "symbol": ["circle-open" if unchanged else "circle" for unchanged in same],
                    "color": RAISES,
                },
                hovertemplate=f"%{{x}} {change.unit}: score %{{y:.2f}}<extra></extra>",
            ),
            **place,
        )  # fmt: skip
        figure.add_hline(
            y=curve.original, line={"color": LOWERS, "dash": "dash", "width": 1}, **place,
        )  # fmt: skip
        if threshold is not None:
            figure.add_hline(
                y=threshold, line={"color": OKABE_ITO["grey"], "dash": "dot", "width": 1}, **place
            )
        reverse = "reversed" if change.name == "noise" else None
        figure.update_xaxes(title_text=f"{change.label} ({change.unit})", autorange=reverse, **place)
    figure.update_yaxes(range=(-0.03, 1.03), zeroline=False)
    figure.update_yaxes(title_text="Score", col=1)
    lay_out(figure, "What if: the score of the changed sound", 90 + 260 * rows)
    return figure


def pieces_figure(pieces: Sequence[LeftOut]) -> go.Figure:
    """Draw what each piece gives the score: bars over time, to the side of zero to which it moves it."""
    import plotly.graph_objects as go

    effects = [piece.effect for piece in pieces]
    figure = go.Figure(
        go.Bar(
            x=[(piece.start + piece.end) / 2 for piece in pieces],
            width=[0.94 * (piece.end - piece.start) for piece in pieces],
            y=effects,
            text=[as_text(piece.text) for piece in pieces],  # Plotly reads markup
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [RAISES if effect > 0 else LOWERS for effect in effects],
                "pattern": {"shape": ["" if effect > 0 else "/" for effect in effects]},
            },
            customdata=[[piece.start, piece.end, piece.score] for piece in pieces],
            hovertemplate="%{text} %{customdata[0]:.2f} to %{customdata[1]:.2f} s<br>gives %{y:+.2f} log-odds"
            "<br>without it the score is %{customdata[2]:.2f}<extra></extra>",
        )
    )
    lay_out(figure, "What each piece gives the score", 300)
    figure.update_layout(
        xaxis={"title": {"text": "Time (s)"}, "zeroline": False},
        yaxis={"title": {"text": "Log-odds"}, "zeroline": True, "zerolinecolor": "#8C8C8C"},
    )
    return figure


def overview_figure(overview: Overview) -> go.Figure:
    """Draw which seconds and which bands carry a whole recording's score."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1, cols=2, column_widths=[0.7, 0.3], horizontal_spacing=0.12,
        subplot_titles=["Windows", "Bands"],
    )  # fmt: skip
    middles = (overview.starts + overview.ends) / 2
    for trace in _filled(middles, overview.contributions, axis="y", markers=True):
        figure.add_trace(trace, row=1, col=1)
    figure.add_trace(
        go.Bar(
            x=overview.band_profile, y=np.arange(len(overview.bands)), orientation="h",
            marker={"color": [RAISES if value > 0 else LOWERS for value in overview.band_profile]},
            customdata=overview.bands,
            hovertemplate="%{customdata:.0f} Hz: %{x:+.3f} log-odds<extra></extra>",
        ),
        row=1, col=2,
    )  # fmt: skip
    named = [hz for hz in _NAMED_HZ if overview.bands[0] <= hz <= overview.bands[-1]]
    figure.update_xaxes(title_text="Time (s)", zeroline=False, row=1, col=1)
    figure.update_yaxes(title_text="Log-odds", zerolinecolor="#8C8C8C", row=1, col=1)
    figure.update_xaxes(title_text="Log-odds", zerolinecolor="#8C8C8C", nticks=4, row=1, col=2)
    figure.update_yaxes(
        title_text="Frequency (Hz)", zeroline=False, row=1, col=2,
        tickvals=np.interp(named, overview.bands, np.arange(len(overview.bands))),
        ticktext=[f"{hz:,}" for hz in named],
    )  # fmt: skip
    lay_out(figure, f"What carries the score for {overview.target}", 380)
    figure.update_layout(bargap=0)
    return figure


def moments_figure(
    times: Float, scores: Float, *, threshold: float, chosen: tuple[float, float] | None, target: str
) -> go.Figure:
    """Draw each window's score as a curve whose points can be chosen.

    Parameters
    ----------
    times, scores : numpy.ndarray, shape (n,)
        Middles of the windows in seconds, and their scores.
    threshold : float
    chosen : (start, end), optional
        Seconds; shaded.
    target : str

    Returns
    -------
    plotly.graph_objects.Figure
        One trace; its points are the windows, in order.
    """
    import plotly.graph_objects as go

    figure = go.Figure(
        go.Scatter(
            x=times, y=scores, mode="lines+markers", line={"color": RAISES, "width": 1.5},
            marker={"size": 7, "color": RAISES}, hovertemplate="%{x:.1f} s: score %{y:.2f}<extra></extra>",
            selected={"marker": {"size": 13, "color": LOWERS}}, unselected={"marker": {"opacity": 0.8}},
        )
    )  # fmt: skip
    if target == "aggression":
        figure.add_hline(y=threshold, line={"color": OKABE_ITO["grey"], "dash": "dot", "width": 1})
    if chosen is not None:
        figure.add_vrect(
            x0=chosen[0], x1=chosen[1], fillcolor=OKABE_ITO["sky blue"], opacity=0.25, line_width=1,
            annotation_text="explained", annotation_position="top left",
        )  # fmt: skip
    lay_out(figure, f"Score for {target}: click a point to explain it", 240)
    figure.update_layout(
        xaxis={"title": {"text": "Time (s)"}, "zeroline": False, "exponentformat": "none"},
        yaxis={"title": {"text": "Score"}, "range": (-0.03, 1.06), "zeroline": False},
        clickmode="event+select",
        dragmode="zoom",
    )
    return figure


def waterfall_range(base: float, steps: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a waterfall's axis, with room for the numbers beside its bars on a phone, too."""
    levels = np.cumsum([base, *steps])
    low, high = min(0.0, float(levels.min())), max(0.0, float(levels.max()))
    room = (high - low) or 1.0
    return low - 0.2 * room, high + 0.35 * room


def waterfall_figure(named: Named) -> go.Figure:
    """Draw how groups of named features lead from usual speech to the companion's score, in log-odds."""
    import plotly.graph_objects as go

    shares = named.shares
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            base=named.base,
            y=[share.label for share in shares] + ["together"],
            x=[share.value for share in shares] + [None],
            measure=["relative"] * len(shares) + ["total"],
            text=[f"{share.value:+.2f}" for share in shares] + [f"score {named.score:.2f}"],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": RAISES}},
            decreasing={"marker": {"color": LOWERS}},
            totals={"marker": {"color": OKABE_ITO["grey"]}},
            connector={"line": {"width": 1, "color": OKABE_ITO["grey"], "dash": "dot"}},
            customdata=[share.deviation for share in shares] + [0.0],
            hovertemplate="%{y}: %{delta:+.2f} log-odds, %{customdata:+.1f} standard deviations from usual"
            "<extra></extra>",
        )
    )
    lay_out(figure, "By named features (companion)", 480)
    figure.update_layout(
        margin={"l": 170},
        xaxis={
            "title": {"text": "Log-odds"}, "zeroline": True, "zerolinecolor": "#8C8C8C",
            "range": waterfall_range(named.base, [share.value for share in shares]),
        },
        yaxis={"title": {"text": "Feature group"}, "autorange": "reversed", "automargin": True},
    )  # fmt: skip
    return figure


def faithfulness_figure(found: Mapping[str, Any]) -> go.Figure:
    """Draw deletion and insertion curves of each order of blocks.

    Parameters
    ----------
    found : mapping
        What :func:`blipper.explain.trust.read_explanations` returns.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=["Taken out", "Put in"], horizontal_spacing=0.1)
    looks = {
        "integrated gradients": (RAISES, "solid", "circle"),
        "shap": (OKABE_ITO["reddish purple"], "dash", "square"),
        "random": (OKABE_ITO["grey"], "dot", "x"),
        "loudness": (LOWERS, "dashdot", "diamond"),
    }
    for name, part in found["curves"].items():
        colour, dash, symbol = looks[name]
        for column, kind in enumerate(("deletion", "insertion"), start=1):
            figure.add_trace(
                go.Scatter(
                    x=[100 * share for share in found["shares"]], y=part[kind], mode="lines+markers",
                    name="SHAP" if name == "shap" else name.capitalize(), legendgroup=name,
                    showlegend=column == 1, line={"color": colour, "dash": dash, "width": 2},
                    marker={"symbol": symbol, "size": 7},
                    hovertemplate=f"{name}, %{{x:.0f}} % of the blocks: %{{y:+.2f}} log-odds<extra></extra>",
                ),
                row=1, col=column,
            )  # fmt: skip
    lay_out(figure, "Do the cells named first matter most?", 420)
    figure.update_xaxes(title_text="Blocks (%)", zeroline=False)
    figure.update_yaxes(title_text="Away from neutral (log-odds)", zerolinecolor="#8C8C8C", row=1, col=1)
    figure.update_yaxes(zerolinecolor="#8C8C8C", row=1, col=2)
    figure.update_layout(
        showlegend=True, margin={"b": 110},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure


def band_profiles_figure(found: Mapping[str, Any]) -> go.Figure:
    """Draw which bands each emotion's own score rests on, on average over clips acted in it."""
    import plotly.graph_objects as go

    emotions = list(found["band_profiles"])
    values = np.array([found["band_profiles"][emotion]["mean"] for emotion in emotions])
    bound = float(np.abs(values).max()) or 1.0
    bands = np.array(found["bands_hz"])
    named = [hz for hz in _NAMED_HZ if bands[0] <= hz <= bands[-1]]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=np.arange(len(bands)), y=[emotion.capitalize() for emotion in emotions],
            zmin=-bound, zmax=bound, colorscale=sign_scale(1.0),
            customdata=np.broadcast_to(bands, values.shape),
            hovertemplate="%{y}, %{customdata:.0f} Hz: %{z:+.3f} log-odds<extra></extra>",
            colorbar={"title": {"text": "lowers (blue) or raises (vermillion), log-odds", "side": "top"},
                      "orientation": "h", "thickness": 10, "y": -0.28, "yanchor": "top",
                      "tickformat": "+.2g", "nticks": 5},
        )
    )  # fmt: skip
    lay_out(figure, "Bands that each emotion's score rests on", 440)
    figure.update_layout(
        margin={"b": 130, "l": 80},
        xaxis={"title": {"text": "Frequency (Hz)"}, "zeroline": False,
               "tickvals": np.interp(named, bands, np.arange(len(bands))),
               "ticktext": [f"{hz:,}" for hz in named]},
        yaxis={"title": {"text": "Acted emotion"}, "autorange": "reversed"},
    )  # fmt: skip
    return figure


def _filled(x: Float, y: Float, axis: str = "y2", *, markers: bool = False) -> list[Any]:
    """Return a line in two parts, filled to zero: what raises and what lowers."""
    import plotly.graph_objects as go

    parts = []
    for name, colour, rgb, part in (
        ("raises", RAISES, _RAISES_RGB, np.clip(y, 0, None)),
        ("lowers", LOWERS, _LOWERS_RGB, np.clip(y, None, 0)),
    ):
        parts.append(
            go.Scatter(
                x=x, y=part, yaxis=axis, mode="lines+markers" if markers else "lines", fill="tozeroy",
                line={"color": colour, "width": 1}, marker={"size": 4}, showlegend=False,
                fillcolor=f"rgba({rgb[0]},{rgb[1]},{rgb[2]},0.45)", name=name,
                customdata=y, hovertemplate="%{x:.2f} s: %{customdata:+.3f} log-odds<extra></extra>",
            )
        )  # fmt: skip
    return parts


def sign_scale(strength: float) -> list[list[Any]]:
    """Blue over transparent to vermillion; the square root lets weak contributions still be seen."""
    stops: list[list[Any]] = []
    for share in np.linspace(-1, 1, 17):
        red, green, blue = _RAISES_RGB if share > 0 else _LOWERS_RGB
        opacity = strength * abs(share) ** 0.7
        stops.append([float((share + 1) / 2), f"rgba({red},{green},{blue},{opacity:.3f})"])
    return stops


def _columns(attribution: Attribution) -> tuple[Float, Float, Float]:
    """Return times, contributions and levels with at most :data:`COLUMNS` columns, frames added together."""
    width = -(-len(attribution.values) // COLUMNS)
    edges = np.arange(0, len(attribution.values), width)
    values = np.add.reduceat(attribution.values, edges, axis=0)
    heard = np.isfinite(attribution.inputs)
    counts = np.add.reduceat(heard, edges, axis=0)
    sums = np.add.reduceat(np.where(heard, attribution.inputs, 0.0), edges, axis=0)
    levels = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    middles = attribution.times[edges] + width * attribution.step / 2
    return middles, values, levels
