"""All channels heard together: as they were recorded, sample for sample."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile as sf

from tests.helpers import RATE, recording
from ui.hear_all import together


@pytest.mark.parametrize("seconds", [0.5, 60.0, 130.3])
def test_two_channels_stay_left_and_right(seconds: float, rng: np.random.Generator) -> None:
    left, right = (rng.uniform(-0.9, 0.9, round(seconds * RATE)).astype(np.float32) for _ in range(2))
    samples, rate = sf.read(io.BytesIO(together(recording(left, right))))
    assert rate == RATE
    np.testing.assert_allclose(samples, np.stack([left, right], axis=1), atol=1e-4)


def test_more_are_mixed(rng: np.random.Generator) -> None:
    channels = rng.uniform(-0.9, 0.9, (3, RATE)).astype(np.float32)
    samples, _ = sf.read(io.BytesIO(together(recording(*channels))))
    np.testing.assert_allclose(samples, channels.mean(axis=0), atol=1e-4)
