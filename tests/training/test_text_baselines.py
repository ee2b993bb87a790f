"""The baselines learn what can be learned, keep the classes' order, and name what is wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from blipper.errors import DatasetError, SettingsError
from blipper.training.text_baselines import tfidf_lr, vader_compound, vader_sentiment

WORDS = {0: ["tea", "garden", "river"], 1: ["engine", "wheel", "petrol"], 2: ["violin", "opera", "tune"]}


def made(rng: np.random.Generator, n: int) -> tuple[list[str], np.ndarray]:
    labels = rng.integers(0, 3, n)
    return [" ".join([*rng.choice(WORDS[int(c)], 2), "today", "it", "is"]) for c in labels], labels


def test_tfidf_learns_and_keeps_the_order_of_the_classes(rng: np.random.Generator) -> None:
    texts, labels = made(rng, 120)
    unseen, truth = made(rng, 40)
    found = tfidf_lr(texts, labels, unseen)
    assert found.shape == (40, 3)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == truth).all()
    assert found == pytest.approx(tfidf_lr(texts, labels.tolist(), [t.upper() for t in unseen]))
    # Characters let it read a form that it has not seen.
    assert tfidf_lr(texts, labels, ["violins and tunes"]).argmax() == 2


def test_tfidf_of_two_classes_and_of_nothing(rng: np.random.Generator) -> None:
    texts, labels = made(rng, 60)
    found = tfidf_lr(texts, labels == 1, ["petrol engine", "garden tea"])
    assert found.shape == (2, 2)
    assert found[0, 1] > 0.5 > found[1, 1]
    assert tfidf_lr(texts, labels, []).shape == (0, 3)


def test_balanced_classes_lift_the_rare_one(rng: np.random.Generator) -> None:
    texts = ["the tea is here"] * 40 + ["the tea was there"] * 4
    labels = np.array([0] * 40 + [1] * 4)
    plain, balanced = (tfidf_lr(texts, labels, ["the tea"], balanced=b)[0, 1] for b in (False, True))
    assert balanced > 2 * plain


def test_tfidf_names_what_does_not_fit() -> None:
    with pytest.raises(DatasetError, match="1 labels for 2 texts"):
        tfidf_lr(["a", "b"], [0], ["c"])
    with pytest.raises(DatasetError, match=r"labels are \[0, 2\], expected 0 to k-1"):
        tfidf_lr(["a", "b"], [0, 2], ["c"])
    with pytest.raises(DatasetError, match=r"labels are \[0\]"):
        tfidf_lr(["a", "b"], [0, 0], ["c"])


def test_vader_is_its_authors() -> None:
    pytest.importorskip("vaderSentiment")
    # The first two examples of vaderSentiment's README.
    found = vader_compound(["VADER is smart, handsome, and funny.", "The book was good.", "", "a table"])
    assert found == pytest.approx([0.8316, 0.4404, 0, 0])
    assert vader_sentiment(np.array([-0.05, -0.049, 0, 0.049, 0.05])).tolist() == [0, 1, 1, 1, 2]


def test_without_vader_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    with pytest.raises(SettingsError, match=r"pip install -r requirements-dev\.txt"):
        vader_compound(["fine"])
