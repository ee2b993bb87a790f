"""The last two minutes of a live stream, rolling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from blipper.figures.palette import CURVE_COLOUR, EVENT_COLOUR, SPEECH_COLOUR, THRESHOLD_COLOUR
from blipper.figures.style import Panel, stack
from blipper.figures.timeline import STRIP, bands

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.live import CurvePoint


def live_figure(
    points: Sequence[CurvePoint],
    provisional: Sequence[tuple[float, float]],
    events: Sequence[tuple[float, float]],
    *,
    now: float,
    threshold: float,
    shown: float = 120.0,
) -> go.Figure:
    """Draw the curve of the last seconds, with its threshold, its events and where speech is.

    Parameters
    ----------
    points : sequence of CurvePoint
        The settled part, in order.
    provisional : sequence of (float, float)
        Times and scores of the newest cells, which the next windows may still change.
    events : sequence of (float, float)
        Starts and ends, in seconds of the stream.
    now : float
        Seconds heard so far; the right edge.
    threshold : float
    shown : float
        Seconds on the axis.

    Returns
    -------
    plotly.graph_objects.Figure
        Its time axis counts back from now, so that it stands still while the curve moves.
    """
    import plotly.graph_objects as go

    speech = [(p.start - now, p.end - now) for p in points if p.aggression == p.aggression]
    ahead = [(points[-1].end - points[-1].start) / 2] if points else [0.25]
    loose = [(time - now, score) for time, score in provisional]
    if loose and points and points[-1].aggression == points[-1].aggression:  # the dotted line goes on from it
        loose.insert(0, (points[-1].end - ahead[0] - now, points[-1].aggression))
    traces = [
        bands(speech, STRIP, "Speech", SPEECH_COLOUR, 0.9),
        bands([(start - now, end - now) for start, end in events], (0.0, 1.0), "Event", EVENT_COLOUR, 0.18),
        go.Scatter(
            x=[(p.start + p.end) / 2 - now for p in points],
            y=[p.aggression for p in points],
            mode="lines+markers",
            name="Aggression score",
            line={"color": CURVE_COLOUR, "width": 2},
            marker={"size": 3},
            connectgaps=False,
            hovertemplate="%{y:.2f}",
        ),
        go.Scatter(
            x=[time for time, _ in loose],
            y=[score for _, score in loose],
            mode="lines",
            name="Not settled yet",
            line={"color": CURVE_COLOUR, "width": 2, "dash": "dot"},
            hovertemplate="%{y:.2f}, may still change",
        ),
        go.Scatter(
            x=[-shown, 0.0],
            y=[threshold, threshold],
            mode="lines",
            name=f"Threshold {threshold:.2f}",
            line={"color": THRESHOLD_COLOUR, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        ),
    ]
    axis = {"title": {"text": "Score (0 to 1)"}, "range": (-0.13, 1.08), "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    panel = Panel("Aggression: how much the voice sounds angry", traces, axis, height=240)
    figure = stack([panel], start=-shown, end=0.0, title="The last two minutes", legend=True)
    figure.update_xaxes(title_text="Time before now (s)")
    figure.update_layout(hovermode="x unified", uirevision="live")
    return figure
