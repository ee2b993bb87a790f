"""Live against offline, on real clips joined by pauses: the same windows, curve and events."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import soxr

import blipper
from blipper import audio
from blipper.live import LiveAnalyser
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.voice.models import VoiceModel, load_model
from blipper.voice.windows import Margins
from tests.helpers import RATE, read_16k, recording
from tests.live.helpers import assert_same, conversation, events, feed, points, windows


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    return load_model()


@pytest.fixture(scope="module")
def scene(data_dir: Path) -> np.ndarray:
    """Acted clips with pauses, then 20 s of reading, which makes spans longer than a window."""
    reading = [read_16k(data_dir / "speech" / f"austen-0{number}.flac") for number in (870, 880)]
    return np.concatenate([conversation(data_dir), *reading])


@pytest.fixture(scope="module")
def offline(scene: np.ndarray, model: VoiceModel) -> Analysis:
    found = blipper.analyze(recording(scene), model=model)
    assert len(found.events) >= 3
    assert max(span.duration for span in found.tracks[0].speech) > 4
    return found


@pytest.mark.parametrize("size", [160, 1600, 4096, 10**7])
def test_however_the_sound_is_cut(scene: np.ndarray, offline: Analysis, model: VoiceModel, size: int) -> None:
    assert_same(feed(LiveAnalyser(RATE, model=model), scene, itertools.repeat(size)), offline)


def test_blocks_of_uneven_lengths(
    scene: np.ndarray, offline: Analysis, model: VoiceModel, rng: np.random.Generator
) -> None:
    sizes = (int(size) for size in rng.integers(0, 9000, 10_000))
    assert_same(feed(LiveAnalyser(RATE, model=model), scene, sizes), offline)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 192_000])
def test_any_rate_gives_the_offline_numbers(scene: np.ndarray, model: VoiceModel, rate: int) -> None:
    there = np.asarray(soxr.resample(scene[: 30 * RATE], RATE, rate), dtype=np.float32)
    expected = blipper.analyze(audio.from_samples(there, rate), model=model)
    updates = feed(LiveAnalyser(rate, model=model), there, itertools.repeat(rate // 7))
    assert_same(updates, expected)
    assert windows(updates)


def test_other_settings(scene: np.ndarray, model: VoiceModel) -> None:
    settings = Settings(
        window=1.7,
        hop=0.3,
        step=0.25,
        smoothing=0.8,
        threshold=0.6,
        release=0.3,
        min_duration=2.0,
        bridge=3.0,
    )
    expected = blipper.analyze(recording(scene), model=model, settings=settings)
    updates = feed(LiveAnalyser(RATE, model=model, settings=settings), scene, itertools.repeat(2000))
    assert expected.events
    assert_same(updates, expected)


@pytest.mark.parametrize("size", [512, 1600, 10**7])
@pytest.mark.parametrize("margins", [Margins(0.3, 0.19), Margins(1.0, 0.0), Margins(0.0, 1.0)])
@pytest.mark.parametrize("hop", [0.5, 1.7])
def test_a_model_that_hears_margins(
    scene: np.ndarray, model: VoiceModel, size: int, margins: Margins, hop: float
) -> None:
    wider = copy.copy(model)
    wider.margins = margins
    settings = Settings(window=1.7, hop=hop)
    expected = blipper.analyze(recording(scene), model=wider, settings=settings)
    narrow = blipper.analyze(recording(scene), model=model, settings=settings)
    assert expected.tracks[0].speech == narrow.tracks[0].speech
    assert len(expected.tracks[0].windows) == len(narrow.tracks[0].windows)
    assert expected.tracks[0].windows.start[0] < narrow.tracks[0].windows.start[0] or not margins.before
    updates = feed(LiveAnalyser(RATE, model=wider, settings=settings), scene, itertools.repeat(size))
    assert_same(updates, expected)


def test_several_channels_are_mixed_as_offline(scene: np.ndarray, model: VoiceModel) -> None:
    stereo = np.stack([scene[: 20 * RATE], 0.5 * scene[: 20 * RATE]])
    expected = blipper.analyze(audio.from_samples(stereo, RATE), model=model)
    analyser = LiveAnalyser(RATE, model=model)
    updates = [
        update
        for first in range(0, 20 * RATE, 999)
        for update in analyser.add(stereo[:, first : first + 999])
    ]
    assert_same([*updates, *analyser.finish()], expected)


def test_a_stream_that_stops_in_the_middle_of_a_word(
    scene: np.ndarray, offline: Analysis, model: VoiceModel
) -> None:
    """Everything open is closed at the end, as it is where a recording ends there."""
    inside = offline.events[0]
    cut = scene[: round((inside.start + inside.end) / 2 * RATE) + 7]
    expected = blipper.analyze(recording(cut), model=model)
    updates = feed(LiveAnalyser(RATE, model=model), cut, itertools.repeat(1600))
    assert expected.events
    assert_same(updates, expected)


def test_what_was_reported_never_changes(scene: np.ndarray, model: VoiceModel) -> None:
    """A longer stream begins with the very reports of a shorter one, but for those of its end."""
    short, long = scene[: 25 * RATE], scene[: 40 * RATE]
    first, second = LiveAnalyser(RATE, model=model), LiveAnalyser(RATE, model=model)
    before = [update for at in range(0, len(short), 800) for update in first.add(short[at : at + 800])]
    after = [update for at in range(0, len(long), 800) for update in second.add(long[at : at + 800])]
    assert [w.aggression for w in windows(before)] == [w.aggression for w in windows(after)][
        : len(windows(before))
    ]
    curve, longer = points(before), points(after)
    np.testing.assert_array_equal(
        [point.aggression for point in curve], [point.aggression for point in longer[: len(curve)]]
    )
    assert events(before) == events(after)[: len(events(before))]
    assert events(before)
