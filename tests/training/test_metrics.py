"""Metrics against scikit-learn, closed forms, and bad inputs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from blipper.training import metrics


@pytest.fixture
def guesses(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(0, 6, 400)
    return labels, np.where(rng.random(400) < 0.6, labels, rng.integers(0, 6, 400))


def test_class_metrics_are_scikit_learns(guesses: tuple[np.ndarray, np.ndarray]) -> None:
    labels, guessed = guesses
    assert metrics.accuracy(labels, guessed) == pytest.approx(reference.accuracy_score(labels, guessed))
    assert metrics.uar(labels, guessed) == pytest.approx(reference.balanced_accuracy_score(labels, guessed))
    assert metrics.macro_f1(labels, guessed) == pytest.approx(
        reference.f1_score(labels, guessed, average="macro")
    )
    counts = metrics.confusion(labels, guessed)
    assert np.array_equal(counts[:6, :6], reference.confusion_matrix(labels, guessed))
    assert counts.sum() == 400


@pytest.mark.parametrize("digits", [1, 6])
def test_ranking_metrics_are_scikit_learns_with_and_without_ties(
    rng: np.random.Generator, digits: int
) -> None:
    positive = rng.random(500) < 0.2
    scores = np.round(np.clip(rng.normal(0.3 + 0.3 * positive, 0.2), 0, 1), digits)
    assert metrics.roc_auc(positive, scores) == pytest.approx(reference.roc_auc_score(positive, scores))
    assert metrics.pr_auc(positive, scores) == pytest.approx(
        reference.average_precision_score(positive, scores)
    )
    assert metrics.brier(positive, scores) == pytest.approx(reference.brier_score_loss(positive, scores))


def test_choose_takes_only_classes_that_occur() -> None:
    emotions = np.full((3, 8), 0.05)
    emotions[:, 1] = 0.6  # calm, which this corpus lacks
    emotions[[0, 1, 2], [0, 4, 4]] = 0.2
    assert metrics.choose(emotions, np.array([0, 4, 4])).tolist() == [0, 4, 4]


def test_calibration_error_in_closed_form() -> None:
    confidence = np.full(100, 0.75)
    assert metrics.calibration_error(np.arange(100) < 75, confidence) == pytest.approx(0)
    assert metrics.calibration_error(np.arange(100) < 50, confidence) == pytest.approx(0.25)
    assert metrics.calibration_error(np.ones(4, bool), np.ones(4)) == pytest.approx(0)


def test_one_class_alone_has_no_ranking() -> None:
    with pytest.raises(ValueError, match="needs both kinds; there are 3 positives and 0 negatives"):
        metrics.roc_auc(np.ones(3, bool), np.arange(3.0))
    with pytest.raises(ValueError, match="needs a positive"):
        metrics.pr_auc(np.zeros(3, bool), np.arange(3.0))


def test_interval_is_over_speakers_not_clips(rng: np.random.Generator) -> None:
    # Ten speakers who are all right or all wrong: a thousand clips tell no more than ten.
    speakers = np.repeat(np.arange(10), 100)
    right = (speakers % 2 == 0).astype(float)

    def measure(rows: np.ndarray) -> float:
        return float(right[rows].mean())

    low, high = metrics.interval(measure, [str(s) for s in speakers])
    assert high - low > 0.5
    low, high = metrics.interval(measure, [str(i) for i in range(1000)])
    assert high - low < 0.08
    assert metrics.interval(measure, ["one"] * 1000) is None


def test_interval_is_repeatable_and_leaves_out_what_cannot_be_measured() -> None:
    positive = np.array([True, False, False, False])
    scores = np.array([0.9, 0.1, 0.2, 0.3])

    def measure(rows: np.ndarray) -> float:
        return metrics.roc_auc(positive[rows], scores[rows])

    names = ["a", "b", "c", "d"]
    assert metrics.interval(measure, names, seed=3) == metrics.interval(measure, names, seed=3) == (1.0, 1.0)
