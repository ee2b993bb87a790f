"""What the player's components get: plain values from an analysis. Text goes along as text, not markup."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.fusion import case_between, case_of, hostile_from
from blipper.results import Analysis, Event
from blipper.wording import CASE_SENTENCES, CASES, carried_by
from blipper.words.transcript import Utterance

#: What a score becomes where there is none, and 1 is one less; ``curves.ts`` reads it.
NONE: Final = 65535


def curves(analysis: Analysis, channel: int) -> dict[str, object] | None:
    """Return the fused curve and the words' (the player has the voice's); None without scored words."""
    fused = analysis.tracks[channel].fused
    if fused is None:
        return None
    return {
        "fused": packed(fused.aggression),
        "words": packed(fused.words_score),
        "hostile": hostile_from(analysis.tracks[channel].transcript),
        "cases": CASES,
    }


def packed(scores: NDArray[np.floating]) -> str:
    """Return scores of [0, 1] as base64 of little-endian 16 bit; NaN becomes :data:`NONE`."""
    whole = np.clip(np.nan_to_num(scores), 0.0, 1.0) * (NONE - 1)
    numbers = np.where(np.isnan(scores), NONE, whole.round()).astype("<u2")
    return base64.b64encode(numbers.tobytes()).decode("ascii")


def events(analysis: Analysis, numbered: Sequence[tuple[int, Event]]) -> list[dict[str, object]]:
    """Return events with their numbers, and with who carried them where words have a score."""
    return [
        {
            "number": number,
            "start": event.start,
            "end": event.end,
            "peak": event.peak,
            "peak_time": event.peak_time,
            "mean": event.mean,
            "emotion": event.emotion,
            "carrier": carried_by(event),
            **_case(analysis, event),
        }
        for number, event in numbered
    ]


def _case(analysis: Analysis, event: Event) -> dict[str, str | None]:
    case = case_of(analysis, event)
    if case is None:
        nothing = None if event.words_share is None else "no scored words here"
        return {"case": nothing, "meaning": None}
    return {"case": CASES[case], "meaning": CASE_SENTENCES[case]}


def utterances(analysis: Analysis, channel: int) -> list[tuple[object, ...]]:
    """Return one channel's utterances with their words, and with what a text model read in them."""
    transcript = analysis.tracks[channel].transcript
    return [
        (
            *(round(one.start, 3), round(one.end, 3), one.text, _rounded(one.confidence), _words(one)),
            _reading(analysis, channel, one),
        )
        for one in (transcript.utterances if transcript is not None else ())
    ]


def _reading(analysis: Analysis, channel: int, one: Utterance) -> tuple[object, ...]:
    sentiment = one.sentiment and [
        round(one.sentiment.get(name, 0.0), 3) for name in ("negative", "neutral", "positive")
    ]
    case = None if one.aggression is None else case_between(analysis, channel, one.start, one.end)
    return (sentiment or None, _rounded(one.aggression), None if case is None else CASES[case])


def _words(utterance: Utterance) -> list[tuple[str, float, float, float | None]]:
    return [
        (word.text, round(word.start, 3), round(word.end, 3), _rounded(word.confidence))
        for word in utterance.words
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
