"""F0 of real voices against pYIN, and of made ones."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from blipper import audio
from blipper.datasets import read_corpora
from blipper.pitch import F0_MAX, F0_MIN, yin

RATE, HOP = 16_000, 256


def tracked(samples: np.ndarray) -> np.ndarray:
    return yin(np.ascontiguousarray(sliding_window_view(samples, 1024)[::HOP]), RATE, hop=HOP / RATE)[0]


@pytest.fixture(scope="module")
def voices(data_dir) -> list[tuple[str, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Clips that the costs were not chosen on: sex, emotion, our F0, pYIN's, key."""
    import librosa

    clips = read_corpora(data_dir).clips
    chosen = []
    for sex in ("female", "male"):
        for emotion in ("neutral", "angry"):
            among = [clip for clip in clips if (clip.sex, clip.emotion) == (sex, emotion)]
            chosen += random.Random(f"{sex} {emotion}").sample(among, 6)
    found = []
    for clip in chosen:
        samples = np.asarray(audio.load(clip.path).channel())
        theirs, _, _ = librosa.pyin(
            samples, fmin=F0_MIN, fmax=F0_MAX, sr=RATE, frame_length=1024, hop_length=HOP, center=False
        )
        ours = tracked(samples)
        n = min(len(ours), len(theirs))
        found.append((clip.sex, clip.emotion, ours[:n], theirs[:n], clip.key))
    return found


def test_gross_errors_against_pyin_are_rare(voices):
    ours = np.concatenate([voice[2] for voice in voices])
    theirs = np.concatenate([voice[3] for voice in voices])
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 500
    gross = np.abs(ours[both] / theirs[both] - 1) > 0.2
    assert gross.mean() < 0.01
    assert (np.isfinite(ours) == np.isfinite(theirs)).mean() > 0.8
    alone = np.concatenate([voice[2][np.isfinite(voice[2]) & ~np.isfinite(voice[3])] for voice in voices])
    assert (alone > 400).mean() < 0.2, "frames that pYIN takes for unvoiced are no jumps to harmonics"


@pytest.mark.parametrize(("sex", "low", "high"), [("female", 150, 320), ("male", 75, 200)])
def test_medians_of_neutral_voices_are_plausible(voices, sex, low, high):
    medians = [np.nanmedian(voice[2]) for voice in voices if voice[:2] == (sex, "neutral")]
    assert len(medians) == 6
    assert all(low < median < high for median in medians), medians


def test_no_harmonics_of_a_low_voice(data_dir):
    """The clip in which single frames jumped to 400 to 600 Hz; the voice is near 130 Hz."""
    (clip,) = [clip for clip in read_corpora(data_dir).clips if clip.key == "savee/KL_a05"]
    samples = np.asarray(audio.load(clip.path).channel())
    frames = np.ascontiguousarray(sliding_window_view(samples, 1024)[::HOP])
    alone, path = yin(frames, RATE)[0], yin(frames, RATE, hop=HOP / RATE)[0]
    assert np.nanpercentile(alone, 95) > 400, "what each frame says by itself"
    assert np.nanpercentile(path, 90) < 250
    assert 110 < np.nanmedian(path) < 150


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_gliding_voice_is_followed(rate):
    time = np.arange(2 * rate) / rate
    pitch = 120 * 2 ** (time / 2)  # an octave in two seconds
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = (0.1 * sum(np.sin(k * phase) for k in range(1, 6))).astype(np.float32)
    length, hop = 2 * round(0.032 * rate), rate // 100
    frames = np.ascontiguousarray(sliding_window_view(voice, length)[::hop])
    f0 = yin(frames, rate, hop=0.01)[0]
    expected = pitch[length // 2 : length // 2 + hop * len(f0) : hop][: len(f0)]
    assert f0 == pytest.approx(expected, rel=0.03)


def test_silence_noise_and_nothing_have_no_pitch(rng):
    assert np.isnan(tracked(np.zeros(8000, np.float32))).all()
    assert np.isnan(tracked(rng.normal(0, 0.1, 16_000).astype(np.float32))).mean() > 0.9
    assert len(yin(np.zeros((0, 1024), np.float32), RATE, hop=0.01)[0]) == 0
    one = 0.1 * np.sin(2 * np.pi * 200 * np.arange(1024) / RATE).astype(np.float32)
    assert yin(one[None], RATE, hop=0.01)[0] == pytest.approx([200], rel=0.01)
