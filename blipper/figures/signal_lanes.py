"""The signal of several channels in one figure: one lane per channel and view, over one time axis.

Lanes of the same view lie next to each other with the same scale, so channels can be compared. However many
there are, the figure has no more columns and points a view than that of one channel, and at most
:data:`MAX_PANELS` panels. Labels come from people and are shown as text: Plotly would take their angle
brackets for markup.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from blipper.errors import SettingsError
from blipper.figures.signal import SignalSettings, View, signal_panels
from blipper.figures.signal_data import MAX_SHARE, Framing, Signal
from blipper.figures.style import Panel, stack
from blipper.recording import Recording

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: A figure's panels at most, whatever is chosen: four views of eight channels. Each has axes that a browser
#: lays out anew at every zoom.
MAX_PANELS = MAX_SHARE


def channels_that_fit(n_channels: int, n_views: int) -> int:
    """Return how many of `n_channels` channels one figure shows with so many views; at least one."""
    return max(1, min(n_channels, MAX_PANELS // max(1, n_views)))


def channel_signals(
    recording: Recording, framing: Framing | None = None, n_channels: int | None = None
) -> tuple[Signal, ...]:
    """Return the same stretch of a recording's channels, to be drawn in one figure.

    Parameters
    ----------
    recording : Recording
    framing : Framing, optional
        Its channel is ignored.
    n_channels : int, optional
        How many channels, counted from the first; all unless given.

    Returns
    -------
    tuple of Signal
        In the channels' order. Together they are measured at the cost of about one.

    Raises
    ------
    SettingsError
        If the recording has fewer channels, or ends before the stretch starts.
    """
    framing = framing or Framing()
    n_channels = recording.n_channels if n_channels is None else n_channels
    return tuple(
        Signal(recording, replace(framing, channel=channel), n_channels) for channel in range(n_channels)
    )


def draw_channels(
    signals: Sequence[Signal], labels: Sequence[str], views: Sequence[View], settings: SignalSettings
) -> go.Figure:
    """Draw the chosen views of every channel, stacked over one time axis.

    Parameters
    ----------
    signals : sequence of Signal
        One a channel, all of the same stretch: see :func:`channel_signals`.
    labels : sequence of str
        What each channel or its speaker is called; shown as it stands.
    views : sequence of str
        Any of :data:`~blipper.figures.signal.VIEWS`; drawn in their order there.
    settings : SignalSettings
        Its framing gives way to the signals' own.

    Returns
    -------
    plotly.graph_objects.Figure
        A view's panels of all channels follow one another.

    Raises
    ------
    SettingsError
        If there is no signal, a label is missing, the stretches differ, there would be more than
        :data:`MAX_PANELS` panels, or a view is unknown or none is given.
    """
    if not signals or len(signals) != len(labels):
        raise SettingsError(f"{len(labels)} labels for {len(signals)} channels, expected one for each")
    start, end = signals[0].start, signals[0].end
    if any((signal.start, signal.end) != (start, end) for signal in signals):
        raise SettingsError("the channels' stretches differ, expected the same start and end")
    if len(signals) * len(views) > MAX_PANELS:
        raise SettingsError(
            f"{len(views)} views of {len(signals)} channels make {len(signals) * len(views)} panels, "
            f"expected at most {MAX_PANELS}"
        )
    lanes = [signal_panels(signal, views, settings) for signal in signals]
    names = [html.escape(label, quote=False) for label in labels]
    panels = [panel for same in zip(*lanes, strict=True) for panel in _aligned(same, names)]
    figure = stack(panels, start=start, end=end)
    figure.update_layout(hoverlabel={"namelength": -1})
    return figure


def _aligned(panels: Sequence[Panel], names: Sequence[str]) -> list[Panel]:
    """Name a view's panels by their channels, in title and hover, and give them one scale."""
    ranges = [panel.y["range"] for panel in panels if "range" in panel.y]
    scale = {"range": (min(low for low, _ in ranges), max(high for _, high in ranges))} if ranges else {}
    for panel, name in zip(panels, names, strict=True):
        for trace in panel.traces:
            # Not into the template: there a label's %{…} would be filled in.
            trace.update(name=name, hovertemplate=trace.hovertemplate.removesuffix("<extra></extra>"))
    return [
        Panel(f"{name}: {panel.title}", panel.traces, {**panel.y, **scale}, panel.height)
        for panel, name in zip(panels, names, strict=True)
    ]
