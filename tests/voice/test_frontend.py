"""Log-mel frames on signals whose answer is known."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.voice.frontend import FrontEnd, log_mel, normalise

FRONT = FrontEnd()


def tone(frequency: float, seconds: float = 1.0, level: float = 0.5) -> np.ndarray:
    time = np.arange(round(seconds * FRONT.sampling_rate)) / FRONT.sampling_rate
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


@pytest.mark.parametrize("frequency", [200, 1000, 4000])
def test_a_tone_is_loudest_in_its_band(frequency: float) -> None:
    centres = librosa.mel_frequencies(FRONT.mels + 2, fmin=FRONT.f_min, fmax=FRONT.f_max)[1:-1]
    frames = log_mel(tone(frequency), FRONT)
    assert (np.abs(frames.argmax(axis=1) - np.abs(centres - frequency).argmin()) <= 1).all()


def test_agrees_with_librosa() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=samples, sr=16_000, n_fft=512, hop_length=160, center=False, n_mels=64, fmin=50, fmax=7600
    )
    assert np.allclose(log_mel(samples, FRONT), 10 * np.log10(power.T), atol=1e-3)


def test_number_of_frames() -> None:
    assert FRONT.frames == 297
    for n in (512, 671, 672, 48_000):
        assert len(log_mel(np.zeros(n, np.float32), FRONT)) == FRONT.count(n) == (n - 512) // 160 + 1
    assert len(log_mel(np.zeros(10, np.float32), FRONT)) == FRONT.count(10) == 1


def test_a_windows_frames_are_a_slice_of_the_stretchs() -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 50_000).astype(np.float32)
    whole = log_mel(samples, FRONT)
    part = log_mel(samples[16_000:32_000], FRONT)
    assert np.allclose(whole[100 : 100 + len(part)], part, atol=1e-4)


def test_long_sound_in_chunks_is_the_same() -> None:
    samples = np.random.default_rng(2).normal(0, 0.1, 160 * 5000).astype(np.float32)
    assert np.allclose(
        log_mel(samples, FRONT)[4090:4110], log_mel(samples[4090 * 160 :][:3552], FRONT)[:20], atol=1e-4
    )


def test_normalised_frames_do_not_know_the_level() -> None:
    samples = tone(300) + np.random.default_rng(3).normal(0, 0.01, 16_000).astype(np.float32)
    loud = normalise(log_mel(samples, FRONT), FRONT)
    for gain in (0.001, 0.1, 30.0):
        quiet = normalise(log_mel(samples * np.float32(gain), FRONT), FRONT)
        assert np.allclose(loud, quiet, atol=2e-3)


def test_pauses_are_cut_off_below_each_bands_own_level(rng: np.random.Generator) -> None:
    speech = rng.normal(0, 0.1, 32_000).astype(np.float32)
    speech[16_000:] *= np.float32(1e-4)  # 80 dB below
    frames = normalise(log_mel(speech, FRONT), FRONT)
    depth = (frames.max(axis=0) - frames.min(axis=0)) * FRONT.scale
    assert (depth <= FRONT.floor + 20).all()
    deeper = speech.copy()
    deeper[16_000:] = 0
    assert np.allclose(frames, normalise(log_mel(deeper, FRONT), FRONT), atol=1e-3)


@pytest.mark.parametrize("levelling", [0.0, 0.5, 1.0])
def test_levelling_takes_away_its_share_of_what_a_microphone_does(
    rng: np.random.Generator, levelling: float
) -> None:
    front = FrontEnd(levelling=levelling)
    frames = rng.normal(-30, 10, (200, 64)).astype(np.float32)
    microphone = np.linspace(-6, 6, 64, dtype=np.float32)
    moved = normalise(frames + microphone, front) - normalise(frames, front)
    assert np.allclose(moved * front.scale, (1 - levelling) * microphone, atol=1e-3)


def test_bands_that_a_telephone_leaves_empty_do_not_move_the_others(rng: np.random.Generator) -> None:
    heard = rng.normal(-30, 10, (200, 64)).astype(np.float32)
    telephone = heard.copy()
    telephone[:, 40:] = np.where(rng.random((200, 24)) < 0.5, -118, -119)  # dither
    flat = FrontEnd(floor=20.0, depth=40.0)
    found = normalise(telephone, flat)
    assert np.ptp(found[:, 40:]) == 0, "empty bands show nothing"
    moved = (found - normalise(heard, flat))[:, :40] * flat.scale
    assert np.ptp(moved) < 1e-2 and 0 < moved.max() < 10
    deep = FrontEnd(floor=20.0)
    assert np.ptp(normalise(telephone, deep)[:, 40:]) > 0
    assert ((normalise(telephone, deep) - normalise(heard, deep))[:, :40] * deep.scale > 15).all()


def test_silence_is_finite_and_flat() -> None:
    frames = normalise(log_mel(np.zeros(16_000, np.float32), FRONT), FRONT)
    assert np.isfinite(frames).all()
    assert np.ptp(frames) == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bands": 3}, "not Blipper's"),
        ({"mels": 0}, "mels is 0, expected a positive whole number"),
        ({"mels": 64.5}, "mels is 64.5"),
        ({"hop": True}, "hop is True"),
        ({"f_max": "high"}, "f_max is 'high', expected a positive number"),
    ],
)
def test_bad_settings(values: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        FrontEnd.from_dict(values)
    assert FrontEnd.from_dict(FRONT.to_dict()) == FRONT
