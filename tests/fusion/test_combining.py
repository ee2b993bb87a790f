"""Voice and words in one score: what must hold for any scores, and answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.fusion import AGAINST, PRIOR, fuse, hostile_from, log_odds, weights, words_reliability
from blipper.words.text_info import TextModelInfo
from blipper.words.transcript import LOW_CONFIDENCE, Dropped
from tests.fusion.making import curve_of, said, transcript

RUNS = 300


def sigmoid(value):
    return 1 / (1 + np.exp(-np.asarray(value)))


def random_scores(rng, n):
    """Scores as models give them: many near 0 and 1, and the two themselves."""
    scores = sigmoid(rng.normal(0, 4, n))
    return np.where(rng.random(n) < 0.05, rng.integers(0, 2, n).astype(float), scores)


def random_case(rng):
    """A curve with gaps, utterances that overlap and leave gaps, a reliability and a balance."""
    values = random_scores(rng, 40)
    values[rng.random(40) < 0.2] = np.nan
    utterances = []
    for start in np.sort(rng.uniform(-1, 21, rng.integers(1, 7))):
        score = None if rng.random() < 0.1 else float(random_scores(rng, 1)[0])
        confidence = None if rng.random() < 0.3 else float(rng.random())
        utterances.append(said(float(start), float(start + rng.exponential(3)), score, confidence))
    return curve_of(values), utterances, float(rng.uniform(0.05, 1)), float(rng.random())


def fused(curve, utterances, sound=1.0, balance=0.5, **fields):
    found = fuse(curve, transcript(*utterances, **fields), sound=sound, balance=balance)
    return curve.aggression if found is None else found.aggression


def test_the_parts_add_up_to_the_score(rng):
    for _ in range(RUNS):
        curve, utterances, sound, balance = random_case(rng)
        found = fuse(curve, transcript(*utterances), sound=sound, balance=balance)
        if found is None:
            assert all(one.aggression is None for one in utterances)
            continue
        total = found.prior + found.voice + found.words
        np.testing.assert_allclose(
            np.clip(found.aggression, 1e-6, 1 - 1e-6),
            np.clip(sigmoid(total), 1e-6, 1 - 1e-6),
            atol=1e-9,
            rtol=0,
        )
        spoken = ~np.isnan(curve.aggression)
        for part in (found.aggression, found.voice, found.words):
            np.testing.assert_array_equal(np.isnan(part), ~spoken)
        assert np.isfinite(total[spoken]).all()
        assert not np.isnan(found.words_score[spoken & (found.words != 0)]).any()


def test_without_words_the_score_is_the_voice_s_to_the_last_bit(rng):
    for _ in range(RUNS):
        curve, utterances, sound, balance = random_case(rng)
        found = fuse(curve, transcript(*utterances), sound=sound, balance=balance)
        if found is not None:
            alone = np.isnan(found.words_score)
            np.testing.assert_array_equal(found.aggression[alone], curve.aggression[alone])
            assert (found.words[alone & ~np.isnan(curve.aggression)] == 0).all()
    assert fuse(curve, None) is None
    assert fuse(curve, transcript()) is None
    assert fuse(curve, transcript(said(0, 3, None))) is None


@pytest.mark.parametrize("sound", [1.0, 0.5, 0.1])
def test_the_ends_of_the_balance(rng, sound):
    curve = curve_of(random_scores(rng, 20))
    words = [said(2.0, 6.0, 0.83)]
    np.testing.assert_array_equal(fused(curve, words, sound, 0.0), curve.aggression)
    alone = fused(curve, words, sound, 1.0)
    np.testing.assert_allclose(alone[4:12], 0.83)
    np.testing.assert_array_equal(alone[12:], curve.aggression[12:])
    # At 0 the words' own curve is there all the same, to be shown.
    at_zero = fuse(curve, transcript(*words), sound=sound, balance=0.0)
    assert at_zero is not None
    np.testing.assert_array_equal(at_zero.words_score[4:12], 0.83)


def test_symmetric_in_the_two_sides(rng):
    for _ in range(RUNS):
        (one, other), balance = random_scores(rng, 2), rng.random()
        found = fuse(curve_of([one]), transcript(said(0, 0.5, other)), balance=balance)
        swapped = fuse(curve_of([other]), transcript(said(0, 0.5, one)), balance=1 - balance)
        assert found is not None
        assert swapped is not None
        if balance in (0.0, 1.0):
            continue
        np.testing.assert_allclose(found.voice, swapped.words, atol=1e-9)
        np.testing.assert_allclose(found.words, swapped.voice, atol=1e-9)
        np.testing.assert_allclose(found.aggression, swapped.aggression, atol=1e-12)


def test_a_more_aggressive_side_never_lowers_the_score(rng):
    for _ in range(RUNS):
        curve, utterances, sound, balance = random_case(rng)
        before = fused(curve, utterances, sound, balance)
        louder = replace(curve, aggression=np.maximum(curve.aggression, random_scores(rng, 40)))
        after = fused(louder, utterances, sound, balance)
        assert (np.nan_to_num(after - before) >= -1e-12).all()
        scored = [i for i, one in enumerate(utterances) if one.aggression is not None]
        if not scored:
            continue
        worse = list(utterances)
        index = int(rng.choice(scored))
        old = worse[index].aggression
        assert old is not None
        worse[index] = replace(worse[index], aggression=old + (1 - old) * float(rng.random()))
        after = fused(curve, worse, sound, balance)
        assert (np.nan_to_num(after - before) >= -1e-12).all()


def test_words_that_were_not_surely_heard_change_nothing(rng):
    for _ in range(RUNS):
        curve, utterances, sound, balance = random_case(rng)
        before = fused(curve, utterances, sound, balance)
        start = float(rng.uniform(0, 18))
        low = said(start, start + 4, float(rng.random()), float(rng.uniform(0, LOW_CONFIDENCE - 1e-9)))
        np.testing.assert_array_equal(fused(curve, [*utterances, low], sound, balance), before)
        invented = (Dropped(start, start + 4, "you will pay for this", "probably never said"),)
        np.testing.assert_array_equal(fused(curve, utterances, sound, balance, dropped=invented), before)


def test_unsure_words_beside_sure_ones_change_nothing():
    sure = said(0, 2, 0.9, 0.8)
    unsure = replace(sure, words=(*sure.words, replace(sure.words[0], text="idiot", confidence=0.1)))
    curve = curve_of([0.3] * 4)
    np.testing.assert_array_equal(fused(curve, [unsure]), fused(curve, [sure]))
    assert words_reliability(unsure, transcript(unsure)) == pytest.approx(0.8)


def test_overlapping_utterances_give_the_highest_score(rng):
    for _ in range(RUNS):
        curve, utterances, sound, balance = random_case(rng)
        together = fused(curve, utterances, sound, balance)
        apart = []
        for one in utterances:
            found = fuse(curve, transcript(one), sound=sound, balance=balance)
            counted = found is not None and ~np.isnan(found.words_score)
            if found is not None and balance > 0:
                apart.append(np.where(counted, found.aggression, -np.inf))
        if apart:
            best = np.max(apart, axis=0)
            np.testing.assert_array_equal(together, np.where(np.isinf(best), curve.aggression, best))


def test_an_utterance_counts_where_its_words_are():
    curve = curve_of([0.2] * 20)
    long = replace(said(2.2, 4.1, 0.9), start=0.0, end=10.0)  # words from 2.2 to 4.1 s alone
    np.testing.assert_array_equal(np.flatnonzero(fused(curve, [long]) > 0.2), range(4, 9))
    without = replace(long, words=())
    assert (fused(curve, [without]) > 0.2).all()
    for start, end, hit in (
        (3.0, 3.0, [6]),
        (-3.0, 0.2, [0]),
        (-3.0, -1.0, []),
        (9.9, 400.0, [19]),
        (11, 12, []),
    ):
        words = [replace(said(start, end, 0.9), words=())]
        np.testing.assert_array_equal(np.flatnonzero(fused(curve, words) > 0.2), hit)


def test_words_where_nobody_is_heard_have_no_score():
    curve = curve_of([np.nan, np.nan, 0.2, 0.2])
    found = fuse(curve, transcript(said(0.0, 1.5, 0.99)))
    assert found is not None
    np.testing.assert_array_equal(np.isnan(found.aggression), [True, True, False, False])
    np.testing.assert_array_equal(np.isnan(found.words_score), [True, True, False, True])


def test_the_four_cases_by_hand():
    prior = 0.15 / 0.85
    both = fused(curve_of([0.8]), [said(0, 0.5, 0.9)])[0]
    assert both == pytest.approx(36 / prior / (1 + 36 / prior))  # odds 4 and 9, over the prior's
    shout = fused(curve_of([0.8]), [said(0, 0.5, 0.02)])[0]
    assert shout == pytest.approx(3.2 / 4.2)  # four fifths of odds of 4
    threat = fused(curve_of([0.001]), [said(0, 0.5, 0.9)])[0]
    voice = np.log(0.001 / 0.999 / prior)
    assert threat == pytest.approx(sigmoid(PRIOR + np.log(9 / prior) + max(voice + np.log(9 / prior), voice)))
    assert fused(curve_of([0.02]), [said(0, 0.5, 0.9)])[0] == pytest.approx(
        7.2 / 8.2
    )  # four fifths of odds of 9
    neither = fused(curve_of([0.05]), [said(0, 0.5, 0.05)])[0]
    assert neither == pytest.approx(sigmoid(2 * np.log(0.05 / 0.95) - PRIOR))
    assert neither < 0.05
    assert np.exp(AGAINST) == pytest.approx(1.25)
    assert fused(curve_of([5 / 9]), [said(0, 0.5, 0.02)])[0] == pytest.approx(0.5)


def test_unsure_sides_count_less():
    shout, harmless, hostile = curve_of([0.8]), [said(0, 0.5, 0.02)], [said(0, 0.5, 0.9)]
    assert fused(shout, harmless, sound=0.5)[0] < fused(shout, harmless)[0]
    assert fused(shout, hostile, sound=0.5)[0] < fused(shout, hostile)[0]
    quiet = curve_of([0.1])
    unsure = [said(0, 0.5, 0.9, 0.6)]
    rough = fused(quiet, hostile, draft=True)[0]
    assert 0.1 < rough < fused(quiet, hostile)[0]
    assert 0.1 < fused(quiet, unsure)[0] < fused(quiet, hostile)[0]
    assert fused(quiet, hostile, timing="spread")[0] == rough
    toxic = TextModelInfo("org/toxic", "ab" * 32, "c" * 40, {}, 0.7, False, ("en",), reads=("aggression",))
    assert fused(quiet, hostile, text_models=(toxic,))[0] == rough
    small = replace(toxic, calibrated=True)
    tone = replace(toxic, reads=("sentiment",))
    assert fused(quiet, hostile, text_models=(small, tone))[0] == fused(quiet, hostile)[0]
    assert hostile_from(transcript(text_models=(tone, toxic))) == 0.7
    assert hostile_from(transcript()) == hostile_from(None) == 0.5
    by_hand = [said(0, 0.5, 0.9, 1.0)]
    assert fused(quiet, by_hand, draft=True, edited=True)[0] == fused(quiet, hostile)[0]


def test_the_slider_moves_the_score_from_the_voice_to_the_words():
    scores = [fused(curve_of([0.3]), [said(0, 0.5, 0.05)], balance=b)[0] for b in np.linspace(0, 1, 21)]
    assert scores[0] == 0.3
    assert scores[-1] == pytest.approx(0.05)
    assert np.abs(np.diff(scores)).max() < 0.06  # without jumps
    assert weights(1.0, 1.0, 0.25) == (1.0, 0.5)
    assert weights(1.0, 1.0, 0.75) == (0.5, 1.0)
    assert weights(0.5, 0.0, 0.5) == (1.0, 0.0)
    assert weights(0.5, 0.25, 0.5) == (1.0, 0.25)
    assert weights(0.25, 0.5, 0.5) == (0.5, 0.5)


@pytest.mark.parametrize(
    "bad", [{"balance": -0.1}, {"balance": 1.1}, {"balance": np.nan}, {"sound": 0.0}, {"sound": 1.5}]
)
def test_outside_the_domain(bad):
    with pytest.raises(SettingsError, match="expected"):
        fuse(curve_of([0.5]), transcript(said(0, 0.5, 0.5)), **bad)


def test_log_odds():
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
    np.testing.assert_allclose(log_odds(np.array([0.5, 0.9])), [0, np.log(9)])
    assert np.isnan(log_odds(np.array([np.nan]))).all()
