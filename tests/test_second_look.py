"""Shouts: what the speech detector hears in them at their own speed, and an octave lower."""

import numpy as np
import pytest
import soxr

from blipper import second_look, silero
from blipper.datasets import read_corpora
from blipper.speech import FRAME, SpeechDetector, detect_speech, speech_probabilities
from blipper.training.prepare import read_mono
from blipper.training.splits import first_fold
from tests.conftest import ROOT
from tests.helpers import RATE, read_16k, recording, silence


def high(seconds: float = 8.0) -> np.ndarray:
    """Return loud speech an octave and a half higher than it was spoken, at 16 kHz."""
    samples = read_16k(ROOT / "ui" / "sample" / "scene.ogg")[: int(2.8 * seconds * RATE)]
    fast = soxr.resample(samples, RATE, RATE / 2.8)
    return (0.5 * fast / np.abs(fast).max()).astype(np.float32)


def test_half_speed_has_the_same_waves_half_as_fast():
    t = np.arange(-48, 20 * FRAME) / RATE
    slow = second_look.half_speed(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    assert slow.shape == (40, silero.CONTEXT + FRAME)
    np.testing.assert_array_equal(slow[1:, : silero.CONTEXT], slow[:-1, -silero.CONTEXT :])
    samples = slow[:, silero.CONTEXT :].ravel()
    # Delayed by half of the filter's 31 taps.
    expected = np.sin(2 * np.pi * 500 * (np.arange(len(samples)) - 15) / RATE)
    np.testing.assert_allclose(samples, expected, atol=0.02)


def test_a_voice_too_high_for_the_first_look_is_speech():
    sound = high()
    first, both = (speech_probabilities([sound], shouts=shouts) for shouts in (False, True))
    assert (both >= first - 1e-6).all()
    assert np.mean(first >= 0.5) < 0.5 * np.mean(both >= 0.5)


def test_blocks_give_the_same_as_one_piece():
    sound = np.concatenate([silence(1), high(), silence(1)]).astype(np.float32)
    whole = speech_probabilities([sound])
    assert (whole > speech_probabilities([sound], shouts=False) + 0.1).any()
    for size in (1, 7, 128):
        detector = SpeechDetector()
        blocks = [detector.add(sound[i : i + size * FRAME]) for i in range(0, len(sound), size * FRAME)]
        np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-4)


def test_what_is_quiet_costs_nothing(monkeypatch):
    looks = []
    half_speed = second_look.half_speed
    monkeypatch.setattr(second_look, "half_speed", lambda x: looks.append(len(x)) or half_speed(x))
    speech_probabilities([high()])
    assert looks
    looks.clear()
    speech_probabilities([0.01 * high()])
    assert not looks


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_loud_noise_hum_and_clicks_stay_no_speech(level, rng):
    t = np.arange(6 * RATE) / RATE
    clicks = np.zeros(6 * RATE)
    clicks[:: RATE // 7] = 1.0
    for sound in (
        rng.uniform(-1, 1, 6 * RATE),
        np.cumsum(rng.standard_normal(6 * RATE)) / 400,
        np.sin(2 * np.pi * 100 * t),
        np.sin(2 * np.pi * 900 * t),
        clicks,
    ):
        assert detect_speech(recording(level * np.clip(sound, -1, 1))) == ()


def test_shouts_of_actors_are_heard(data_dir):
    clips = [
        clip
        for clip in read_corpora(data_dir).clips
        if (clip.corpus, clip.emotion, clip.intensity) == ("crema-d", "angry", "high")
        and first_fold(clip.corpus, clip.speaker) != 1
    ]
    sounds = [read_mono(clip.path) for clip in clips]
    heard = {
        shouts: sum((speech_probabilities([sound], shouts=shouts) >= 0.5).sum() >= 8 for sound in sounds)
        for shouts in (False, True)
    }
    assert len(clips) == 73
    assert heard[False] < 68
    assert heard[True] >= 72
