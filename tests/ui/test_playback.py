"""What the browser gets: sound that equals the decoded samples, and lanes that can be unpacked."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from blipper.recording import Provenance, Recording
from blipper.results import Curve, Quality, Span, Track, Trend, no_windows
from ui import playback

RATE = 16_000


def recording(samples: NDArray[np.floating]) -> Recording:
    provenance = Provenance("x.wav", "0" * 64, 0, "WAV", "PCM_16", RATE, 1, "array")
    rows = np.atleast_2d(samples).astype(np.float32)
    return Recording(rows, RATE, tuple(f"channel {i + 1}" for i in range(len(rows))), provenance)


def track(duration: float, step: float = 0.5) -> Track:
    n = int(np.ceil(duration / step))
    scores = np.linspace(0, 1, n)
    scores[n // 2 : n // 2 + 1] = np.nan
    emotions = np.tile(np.linspace(0, 1, 8), (n, 1))
    emotions[n // 2 : n // 2 + 1] = np.nan
    curve = Curve(step, (np.arange(n) + 0.5) * step, scores, emotions)
    return Track("mix", Quality(()), (Span(0, duration),), no_windows(), curve, Trend("steady", 0.0))


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    arrays = {
        name: np.frombuffer(data, "<" + at["type"], at["length"], 4 + size + at["offset"])
        for name, at in head["arrays"].items()
    }
    return head, arrays


def test_audio_is_the_samples_at_16_bit(rng: np.random.Generator) -> None:
    samples = rng.uniform(-0.9, 0.9, RATE * 2).astype(np.float32)
    made = playback.prepare(recording(samples), track(2.0), 0)
    assert made.audio[:4] == b"fLaC"
    decoded, rate = sf.read(io.BytesIO(made.audio), dtype="float32")
    assert rate == RATE
    assert np.abs(decoded - samples).max() <= 1 / 32768


def test_audio_longer_than_a_block_has_no_seam(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback, "_BLOCK_SECONDS", 0.37)
    samples = rng.uniform(-0.9, 0.9, RATE * 3 + 11).astype(np.float32)
    made = playback.prepare(recording(samples), track(3.1), 0)
    decoded, _ = sf.read(io.BytesIO(made.audio), dtype="float32")
    assert len(decoded) == len(samples)
    assert np.abs(decoded - samples).max() <= 1 / 32768
    whole = playback.prepare(recording(samples), track(3.1), 0)
    assert made.lanes == whole.lanes


def test_each_channel_is_its_own() -> None:
    left, right = np.full(RATE, 0.5), np.full(RATE, -0.25)
    made = [playback.prepare(recording(np.stack([left, right])), track(1.0), i) for i in (0, 1)]
    assert [round(float(sf.read(io.BytesIO(one.audio))[0].mean()), 3) for one in made] == [0.5, -0.25]


def test_samples_beyond_full_scale_do_not_wrap() -> None:
    made = playback.prepare(recording(np.full(RATE, 1.5)), track(1.0), 0)
    decoded, _ = sf.read(io.BytesIO(made.audio))
    assert decoded.min() > 0.99


@pytest.mark.parametrize("at", [0, 1_599, 1_600, 20_000, 31_999])
def test_a_click_stands_in_its_column_alone(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "_BLOCK_SECONDS", 0.1)
    samples = np.zeros(2 * RATE)
    samples[at] = -0.5
    head, arrays = unpack(playback.prepare(recording(samples), track(2.0), 0).lanes)
    assert head["duration"] == 2.0
    assert len(arrays["low"]) == 2 * playback.PEAKS_PER_SECOND
    assert np.flatnonzero(arrays["low"]).tolist() == [at * playback.PEAKS_PER_SECOND // RATE]
    assert arrays["low"].max() == 255  # drawn to the loudest moment
    assert arrays["high"].max() == 0


def test_envelope_equals_the_plain_one(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "_BLOCK_SECONDS", 0.213)
    monkeypatch.setattr(playback, "MAX_PEAKS", 37)  # columns of uneven length
    samples = rng.normal(0, 0.2, RATE + 123).astype(np.float32)
    _, arrays = unpack(playback.prepare(recording(samples), track(1.1), 0).lanes)
    edges = np.linspace(0, len(samples), 38).round().astype(int)
    cuts = [samples[a:b] for a, b in itertools.pairwise(edges)]
    peak = np.abs(samples).max()
    np.testing.assert_array_equal(arrays["high"], [round(255 * max(c.max(), 0) / peak) for c in cuts])
    np.testing.assert_array_equal(arrays["low"], [round(255 * max(-c.min(), 0) / peak) for c in cuts])


def test_curve_keeps_its_gaps_and_emotions_their_order() -> None:
    source = track(4.0)
    head, arrays = unpack(playback.prepare(recording(np.zeros(4 * RATE)), source, 0).lanes)
    assert head["step"] == 0.5
    np.testing.assert_array_equal(arrays["aggression"], source.curve.aggression.astype(np.float32))
    emotions = arrays["emotions"].reshape(-1, 8)
    assert len(emotions) == 8
    np.testing.assert_array_equal(emotions[0], np.round(np.linspace(0, 1, 8) * 255))
    np.testing.assert_array_equal(emotions[4], 0)  # NaN in the curve says why


def test_arrays_are_aligned_for_the_browser() -> None:
    data = playback.pack({"name": "ä"}, {"a": np.zeros(3, np.uint8), "b": np.ones(2, "<f4")})
    head, arrays = unpack(data)
    assert head["arrays"]["b"] == {"offset": 4, "length": 2, "type": "f4"}
    assert int.from_bytes(data[:4], "little") % 4 == 0
    assert arrays["b"].tolist() == [1, 1]


def test_long_recordings_keep_their_lanes_small() -> None:
    half_an_hour = np.broadcast_to(np.float32(0.25), (1, 1800 * RATE))  # one sample in memory
    source = recording(np.zeros(1))
    long = Recording(half_an_hour, RATE, source.channel_names, source.provenance)
    _, arrays = unpack(playback.prepare(long, track(1800.0), 0).lanes)
    assert len(arrays["high"]) == playback.MAX_PEAKS
    assert set(arrays["high"].tolist()) == {255}


def test_an_empty_recording_is_no_fault() -> None:
    made = playback.prepare(recording(np.zeros(0)), track(0.0), 0)
    _, arrays = unpack(made.lanes)
    assert arrays["high"].tolist() == [0]
