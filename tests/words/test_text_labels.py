"""What the outputs of other people's classifiers are taken for, and the numbers that come of it."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.words.text_heads import Heads, sigmoid, softmax
from blipper.words.text_labels import fold, map_labels, meanings, parse_mapping


def numbered(*labels: str) -> dict[int, str]:
    return dict(enumerate(labels))


MULTI = "multi_label_classification"
JIGSAW = numbered("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


@pytest.mark.parametrize(
    ("labels", "name", "sentiment"),
    [
        (numbered("negative", "neutral", "positive"), "a/b", ((0,), (1,), (2,))),
        (numbered("positive", "neutral", "negative"), "a/b", ((2,), (1,), (0,))),
        (numbered("NEGATIVE", "POSITIVE"), "a/b", ((0,), (), (1,))),
        (numbered("POS", "NEU", "NEG"), "a/b", ((2,), (1,), (0,))),
        (numbered("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), "a/b", ((0, 1), (2,), (3, 4))),
        (
            numbered("Very Negative", "Negative", "Neutral", "Positive", "Very Positive"),
            "a/b",
            ((0, 1), (2,), (3, 4)),
        ),
        (numbered("LABEL_0", "LABEL_1", "LABEL_2"), "a/twitter-sentiment", ((0,), (1,), (2,))),
        (numbered("LABEL_0", "LABEL_1"), "a/sentiment", ((0,), (), (1,))),
    ],
)
def test_sentiment_labels(labels: dict[int, str], name: str, sentiment: tuple[tuple[int, ...], ...]) -> None:
    heads = map_labels(labels, name, None)
    assert heads.sentiment == sentiment
    assert heads.aggression == ()
    assert heads.activation == "softmax"


@pytest.mark.parametrize(
    ("labels", "problem", "aggression", "activation"),
    [
        (JIGSAW, MULTI, (0, 1, 3, 4, 5), "sigmoid"),
        (JIGSAW, None, (0, 1, 3, 4, 5), "sigmoid"),  # nothing stands for "none of these"
        (numbered("neutral", "toxic"), None, (1,), "softmax"),
        (numbered("Non-Toxic", "Toxic"), "single_label_classification", (1,), "softmax"),
        (numbered("hate speech", "offensive language", "neither"), None, (0, 1), "softmax"),
        (numbered("NAG", "CAG", "OAG"), None, (1, 2), "softmax"),
        (numbered("not-offensive", "offensive"), MULTI, (1,), "sigmoid"),
        (numbered("toxicity"), None, (0,), "sigmoid"),
        (numbered("identityAttack", "sexual_explicit"), None, (0,), "sigmoid"),
    ],
)
def test_aggression_labels(
    labels: dict[int, str], problem: str | None, aggression: tuple[int, ...], activation: str
) -> None:
    heads = map_labels(labels, "a/b", problem)
    assert (heads.sentiment, heads.aggression, heads.activation) == (None, aggression, activation)


def test_bare_numbers_are_named_by_the_models_name_or_not_at_all() -> None:
    assert map_labels(numbered("LABEL_0", "LABEL_1"), "a/hate-detector", None).aggression == (1,)
    for name in ("somebody/model", "a/toxicity-of-five"):
        labels = numbered(*(f"LABEL_{index}" for index in range(2 if name == "somebody/model" else 5)))
        with pytest.raises(ModelError, match=r"labels are 0 'LABEL_0', 1 'LABEL_1'.*#aggression="):
            map_labels(labels, name, None)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (numbered("joy", "anger"), r"a/b: its labels are 0 'joy', 1 'anger', not all of which are known"),
        (numbered("negative", "neutral"), "its labels are"),
        (numbered("none", "other"), "its labels are"),
        (numbered("toxic", "joy"), "its labels are"),
    ],
)
def test_an_unknown_label_map_is_listed_with_the_way_to_map_it(
    labels: dict[int, str], complaint: str
) -> None:
    with pytest.raises(ModelError, match=complaint) as caught:
        map_labels(labels, "a/b", None)
    assert "NAME#aggression=insult/threat" in str(caught.value)
    with pytest.raises(ModelError, match="is a regression"):
        map_labels(labels, "a/b", "regression")


def test_a_mapping_by_hand() -> None:
    labels = numbered("joy", "anger", "disgust", "calm")
    heads = parse_mapping("aggression=anger/2", labels, "a/b", None)
    assert (heads.sentiment, heads.aggression, heads.activation) == (None, (1, 2), "softmax")
    heads = parse_mapping("negative=1/2, neutral=calm, positive=JOY", labels, "a/b", None)
    assert (heads.sentiment, heads.aggression) == (((1, 2), (3,), (0,)), ())
    heads = parse_mapping("aggression=anger,activation=sigmoid,negative=2,positive=0", labels, "a/b", None)
    assert (heads.sentiment, heads.aggression, heads.activation) == (((2,), (), (0,)), (1,), "sigmoid")
    assert parse_mapping("aggression=1", labels, "a/b", MULTI).activation == "sigmoid"
    assert meanings(labels, heads) == {
        "joy": "sentiment: positive",
        "anger": "verbal aggression",
        "disgust": "sentiment: negative",
        "calm": "not read",
    }


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ("aggression=rage", r"has no label 'rage'; its labels are 0 'joy', 1 'anger'"),
        ("anger", "'anger' is no mapping"),
        ("fury=anger", "'fury=anger' is no mapping"),
        ("aggression=joy,aggression=anger", "is no mapping"),
        ("negative=0,positive=0", "one label two meanings"),
        ("negative=0,neutral=1", "needs both negative and positive"),
        ("aggression=0/1,activation=softmax", "always give 1"),
        ("aggression=0,activation=relu", "activation is 'relu'"),
        ("aggression=7", "has no label '7'"),
    ],
)
def test_a_mapping_that_does_not_fit(mapping: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        parse_mapping(mapping, numbered("joy", "anger"), "a/b", None)


def test_labels_that_are_called_alike_are_told_apart() -> None:
    heads = Heads(None, (1,), "softmax")
    assert meanings(numbered("x", "x"), heads) == {"x": "not read", "x (1)": "verbal aggression"}
    assert fold("Severe_Toxic ") == "severe toxic"
    assert fold("identityAttack") == "identity attack"


def test_shares_of_one_whole_add_up() -> None:
    """Softmax over all outputs, then sums: what transformers' pipeline would say, added up."""
    z = np.array([[1.0, -2.0, 0.5, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    shares = softmax(z)
    stars = Heads(((0, 1), (2,), (3, 4)), (), "softmax")
    found = softmax(stars.sentiment_logits(z))
    np.testing.assert_allclose(found, np.stack([shares[:, :2].sum(1), shares[:, 2], shares[:, 3:].sum(1)], 1))
    hate = Heads(None, (1, 3), "softmax")
    np.testing.assert_allclose(sigmoid(hate.aggression_log_odds(z)), shares[:, [1, 3]].sum(1))


def test_of_several_findings_the_strongest_counts() -> None:
    z = np.array([[-1.0, 2.0, 5.0], [-1.0, -2.0, 5.0]])
    heads = Heads(None, (0, 1), "sigmoid")
    np.testing.assert_allclose(sigmoid(heads.aggression_log_odds(z)), 1 / (1 + np.exp([-2.0, 1.0])))


def test_a_sentiment_without_output_is_as_good_as_impossible_and_finite() -> None:
    heads = Heads(((0,), (), (1,)), (), "softmax", temperature=2.0)
    logits = heads.sentiment_logits(np.array([[4.0, -4.0], [800.0, 700.0]]))
    assert np.isfinite(logits).all()
    found = softmax(logits)
    np.testing.assert_allclose(found[0], [1 / (1 + np.exp(-4)), 0, 1 / (1 + np.exp(4))], atol=1e-9)
    with pytest.raises(ValueError, match="verbal aggression"):
        heads.aggression_log_odds(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="sentiment"):
        Heads(None, (0,), "sigmoid").sentiment_logits(np.zeros((1, 2)))
