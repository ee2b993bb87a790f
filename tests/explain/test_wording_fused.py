"""The fused score in a sentence: what the numbers say, and never surer than they allow."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blipper.explain.decomposition import Decomposition
from blipper.explain.targets import probability
from blipper.explain.wording_fused import tell_fused, top_words
from blipper.explain.words import WORD_TARGETS, ReadWord, WordShares
from blipper.fusion import PRIOR
from tests.explain.test_wording import made, planted


def parts(voice: float, words: float, *, fused: bool = True, utterance: int | None = 0) -> Decomposition:
    score = float(probability(PRIOR + voice + words))
    shares = ((ReadWord("liar", 11.0, 11.4, True, 0.9), words),) if words else ()
    counts = utterance if words else None
    return Decomposition(0, 12.25, 0.5, score, PRIOR, voice, words, fused, counts, shares)


def shares(*values: float, errors: float = 0.0, confidence: float = 0.95) -> WordShares:
    texts = ["you", "liar!", "stupid", "thing", "then"][: len(values)]
    words = tuple(ReadWord(text, 11.0 + i, 12.0 + i, True, confidence) for i, text in enumerate(texts))
    column = np.zeros((len(values), len(WORD_TARGETS)))
    column[:, 0] = values
    odds = np.zeros(len(WORD_TARGETS))
    return WordShares(
        WORD_TARGETS, words, column, np.full_like(column, errors), odds, odds + sum(values),
        "permutations" if errors else "exact", " ".join(texts), ("m",) * 4,
    )  # fmt: skip


def test_mostly_the_voice():
    told = tell_fused(parts(3.0, 0.1), made(planted()), 0.95, shares(0.1))
    assert told.sentence == (
        "The score at 12.2 s is 0.80, mostly the voice: the sound at 300 to 900 Hz is stronger than in "
        "neutral speech between 11.0 and 11.3 s; the words add little."
    ) or told.sentence.startswith("The score at 12.2 s is 0.80, mostly the voice: the sound at 300 to 900 Hz")
    assert "stronger than in neutral speech between 11" in told.sentence
    assert told.sentence.endswith("; the words add little.")
    assert told.certainty == "good"


def test_from_a_time_on_where_it_lasts_to_the_end():
    values = np.zeros((300, 40))
    values[240:300, 2:4] = 0.04
    told = tell_fused(parts(3.0, 0.0), made(values), 0.95)
    assert " from 12." in told.sentence
    assert " s on; no words count at that moment." in told.sentence


def test_mostly_the_words_names_them_without_their_punctuation():
    told = tell_fused(parts(0.1, 3.0), made(planted()), 0.95, shares(0.1, 2.0, 0.9, 0.0))
    assert "mostly the words: most of all “liar” and “stupid”; the voice adds little." in told.sentence
    assert "Hz" not in told.sentence


def test_both_sides_and_the_other_side_against_it():
    both = tell_fused(parts(2.0, 2.0), made(planted()), 0.95, shares(0.1, 2.0)).sentence
    assert "both sides: in the voice, the sound at 300 to 900 Hz" in both
    assert "; of the words, most of all “liar”" in both
    against = tell_fused(parts(3.0, -0.6), made(planted()), 0.95, shares(-0.6)).sentence
    assert against.endswith("; the words speak against it.")
    some = tell_fused(parts(3.0, 0.6), made(planted()), 0.95, shares(0.6)).sentence
    assert some.endswith("; the words add some.")


def test_what_lowers_a_score_is_told_as_such():
    told = tell_fused(parts(-3.0, 0.0), made(-planted(), louder=-5.0), 0.95)
    assert "mostly the voice: the sound at 300 to 900 Hz is weaker" in told.sentence


@pytest.mark.parametrize(("stability", "certainty"), [(0.7, "fair"), (0.3, "poor")])
def test_never_surer_than_the_voice_s_explanation(stability, certainty):
    told = tell_fused(parts(3.0, 0.1), made(planted()), stability, shares(0.1))
    assert told.certainty == certainty
    if certainty == "poor":
        assert "Hz" not in told.sentence
        assert "cannot be told apart reliably" in told.sentence
    else:
        assert "probably the sound at 300 to 900 Hz" in told.sentence


def test_a_map_that_points_the_other_way_explains_nothing():
    told = tell_fused(parts(3.0, 0.0), made(-planted()), 0.95)
    assert "Hz" not in told.sentence
    other = tell_fused(parts(3.0, 0.0), made(planted(), target="sad"), 0.95)
    assert "Hz" not in other.sentence


def test_words_that_may_have_been_misheard_say_so():
    unsure = tell_fused(parts(0.0, 3.0), None, None, shares(0.0, 3.0, confidence=0.6))
    assert "“liar”, if they were heard right" in unsure.sentence
    draft = tell_fused(parts(0.0, 3.0), None, None, shares(0.0, 3.0), draft=True)
    assert "if they were heard right" in draft.sentence
    assert draft.certainty == "fair"
    assert "rough draft" in draft.reason


def test_words_within_their_errors_are_not_named():
    told = tell_fused(parts(0.0, 3.0), None, None, shares(0.0, 3.0, errors=2.0))
    assert "no single word stands out" in told.sentence
    assert told.certainty == "fair"
    assert top_words(shares(0.5, 0.5, 0.5, 0.5, 0.5), 1.0) == []
    assert top_words(shares(-1.0, 2.0), -1.0) == ["you"]


def test_nothing_much_either_way():
    assert "neither voice nor words" in tell_fused(parts(0.1, -0.1)).sentence
    assert "against each other" in tell_fused(parts(0.7, -0.7)).sentence
    alone = tell_fused(parts(0.1, 0.0, fused=False)).sentence
    assert "no words were scored" in alone
    assert "(0.15)" in alone


def test_without_scored_words_that_is_said():
    told = tell_fused(dataclasses.replace(parts(3.0, 0.0), fused=False), made(planted()), 0.95)
    assert told.sentence.endswith("; no words were scored.")
