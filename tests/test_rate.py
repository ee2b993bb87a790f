"""Syllables a second: of made syllables, whose number is known, and of real sentences."""

from __future__ import annotations

import numpy as np
import pytest

from blipper import audio, speech
from blipper.datasets import read_corpora
from blipper.errors import SettingsError
from blipper.rate import syllable_nuclei, syllable_rate

RATE = 16_000


def syllables(per_second: float, seconds: float, pitch: float = 140.0) -> np.ndarray:
    """Return a buzz that swells and fades so many times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 15))
    return (0.1 * buzz * np.sin(np.pi * per_second * time) ** 2).astype(np.float32)


@pytest.mark.parametrize("per_second", [2, 4, 6])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_swells_of_a_buzz_are_counted_at_any_level(per_second, gain):
    sound = (gain * syllables(per_second, 3.0)).astype(np.float32)
    assert syllable_rate(sound, RATE) == pytest.approx(per_second)
    expected = (np.arange(3 * per_second) + 0.5) / per_second
    np.testing.assert_allclose(syllable_nuclei(sound, RATE), expected, atol=0.03)


def test_bursts_of_noise_have_no_nucleus():
    rng = np.random.default_rng(0)
    time = np.arange(3 * RATE) / RATE
    noise = (0.1 * rng.normal(size=len(time)) * np.sin(np.pi * 4 * time) ** 2).astype(np.float32)
    assert syllable_rate(noise, RATE) < 0.5


def test_a_held_tone_is_one_syllable_and_silence_none():
    time = np.arange(2 * RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 15))
    assert len(syllable_nuclei((0.1 * buzz).astype(np.float32), RATE)) <= 1
    assert syllable_rate(np.zeros(RATE, np.float32), RATE) == 0
    assert syllable_rate(np.zeros(0, np.float32), RATE) == 0


def test_a_low_sampling_rate_is_refused():
    with pytest.raises(SettingsError, match="4000 Hz"):
        syllable_nuclei(np.zeros(100, np.float32), 4000)


def test_sentences_of_seven_syllables_count_about_seven(data_dir):
    """RAVDESS's actors say one of two sentences, both of seven syllables."""
    clips = [clip for clip in read_corpora(data_dir).clips if clip.corpus == "ravdess"]
    neutral = [clip for clip in clips if clip.emotion == "neutral"][:40]
    assert len(neutral) == 40
    counts = []
    for clip in neutral:
        recording = audio.load(clip.path)
        spans = speech.detect_speech(recording)
        counts.append(len(syllable_nuclei(recording.read(spans[0].start, spans[-1].end), RATE)))
    assert np.median(counts) == pytest.approx(7, abs=1)
    assert np.mean(np.abs(np.array(counts) - 7) <= 2) > 0.85
