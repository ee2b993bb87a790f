"""A fused score taken apart: the parts add up to what is shown, to the last digit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.explain.decomposition import decompose, peak_in, with_words
from blipper.explain.targets import probability
from blipper.explain.words import explain_words
from blipper.fusion import PRIOR
from blipper.marking import with_balance
from blipper.results import Span
from tests.explain.readers import Made, adding, said, tangled
from tests.fusion.making import analysis_of
from tests.fusion.making import said as scored

SCORES = [0.05, 0.2, 0.5, 0.8, 0.95, 0.6, np.nan, 0.1]


def read(text, reader, start, **options):
    """Return an utterance with the score that a reader gives it."""
    found = explain_words(said(text, start=start, **options), [reader])
    return replace(said(text, start=start, **options), aggression=found.score_of("aggression")), found


@pytest.mark.parametrize("balance", [0.0, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("verdict", ["good", "poor"])
def test_prior_voice_and_words_add_up_in_every_cell(balance, verdict):
    analysis = analysis_of(
        SCORES, scored(0.4, 1.6, 0.97, 0.8), scored(1.2, 2.4, 0.02), scored(2.1, 2.9, None), verdict=verdict
    )
    analysis = with_balance(analysis, balance)
    counted = []
    for cell, time in enumerate(analysis.tracks[0].curve.times):
        found = decompose(analysis, 0, float(time))
        if np.isnan(SCORES[cell]):
            assert found is None
            continue
        shown = float(analysis.tracks[0].fused.aggression[cell])
        assert found.score == shown
        assert found.log_odds == pytest.approx(np.log(shown / (1 - shown)), abs=1e-9)
        assert float(probability(found.prior + found.voice + found.words)) == pytest.approx(shown, abs=1e-9)
        counted.append(found.utterance)
        assert (found.words == 0) == (found.utterance is None)
    assert set(counted) == ({None} if balance == 0 else {None, 0, 1})


@pytest.mark.parametrize("text", ["you stupid liar", "I never said that you are a liar and you know it well"])
@pytest.mark.parametrize("balance", [0.3, 0.5, 1.0])
def test_word_shares_and_rest_add_up_to_what_the_words_gave(text, balance):
    reader = Made(lambda words: 3.0 + tangled(words))
    utterance, shares = read(text, reader, 1.0, unsure=[1])
    analysis = with_balance(analysis_of(SCORES, utterance), balance)
    bare = decompose(analysis, 0, 1.2)
    assert bare.utterance == 0
    assert not bare.shares
    assert with_words(bare, None) is bare
    found = with_words(bare, shares)
    assert sum(share for _, share in found.shares) + found.rest == pytest.approx(found.words, abs=1e-9)
    factor = found.words / (shares.ends_of("aggression")[1] - PRIOR)
    np.testing.assert_allclose(
        [share for _, share in found.shares], factor * shares.of("aggression"), atol=1e-12
    )
    # The rest is the model's answer to no words, by the same factor: nothing else hides in it.
    assert found.rest == pytest.approx(factor * (shares.ends_of("aggression")[0] - PRIOR), abs=1e-4)
    assert found.shares[1][1] == 0
    assert not found.shares[1][0].seen
    assert found.to_dict()["word_shares"][1]["seen"] is False


def test_words_get_their_weights_in_the_score():
    """Where nothing limits and all count in full, a word's share is its own weight."""
    utterance, shares = read("you fool", Made(adding({"fool": 2.5}, base=PRIOR)), 1.5)
    utterance = replace(utterance, words=tuple(replace(word, confidence=None) for word in utterance.words))
    analysis = analysis_of(SCORES, utterance)
    found = with_words(decompose(analysis, 0, 1.75), shares)
    assert found.words == pytest.approx(2.5)
    assert [share for _, share in found.shares] == pytest.approx([0.0, 2.5])
    assert found.rest == pytest.approx(0.0, abs=1e-9)


def test_of_overlapping_utterances_the_one_that_counts_is_named():
    analysis = analysis_of(SCORES, scored(1.0, 2.0, 0.3), scored(1.0, 2.0, 0.9))
    assert decompose(analysis, 0, 1.2).utterance == 1


def test_without_scored_words_the_score_is_the_voice_s():
    analysis = analysis_of(SCORES, scored(0.4, 1.6, None))
    found = decompose(analysis, 0, 1.7)
    assert not found.fused
    assert found.words == 0
    assert found.score == 0.8
    assert float(probability(found.log_odds)) == pytest.approx(0.8, abs=1e-9)


def test_the_peak_of_a_stretch_is_found_where_there_are_scores():
    track = analysis_of(SCORES, scored(0.4, 1.6, None)).tracks[0]
    assert peak_in(track, Span(0.0, 1.9)) == 1.75
    assert peak_in(track, Span(3.1, 3.4)) is None
    with_talk = analysis_of(SCORES, scored(0.1, 0.4, 0.999)).tracks[0]
    assert peak_in(with_talk, Span(0.0, 1.0)) == 0.25


def test_no_such_channel_or_time():
    analysis = analysis_of(SCORES, scored(0.4, 1.6, 0.9))
    with pytest.raises(SettingsError, match="channel 3"):
        decompose(analysis, 2, 1.0)
    with pytest.raises(SettingsError, match="time 99"):
        decompose(analysis, 0, 99.0)
