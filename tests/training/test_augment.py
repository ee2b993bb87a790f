"""Augmentation changes what it says, by as much as it says, and repeats with a seed."""

from __future__ import annotations

from dataclasses import fields

import librosa
import numpy as np
import pytest

from blipper.training.augment import (
    AugmentSettings,
    Surroundings,
    augment,
    mask,
    narrow_band,
    stretch_range,
    tilt,
)

RATE = 16_000
NOTHING = {
    field.name: 0.0
    for field in fields(AugmentSettings)
    if field.name in ("pitch", "tempo", "room", "noise", "equaliser", "telephone", "overload")
}


@pytest.fixture
def voice() -> np.ndarray:
    time = np.arange(RATE * 2) / RATE
    return (0.3 * sum(np.sin(2 * np.pi * 200 * k * time) / k for k in range(1, 20))).astype(np.float32)


def only(**changes: object) -> AugmentSettings:
    return AugmentSettings(**{**NOTHING, **changes})  # type: ignore[arg-type]


def test_nothing_changes_nothing(voice: np.ndarray) -> None:
    assert np.array_equal(augment(voice, Surroundings(), only(), np.random.default_rng(0)), voice)


def test_a_seed_repeats_it_and_another_does_not(voice: np.ndarray) -> None:
    settings = AugmentSettings()
    one, same, other = (augment(voice, Surroundings(), settings, np.random.default_rng(s)) for s in (4, 4, 5))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.allclose(one, other)
    assert one.dtype == np.float32


@pytest.mark.parametrize("seed", range(4))
def test_pitch_moves_within_its_range_and_keeps_the_length(voice: np.ndarray, seed: int) -> None:
    moved = augment(voice, Surroundings(), only(pitch=1.0), np.random.default_rng(seed))
    assert len(moved) == len(voice)
    pitch = np.median(librosa.yin(moved, fmin=100, fmax=400, sr=RATE))
    semitones = 12 * np.log2(pitch / 200)
    drawn = np.random.default_rng(seed)
    drawn.random()  # the first draw decides whether, the second by how much
    assert semitones == pytest.approx(drawn.uniform(-2.5, 2.5), abs=0.2)


def test_tempo_changes_the_length_and_keeps_the_pitch(voice: np.ndarray) -> None:
    slow = augment(
        voice, Surroundings(), only(tempo=1.0, slowest=0.8, fastest=0.8001), np.random.default_rng(0)
    )
    assert len(slow) / len(voice) == pytest.approx(1.25, abs=0.02)
    assert np.median(librosa.yin(slow, fmin=100, fmax=400, sr=RATE)) == pytest.approx(200, rel=0.02)


@pytest.mark.parametrize("recorded", [False, True])
def test_noise_has_the_ratio_it_says(voice: np.ndarray, recorded: bool) -> None:
    rng = np.random.default_rng(1)
    noises = (rng.normal(0, 0.01, 5000).astype(np.float32),) if recorded else ()
    noisy = augment(voice, Surroundings(noises), only(noise=1.0, snr=(10.0, 10.0)), rng)
    ratio = 10 * np.log10(np.mean(voice**2) / np.mean((noisy - voice) ** 2))
    assert ratio == pytest.approx(10, abs=0.1)


def test_a_room_rings_on(voice: np.ndarray) -> None:
    click = np.zeros(RATE, np.float32)
    click[100] = 1
    impulse = np.exp(-np.arange(4000) / 800).astype(np.float32)
    rung = augment(click, Surroundings((), (impulse,)), only(room=1.0), np.random.default_rng(0))
    assert np.abs(rung[200:2000]).min() > 0
    assert not rung[:90].any() or np.abs(rung[:90]).max() < 1e-5


def test_telephone_band(voice: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE * 2).astype(np.float32)
    narrow = augment(noise, Surroundings(), only(telephone=1.0), np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(narrow)) ** 2
    hertz = np.fft.rfftfreq(len(narrow), 1 / RATE)
    assert (
        spectrum[(hertz < 100) | (hertz > 6000)].mean()
        < 1e-3 * spectrum[(hertz > 800) & (hertz < 2500)].mean()
    )


def test_overload_clips(rng: np.random.Generator) -> None:
    noise = rng.normal(0, 0.1, RATE * 2).astype(np.float32)
    clipped = augment(noise, Surroundings(), only(overload=1.0), rng)
    limit = np.abs(clipped).max()
    share = float((np.abs(clipped) >= limit).mean())
    assert limit < np.abs(noise).max()
    assert 0.005 <= share <= 0.0505
    assert np.array_equal(clipped, np.clip(noise, -limit, limit))


def test_mask_hides_within_the_sound(rng: np.random.Generator) -> None:
    frames = np.ones((50, 297, 64), np.float32)
    mask(frames, np.full(50, 200), rng)
    hidden = (frames == 0).mean()
    assert 0.02 < hidden < 0.4
    whole_frames = (frames == 0).all(axis=2)
    assert not whole_frames[:, 200:].any()


def test_the_dynamic_range_is_stretched_below_each_bands_peak(rng: np.random.Generator) -> None:
    frames = rng.uniform(-60, 0, size=(50, 4)).astype(np.float32)
    assert stretch_range(frames, rng, 0.0) is frames
    factors = []
    for _ in range(400):
        changed = stretch_range(frames, rng, 0.4)
        assert np.array_equal(changed.max(axis=0), frames.max(axis=0))
        below = frames < frames.max(axis=0)
        ratio = (changed - frames.max(axis=0))[below] / (frames - frames.max(axis=0))[below]
        assert np.allclose(ratio, ratio[0], rtol=1e-3)
        factors.append(float(ratio[0]))
    assert np.log(factors).std() == pytest.approx(0.4, rel=0.15)
    assert abs(np.log(factors).mean()) < 0.1


def test_a_telephone_carries_the_middle_bands_alone(rng: np.random.Generator) -> None:
    bands = np.array([60.0, 400.0, 1_000.0, 3_100.0, 4_100.0, 7_000.0])
    frames = rng.uniform(-60, 0, size=(50, 6)).astype(np.float32)
    for _ in range(100):
        lost = frames - narrow_band(frames, bands, rng)
        assert np.allclose(lost, lost[0], atol=1e-4)  # the same all the time
        assert (lost[0, 1:4] == 0).all()
        assert 0 <= lost[0, 0] <= 41
        assert 29 <= lost[0, 4] <= 91 and lost[0, 4] == pytest.approx(lost[0, 5], abs=1e-3)


def test_tilt_is_a_straight_line_through_the_middle(rng: np.random.Generator) -> None:
    tilted = tilt(np.zeros((4, 5, 65), np.float32), rng)
    assert np.allclose(np.diff(tilted, n=2, axis=2), 0, atol=1e-6)
    assert np.allclose(tilted[:, :, 32], 0)
    assert (tilted[:, :, 0] != 0).all()
