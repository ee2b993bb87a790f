"""From an aggression curve to its events and its trend: the voice's curve, or the fused one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from blipper.errors import SettingsError
from blipper.fused import FusedCurve
from blipper.hysteresis import find_runs, tidy_runs
from blipper.results import Curve, Event, Span, Trend
from blipper.voice.labels import EMOTIONS

#: Seconds of speech in each stretch whose mean counts for a trend: longer than most utterances, since windows
#: of one are alike and would pass chance off as a trend (with 3 s in one of seven recordings without any).
TREND_STRETCH = 8.0
#: Least speech, in seconds, for which a trend is named: five stretches, which rise by chance one time in 120.
TREND_SPEECH = 5 * TREND_STRETCH
#: Least change of the score over the recording that counts as a trend.
TREND_CHANGE = 0.1
#: Score below which an event closes: just above what a stretch scores of which nothing is known. Chosen on
#: conversations of validation speakers (docs/research/voice-models.md, "Where an event ends").
RELEASE = 0.2
#: Seconds before the onset that an event may take in. Chosen on the same ("Where an event begins").
RISE = 3.0


@dataclass(frozen=True)
class EventSettings:
    """What counts as an event.

    Parameters
    ----------
    onset : float
        Score in (0, 1] that opens an event: the threshold that people see.
    release : float, optional
        Score below which an event closes; :data:`RELEASE` unless given, but never over half the onset.
    rise : float
        Seconds; an event begins where the score rose above the release, but at most so long before the onset.
    min_duration : float
        Seconds; shorter events are dropped.
    bridge : float
        Seconds; a shorter calm or silent gap belongs to the event around it.
    """

    onset: float = 0.5
    release: float | None = None
    rise: float = RISE
    min_duration: float = 1.0
    bridge: float = 1.5

    def __post_init__(self) -> None:
        """Check the domains."""
        if not 0 < self.onset <= 1:
            raise SettingsError(f"the threshold is {self.onset}, expected a number above 0 and up to 1")
        if self.release is not None and not 0 < self.release <= self.onset:
            raise SettingsError(
                f"the release is {self.release}, expected above 0 and at most the threshold {self.onset}"
            )
        for name in ("rise", "min_duration", "bridge"):
            value = getattr(self, name)
            if not 0 <= value <= 3600:
                raise SettingsError(f"the events' {name} is {value} s, expected 0 to 3600 s")

    @property
    def closing(self) -> float:
        """The release that holds."""
        return self.release if self.release is not None else min(RELEASE, self.onset / 2)

    def rise_cells(self, step: float) -> int:
        """Return the rise in whole cells of a curve whose grid is `step` seconds."""
        return int(self.rise / step + 1e-9)


def find_events(
    curve: Curve,
    speech: Sequence[Span],
    *,
    settings: EventSettings | None = None,
    channel: int = 0,
    fused: FusedCurve | None = None,
) -> tuple[Event, ...]:
    """Mark the stretches in which the aggression curve stays high.

    Parameters
    ----------
    curve : Curve
    speech : sequence of Span
        Events are trimmed to it, so that none starts or ends in a pause.
    settings : EventSettings, optional
    channel : int
        Copied into the events.
    fused : FusedCurve, optional
        Words and voice together, on the same grid: the scores are then taken from it, and the events say
        what each side gave.

    Returns
    -------
    tuple of Event
        In order, without overlap.
    """
    settings = settings or EventSettings()
    if fused is not None:
        curve = replace(curve, aggression=fused.aggression)
    runs = tidy_runs(
        find_runs(curve.aggression, settings.onset, settings.closing, settings.rise_cells(curve.step)),
        bridge=settings.bridge / curve.step,
        min_length=settings.min_duration / curve.step,
    )
    return tuple(_event(curve, fused, speech, first, last, channel) for first, last in runs)


def _event(
    curve: Curve, fused: FusedCurve | None, speech: Sequence[Span], first: int, last: int, channel: int
) -> Event:
    start, end = first * curve.step, last * curve.step
    inside = [span for span in speech if span.start < end and span.end > start]
    start = max(start, inside[0].start)
    end = min(end, inside[-1].end)
    scores = curve.aggression[first:last]
    peak = first + int(np.nanargmax(scores))
    emotions = np.nanmean(curve.emotions[first:last], axis=0)
    return Event(
        start=round(start, 3),
        end=round(end, 3),
        peak=float(curve.aggression[peak]),
        peak_time=round(float(np.clip(curve.times[peak], start, end)), 3),
        mean=float(np.nanmean(scores)),
        emotion=EMOTIONS[int(np.argmax(emotions))],
        channel=channel,
        voice_share=None if fused is None else float(np.nanmean(fused.voice[first:last])),
        words_share=None if fused is None else float(np.nanmean(fused.words[first:last])),
    )


def trend(curve: Curve) -> Trend:
    """Name where the aggression curve goes over the recording.

    A Theil-Sen line through means of at most 300 equal stretches of speech, each at least
    :data:`TREND_STRETCH` long; named where its 95 % interval excludes zero and the change over the
    recording is at least :data:`TREND_CHANGE`.

    Parameters
    ----------
    curve : Curve

    Returns
    -------
    Trend
    """
    spoken = np.flatnonzero(~np.isnan(curve.aggression))
    if len(spoken) * curve.step < TREND_SPEECH:
        return Trend("unknown", None)
    n_bins = min(300, len(spoken), int(len(spoken) * curve.step / TREND_STRETCH))
    parts = np.array_split(spoken, n_bins)
    times = np.array([curve.times[part].mean() for part in parts])
    scores = np.array([curve.aggression[part].mean() for part in parts])
    from scipy.stats import theilslopes

    slope, _, low, high = theilslopes(scores, times, alpha=0.95)
    change = float(np.clip(slope * (times[-1] - times[0]), -1, 1))
    if abs(change) < TREND_CHANGE or low <= 0 <= high:
        return Trend("steady", change)
    return Trend("rising" if change > 0 else "falling", change)
