"""Packing speech into pieces, and mapping times back."""

from __future__ import annotations

import numpy as np
import pytest

from blipper import audio
from blipper.recording import Recording
from blipper.results import Span
from blipper.words.pieces import GAP, SAMPLING_RATE, cut, pack, read


def recording_of(seconds: float, rate: int = SAMPLING_RATE) -> Recording:
    """Each sample holds its own time, scaled into [-1, 1]."""
    times = np.arange(round(seconds * rate)) / rate
    return audio.from_samples((times / 1000).astype(np.float32)[None], rate)


def test_every_span_is_in_a_piece_once_and_none_is_too_long() -> None:
    recording = recording_of(100)
    speech = [Span(0, 12), Span(12.5, 20), Span(21, 28.5), Span(40, 75), Span(90, 91)]
    pieces = pack(recording, 0, speech, 30)
    covered = [(part.start, part.end) for piece in pieces for part in piece.parts]
    assert sum(end - start for start, end in covered) == pytest.approx(sum(s.duration for s in speech))
    assert covered == sorted(covered)
    assert all(piece.duration <= 30 for piece in pieces)
    assert [(part.start, part.end) for part in pieces[0].parts] == [(0, 12), (12.5, 20), (21, 28.5)]
    assert pack(recording, 0, [], 30) == []


def test_a_piece_holds_the_spans_sound_and_silence_between() -> None:
    recording = recording_of(20)
    (piece,) = pack(recording, 0, [Span(1, 2), Span(2.1, 3), Span(10, 11)], 30)
    samples = piece.samples(recording, 0)
    assert len(samples) == round(piece.duration * SAMPLING_RATE)
    assert piece.duration == pytest.approx(1 + 0.1 + 0.9 + GAP + 1)
    for part in piece.parts:
        assert samples[round(part.at * SAMPLING_RATE)] == pytest.approx(part.start / 1000, abs=1e-6)
    assert np.all(samples[round(2.05 * SAMPLING_RATE) : round(2.25 * SAMPLING_RATE)] == 0)


def test_times_map_back_and_leave_silences() -> None:
    recording = recording_of(20)
    (piece,) = pack(recording, 0, [Span(1, 2), Span(10, 11)], 30)
    assert piece.to_recording(0.25, 0.75) == (1.25, 1.75)
    assert piece.to_recording(1.5, 1.75) == pytest.approx((10.2, 10.45))
    assert piece.to_recording(1.1, 1.2) == pytest.approx((10.0, 10.0))  # within the silence
    assert piece.to_recording(0.5, 99) == pytest.approx((1.5, 11.0))
    assert piece.to_recording(50, 60) == (11.0, 11.0)
    assert piece.place(0.9, 1.7) == pytest.approx((10.0, 10.4))  # most of the word is in the second span
    assert piece.place(0.2, 1.5) == pytest.approx((1.2, 2.0))
    assert piece.place(1.05, 1.25) == pytest.approx((2.0, 2.0), abs=8.1)  # in the silence: at one of its ends
    assert piece.place(50, 60) == (11.0, 11.0)
    assert piece.speech_share(0, 1) == 1
    assert piece.speech_share(0.9, 1.4) == pytest.approx(0.4)
    assert piece.speech_share(2.5, 2.5) == 0


def test_a_long_span_is_cut_where_it_is_quietest() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 40 * SAMPLING_RATE).astype(np.float32)
    samples[22 * SAMPLING_RATE : round(22.4 * SAMPLING_RATE)] *= 0.01
    recording = audio.from_samples(samples[None], SAMPLING_RATE)
    first, second = cut(recording, 0, [Span(0, 40)], 30)
    assert (first.start, second.end) == (0, 40)
    assert first.end == second.start
    assert 22.0 < first.end < 22.4


def test_other_rates_are_brought_to_16_khz() -> None:
    recording = Recording(np.zeros((1, 8_000 * 3), np.float32), 8_000, ("mix",), recording_of(1).provenance)
    assert len(read(recording, 0, 1.0, 2.0)) == SAMPLING_RATE
