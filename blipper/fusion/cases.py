"""Which side carries a stretch, and which of the four cases it is.

An angry voice with hostile words, an angry voice with harmless words (pain, excitement, a raised voice), a
calm voice with hostile words (a cold threat), or neither: one fused score would hide which, so it is named.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np

from blipper.results import Analysis, Event
from blipper.words.transcript import Transcript

#: Which side carries a stretch.
Carrier = Literal["voice", "words", "both"]
#: Which side alone stands out, or both, or neither.
Case = Literal["both", "voice", "words", "neither"]

#: Words' score from which they count as hostile where no text model says.
HOSTILE: Final = 0.5
#: A side carries a stretch "mostly" if it gives so much of what speaks for aggression.
_MOSTLY: Final = 2 / 3


def hostile_from(transcript: Transcript | None) -> float:
    """Return the score from which a transcript's words count as hostile: its text model's threshold."""
    models = () if transcript is None else transcript.text_models
    return next((model.threshold for model in models if "aggression" in model.reads), HOSTILE)


def carrier(event: Event) -> Carrier | None:
    """Say which side carries an event.

    Parameters
    ----------
    event : Event

    Returns
    -------
    {"voice", "words", "both"} or None
        The side that gives two thirds or more of the evidence for aggression, in log-odds; None where the
        score is the voice's alone, since there are no scored words.
    """
    if event.voice_share is None or event.words_share is None:
        return None
    voice, words = max(event.voice_share, 0.0), max(event.words_share, 0.0)
    if voice + words == 0:
        return "both"
    part = voice / (voice + words)
    return "voice" if part >= _MOSTLY else "words" if part <= 1 - _MOSTLY else "both"


def case_of(analysis: Analysis, event: Event) -> Case | None:
    """Say which of the four cases an event is; see :func:`case_between`."""
    return case_between(analysis, event.channel, event.start, event.end)


def case_between(analysis: Analysis, channel: int, start: float, end: float) -> Case | None:
    """Say which of the four cases a stretch is.

    Parameters
    ----------
    analysis : Analysis
        A voice sounds angry from the threshold in force on, words are hostile from :func:`hostile_from` on;
        of either the highest score in the stretch counts.
    channel : int
    start, end : float
        Seconds.

    Returns
    -------
    {"both", "voice", "words", "neither"} or None
        None where no scored words are in the stretch.
    """
    track = analysis.tracks[channel]
    if track.fused is None:
        return None
    step = track.curve.step
    inside = slice(max(0, int(start / step + 1e-9)), max(0, math.ceil(end / step - 1e-9)))
    words = track.fused.words_score[inside]
    if np.isnan(words).all():
        return None
    angry = bool(np.nanmax(track.curve.aggression[inside]) >= analysis.threshold)
    hostile = bool(np.nanmax(words) >= hostile_from(track.transcript))
    if angry and hostile:
        return "both"
    return "voice" if angry else "words" if hostile else "neither"
