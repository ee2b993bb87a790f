"""Sentences for people, made from results: what was found, and never more than was found."""

from __future__ import annotations

from blipper.results import Analysis, Trend


def clock(seconds: float) -> str:
    """Return a time as people write it: ``"1:07"``, ``"1:02:03"``."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def length(seconds: float) -> str:
    """Return a length as people say it: ``"14 s"``, ``"3 min 12 s"``, ``"1 h 2 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if seconds >= 0.95 else f"{seconds:.1f} s"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def summary_sentence(analysis: Analysis) -> str:
    """Return the one sentence that an analyst can read aloud.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    str
        Such as ``"2 stretches worth a listen, 14 s of 3 min 12 s; strongest at 1:07"``.
    """
    if not analysis.has_speech:
        return f"Nobody was heard to speak in these {length(analysis.duration)}, so there is no score"
    if not analysis.events:
        return f"Nothing above the threshold in {length(analysis.duration)}"
    n = len(analysis.events)
    strongest = max(analysis.events, key=lambda event: event.peak)
    total = length(sum(event.duration for event in analysis.events))
    return (
        f"{n} {'stretch' if n == 1 else 'stretches'} worth a listen, {total} of "
        f"{length(analysis.duration)}; strongest at {clock(strongest.peak_time)}"
    )


def trend_sentence(trend: Trend) -> str:
    """Return the trend in words."""
    if trend.change is None:
        return "Too little speech to name a trend"
    if trend.label == "steady":
        return "Apart from its ups and downs, the aggression score stays about level from start to end"
    rises = "rises" if trend.label == "rising" else "falls"
    return f"The aggression score {rises} by about {abs(trend.change):.2f} over the recording"
