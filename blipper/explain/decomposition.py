"""One fused score taken apart exactly, in log-odds: the prior, what the voice gave, what each word gave.

The fused curve (:mod:`blipper.fusion`) says for each of its cells ``log-odds = prior + voice + words``. What
the words gave is the evidence of one utterance, its log-odds less the prior, times a factor (its weight, and
the limit on what one side can say against the other). SHAP values split the utterance's log-odds into its
words and a base, the text model's answer to no words at all; the same factor turns them into shares of what
the words gave. What the base contributes is named, too, as :attr:`Decomposition.rest`: nothing is hidden in
another part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blipper.errors import SettingsError
from blipper.explain.words import ReadWord, WordShares
from blipper.fusion import PRIOR, fuse, log_odds, sound_reliability
from blipper.fusion.combining import cells
from blipper.results import Analysis, Span, Track


@dataclass(frozen=True)
class Decomposition:
    """A score of one moment, taken apart; all parts in log-odds.

    Parameters
    ----------
    channel : int
    time, step : float
        The middle and the length of the curve's cell, in seconds.
    score : float
        In [0, 1], as the curve shows it.
    prior, voice, words : float
        They add up to the log-odds of `score`.
    fused : bool
        False where the recording has no scored words: the score is then the voice's alone.
    utterance : int or None
        Which utterance's words count at that moment, by its place in the transcript; None where none does.
    shares : tuple of (ReadWord, float)
        What each word of that utterance gave; empty until its words are explained.
    rest : float
        What `words` holds besides the shares: the text model's answer to no words at all, less the prior.
    """

    channel: int
    time: float
    step: float
    score: float
    prior: float
    voice: float
    words: float
    fused: bool
    utterance: int | None = None
    shares: tuple[tuple[ReadWord, float], ...] = ()
    rest: float = 0.0

    @property
    def log_odds(self) -> float:
        """All parts together; its sigmoid is the score."""
        return self.prior + self.voice + self.words

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "channel": self.channel,
            "time": self.time,
            "step": self.step,
            "score": self.score,
            "unit": "log-odds",
            "log_odds": self.log_odds,
            "prior": self.prior,
            "voice": self.voice,
            "words": self.words,
            "fused": self.fused,
            "utterance": self.utterance,
            "words_rest": self.rest,
            "word_shares": [
                {"text": word.text, "start": word.start, "end": word.end, "seen": word.seen, "share": share}
                for word, share in self.shares
            ],
        }


def decompose(analysis: Analysis, channel: int, time: float) -> Decomposition | None:
    """Take apart the score of a moment.

    Parameters
    ----------
    analysis : Analysis
    channel : int
    time : float
        Seconds; the cell of the curve that it lies in is taken apart.

    Returns
    -------
    Decomposition or None
        None where nobody speaks, so that there is no score.

    Raises
    ------
    SettingsError
        If there is no such channel or time.
    """
    if not 0 <= channel < len(analysis.tracks):
        raise SettingsError(f"channel {channel + 1}: expected 1 to {len(analysis.tracks)}")
    track = analysis.tracks[channel]
    curve = track.curve
    if not 0 <= time <= analysis.duration or not len(curve.times):
        raise SettingsError(f"time {time} s: expected 0 to {analysis.duration:.2f} s")
    cell = min(int(time / curve.step), len(curve.times) - 1)
    if np.isnan(curve.aggression[cell]):
        return None
    middle = float(curve.times[cell])
    fused = track.fused
    if fused is None:
        score = float(curve.aggression[cell])
        voice = float(log_odds(np.array(score))) - PRIOR
        return Decomposition(channel, middle, curve.step, score, PRIOR, voice, 0.0, False)
    return Decomposition(
        channel,
        middle,
        curve.step,
        float(fused.aggression[cell]),
        fused.prior,
        float(fused.voice[cell]),
        float(fused.words[cell]),
        True,
        counted(track, cell, float(analysis.settings.get("balance", 0.5))),
    )


def counted(track: Track, cell: int, balance: float) -> int | None:
    """Return which utterance's words count in a cell of the fused curve; None where none does."""
    if track.fused is None or track.transcript is None:
        return None
    sound = sound_reliability(track.quality)
    found: list[tuple[float, int]] = []
    for index, utterance in enumerate(track.transcript.utterances):
        part = cells(utterance, track.curve)
        if utterance.aggression is None or not part.start <= cell < part.stop:
            continue
        alone = replace(track.transcript, utterances=(utterance,))
        curve = fuse(track.curve, alone, sound=sound, balance=balance)
        if curve is not None and curve.words[cell] != 0:
            found.append((-float(curve.aggression[cell]), index))
    return min(found)[1] if found else None


def peak_in(track: Track, span: Span) -> float | None:
    """Return the middle of the highest cell that a stretch reaches into; None where none has a score."""
    curve = track.scored
    half = curve.step / 2
    inside = np.flatnonzero(
        (curve.times + half > span.start)
        & (curve.times - half < span.end)
        & np.isfinite(np.asarray(curve.aggression, dtype=np.float64))
    )
    if not len(inside):
        return None
    return float(curve.times[inside[int(np.argmax(curve.aggression[inside]))]])


def with_words(found: Decomposition, shares: WordShares | None) -> Decomposition:
    """Split what the words gave into the words.

    Parameters
    ----------
    found : Decomposition
        Of a moment in which `shares`' utterance counts.
    shares : WordShares or None
        None, or one that says nothing of verbal aggression, changes nothing.

    Returns
    -------
    Decomposition
        Whose shares and rest add up to its `words`.
    """
    if shares is None or "aggression" not in shares.targets or found.utterance is None:
        return found
    _, own = shares.ends_of("aggression")
    evidence = own - found.prior
    factor = 0.0 if evidence == 0 else found.words / evidence
    given = factor * shares.of("aggression")
    return replace(
        found,
        shares=tuple(zip(shares.words, map(float, given), strict=True)),
        rest=found.words - float(given.sum()),
    )
