"""Which windows of an analysis an explanation is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import SettingsError
from blipper.explain.voice import LONGEST, thin_out, windows_in
from blipper.results import Analysis, Event, Span

#: Windows of one explanation at most; more of an event are thinned out evenly.
MOST: Final = 40


@dataclass(frozen=True)
class Choice:
    """Windows of one channel.

    Parameters
    ----------
    channel : int
    windows : tuple of Span
        As the analysis placed them, ordered by start.
    left_out : int
        How many more there were, left out to keep it quick.
    """

    channel: int
    windows: tuple[Span, ...]
    left_out: int = 0


def choose(
    analysis: Analysis,
    *,
    at: float | None = None,
    event: int | None = None,
    channel: int | None = None,
) -> Choice:
    """Choose windows: those of a time, of an event, or of the strongest moment.

    Parameters
    ----------
    analysis : Analysis
    at : float, optional
        Seconds from the start: the one window whose middle is nearest.
    event : int, optional
        Number of an event from 1, in the analysis's order.
    channel : int, optional
        From 0; an event's own, else the one with the highest score, unless given.

    Returns
    -------
    Choice

    Raises
    ------
    SettingsError
        If there is no such time, event or channel, or nobody speaks there.
    """
    if channel is not None and not 0 <= channel < len(analysis.tracks):
        raise SettingsError(f"channel {channel + 1}: expected 1 to {len(analysis.tracks)}")
    if event is not None:
        if not 1 <= event <= len(analysis.events):
            found = f"1 to {len(analysis.events)}" if analysis.events else "none, since there are no events"
            raise SettingsError(f"event {event}: expected {found}")
        return of_event(analysis, analysis.events[event - 1])
    if at is not None and not 0 <= at <= analysis.duration:
        raise SettingsError(f"at {at} s: expected 0 to {analysis.duration:.2f} s")
    peaks = [track.windows.aggression.max() if len(track.windows) else -1.0 for track in analysis.tracks]
    chosen = int(np.argmax(peaks)) if channel is None else channel
    windows = analysis.tracks[chosen].windows
    if not len(windows):
        raise SettingsError(f"{analysis.provenance.name}: nobody was heard to speak there, so nothing scores")
    if at is None:
        strongest = int(windows.aggression.argmax())
        return Choice(chosen, (Span(float(windows.start[strongest]), float(windows.end[strongest])),))
    return Choice(chosen, tuple(windows_in(windows.start, windows.end, Span(at, at))))


def of_event(analysis: Analysis, event: Event) -> Choice:
    """Choose an event's windows, at most :data:`MOST` and at most those of :data:`LONGEST` seconds."""
    windows = analysis.tracks[event.channel].windows
    inside = windows_in(windows.start, windows.end, Span(event.start, event.end))
    if not inside:
        raise SettingsError(f"the event at {event.start:.1f} s has no window")
    # A very long event is explained around its peak.
    half = LONGEST / 2 - 5
    near = [
        window for window in inside if abs((window.start + window.end) / 2 - event.peak_time) <= half
    ] or inside[:1]
    kept = thin_out(near, MOST)
    return Choice(event.channel, tuple(kept), len(inside) - len(kept))
