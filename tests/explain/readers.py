"""Text models made for tests, whose explanations are known in closed form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from blipper.words.transcript import Utterance, Word


class Made:
    """Reads log-odds off a function of the words; sentiment is made from the same number."""

    def __init__(
        self,
        of: Callable[[Sequence[str]], float],
        *,
        aggression: bool = True,
        sentiment: bool = True,
        name: str = "made",
    ) -> None:
        self.of = of
        self.info = SimpleNamespace(name=name, sha256="0" * 64)
        self.has_aggression, self.has_sentiment = aggression, sentiment
        self.read: list[str] = []

    def aggression_log_odds(self, texts: Sequence[str]) -> np.ndarray:
        self.read += list(texts)
        return np.array([self.of(text.split()) for text in texts], dtype=np.float64)

    def sentiment_logits(self, texts: Sequence[str]) -> np.ndarray:
        odds = np.array([self.of(text.split()) for text in texts], dtype=np.float64)
        return np.stack([0.5 * odds, 0.1 * odds**2, -odds], axis=1)


def adding(weights: Mapping[str, float], base: float = -2.0) -> Callable[[Sequence[str]], float]:
    """Return a value to which every word adds its weight."""
    return lambda words: base + sum(weights.get(word, 0.0) for word in words)


def tangled(words: Sequence[str]) -> float:
    """Return a value in which words work together, and their order counts."""
    total = -1.5
    for place, word in enumerate(words):
        total += math.sin(3.0 * len(word) + place) + 0.8 * (place > 0 and words[place - 1] == "not")
    return total + 0.5 * ("you" in words and "liar" in words)


def shapley(value: Callable[[Sequence[str]], float], words: Sequence[str]) -> np.ndarray:
    """Return Shapley values by their definition, over all coalitions (Shapley 1953)."""
    n = len(words)
    shares = np.zeros(n)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for coalition in itertools.combinations(others, size):
                without = [words[j] for j in coalition]
                with_it = [words[j] for j in sorted((*coalition, i))]
                shares[i] += weight * (value(with_it) - value(without))
    return shares


def said(text: str, *, start: float = 10.0, unsure: Sequence[int] = (), pace: float = 0.4) -> Utterance:
    """Return an utterance of words of one length; those at `unsure` have a confidence of 0.3."""
    words = tuple(
        Word(word, start + pace * i, start + pace * (i + 1), 0.3 if i in unsure else 0.9)
        for i, word in enumerate(text.split())
    )
    return Utterance(start, words[-1].end, text, words, 0.9)
