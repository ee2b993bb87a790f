"""The checklist of sentences and the bias figures of a text model, which choose nothing: all of it is test.

The sentences of ``text_checklist.tsv`` were written for this, as a recogniser hands over speech, without
sight of the templates that the built-in model is trained with; none is from a corpus. Each has the side on
which the aggression score must fall: at or above the threshold where somebody is insulted, threatened, abused
or ordered about, below it everywhere else.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from blipper.errors import DatasetError, SettingsError
from blipper.training.text_bias import Bias, Scorer, aggression_of, measure_bias
from blipper.training.text_metrics import wilson

CHECKLIST: Final = "text_checklist.tsv"
#: Pass rate of each category to reach.
TARGET: Final = 0.80
_COLUMNS: Final = ["category", "expected", "text"]


@dataclass(frozen=True)
class Sentence:
    """A sentence of the checklist.

    Parameters
    ----------
    category : str
    expected : bool
        Whether it is verbal aggression.
    text : str
    """

    category: str
    expected: bool
    text: str


@dataclass(frozen=True)
class Checked(Sentence):
    """A sentence with its score.

    Parameters
    ----------
    score : float
        In [0, 1].
    passed : bool
        Whether the score is on the expected side of the threshold.
    """

    score: float
    passed: bool


@dataclass(frozen=True)
class Category:
    """The pass rate of one category.

    Parameters
    ----------
    name : str
    expected : bool
    n, passed : int
    low, high : float
        Wilson's 95 % interval of the rate: as if the sentences were drawn from all of their kind.
    """

    name: str
    expected: bool
    n: int
    passed: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share that passed."""
        return self.passed / self.n


@dataclass(frozen=True)
class Checklist:
    """A model's run through the checklist.

    Parameters
    ----------
    threshold : float
    categories : tuple of Category
        In the order in which they occur.
    sentences : tuple of Checked
    """

    threshold: float
    categories: tuple[Category, ...]
    sentences: tuple[Checked, ...]

    @property
    def rate(self) -> float:
        """Share of all the sentences that passed."""
        return sum(one.passed for one in self.sentences) / len(self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return the part ``checklist`` of ``metrics.json``."""
        low, high = wilson(sum(one.passed for one in self.sentences), len(self.sentences))
        return {
            "threshold": self.threshold,
            "target": TARGET,
            "rate": self.rate,
            "low": low,
            "high": high,
            "categories": [
                {
                    "name": one.name,
                    "expected": int(one.expected),
                    "n": one.n,
                    "passed": one.passed,
                    "rate": one.rate,
                    "low": one.low,
                    "high": one.high,
                }
                for one in self.categories
            ],
            "sentences": [
                {
                    "category": one.category,
                    "expected": int(one.expected),
                    "text": one.text,
                    "score": one.score,
                    "passed": one.passed,
                }
                for one in self.sentences
            ],
        }


def read_checklist() -> tuple[Sentence, ...]:
    """Read the sentences.

    Raises
    ------
    DatasetError
        If a line of the file is damaged, naming it.
    """
    text = (files("blipper.training") / CHECKLIST).read_text(encoding="utf-8")
    return parse_checklist(text)


def parse_checklist(text: str) -> tuple[Sentence, ...]:
    """Read sentences from tab-separated text with the columns category, expected (1 or 0) and text.

    Raises
    ------
    DatasetError
        If the header or a line is not so, or a category expects both sides.
    """
    rows = list(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != _COLUMNS:
        raise DatasetError(f"{CHECKLIST}: columns are {rows[:1]}, expected {_COLUMNS}")
    found: list[Sentence] = []
    sides: dict[str, bool] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 3 or row[1] not in ("0", "1") or not row[0].strip() or not row[2].strip():
            raise DatasetError(f"{CHECKLIST}, line {number}: {row!r}, expected category, 0 or 1, and a text")
        one = Sentence(row[0], row[1] == "1", row[2])
        if sides.setdefault(one.category, one.expected) != one.expected:
            raise DatasetError(f"{CHECKLIST}, line {number}: {one.category!r} expects both sides")
        found.append(one)
    return tuple(found)


def run_checklist(model: Scorer, threshold: float, sentences: Sequence[Sentence] | None = None) -> Checklist:
    """Score the checklist.

    Parameters
    ----------
    model : object with ``score(texts).aggression``
    threshold : float
        The model's documented one, from 0 to 1; a score at it counts as aggression.
    sentences : sequence of Sentence, optional
        :func:`read_checklist` unless given.

    Raises
    ------
    SettingsError
        If the threshold is outside 0 to 1, there is no sentence, or the model's scores are no scores.
    """
    if not 0 <= threshold <= 1:
        raise SettingsError(f"threshold is {threshold}, expected 0 to 1")
    chosen = read_checklist() if sentences is None else tuple(sentences)
    if not chosen:
        raise SettingsError("there is no sentence to check")
    scores = aggression_of(model, [one.text for one in chosen])
    checked = tuple(
        Checked(
            one.category, one.expected, one.text, float(score), bool((score >= threshold) == one.expected)
        )
        for one, score in zip(chosen, scores, strict=True)
    )
    categories = []
    for name in dict.fromkeys(one.category for one in checked):
        ours = [one for one in checked if one.category == name]
        passed = sum(one.passed for one in ours)
        categories.append(Category(name, ours[0].expected, len(ours), passed, *wilson(passed, len(ours))))
    return Checklist(float(threshold), tuple(categories), checked)


def checks_to_dict(checklist: Checklist, bias: Bias) -> dict[str, Any]:
    """Return the parts ``checklist`` and ``bias`` of ``metrics.json``."""
    return {"checklist": checklist.to_dict(), "bias": bias.to_dict()}


def check(model: Scorer, threshold: float) -> dict[str, Any]:
    """Run both and return :func:`checks_to_dict`.

    Parameters
    ----------
    model : object with ``score(texts).aggression``
    threshold : float
        The model's documented one.
    """
    return checks_to_dict(run_checklist(model, threshold), measure_bias(model, threshold=threshold))
