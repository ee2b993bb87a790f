"""Sentences for people, made from results: what was found, and never more than was found."""

from __future__ import annotations

import math
from typing import Final

from blipper.fusion import Carrier, Case, carrier, case_of
from blipper.results import Analysis, Event, Trend

#: Which side carries a stretch.
CARRIERS: Final[dict[Carrier, str]] = {
    "voice": "mostly the voice",
    "words": "mostly the words",
    "both": "voice and words",
}
#: The four cases, short and in a sentence.
CASES: Final[dict[Case, str]] = {
    "both": "sounds angry, hostile words",
    "voice": "sounds angry, harmless words",
    "words": "sounds calm, hostile words",
    "neither": "neither stands out",
}
CASE_SENTENCES: Final[dict[Case, str]] = {
    "both": "The voice sounds angry, and the words read as hostile",
    "voice": "The voice sounds angry, but the words read as harmless: pain, excitement or a raised voice "
    "can sound like that too",
    "words": "The voice does not sound angry, but the words read as hostile: a threat can be spoken calmly",
    "neither": "Neither the voice nor the words stand out",
}


def moment(seconds: float) -> str:
    """Return a time with tenths: ``"1:07.3"``, ``"1:02:03.0"``.

    The same text as the player and its list of events show (``ui/player/frontend/src/format.ts``): half a
    tenth is rounded up.
    """
    tenths = math.floor(max(0.0, seconds) * 10 + 0.5)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    clock = f"{minutes:02d}" if hours else f"{minutes}"
    return (f"{hours}:" if hours else "") + f"{clock}:{rest // 10:02d}.{rest % 10}"


def clock(seconds: float) -> str:
    """Return the second that a time lies in: ``"1:07"``, ``"1:02:03"``."""
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
        Such as ``"2 stretches worth a listen, 14 s of 3 min 12 s; strongest at 1:07.3"``.
    """
    if not analysis.has_speech:
        return f"Nobody was heard to speak in these {length(analysis.duration)}, so there is no score"
    if not analysis.events:
        above = any((track.scored.aggression >= analysis.threshold).any() for track in analysis.tracks)
        return f"Nothing {'long enough ' * above}above the threshold in {length(analysis.duration)}"
    n = len(analysis.events)
    strongest = max(analysis.events, key=lambda event: event.peak)
    total = length(sum(event.duration for event in analysis.events))
    return (
        f"{n} {'stretch' if n == 1 else 'stretches'} worth a listen, {total} of "
        f"{length(analysis.duration)}; strongest at {moment(strongest.peak_time)}"
    )


def trend_sentence(trend: Trend) -> str:
    """Return the trend in words."""
    if trend.change is None:
        return "Too little speech to name a trend"
    if trend.label == "steady":
        return "Apart from its ups and downs, the aggression score stays about level from start to end"
    rises = "rises" if trend.label == "rising" else "falls"
    return f"The aggression score {rises} by about {abs(trend.change):.2f} over the recording"


def carried_by(event: Event) -> str | None:
    """Return which side carries an event: ``"mostly the words"``; None where no words have a score."""
    side = carrier(event)
    return None if side is None else CARRIERS[side]


def case_words(analysis: Analysis, event: Event) -> str | None:
    """Return an event's case: ``"sounds calm, hostile words"``; None where no scored words are in it."""
    case = case_of(analysis, event)
    return None if case is None else CASES[case]


def carried_in_full(analysis: Analysis, event: Event) -> str:
    """Return which side carries an event, with its case: ``"mostly the words (sounds calm, hostile words)"``.

    Empty where the score is the voice's alone.
    """
    side, case = carried_by(event), case_words(analysis, event)
    if side is None:
        return ""
    return f"{side} ({case or 'no scored words here'})"
