"""What the outputs of somebody else's classifier mean: known label words, or a mapping that a person gives.

A label that nobody knows is never guessed at: the error lists the labels and how to say what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from blipper.errors import ModelError
from blipper.words.text_heads import Heads, Outputs
from blipper.words.text_info import SENTIMENTS

Sentiment = Literal["negative", "neutral", "positive"]

#: Labels of sentiment models, folded (see :func:`fold`). Stars: one and two are negative, three is neutral.
_SENTIMENT: Final[Mapping[str, Sentiment]] = {
    **dict.fromkeys(("negative", "neg", "very negative", "1 star", "2 stars"), "negative"),
    **dict.fromkeys(("neutral", "neu", "mixed", "3 stars"), "neutral"),
    **dict.fromkeys(("positive", "pos", "very positive", "4 stars", "5 stars"), "positive"),
}

#: What counts as verbal aggression: an insult, a threat, abuse, hate, in the words of the usual corpora.
_AGGRESSION: Final = frozenset(
    """toxic|toxicity|severe toxic|severe toxicity|very toxic|insult|insulting|threat|threatening|hate|hateful
    |hate speech|hatespeech|identity hate|identity attack|offensive|offense|offensive language|abuse|abusive
    |abusive language|aggression|aggressive|overtly aggressive|covertly aggressive|oag|cag|hostile|harassment
    |bullying|cyberbullying|violence|off""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)

#: The opposite of those.
_HARMLESS: Final = frozenset(
    """neutral|non toxic|nontoxic|not toxic|none|normal|clean|neither|safe|ok|okay|not hate|non hate|nothate
    |not hateful|no hate|nohate|not offensive|non offensive|non aggressive|not aggressive|nag|not abusive
    |non abusive|not|no|acceptable|benign|harmless|other""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)

#: Beside those: coarse, but aimed at nobody.
_BESIDE: Final = frozenset(
    (
        "obscene",
        "obscenity",
        "profanity",
        "swearing",
        "sexual explicit",
        "sexually explicit",
        "sexual",
        "spam",
    )
)

#: What is said of an output that nothing is concluded from.
NOT_READ: Final = "not read"

_HOW: Final = (
    "say what they mean after the name, as in NAME#aggression=insult/threat or "
    "NAME#negative=LABEL_0,neutral=LABEL_1,positive=LABEL_2 (labels or their numbers; several joined by "
    "'/'; add ,activation=sigmoid where several labels can hold at once)"
)


def fold(label: str) -> str:
    """Return a label as the tables spell it: lower case, words apart by one space."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    return " ".join(re.sub(r"[^\w]|_", " ", split).lower().split())


def map_labels(labels: Mapping[int, str], name: str, problem_type: str | None) -> Heads:
    """Say what each output of a classifier means, by its label.

    Parameters
    ----------
    labels : mapping of int to str
        Every output's label, as in ``id2label``.
    name : str
        The model's: where labels are bare numbers (``"LABEL_0"``) it alone says what the model reads.
    problem_type : str or None
        As in ``config.json``.

    Returns
    -------
    Heads

    Raises
    ------
    ModelError
        If a label is unknown; the message lists them all and says how to map them.
    """
    if problem_type == "regression":
        raise ModelError(f"{name}: is a regression, whose output is no probability; a classifier is needed")
    folded = {index: fold(label) for index, label in sorted(labels.items())}
    if all(re.fullmatch(r"label \d+|\d+", label) for label in folded.values()):
        folded = _by_name(folded, name) or folded
    words = set(folded.values())
    if words <= set(_SENTIMENT) and {"negative", "positive"} <= {_SENTIMENT[word] for word in words}:
        return _sentiment({index: _SENTIMENT[word] for index, word in folded.items()}, problem_type)
    if words <= _AGGRESSION | _HARMLESS | _BESIDE and words & _AGGRESSION:
        meant = tuple(index for index, word in folded.items() if word in _AGGRESSION)
        # Without a "none of these" the outputs cannot share out one whole: each is a yes or no of its own.
        exclusive = bool(words & _HARMLESS) and problem_type != "multi_label_classification"
        return Heads(None, meant, "softmax" if exclusive else "sigmoid")
    raise ModelError(f"{name}: its labels are {_listed(labels)}, not all of which are known; {_HOW}")


def parse_mapping(text: str, labels: Mapping[int, str], name: str, problem_type: str | None) -> Heads:
    """Read a mapping that a person gives.

    Parameters
    ----------
    text : str
        ``"negative=0,neutral=1,positive=2"`` or ``"aggression=insult/threat,activation=sigmoid"``; what it
        does not name is not read.
    labels : mapping of int to str
    name : str
    problem_type : str or None

    Returns
    -------
    Heads

    Raises
    ------
    ModelError
        If it does not fit the model's labels.
    """
    given: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        key = key.strip().lower()
        if not equals or key not in (*SENTIMENTS, "aggression", "activation") or key in given:
            raise ModelError(f"{name}#{text}: {part!r} is no mapping; {_HOW}")
        given[key] = value.strip()
    activation = given.pop("activation", None)
    if activation not in (None, "softmax", "sigmoid"):
        raise ModelError(f"{name}#{text}: activation is {activation!r}, expected 'softmax' or 'sigmoid'")
    outputs = {
        key: tuple(_find(label, labels, name) for label in value.split("/")) for key, value in given.items()
    }
    taken = [index for group in outputs.values() for index in group]
    if len(set(taken)) < len(taken):
        raise ModelError(f"{name}#{text}: gives one label two meanings")
    sentiment = tuple(outputs.get(key, ()) for key in SENTIMENTS)
    if any(sentiment) and not (sentiment[0] and sentiment[2]):
        raise ModelError(f"{name}#{text}: sentiment needs both negative and positive")
    aggression = outputs.get("aggression", ())
    if activation is None:
        several = problem_type == "multi_label_classification" or len(aggression) == len(labels)
        activation = "sigmoid" if several else "softmax"
    if activation == "softmax" and len(aggression) == len(labels):
        raise ModelError(f"{name}#{text}: every label means aggression, so softmax would always give 1")
    return Heads(
        (sentiment[0], sentiment[1], sentiment[2]) if any(sentiment) else None,
        aggression,
        "sigmoid" if activation == "sigmoid" else "softmax",
    )


def meanings(labels: Mapping[int, str], heads: Heads) -> dict[str, str]:
    """Return what each label is taken for, in words for people."""
    found: dict[str, str] = {}
    for index, label in sorted(labels.items()):
        meaning = NOT_READ
        for name, group in zip(SENTIMENTS, heads.sentiment or ((), (), ()), strict=True):
            if index in group:
                meaning = f"sentiment: {name}"
        if index in heads.aggression:
            meaning = "verbal aggression"
        found[label if label not in found else f"{label} ({index})"] = meaning
    return found


def _by_name(folded: Mapping[int, str], name: str) -> dict[int, str] | None:
    """Name bare numbers by what the model is called, in the layouts that such models have."""
    layouts: Sequence[tuple[str, Mapping[int, Sequence[str]]]] = (
        (
            "sentiment",
            {
                2: ("negative", "positive"),
                3: ("negative", "neutral", "positive"),
                5: ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
            },
        ),
        ("toxic|hate|offensive|abus|aggress|insult|threat", {2: ("none", "aggression")}),
    )
    for pattern, words in layouts:
        if re.search(pattern, name.lower()) and len(folded) in words:
            return dict(zip(folded, words[len(folded)], strict=True))
    return None


def _sentiment(meant: Mapping[int, Sentiment], problem_type: str | None) -> Heads:
    groups = [tuple(index for index, word in meant.items() if word == name) for name in SENTIMENTS]
    activation: Literal["softmax", "sigmoid"] = (
        "sigmoid" if problem_type == "multi_label_classification" else "softmax"
    )
    sentiment: tuple[Outputs, Outputs, Outputs] = (groups[0], groups[1], groups[2])
    return Heads(sentiment, (), activation)


def _find(label: str, labels: Mapping[int, str], name: str) -> int:
    label = label.strip()
    for index, known in labels.items():
        if known == label:
            return index
    matching = [index for index, known in labels.items() if fold(known) == fold(label)]
    if len(matching) == 1:
        return matching[0]
    if label.isdecimal() and int(label) in labels:
        return int(label)
    raise ModelError(f"{name}: has no label {label!r}; its labels are {_listed(labels)}")


def _listed(labels: Mapping[int, str]) -> str:
    return ", ".join(f"{index} {label!r}" for index, label in sorted(labels.items()))
