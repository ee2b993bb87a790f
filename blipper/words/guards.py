"""Guards against invented text: what a recogniser writes where nobody said it.

Whisper completes sentences out of noise, music and silence, and falls into loops. What a guard catches is
left out of the transcript and listed with the reason, so that a person can still read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blipper.words.transcript import Dropped, Utterance


@dataclass(frozen=True)
class Guards:
    """From where on text is not believed.

    Parameters
    ----------
    no_speech, log_probability : float
        An utterance whose probability of being no speech is above the one, while the mean log-probability of
        its tokens is below the other: Whisper's own rule and figures for silence (Radford et al. 2022, 4.5).
    lowest_log_probability : float
        Mean log-probability of its tokens below which an utterance is not believed whatever else.
    compression_ratio : float
        How many times smaller zlib makes the text; more than this means that it goes round in circles.
        Whisper's own figure.
    repeats : int
        How often in a row the same phrase may come: within an utterance any phrase, between utterances one of
        three words or more ("No! No! No!" is how people quarrel).
    speech_share : float
        Share of an utterance's time in which somebody has to speak.
    characters_a_second : float
        Faster than anybody speaks: auctioneers reach about 30.
    """

    no_speech: float = 0.6
    log_probability: float = -1.0
    lowest_log_probability: float = -1.5
    compression_ratio: float = 2.4
    repeats: int = 4
    speech_share: float = 0.5
    characters_a_second: float = 40.0


@dataclass(frozen=True)
class Evidence:
    """What an engine says about an utterance, for the guards to judge.

    Parameters
    ----------
    no_speech : float
        Probability in [0, 1] that nobody speaks.
    log_probability : float
        Mean natural log-probability of the tokens.
    compression_ratio : float
    speech_share : float
        In [0, 1].
    """

    no_speech: float
    log_probability: float
    compression_ratio: float
    speech_share: float


def why_invented(utterance: Utterance, evidence: Evidence, guards: Guards) -> str | None:
    """Return why an utterance is not believed, or None if it is.

    Parameters
    ----------
    utterance : Utterance
    evidence : Evidence
    guards : Guards

    Returns
    -------
    str or None
        The measured figure and the bound that it broke.
    """
    length = max(utterance.end - utterance.start, 1e-3)
    pace = len(utterance.text.replace(" ", "")) / max(length, 0.2)
    if evidence.no_speech > guards.no_speech and evidence.log_probability < guards.log_probability:
        return (
            f"probably no speech: probability {evidence.no_speech:.2f} (above {guards.no_speech:g}), words "
            f"uncertain at {evidence.log_probability:.2f} (below {guards.log_probability:g})"
        )
    if evidence.log_probability < guards.lowest_log_probability:
        return (
            f"a guess: mean log-probability {evidence.log_probability:.2f} "
            f"(below {guards.lowest_log_probability:g})"
        )
    if evidence.compression_ratio > guards.compression_ratio:
        return (
            f"goes round in circles: compresses {evidence.compression_ratio:.1f} times "
            f"(above {guards.compression_ratio:g})"
        )
    if (times := longest_run(utterance.text)) > guards.repeats:
        return f"repeats itself: the same phrase {times} times in a row (above {guards.repeats})"
    if evidence.speech_share < guards.speech_share:
        return (
            f"hardly any speech there: {100 * evidence.speech_share:.0f} % of its time "
            f"(below {100 * guards.speech_share:.0f} %)"
        )
    if pace > guards.characters_a_second:
        return f"faster than speech: {pace:.0f} characters a second (above {guards.characters_a_second:g})"
    return None


def drop_echoes(utterances: Sequence[Utterance], guards: Guards) -> tuple[list[Utterance], list[Dropped]]:
    """Keep the first of utterances that say the same over and over.

    Returns
    -------
    kept : list of Utterance
    dropped : list of Dropped
    """
    kept: list[Utterance] = []
    dropped: list[Dropped] = []
    first = 0
    for index in range(1, len(utterances) + 1):
        if index < len(utterances) and _key(utterances[index].text) == _key(utterances[first].text):
            continue
        run = utterances[first:index]
        if len(run) > guards.repeats and len(_key(run[0].text)) >= 3:
            reason = f"repeats the utterance before it, {len(run)} times in a row (above {guards.repeats})"
            kept.append(run[0])
            dropped += [Dropped(echo.start, echo.end, echo.text, reason) for echo in run[1:]]
        else:
            kept += run
        first = index
    return kept, dropped


def longest_run(text: str, *, longest_phrase: int = 8) -> int:
    """Return how often in a row some phrase comes at most, comparing letters and digits alone.

    A single word counts a third: people do say "no, no, no, no, no".
    """
    words = _key(text)
    most = 1
    for size in range(1, min(longest_phrase, len(words) // 2) + 1):
        same = 0  # words in a row that equal the one a phrase before
        for index in range(size, len(words)):
            same = same + 1 if words[index] == words[index - size] else 0
            times = same // size + 1
            most = max(most, times // 3 if size == 1 else times)
    return most


def _key(text: str) -> tuple[str, ...]:
    folded = "".join(char if char.isalnum() else " " for char in text.casefold())
    return tuple(folded.split())
