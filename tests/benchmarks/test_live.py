"""The live benchmark's clock: delays hold the waiting and the work."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from benchmarks import live
from blipper.live import windowing
from tests.helpers import RATE
from tests.live.test_live import GivenSpeech, LevelModel


class SlowModel(LevelModel):
    def score_windows(self, samples, sampling_rate, starts, ends):
        time.sleep(0.1)
        return super().score_windows(samples, sampling_rate, starts, ends)


def test_delays_hold_the_block_and_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(itertools.repeat(0.9)))
    found = live.delays(np.full(6 * RATE, 0.02, np.float32), RATE, 0.02, SlowModel())
    assert found["windows"] == 7
    assert 0.1 <= found["delay_s"]["median"] < 0.4
    assert found["delay_s"]["max"] >= found["delay_s"]["p95"] >= found["delay_s"]["median"]
    assert 0.1 <= found["busy_share"] < 0.5


def test_memory_of_a_stream_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(itertools.repeat(0.9)))
    found = live.memory(np.full(40 * RATE, 0.02, np.float32), 0.05, LevelModel())
    assert found["hours"] >= 0.05
    assert 0 < found["most_sound_kept_s"] < 5
    assert found["resident_mb_at_the_end"] > 10
