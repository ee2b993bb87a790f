"""Figures of a result: the aggression curve with its threshold, events and speech, and the emotions.

Where nobody speaks there is no score, so the curves have gaps there. Colour never stands alone: events carry
numbers, the threshold is dashed, speech is a strip of its own below zero, and every emotion has a pattern.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from blipper.errors import SettingsError
from blipper.figures.palette import (
    CURVE_COLOUR,
    EMOTION_COLOURS,
    EMOTION_PATTERNS,
    EVENT_COLOUR,
    SPEECH_COLOUR,
    THRESHOLD_COLOUR,
    VOICE_COLOUR,
    WORDS_COLOUR,
)
from blipper.figures.style import Panel, stack
from blipper.results import Analysis, Curve, Event, Float, Track
from blipper.voice.labels import EMOTIONS
from blipper.wording import carried_in_full

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Points of a curve at most; a longer one is drawn from its highest scores and its mean emotions.
MAX_POINTS = 1500

#: Where the strip of speech lies on the axis of scores.
STRIP = (-0.1, -0.04)


def aggression_figure(analysis: Analysis, channel: int = 0) -> go.Figure:
    """Draw how much the voice sounds angry over time, with the threshold, the events and where speech is.

    Parameters
    ----------
    analysis : Analysis
        The threshold is the one that its events were marked with.
    channel : int
        Index into :attr:`Analysis.tracks`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    SettingsError
        If the analysis has no such channel.
    """
    _check(analysis, channel)
    return _stack(analysis, channel, [aggression_panel(analysis, channel)], "Aggression score over time")


def emotions_figure(analysis: Analysis, channel: int = 0) -> go.Figure:
    """Draw the probabilities of the eight emotions over time as stacked areas that sum to 100 %.

    Parameters, returns and errors are those of :func:`aggression_figure`.
    """
    _check(analysis, channel)
    return _stack(analysis, channel, [_emotions(analysis, channel)], "Emotion of the voice over time")


def timeline_figure(analysis: Analysis, channel: int = 0) -> go.Figure:
    """Draw the aggression curve above the emotions, over one time axis.

    Parameters, returns and errors are those of :func:`aggression_figure`.
    """
    _check(analysis, channel)
    panels = [aggression_panel(analysis, channel), _emotions(analysis, channel)]
    return _stack(analysis, channel, panels, "Where the voice sounds angry")


def _check(analysis: Analysis, channel: int) -> None:
    if not 0 <= channel < len(analysis.tracks):
        raise SettingsError(f"channel {channel} does not exist, expected 0 to {len(analysis.tracks) - 1}")


def _stack(analysis: Analysis, channel: int, panels: list[Panel], title: str) -> go.Figure:
    track = analysis.tracks[channel]
    if len(analysis.tracks) > 1:
        title += f", channel {channel + 1} of {len(analysis.tracks)}"
    figure = stack(panels, start=0.0, end=analysis.duration, title=title, legend=True)
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    if not track.speech:
        figure.add_annotation(
            text="Nobody was heard to speak here, so there is no score.",
            x=0.5, xref="paper", y=0.5, yref="paper", showarrow=False,
        )  # fmt: skip
    return figure


def aggression_panel(analysis: Analysis, channel: int) -> Panel:
    """Return one channel's aggression curve with its threshold, events and speech.

    Where words have a score it is the fused one, with the voice's and the words' beside it.
    """
    import plotly.graph_objects as go

    track = analysis.tracks[channel]
    threshold = analysis.threshold
    times, scores, _ = thinned(track.scored)
    # Numbers run over all channels, as on the page and in tables.
    numbered = [(n, event) for n, event in enumerate(analysis.events, 1) if event.channel == channel]
    events = [event for _, event in numbered]
    speech = [(span.start, span.end) for span in track.speech]
    traces = [
        bands(speech, STRIP, "Speech", SPEECH_COLOUR, 0.9),
        bands([(event.start, event.end) for event in events], (0.0, 1.0), "Event", EVENT_COLOUR, 0.18),
        *_sides(track),
        go.Scatter(
            x=times,
            y=scores,
            mode="lines+markers",  # markers show a score that stands alone between two gaps
            name="Aggression score",
            line={"color": CURVE_COLOUR, "width": 2},
            marker={"size": 3},
            connectgaps=False,
            hovertemplate="%{y:.2f}",
        ),
        go.Scatter(
            x=[0.0, analysis.duration],
            y=[threshold, threshold],
            mode="lines",
            name=f"Threshold {threshold:.2f}",
            line={"color": THRESHOLD_COLOUR, "width": 2, "dash": "dash"},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=[event.peak_time for event in events],
            y=[event.peak for event in events],
            mode="markers+text",
            name="Event's peak",
            text=[str(number) for number, _ in numbered],
            textposition="top center",
            cliponaxis=False,
            marker={"symbol": "diamond", "size": 9, "color": CURVE_COLOUR},
            customdata=[
                (event.start, event.end, event.mean, event.emotion, _told(analysis, event))
                for event in events
            ],
            hovertemplate="event %{text}, %{customdata[0]:.1f} to %{customdata[1]:.1f} s, "
            "mean %{customdata[2]:.2f}, mostly %{customdata[3]}%{customdata[4]}",
        ),
    ]
    axis = {"title": {"text": "Score (0 to 1)"}, "range": (-0.13, 1.08), "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    title = "Aggression: how much the voice sounds angry"
    if track.fused is not None:
        title += " and the words read as hostile"
    return Panel(title, traces, axis, height=240)


def _told(analysis: Analysis, event: Event) -> str:
    """Return what the hover adds where words have a score."""
    carried = carried_in_full(analysis, event)
    return f"; {carried}" if carried else ""


def _sides(track: Track) -> list[Any]:
    """Return the voice's and the words' own scores, to lie under the fused one; nothing without it."""
    import plotly.graph_objects as go

    if track.fused is None:
        return []
    sides = (
        ("Voice alone", track.curve, VOICE_COLOUR, "dashdot", "linear"),
        ("Words alone", replace(track.curve, aggression=track.fused.words_score), WORDS_COLOUR, "dot", "hvh"),
    )
    traces = []
    for name, curve, colour, dash, shape in sides:
        times, scores, _ = thinned(curve)
        traces.append(
            go.Scatter(
                x=times, y=scores, mode="lines", name=name, connectgaps=False, hovertemplate="%{y:.2f}",
                line={"color": colour, "width": 2, "dash": dash, "shape": shape},
            )
        )  # fmt: skip
    return traces


def _emotions(analysis: Analysis, channel: int) -> Panel:
    import plotly.graph_objects as go

    curve = analysis.tracks[channel].curve
    times, _, probabilities = thinned(curve)
    step = times[1] - times[0] if len(times) > 1 else curve.step
    x, rows = _outlined(times, 100 * probabilities, step)
    traces = []
    for index, emotion in enumerate(EMOTIONS):
        colour = EMOTION_COLOURS[emotion]
        traces.append(
            go.Scatter(
                x=x,
                y=rows[:, index],
                mode="lines",
                name=emotion.capitalize(),
                stackgroup="emotions",
                line={"width": 0.5, "color": colour},
                fillcolor=colour,
                fillpattern={
                    "shape": EMOTION_PATTERNS[emotion],
                    "fillmode": "replace",
                    "bgcolor": colour,
                    "fgcolor": "#1A1A1A",
                    "fgopacity": 0.75,
                    "size": 7,
                    "solidity": 0.15,
                },
                hovertemplate="%{y:.0f} %",
            )
        )
    axis = {"title": {"text": "Probability (%)"}, "range": (0, 100)}
    return Panel("Emotion: what the voice sounds like", traces, axis, height=240)


def thinned(curve: Curve) -> tuple[Float, Float, Float]:
    """Return times, highest scores and mean emotions of at most :data:`MAX_POINTS` cells; NaN stays NaN."""
    group = math.ceil(len(curve.times) / MAX_POINTS)
    if group <= 1:
        return curve.times, curve.aggression, curve.emotions
    starts = np.arange(0, len(curve.times), group)
    scored = np.isfinite(curve.aggression)
    counts = np.add.reduceat(scored.astype(int), starts)
    highest = np.maximum.reduceat(np.where(scored, curve.aggression, -np.inf), starts)
    sums = np.add.reduceat(np.where(scored[:, None], curve.emotions, 0.0), starts, axis=0)
    empty = counts == 0
    highest[empty] = np.nan
    means = sums / np.where(empty, np.nan, counts)[:, None]
    return curve.times[starts] + (group - 1) / 2 * curve.step, highest, means


def _outlined(times: Float, rows: Float, step: float) -> tuple[Float, Float]:
    """Return points whose stacked areas fall straight to zero where the scores have gaps.

    Stacked traces ignore NaN and would bridge a gap, so each run of scores gets a zero at either side.
    """
    scored = np.isfinite(rows).all(axis=1)
    borders = np.flatnonzero(np.diff(np.concatenate(([0], scored.view(np.int8), [0]))))
    x: list[Any] = []
    y: list[Any] = []
    zero = np.zeros((1, rows.shape[1]))
    for first, last in borders.reshape(-1, 2):
        left, right = times[first] - step / 2, times[last - 1] + step / 2
        x += [[left, left], times[first:last], [right, right]]
        y += [zero, rows[first : first + 1], rows[first:last], rows[last - 1 : last], zero]
    if not x:
        return np.zeros(0), np.zeros((0, rows.shape[1]))
    return np.concatenate(x), np.concatenate(y)


def bands(
    spans: list[tuple[float, float]], y: tuple[float, float], name: str, colour: str, opacity: float
) -> Any:
    """Return one trace with a filled rectangle a span."""
    import plotly.graph_objects as go

    low, high = y
    xs: list[float | None] = []
    ys: list[float | None] = []
    for start, end in spans:
        xs += [start, start, end, end, start, None]
        ys += [low, high, high, low, low, None]
    return go.Scatter(
        x=xs, y=ys, mode="lines", name=name, fill="toself", fillcolor=colour, opacity=opacity,
        line={"width": 0, "color": colour}, hoverinfo="skip",
    )  # fmt: skip
