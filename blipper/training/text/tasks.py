"""What the text model is measured on: corpora, their held-out parts, and what counts there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.training.text.corpora import Line, Side
from blipper.training.text.sentences import TWINS
from blipper.training.text.shipped import Scored

Floats = NDArray[np.float64]
Metric = Literal["weighted_f1", "macro_f1", "roc_auc", "accuracy"]

METRIC_NAMES: Final[dict[Metric, str]] = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro-F1",
    "roc_auc": "ROC-AUC",
    "accuracy": "accuracy",
}


@dataclass(frozen=True)
class Task:
    """One figure.

    Parameters
    ----------
    corpus : str
    name : str
        What is told apart, in words.
    side : {"dev", "test"}
        The held-out part.
    label : callable
        ``label(line) -> int or None``: the class of a line; None leaves it out.
    metric : str
        The figure that counts.
    target : float or None
        What the project set out to reach.
    output : str
        Which outputs of the model answer, in words.
    probabilities : callable
        ``probabilities(scored) -> (n, k)``, of the classes in order.
    vader : {"sentiment", "negative", None}
        How VADER answers: by its three classes, by how negative it finds a text, or not at all.
    """

    corpus: str
    name: str
    side: Side
    label: Callable[[Line], int | None]
    metric: Metric
    target: float | None
    output: str
    probabilities: Callable[[Scored], Floats]
    vader: Literal["sentiment", "polarity", "negative"] | None = None


def _of(name: str) -> Callable[[Line], int | None]:
    def label(line: Line) -> int | None:
        value = line.labels.get(name)
        return None if value is None else int(value)

    return label


def _any_aggression(line: Line) -> int | None:
    return None if "trac" not in line.labels else int(line.labels["trac"] > 0)


def _polarity(line: Line) -> int | None:
    return None if "sentiment" not in line.labels else int(line.labels["sentiment"] == 2)


def _kind(hostile: str) -> Callable[[Line], int | None]:
    """Return what tells one kind of our own sentences from its harmless twins."""

    def label(line: Line) -> int | None:
        kind = line.corpus.partition(":")[2]
        return 1 if kind == hostile else 0 if kind in TWINS[hostile] else None

    return label


def _trac(scored: Scored) -> Floats:
    return _softmax(scored.logits[:, 4:7])


def _trac_any(scored: Scored) -> Floats:
    none = _trac(scored)[:, 0]
    return np.column_stack([none, 1 - none])


def _aggression(scored: Scored) -> Floats:
    return np.column_stack([1 - scored.aggression, scored.aggression])


def _insult(scored: Scored) -> Floats:
    return _two(scored.logits[:, 7])


def _abuse(scored: Scored) -> Floats:
    return _two(scored.logits[:, 8])


def _goemotions(scored: Scored) -> Floats:
    return _softmax(scored.logits[:, 11:14])


def _two(logits: Floats) -> Floats:
    chances = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return np.column_stack([1 - chances, chances])


def sentiment_of(scored: Scored) -> Floats:
    """Return the probabilities of negative, neutral and positive, shape (n, 3)."""
    return scored.sentiment


def _positive(scored: Scored) -> Floats:
    share = scored.sentiment[:, [0, 2]]
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


_SHARED: Final = "the sentiment output that the app shows"
_SCORE: Final = "the verbal aggression score that the app shows"
_OWN_ONE: Final = "an output of the corpus's own, which the app does not show"
#: Told apart by what every corpus teaches; TF-IDF beside it has learned this corpus alone.
_BY_SCORE: Final = "the same by the app's score"
_OWN: Final = "three outputs of TRAC's own, which the app does not show"
_OWN_SENTIMENT: Final = "three outputs of GoEmotions' own, which the app does not show"
_BY_SENTIMENT: Final = "the same by the app's sentiment"

TASKS: Final[Sequence[Task]] = (
    Task("trac1-en", "none, covert, overt", "dev", _of("trac"), "weighted_f1", 0.60, _OWN, _trac),
    Task(
        *("trac1-en", "overt or covert against none", "dev", _any_aggression, "macro_f1", 0.74, _OWN),
        _trac_any,
        "negative",
    ),
    Task("convabuse", "abusive", "dev", _of("abuse"), "roc_auc", 0.945, _OWN_ONE, _abuse, "negative"),
    Task("insults", "insult", "dev", _of("insult"), "roc_auc", 0.91, _OWN_ONE, _insult, "negative"),
    Task("convabuse", _BY_SCORE, "dev", _of("abuse"), "roc_auc", None, _SCORE, _aggression, "negative"),
    Task("insults", _BY_SCORE, "dev", _of("insult"), "roc_auc", None, _SCORE, _aggression, "negative"),
    Task(
        *("goemotions", "sentiment", "dev", _of("sentiment"), "macro_f1", 0.73, _OWN_SENTIMENT),
        _goemotions,
        "sentiment",
    ),
    Task(
        *("goemotions", _BY_SENTIMENT, "dev", _of("sentiment"), "macro_f1", None, _SHARED),
        sentiment_of,
        "sentiment",
    ),
    Task(
        "meld", "sentiment", "dev", _of("sentiment"), "weighted_f1", 0.56, _SHARED, sentiment_of, "sentiment"
    ),
    Task("sst2", "positive or negative", "dev", _polarity, "accuracy", 0.84, _SHARED, _positive, "polarity"),
    Task(
        *("goemotions", "sentiment", "test", _of("sentiment"), "macro_f1", None, _OWN_SENTIMENT),
        _goemotions,
        "sentiment",
    ),
    Task(
        *("goemotions", _BY_SENTIMENT, "test", _of("sentiment"), "macro_f1", None, _SHARED),
        sentiment_of,
        "sentiment",
    ),
    Task("sst2", "positive or negative", "test", _polarity, "accuracy", None, _SHARED, _positive, "polarity"),
    Task(
        "airline", "sentiment", "dev", _of("sentiment"), "macro_f1", None, _SHARED, sentiment_of, "sentiment"
    ),
    Task(
        "conda", "explicit toxicity", "dev", _of("explicit"), "roc_auc", None, _SCORE, _aggression, "negative"
    ),
    Task(
        *("detoxy-common-voice", "toxic", "test", _of("toxic"), "roc_auc", None, _SCORE),
        _aggression,
        "negative",
    ),
    *(
        Task(
            *("sentences", f"{kind} or harmless twin", "test", _kind(kind), "roc_auc", None, _SCORE),
            _aggression,
            "negative",
        )
        for kind in TWINS
    ),
)
