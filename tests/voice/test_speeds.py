"""Log-mel frames as if played faster or slower: against sound that really was, and within a network."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from blipper.errors import ModelError
from blipper.voice import whisper
from blipper.voice.speeds import faster, faster_in_graph, heard_frames


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Two seconds of vowels: pulses at a pitch that moves, through two formants, with a pause between."""
    rng = np.random.default_rng(3)
    time = np.arange(32_000) / 16_000
    pitch = np.cumsum(140 + 40 * np.sin(3 * time)) / 16_000
    buzz = sum(
        np.sin(2 * np.pi * k * pitch) * np.exp(-(((k * 140 - 600) / 900) ** 2))
        + np.sin(2 * np.pi * k * pitch) / 9
        for k in range(1, 22)
    )
    loud = 0.02 + (np.abs(np.sin(4 * time)) > 0.4)
    return (0.05 * buzz * loud + rng.normal(0, 1e-3, len(time))).astype(np.float32)


@pytest.mark.parametrize("speed", [0.87, 0.93, 1.07, 1.15])
def test_it_is_close_to_sound_that_was_resampled(speech: np.ndarray, speed: float) -> None:
    played = soxr.resample(speech, 16_000 * speed, 16_000)
    wanted = whisper.log_mel(whisper.levelled(played))
    own = whisper.log_mel(whisper.levelled(speech))
    found = faster(own, speed)
    n = min(len(found), len(wanted), len(own))
    assert abs(len(found) - len(wanted)) <= 1
    off = np.abs(found[:n] - wanted[:n]).mean()
    assert off < 0.06
    assert off < np.abs(own[:n] - wanted[:n]).mean() / 3  # by the sound at its own speed it would be far off


def test_pitch_and_length_move_together() -> None:
    t = np.arange(16_000) / 16_000
    tone = whisper.log_mel(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    higher = whisper.log_mel(np.sin(2 * np.pi * 1250 * t).astype(np.float32))
    fast = faster(tone, 1.25)
    assert fast.shape == (80, 80) and fast.dtype == np.float32
    assert fast[40].argmax() == higher[40].argmax() != tone[40].argmax()
    np.testing.assert_array_equal(faster(tone, 1.0), tone)


def test_bands_that_slow_sound_cannot_reach_are_empty(speech: np.ndarray) -> None:
    frames = whisper.log_mel(speech)
    slow = faster(frames, 0.8)
    assert (slow[:, -3:] == frames.min()).all() and np.ptp(slow[:, 60]) > 0


@pytest.mark.parametrize("speed", [0.5, 0.93, 1.07, 1.5])
def test_a_network_does_the_same_to_padded_frames(speech: np.ndarray, speed: float) -> None:
    frames = whisper.log_mel(speech)
    pieces = [frames[:150], frames[20:113], frames[:1], frames]
    padded = np.full((4, 200, 80), 9.0, dtype=np.float32)  # behind the sound lies what must take no part
    for row, piece in enumerate(pieces):
        padded[row, : len(piece)] = piece
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int32)
    played, counts = (np.asarray(found) for found in faster_in_graph(padded, lengths, speed))
    assert played.shape == (4, heard_frames(200, speed), 80)
    for row, piece in enumerate(pieces):
        alone = faster(piece, speed)
        assert counts[row] == len(alone)
        np.testing.assert_allclose(played[row, : counts[row]], alone, atol=1e-5)


@pytest.mark.parametrize("speed", [0.93, 1.07, 0.9, 1.1, 1.3])
def test_lengths_agree_whatever_they_are(speed: float) -> None:
    lengths = np.arange(1, 301, dtype=np.int32)
    frames = np.zeros((300, 300, 2), dtype=np.float32)
    counts = np.asarray(faster_in_graph(frames, lengths, speed)[1])
    assert counts.tolist() == [heard_frames(int(n), speed) for n in lengths]


@pytest.mark.parametrize("speed", [0.0, 0.49, 2.1, float("nan"), True, "fast"])
def test_speeds_that_are_refused(speed: float) -> None:
    with pytest.raises(ModelError, match=r"expected 0\.5 to 2\.0"):
        faster(np.zeros((10, 80), dtype=np.float32), speed)
