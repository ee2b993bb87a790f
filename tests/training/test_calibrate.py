"""Calibration recovers known numbers; the threshold keeps its rule."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import DatasetError
from blipper.training import metrics
from blipper.training.calibrate import calibrate, choose_threshold
from blipper.training.validate import WindowLogits
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration

ANGRY = EMOTIONS.index("angry")


def drawn(
    rng: np.random.Generator, n: int, temperature: float, slope: float, intercept: float
) -> WindowLogits:
    """Draw labels from calibrated probabilities, then spoil the logits in a known way."""
    true = rng.normal(0, 1.5, (n, 8))
    shares = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(8, p=share) for share in shares])
    odds = np.log(shares[:, ANGRY] / (1 - shares[:, ANGRY]))
    values = np.column_stack([true * temperature, (odds - intercept) / slope]).astype(np.float32)
    return WindowLogits(values, np.arange(n), labels, np.full(n, "x"))


def test_known_numbers_are_recovered(rng: np.random.Generator) -> None:
    found = calibrate(drawn(rng, 6000, temperature=2.5, slope=0.5, intercept=0.7))
    assert found.temperature == pytest.approx(2.5, rel=0.05)
    assert found.slope == pytest.approx(0.5, rel=0.1)
    assert found.intercept == pytest.approx(0.7, abs=0.15)


def test_the_error_falls(rng: np.random.Generator) -> None:
    logits = drawn(rng, 3000, temperature=3.0, slope=0.4, intercept=1.0)
    fresh = drawn(rng, 3000, temperature=3.0, slope=0.4, intercept=1.0)

    def error(calibration: Calibration) -> float:
        return metrics.calibration_error(fresh.labels == ANGRY, fresh.clips(calibration)[1])

    assert error(calibrate(logits)) < 0.03 < error(Calibration())


def test_a_clip_counts_once_however_many_windows_it_has(rng: np.random.Generator) -> None:
    logits = drawn(rng, 500, 1.5, 0.8, 0.2)
    n = np.arange(500) % 4 + 1
    owner = np.repeat(np.arange(500), n)
    repeated = WindowLogits(logits.values[owner], owner, logits.labels, logits.corpora)
    assert calibrate(repeated) == calibrate(logits)
    once, many = logits.clips(Calibration()), repeated.clips(Calibration())
    assert np.allclose(once[0], many[0])
    assert np.allclose(once[1], many[1])


def test_without_an_angry_clip() -> None:
    logits = WindowLogits(np.zeros((3, 9), np.float32), np.arange(3), np.zeros(3, int), np.full(3, "x"))
    with pytest.raises(DatasetError, match="needs angry and other clips"):
        calibrate(logits)


@pytest.mark.parametrize(
    ("quiet", "threshold"),
    [([0.1, 0.2], 0.5), ([0.1, 0.614], 0.62), ([0.62], 0.63), ([0.99], 0.95), ([], 0.5)],
)
def test_threshold_lies_above_every_quiet_clip(quiet: list[float], threshold: float) -> None:
    labels = np.array([EMOTIONS.index("neutral")] * len(quiet) + [ANGRY, EMOTIONS.index("happy")])
    assert choose_threshold(labels, np.array([*quiet, 0.9, 0.97])) == threshold
