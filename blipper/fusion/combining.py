r"""Voice and words in one score, in log-odds, so that what each side gave can be added up.

For every cell of the voice's grid::

    log-odds of the fused score = prior + voice + words

**Evidence.** A side's evidence is the log-odds of its calibrated score less the prior: what the sound, or the
words, changed about what was believed before. Evidence of two sides is added, as in naive Bayes. The prior is
:data:`PRIOR` for both, so a score of 0.15 says nothing either way.

**Weights.** With ``s`` and ``r`` the reliabilities of sound and words (:mod:`.reliability`) and ``b`` the
balance, the words' evidence is multiplied by ``w = r * min(1, 2b)`` and the voice's by
``v = a / max(a, w)`` with ``a = s * min(1, 2 - 2b)``; where ``w`` is 0, ``v`` is 1. So:

- The words never count more than how surely they were heard.
- The voice counts in full unless surer or preferred words stand beside it. Poor sound must not shrink a voice
  that stands alone: its score is what was calibrated and what thresholds were chosen on, and there is nothing
  beside it that could be relied on instead; that the sound is poor is told by the checks. Only where there
  are two witnesses does it matter which of them heard better, and that is what the ratio says. It goes to 1
  by itself as the words' weight goes to 0, so nothing jumps as words get vaguer.
- Where words are missing (no transcript, not scored, not surely heard, nothing said just then) their share is
  0 and the fused score *is* the voice's, whatever the balance: even "words alone" does not call a shout
  without words calm.

**No unsaying.** A calm voice does not take back a threat, and harmless words do not take back a shout; yet
voice models call calm speech calm with scores near 0.001, whose evidence would drown any words. So against a
side that speaks for aggression the other side's evidence counts at most :data:`AGAINST`, which takes a fifth
off the odds: beside harmless words a voice needs 0.56 to score what it scores alone with 0.5. On the test
speakers' clips of mel-cnn, whose sentences are all harmless, that step loses 5.4 of 58 angry clips in 100 and
spares 0.5 of 2.8 others, so the limit is kept low. To get there without a jump, evidence ``-n`` beside
evidence ``p`` becomes ``-min(n, max(AGAINST, n - p))``.

**Time.** An utterance counts in every cell that its words reach into. Where utterances overlap, the one that
gives the highest score counts. Words where nobody was heard to speak (the voice's curve is NaN) get no score:
text over silence is what recognisers invent, and a subtitle may be anybody's. A notice says where such words
read as hostile (:mod:`blipper.marking`).

All this makes the score never fall when either side's score rises, and symmetric in the two sides where their
reliabilities are the same and the balance is in the middle. Text that an engine's guards dropped, and words
below the least confidence, are not looked at, so they can't raise a score. The constants are set by
judgement: no corpus here has voice, words and labels of both.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from blipper.errors import SettingsError
from blipper.fused import FusedCurve
from blipper.fusion.reliability import words_reliability
from blipper.results import Curve, Float
from blipper.words.transcript import Transcript, Utterance

#: Where both sides start, in natural log-odds: 0.15, about the share of angry clips (0.154) among those on
#: which the voice models' scores were calibrated and measured.
PRIOR: Final = math.log(0.15 / 0.85)
#: What one side can say against the other at most, in natural log-odds: it takes a fifth off the odds.
AGAINST: Final = math.log(1.25)
#: Voice and words count alike.
BALANCE: Final = 0.5
#: Scores are kept so far from 0 and 1, where log-odds are infinite.
_CLIP: Final = 1e-6


def fuse(
    curve: Curve, transcript: Transcript | None, *, sound: float = 1.0, balance: float = BALANCE
) -> FusedCurve | None:
    """Fuse the voice's curve with what was said; see the module for how and why.

    Parameters
    ----------
    curve : Curve
        The voice's.
    transcript : Transcript, optional
        Its utterances' `aggression` is what counts.
    sound : float
        Reliability of the voice's scores, above 0 and at most 1; see
        :func:`~blipper.fusion.reliability.sound_reliability`.
    balance : float
        In [0, 1]: 0 is the voice alone, 0.5 counts both alike, 1 is the words alone where there are any.

    Returns
    -------
    FusedCurve or None
        None where no utterance has a score.

    Raises
    ------
    SettingsError
        If `sound` or `balance` is outside its domain.
    """
    if not 0 < sound <= 1:
        raise SettingsError(f"the sound's reliability is {sound}, expected above 0 and at most 1")
    utterances = () if transcript is None else transcript.utterances
    if transcript is None or all(one.aggression is None for one in utterances):
        return None
    evidence = log_odds(curve.aggression) - PRIOR
    aggression, voice = curve.aggression.astype(np.float64), evidence.copy()
    words = np.where(np.isnan(evidence), np.nan, 0.0)
    said = np.full_like(evidence, np.nan)
    total = np.full_like(evidence, -np.inf)
    for one in utterances:
        reliability = words_reliability(one, transcript)
        if one.aggression is None or reliability == 0:
            continue
        part = cells(one, curve)
        said[part] = np.where(np.isnan(evidence[part]), np.nan, np.fmax(said[part], one.aggression))
        voice_weight, words_weight = weights(sound, reliability, balance)
        if words_weight == 0:
            continue
        against = words_weight * float(log_odds(np.array(one.aggression)) - PRIOR)
        own, other = _limited(voice_weight * evidence[part], against)
        log = PRIOR + own + other
        best = log > total[part]  # never where the voice is NaN
        total[part] = np.where(best, log, total[part])
        voice[part] = np.where(best, own, voice[part])
        words[part] = np.where(best, other, words[part])
        aggression[part] = np.where(best, 1 / (1 + np.exp(-log)), aggression[part])
    return FusedCurve(curve.step, curve.times, aggression, voice, words, said, PRIOR)


def weights(sound: float, words: float, balance: float) -> tuple[float, float]:
    """Return what the voice's and the words' evidence is multiplied by.

    Parameters
    ----------
    sound, words : float
        The two reliabilities in [0, 1].
    balance : float
        In [0, 1].

    Returns
    -------
    voice, words : float
        In [0, 1]; (1, 0) where the words say nothing.

    Raises
    ------
    SettingsError
        If `balance` is outside its domain.
    """
    check_balance(balance)
    for_words = words * min(1.0, 2 * balance)
    if for_words == 0:
        return 1.0, 0.0
    for_voice = sound * min(1.0, 2 * (1 - balance))
    return for_voice / max(for_voice, for_words), for_words


def check_balance(balance: float) -> None:
    """Raise SettingsError unless a balance is in [0, 1]."""
    if not 0 <= balance <= 1:
        raise SettingsError(f"the balance is {balance}, expected 0 (the voice alone) to 1 (the words alone)")


def log_odds(scores: Float) -> Float:
    """Return the natural log-odds of scores in [0, 1], finite for 0 and 1; NaN stays NaN."""
    kept = np.clip(np.asarray(scores, dtype=np.float64), _CLIP, 1 - _CLIP)
    found: Float = np.log(kept) - np.log1p(-kept)
    return found


def cells(utterance: Utterance, curve: Curve) -> slice:
    """Return the grid's cells that an utterance's words reach into; at least one, unless it is outside."""
    start, end = utterance.start, utterance.end
    if utterance.words:
        start = min(word.start for word in utterance.words)
        end = max(word.end for word in utterance.words)
    first = int(max(0.0, start) / curve.step + 1e-9)
    return slice(first, max(first + 1, math.ceil(end / curve.step - 1e-9)) if end > 0 else first)


def _limited(voice: Float, words: float) -> tuple[Float, Float]:
    """Return both sides' evidence, either limited in what it says against the other."""
    other = np.full_like(voice, words)
    own: Float = np.where(words > 0, _against(voice, other), voice)
    return own, np.where(voice > 0, _against(other, voice), other)


def _against(evidence: Float, other: Float) -> Float:
    """Limit negative evidence where the other side's is positive."""
    return np.maximum(evidence, np.minimum(-AGAINST, evidence + other))
