"""The live resampler: beside soxr, however it is cut, and how long it waits."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from blipper.live.resample import PolyphaseStream, make_resampler

RATES = (8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000)


def _sound(rate: int, seconds: float = 1.3) -> np.ndarray:
    """Sweep to 3.4 kHz over a little noise below 3 kHz: inside every rate's pass band."""
    rng = np.random.default_rng(3)
    time = np.arange(int(rate * seconds)) / rate
    noise = sum(0.05 * np.sin(2 * np.pi * f * time + p) for f, p in rng.random((20, 2)) * (3000, 6.28))
    return np.asarray(0.4 * np.sin(2 * np.pi * (100 + 1300 * time) * time) + noise, dtype=np.float32)


def _run(stream: PolyphaseStream, sound: np.ndarray, cuts: list[int]) -> np.ndarray:
    parts = [stream.resample_chunk(part) for part in np.split(sound, cuts)]
    return np.concatenate([*parts, stream.resample_chunk(sound[:0], last=True)])


@pytest.mark.parametrize("rate", RATES)
def test_gives_what_soxr_gives(rate: int) -> None:
    sound = _sound(rate)
    ours = _run(PolyphaseStream(rate, 16_000), sound, [])
    theirs = soxr.resample(sound, rate, 16_000, quality="HQ")
    assert abs(len(ours) - len(theirs)) <= 1
    n = min(len(ours), len(theirs))
    inner = slice(400, n - 400)  # the ends ring
    assert np.abs(ours[:n] - theirs[:n])[inner].max() < 2e-3


@pytest.mark.parametrize("rate", RATES)
def test_gives_the_same_however_it_is_cut(rate: int) -> None:
    sound = _sound(rate)
    whole = _run(PolyphaseStream(rate, 16_000), sound, [])
    cuts = np.sort(np.random.default_rng(rate).integers(0, len(sound), 60)).tolist()
    assert np.array_equal(_run(PolyphaseStream(rate, 16_000), sound, cuts).shape, whole.shape)
    assert np.abs(_run(PolyphaseStream(rate, 16_000), sound, cuts) - whole).max() < 1e-6


@pytest.mark.parametrize("rate", RATES)
def test_waits_for_little(rate: int) -> None:
    stream, sound, settled = PolyphaseStream(rate, 16_000), _sound(rate), 0
    assert stream.delay / rate < 0.012
    for first in range(0, len(sound), 160):
        settled += len(stream.resample_chunk(sound[first : first + 160]))
        taken = min(first + 160, len(sound))
        assert taken / rate - settled / 16_000 <= stream.delay / rate + 1 / 16_000


@pytest.mark.parametrize(("rate", "frequency"), [(48_000, 9_000.0), (44_100, 8_400.0), (96_000, 30_000.0)])
def test_takes_away_what_cannot_be_told(rate: int, frequency: float) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32)
    out = _run(PolyphaseStream(rate, 16_000), tone, [])
    assert np.abs(out[1000:-1000]).max() < 1e-4


def test_memory_stays() -> None:
    stream, second = PolyphaseStream(44_100, 16_000), _sound(44_100, 1.0)
    sizes = []
    for _ in range(20):
        stream.resample_chunk(second)
        sizes.append(len(stream._kept))
    assert max(sizes) < 2_000


def test_who_resamples() -> None:
    assert make_resampler(16_000, 16_000) is None
    assert isinstance(make_resampler(8_000, 16_000), PolyphaseStream)
    assert isinstance(make_resampler(44_101, 16_000), soxr.ResampleStream)
    with pytest.raises(ValueError, match="44101 to 16000 Hz is 16000:44101, expected 640 at most"):
        PolyphaseStream(44_101, 16_000)
