"""Text metrics against scikit-learn, against draw-by-draw intervals, and bad inputs."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn import metrics as reference

from blipper.errors import SettingsError
from blipper.training import metrics, text_metrics
from blipper.training.bootstrap import Bootstrap


@pytest.fixture
def guesses(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.choice(3, 700, p=[0.6, 0.3, 0.1])
    return labels, np.where(rng.random(700) < 0.6, labels, rng.integers(0, 3, 700))


@pytest.fixture
def detection(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    positive = rng.random(700) < 0.2
    return positive, np.round(np.clip(rng.normal(0.3 + 0.3 * positive, 0.2), 0, 1), 2)  # with ties


def test_guesses_are_scikit_learns(guesses) -> None:
    labels, guessed = guesses
    found = text_metrics.of_guesses(labels, guessed)
    assert found["accuracy"].value == pytest.approx(reference.accuracy_score(labels, guessed))
    assert found["uar"].value == pytest.approx(reference.balanced_accuracy_score(labels, guessed))
    for name in ("macro", "weighted"):
        expected = reference.f1_score(labels, guessed, average=name)
        assert found[f"{name}_f1"].value == pytest.approx(expected)


def test_detection_is_scikit_learns(detection) -> None:
    positive, scores = detection
    found = text_metrics.of_detection(positive, scores, threshold=0.4)
    assert found["roc_auc"].value == pytest.approx(reference.roc_auc_score(positive, scores))
    assert found["pr_auc"].value == pytest.approx(reference.average_precision_score(positive, scores))
    assert found["brier"].value == pytest.approx(reference.brier_score_loss(positive, scores))
    assert found["macro_f1"].value == pytest.approx(
        reference.f1_score(positive, scores >= 0.4, average="macro")
    )
    assert set(text_metrics.of_ranking(positive, scores * 7 - 3)) == {"roc_auc", "pr_auc"}
    ranked = text_metrics.of_ranking(positive, scores * 7 - 3)
    assert ranked["roc_auc"] == found["roc_auc"]


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_are_those_of_single_draws(guesses, detection, grouped: bool) -> None:
    labels, guessed = guesses
    positive, scores = detection
    groups = [f"d{i // 7:04d}" for i in range(700)] if grouped else None
    names = groups or [f"{i:09d}" for i in range(700)]
    settings = {"groups": groups, "seed": 5, "resamples": 50}
    found = text_metrics.of_guesses(labels, guessed, **settings)
    found |= text_metrics.of_detection(positive, scores, **settings) | {
        "weighted_f1": found["weighted_f1"],
        "uar": found["uar"],
    }
    single = {
        "weighted_f1": lambda r: metrics.weighted_f1(labels[r], guessed[r]),
        "uar": lambda r: metrics.uar(labels[r], guessed[r]),
        "roc_auc": lambda r: metrics.roc_auc(positive[r], scores[r]),
        "pr_auc": lambda r: metrics.pr_auc(positive[r], scores[r]),
        "ece": lambda r: metrics.calibration_error(positive[r], scores[r]),
        "brier": lambda r: metrics.brier(positive[r], scores[r]),
    }
    for name, measure in single.items():
        expected = metrics.interval(measure, names, seed=5, resamples=50)
        assert (found[name].low, found[name].high) == pytest.approx(expected), name


def test_both_ways_to_the_area_agree(detection, monkeypatch: pytest.MonkeyPatch) -> None:
    positive, scores = detection
    draws = Bootstrap([f"{i // 4:04d}" for i in range(700)], resamples=40)
    part = scores < 0.7
    expected = draws.roc_auc(positive, scores, part)
    monkeypatch.setattr("blipper.training.bootstrap._MANY", 0)
    assert draws.roc_auc(positive, scores, part) == pytest.approx(expected)


def test_conversations_are_drawn_whole() -> None:
    # Ten conversations all right or all wrong: a thousand utterances tell no more than ten.
    labels = np.tile([0, 1], 500)
    owner = np.repeat(np.arange(10), 100)
    guessed = np.where(owner % 2 == 0, labels, 1 - labels)
    alone = text_metrics.of_guesses(labels, guessed)["accuracy"]
    whole = text_metrics.of_guesses(labels, guessed, groups=[f"d{i}" for i in owner])["accuracy"]
    assert alone.value == whole.value == 0.5
    assert alone.high - alone.low < 0.08
    assert whole.high - whole.low > 0.5
    assert text_metrics.of_guesses(labels, guessed, groups=["d"] * 1000)["accuracy"].low is None


def test_probabilities_of_classes(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 3, 400)
    probabilities = rng.dirichlet([1, 1, 1], 400)
    found = text_metrics.of_probabilities(labels, probabilities)
    one = sum(reference.brier_score_loss(labels == c, probabilities[:, c]) for c in range(3))
    assert found["brier"].value == pytest.approx(one)
    right = probabilities.argmax(axis=1) == labels
    assert found["ece"].value == pytest.approx(metrics.calibration_error(right, probabilities.max(axis=1)))
    assert found["accuracy"].value == pytest.approx(right.mean())
    sure = text_metrics.of_probabilities(labels, np.eye(3)[labels])
    assert sure["brier"].value == sure["ece"].value == 0
    assert sure["accuracy"].to_dict() == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_calibration_bins_give_the_error(detection) -> None:
    positive, scores = detection
    bins = text_metrics.calibration_bins(positive, scores)
    assert sum(b["n"] for b in bins) == 700
    gap = sum(b["n"] * abs(b["mean_score"] - b["share"]) for b in bins) / 700
    assert gap == pytest.approx(text_metrics.of_detection(positive, scores)["ece"].value)
    assert [b["mean_score"] for b in bins] == sorted(b["mean_score"] for b in bins)


@pytest.mark.parametrize(
    ("right", "n", "expected"),
    [
        (0, 15, (0.0, 0.2039)),
        (15, 15, (0.7961, 1.0)),
        (12, 15, (0.5481, 0.9295)),
        (50, 100, (0.4038, 0.5962)),
    ],
)
def test_wilson_is_the_textbooks(right: int, n: int, expected: tuple[float, float]) -> None:
    assert text_metrics.wilson(right, n) == pytest.approx(expected, abs=1e-4)


def test_bad_inputs_are_named() -> None:
    labels, scores = np.array([0, 1, 1]), np.array([0.1, 0.2, 0.9])
    with pytest.raises(SettingsError, match="no utterance"):
        text_metrics.of_guesses(np.array([]), np.array([]))
    with pytest.raises(SettingsError, match="2 guesses for 3 utterances"):
        text_metrics.of_guesses(labels, np.array([0, 1]))
    with pytest.raises(SettingsError, match="2 groups for 3 utterances"):
        text_metrics.of_guesses(labels, labels, groups=["a", "b"])
    with pytest.raises(SettingsError, match="all 3 utterances are of one"):
        text_metrics.of_ranking(np.ones(3, bool), scores)
    with pytest.raises(SettingsError, match="1 scores are not finite"):
        text_metrics.of_ranking(labels == 1, np.array([0.1, np.nan, 1]))
    with pytest.raises(SettingsError, match=r"from -0\.3 to 0\.9, expected 0 to 1"):
        text_metrics.of_detection(labels == 1, np.array([-0.3, 0.2, 0.9]))
    with pytest.raises(SettingsError, match="labels run from 0 to 1, expected 0 to 0"):
        text_metrics.of_probabilities(labels, np.ones((3, 1)))
    with pytest.raises(SettingsError, match="expected 1"):
        text_metrics.of_probabilities(labels, np.full((3, 2), 0.4))
    with pytest.raises(SettingsError, match="shape"):
        text_metrics.of_probabilities(labels, scores)
    with pytest.raises(SettingsError, match="3 of 2"):
        text_metrics.wilson(3, 2)


def test_ten_thousand_utterances_take_seconds(rng: np.random.Generator) -> None:
    positive = rng.random(10_000) < 0.1
    scores = np.clip(rng.normal(0.3 + 0.3 * positive, 0.2), 0, 1)
    begun = time.process_time()
    found = text_metrics.of_detection(positive, scores)
    assert time.process_time() - begun < 60
    # Hanley and McNeil's (1982) standard error is of the same size as the interval.
    area = found["roc_auc"].value
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    n, m = positive.sum(), (~positive).sum()
    error = np.sqrt((area * (1 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / (n * m))
    assert found["roc_auc"].high - found["roc_auc"].low == pytest.approx(3.92 * error, rel=0.3)
