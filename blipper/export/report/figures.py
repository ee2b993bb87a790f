"""The report's figures as data for Plotly's script: drawn white, for screen and paper."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from blipper.figures.lanes import talk_figure
from blipper.figures.signal import SignalSettings, signal_figure
from blipper.figures.signal_data import Framing
from blipper.figures.timeline import timeline_figure
from blipper.recording import Recording
from blipper.results import Analysis
from blipper.speakers.talk import Talk

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Chart:
    """One figure of the page.

    Parameters
    ----------
    id : str
        Of the element that holds its data.
    label : str
        What it shows, for those who do not see it.
    json : Markup
        The figure, in a form that no HTML parser can take for anything but data.
    """

    id: str
    label: str
    json: Markup


def timeline_chart(analysis: Analysis, channel: int) -> Chart:
    """Return the aggression curve with its events above the emotions."""
    count = sum(event.channel == channel for event in analysis.events)
    label = f"Aggression score and emotions over time, with {count} stretches worth a listen"
    return chart(f"timeline-{channel}", label, timeline_figure(analysis, channel))


def talk_chart(analysis: Analysis, summed: Talk) -> Chart:
    """Return who speaks when, who takes over, and how loud every turn is."""
    label = f"Who speaks when and how loud, with {len(summed.interruptions)} interruptions"
    return chart("talk", label, talk_figure(analysis, summed))


def waveform_chart(recording: Recording, channel: int) -> Chart:
    """Return the envelope of the sound."""
    settings = SignalSettings(framing=Framing(channel=channel))
    return chart(f"waveform-{channel}", "Waveform", signal_figure(recording, ["waveform"], settings))


def chart(name: str, label: str, figure: go.Figure) -> Chart:
    """Return a figure for the page, in Plotly's white theme and with its height kept."""
    figure.update_layout(template="plotly_white", font={"color": "#1c2733"}, autosize=True)
    return Chart(f"figure-{name}", label, script_data(json.loads(figure.to_json())))


def script_data(value: Any) -> Markup:
    """Return JSON that may stand inside a script element: without ``<``, ``>`` and ``&``."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # Safe: what is left cannot end the element or begin a comment.
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
