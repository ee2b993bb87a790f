"""One lane per speaker: who sounds angry when, who speaks when, who takes over, who is loud.

Speakers differ by their lane and by name; colour repeats it. Labels come from people and are shown as text:
Plotly would take their angle brackets for markup.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from blipper.figures.palette import OKABE_ITO
from blipper.figures.style import Panel, stack
from blipper.figures.timeline import aggression_panel
from blipper.results import Analysis
from blipper.speakers import Turn
from blipper.speakers.talk import Talk, speakers, talk
from blipper.wording import moment

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Colours with a contrast of 3 : 1 on light and dark pages, and dashes; both repeat after five speakers.
_COLOURS: Final = [
    OKABE_ITO[name] for name in ("blue", "vermillion", "bluish green", "reddish purple", "grey")
]
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash")
#: Lanes are so high, and a turn's bar fills this share of it.
_LANE, _BAR = 44, 0.34


def lanes_figure(analysis: Analysis) -> go.Figure:
    """Draw all speakers of a recording over one time axis.

    One aggression curve a channel with its threshold and events; then one lane a speaker with the turns and,
    where a turn took over from another, a triangle; then the loudness of every turn.

    Parameters
    ----------
    analysis : Analysis
        With turns; without any, only the curves are drawn.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    panels = []
    for channel, track in enumerate(analysis.tracks):
        panel = aggression_panel(analysis, channel)
        names = dict.fromkeys(turn.speaker for turn in track.turns)
        who = " and ".join(map(_text, names)) if names else _text(track.name)
        for trace in panel.traces:  # one legend entry for all lanes
            trace.update(legendgroup=trace.name, showlegend=channel == 0)
        panels.append(Panel(f"{who}: aggression score", panel.traces, panel.y, height=150))
    summed = talk(analysis)
    if summed is not None:
        panels += [_turns(analysis, summed), _loudness(analysis)]
    return _stacked(analysis, panels)


def talk_figure(analysis: Analysis, summed: Talk) -> go.Figure:
    """Draw who speaks when, who takes over, and how loud every turn is, where that was measured: no curves.

    Parameters
    ----------
    analysis : Analysis
    summed : Talk
        Of it: :func:`blipper.speakers.talk.talk`.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    panels = [_turns(analysis, summed)]
    if any(turn.level is not None for track in analysis.tracks for turn in track.turns):
        panels.append(_loudness(analysis))
    return _stacked(analysis, panels)


def _stacked(analysis: Analysis, panels: list[Panel]) -> go.Figure:
    figure = stack(panels, start=0.0, end=analysis.duration, title="All speakers", legend=True)
    figure.update_layout(hovermode="closest")
    return figure


def _text(label: str) -> str:
    return html.escape(label, quote=False)


def _all_turns(analysis: Analysis) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = {label: [] for label in speakers(analysis)}
    for track in analysis.tracks:
        for turn in track.turns:
            found[turn.speaker].append(turn)
    return found


def _turns(analysis: Analysis, summed: Talk) -> Panel:
    import plotly.graph_objects as go

    turns = _all_turns(analysis)
    row = {label: len(turns) - 1 - number for number, label in enumerate(turns)}
    traces = []
    for number, (label, mine) in enumerate(turns.items()):
        x: list[float | None] = []
        y: list[float | None] = []
        low, high = row[label] - _BAR, row[label] + _BAR
        for turn in mine:
            x += [turn.start, turn.start, turn.end, turn.end, turn.start, None]
            y += [low, high, high, low, low, None]
        colour = _COLOURS[number % len(_COLOURS)]
        traces.append(
            go.Scatter(
                x=x, y=y, mode="lines", name=_text(label), fill="toself", fillcolor=colour, opacity=0.8,
                line={"width": 0.5, "color": colour}, hoverinfo="skip", showlegend=False,
            )
        )  # fmt: skip
        traces.append(
            go.Scatter(
                x=[(turn.start + turn.end) / 2 for turn in mine],
                y=[row[label]] * len(mine),
                mode="markers",
                marker={"size": 14, "opacity": 0, "color": colour},
                name=_text(label),
                showlegend=False,
                customdata=[(moment(turn.start), moment(turn.end), turn.duration) for turn in mine],
                hovertemplate="%{customdata[0]} to %{customdata[1]}, %{customdata[2]:.1f} s",
            )
        )
    taken = summed.interruptions
    traces.append(
        go.Scatter(
            x=[item.time for item in taken],
            y=[row[item.speaker] + _BAR for item in taken],
            mode="markers",
            name="Takes over while another speaks",
            marker={"symbol": "triangle-down", "size": 10, "color": "#8C8C8C", "line": {"width": 1}},
            customdata=[(_text(item.speaker), _text(item.interrupted), item.overlap) for item in taken],
            hovertemplate="%{customdata[0]} takes over from %{customdata[1]}, both speak for "
            "%{customdata[2]:.1f} s<extra></extra>",
        )
    )
    axis = {
        "range": (-0.6, len(turns) - 0.4),
        "tickvals": list(row.values()),
        "ticktext": [_text(label if len(label) <= 8 else label[:7] + "…") for label in row],
        "showgrid": False,
    }
    return Panel("Who speaks", traces, axis, height=max(70, _LANE * len(turns)))


def _loudness(analysis: Analysis) -> Panel:
    import plotly.graph_objects as go

    traces = []
    for number, (label, mine) in enumerate(_all_turns(analysis).items()):
        x: list[float | None] = []
        y: list[float | None] = []
        for turn in mine:
            if turn.level is not None:
                x += [turn.start, turn.end, None]
                y += [turn.level, turn.level, None]
        dash = _DASHES[number % len(_DASHES)]
        traces.append(
            go.Scatter(
                x=x, y=y, mode="lines", name=f"Loudness of {_text(label)}",
                line={"color": _COLOURS[number % len(_COLOURS)], "width": 3, "dash": dash},
                hovertemplate="%{y:.1f} LUFS",
            )
        )  # fmt: skip
    return Panel("How loud each turn is", traces, {"title": {"text": "LUFS"}}, height=130)
