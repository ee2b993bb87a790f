"""How far each side can be relied on: the voice by the sound, the words by how surely they were heard.

Reliabilities are in [0, 1]. The factors are set by judgement, not measured; 1 stands for "nothing speaks
against it".
"""

from __future__ import annotations

from typing import Final

from blipper.results import Quality
from blipper.words.transcript import LOW_CONFIDENCE, Transcript, Utterance

#: The checks of the sound that bear on how a voice is scored. Much silence and a shifted zero do not.
BEARING: Final = frozenset({"clipping", "level", "snr", "bandwidth"})
#: What each such check leaves of the voice's reliability; they multiply. What isn't measured counts as good.
LEFT_BY: Final = {"good": 1.0, "fair": 0.8, "poor": 0.5, "unknown": 1.0}
#: What is left of an engine's words where it writes only a rough draft.
DRAFT: Final = 0.5
#: And where the words' times are a guess, so that they may belong to other moments.
SPREAD: Final = 0.5
#: And where the text model's scores are not calibrated, so that 0.9 is not known to mean nine in ten.
UNCALIBRATED: Final = 0.5


def sound_reliability(quality: Quality) -> float:
    """Return how far the voice's scores can be relied on, by the checks of the sound.

    Parameters
    ----------
    quality : Quality

    Returns
    -------
    float
        Above 0, at most 1; 1 where no check has anything to say.
    """
    left = 1.0
    for check in quality.checks:
        if check.name in BEARING:
            left *= LEFT_BY[check.verdict]
    return left


def words_reliability(utterance: Utterance, transcript: Transcript) -> float:
    """Return how far an utterance's score can be relied on, by how surely its words were heard.

    The mean confidence of those words that a text model may read: words below
    :data:`~blipper.words.transcript.LOW_CONFIDENCE` are kept from it, so they neither add to the score nor
    take from its reliability. Half of it for a rough draft, half where times are a guess, and half where the
    model that read them is not calibrated; an utterance that a person corrected is no draft any more. Where
    an engine gives no confidences (a file that the user has) nothing speaks against the words.

    Parameters
    ----------
    utterance : Utterance
    transcript : Transcript
        The one that it is part of.

    Returns
    -------
    float
        In [0, 1]; 0 where no word is surer than :data:`~blipper.words.transcript.LOW_CONFIDENCE`, so that
        nothing is concluded from the utterance.
    """
    known = [word.confidence for word in utterance.words] if utterance.words else [utterance.confidence]
    read = [1.0 if one is None else min(one, 1.0) for one in known if one is None or one >= LOW_CONFIDENCE]
    if not read:
        return 0.0
    left = sum(read) / len(read)
    by_hand = transcript.edited and utterance.confidence == 1.0
    if transcript.draft and not by_hand:
        left *= DRAFT
    if transcript.timing == "spread":
        left *= SPREAD
    if any("aggression" in model.reads and not model.calibrated for model in transcript.text_models):
        left *= UNCALIBRATED
    return left
