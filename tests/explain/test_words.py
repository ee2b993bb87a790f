"""SHAP values of words: against closed forms, against the definition, and what a model never saw."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import Cancelled, SettingsError
from blipper.explain.targets import probability
from blipper.explain.words import EXACT, WORD_TARGETS, explain_words
from blipper.words.transcript import Utterance
from tests.explain.readers import Made, adding, said, shapley, tangled

WEIGHTS = {"stupid": 2.0, "please": -1.0, "fool": 1.5, "you": 0.3}
LONG = "please do not tell me that you are a stupid fool and that I should not come back you liar"


def test_words_of_an_adding_model_get_their_weights():
    found = explain_words(said("you stupid fool please stay"), [Made(adding(WEIGHTS))])
    assert found.targets == WORD_TARGETS
    assert found.method == "exact"
    np.testing.assert_allclose(found.of("aggression"), [0.3, 2.0, 1.5, -1.0, 0.0], atol=1e-12)
    assert found.ends_of("aggression") == pytest.approx((-2.0, 0.8))
    assert found.score_of("aggression") == pytest.approx(float(probability(0.8)))
    assert [word.start for word in found.words] == pytest.approx([10.0, 10.4, 10.8, 11.2, 11.6])


@pytest.mark.parametrize("text", ["you are a liar", "not you liar", "I did not say that to you"])
def test_short_utterances_get_shapley_values_by_definition(text):
    found = explain_words(said(text), [Made(tangled)])
    np.testing.assert_allclose(found.of("aggression"), shapley(tangled, text.split()), atol=1e-9)


def test_each_sentiment_is_explained_as_the_log_odds_of_its_own_score():
    text = "not you liar"
    reader = Made(tangled)
    found = explain_words(said(text), [reader])

    def negative(words):
        logits = reader.sentiment_logits([" ".join(words)])[0]
        return logits[0] - np.logaddexp(logits[1], logits[2])

    np.testing.assert_allclose(found.of("negative"), shapley(negative, text.split()), atol=1e-9)
    powers = np.exp(reader.sentiment_logits([text])[0])
    for k, name in enumerate(("negative", "neutral", "positive")):
        assert found.score_of(name) == pytest.approx(powers[k] / powers.sum())


@pytest.mark.parametrize("text", ["liar", "you are not a liar", LONG])
def test_shares_and_base_add_up_to_the_log_odds(text):
    found = explain_words(said(text), [Made(tangled)])
    np.testing.assert_allclose(found.base + found.values.sum(axis=0), found.log_odds, atol=1e-9)


def test_permutations_come_near_the_definition_as_their_errors_say():
    text = "I did not say that to you liar"
    assert len(text.split()) == EXACT
    truth = shapley(tangled, text.split())
    found = explain_words(said(text), [Made(tangled)], exact=0, permutations=40)
    assert found.method == "permutations"
    off = np.abs(found.of("aggression") - truth)
    assert off.max() < 0.2 < np.abs(truth).mean()
    assert (off <= 4 * found.errors_of("aggression") + 1e-9).all()
    rough = explain_words(said(text), [Made(tangled)], exact=0, permutations=4)
    assert rough.errors_of("aggression").mean() > found.errors_of("aggression").mean()
    again = explain_words(said(text), [Made(tangled)], exact=0, permutations=4)
    np.testing.assert_array_equal(rough.values, again.values)


def test_numpy_s_generator_is_given_back():
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    explain_words(said(LONG), [Made(tangled)])
    assert np.random.random() == expected  # noqa: NPY002


def test_words_that_were_not_surely_heard_are_never_read_and_get_nothing():
    reader = Made(adding(WEIGHTS))
    found = explain_words(said("you stupid fool please stay", unsure=[1]), [reader])
    assert [word.text for word in found.unseen] == ["stupid"]
    assert found.of("aggression")[1] == 0
    assert found.errors_of("aggression")[1] == 0
    assert not any("stupid" in text for text in reader.read)
    assert found.text == "you fool please stay"
    np.testing.assert_allclose(found.of("aggression"), [0.3, 0.0, 1.5, -1.0, 0.0], atol=1e-12)
    assert explain_words(said("you fool", unsure=[0, 1]), [reader]) is None


def test_what_is_left_out_is_really_left_out():
    reader = Made(adding(WEIGHTS))
    explain_words(said("you stupid fool"), [reader])
    assert set(reader.read) == {
        "", "you", "stupid", "fool", "you stupid", "you fool", "stupid fool", "you stupid fool",
    }  # fmt: skip
    assert len(reader.read) == len(set(reader.read)), "no text is read twice"


def test_words_without_times_share_the_utterance_s():
    found = explain_words(Utterance(2.0, 4.0, "you fool"), [Made(adding(WEIGHTS))])
    assert [word.text for word in found.words] == ["you", "fool"]
    assert (found.words[0].start, found.words[-1].end) == (2.0, 4.0)
    np.testing.assert_allclose(found.of("aggression"), [0.3, 1.5])
    assert explain_words(Utterance(2.0, 4.0, "you fool", confidence=0.2), [Made(tangled)]) is None


def test_each_role_comes_from_the_first_model_that_has_it():
    one = Made(adding(WEIGHTS), sentiment=False, name="insults")
    two = Made(adding({"fool": -1.0}), name="moods")
    found = explain_words(said("you fool"), [one, two])
    assert found.models == ("insults", "moods", "moods", "moods")
    np.testing.assert_allclose(found.of("aggression"), [0.3, 1.5])
    alone = explain_words(said("you fool"), [one])
    assert alone.targets == ("aggression",)
    with pytest.raises(SettingsError, match=r"'positive'.*aggression"):
        alone.of("positive")
    moods = explain_words(said("you fool"), [Made(tangled, aggression=False)])
    assert moods.targets == ("negative", "neutral", "positive")
    with pytest.raises(SettingsError, match="no text model"):
        explain_words(said("you fool"), [])


def test_progress_runs_to_the_end_and_can_stop_it():
    told: list[tuple[str, float, float]] = []
    explain_words(said(LONG), [Made(tangled)], progress=lambda *step: told.append(step))
    assert {name for name, *_ in told} == {"words"}
    done = [completed for _, completed, _ in told]
    assert done == sorted(done)
    assert done[-1] == told[-1][2]

    reader = Made(tangled)

    def stop(step: str, completed: float, total: float) -> None:
        if completed > 100:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        explain_words(said(LONG), [reader], progress=stop)
    assert len(reader.read) < 250


def test_numbers_outside_their_domain_are_refused():
    for numbers in ({"permutations": 1}, {"exact": 13}):
        with pytest.raises(SettingsError):
            explain_words(said("you fool"), [Made(tangled)], **numbers)


def test_one_model_for_both_is_read_once_and_gives_what_two_readings_give(tmp_path):
    from tests.words.tiny_text_model import tiny_model

    model = tiny_model(tmp_path)

    class Twice:
        """The same model, whose scores are asked for one after the other."""

        info, has_aggression, has_sentiment = model.info, True, True
        aggression_log_odds = staticmethod(model.aggression_log_odds)
        sentiment_logits = staticmethod(model.sentiment_logits)

    text = "you are a useless liar and I will make you sorry"
    once, twice = (explain_words(said(text), [reader]) for reader in (model, Twice()))
    np.testing.assert_allclose(once.values, twice.values, atol=1e-5)
    np.testing.assert_allclose(once.base + once.values.sum(axis=0), once.log_odds, atol=1e-9)
    scores = model.score([text])
    assert once.score_of("aggression") == pytest.approx(float(scores.aggression[0]), abs=1e-6)
    assert once.score_of("negative") == pytest.approx(float(scores.sentiment[0, 0]), abs=1e-6)
