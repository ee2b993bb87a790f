"""Prepared speech, cached frames, and batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.errors import DatasetError
from blipper.training import features
from blipper.training.data import Examples, batches, sampling_weights
from blipper.training.features import Frames, compute_frames
from blipper.training.prepare import Segments, prepare, read_mono
from blipper.training.settings import TrainSettings
from blipper.voice.frontend import FrontEnd, log_mel

FRONT = FrontEnd()


@pytest.fixture
def noises(tmp_path: Path, rng: np.random.Generator) -> list[Path]:
    paths = []
    for i, seconds in enumerate((1.0, 2.5, 4.0)):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, rng.normal(0, 0.05, round(seconds * 16_000)), 16_000)
        paths.append(path)
    return paths


@pytest.fixture
def whole(noises: list[Path], tmp_path: Path) -> Segments:
    return prepare(noises, tmp_path / "cache", trim=False)


def test_read_mono_mixes_and_resamples(tmp_path: Path) -> None:
    time = np.arange(44_100) / 44_100
    tone = 0.5 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "a.flac", np.column_stack([tone, 0 * tone]), 44_100)
    samples = read_mono(tmp_path / "a.flac")
    assert samples.dtype == np.float32
    assert abs(len(samples) - 16_000) <= 1
    expected = 0.25 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16_000)
    assert np.abs(samples - expected)[200:-200].max() < 1e-3


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_no_sound_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.wav: "):
        read_mono(tmp_path / "a.wav")


def test_whole_files_at_one_level(whole: Segments) -> None:
    assert len(whole) == 3
    assert whole.length.tolist() == [16_000, 40_000, 64_000]
    for i in range(3):
        assert np.abs(whole.read(i)).max() == pytest.approx(0.9, abs=1e-3)


@pytest.mark.data
def test_only_speech_is_kept(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "ravdess" / "Actor_02" / "03-01-01-01-01-01-02.opus"
    segments = prepare([path], tmp_path / "cache")
    assert not segments.without_speech.any()
    assert segments.length.sum() < 0.8 * len(read_mono(path))
    assert prepare([path], tmp_path / "cache").digest == segments.digest  # from the cache
    assert prepare([path], tmp_path / "cache").fingerprint == segments.fingerprint
    untrimmed = prepare([path], tmp_path / "cache", trim=False)
    assert untrimmed.digest == segments.digest
    assert untrimmed.fingerprint != segments.fingerprint  # what follows from it is not read for the other


def test_a_clip_without_speech_is_kept_whole_and_marked(noises: list[Path], tmp_path: Path) -> None:
    segments = prepare(noises, tmp_path / "cache")
    assert segments.without_speech.all()
    assert segments.length.tolist() == [16_000, 40_000, 64_000]


def test_frames_are_the_apps_and_come_back_from_the_cache(whole: Segments, tmp_path: Path) -> None:
    chosen = np.array([0, 2])
    for _ in range(2):
        frames = compute_frames(whole, chosen, FRONT, tmp_path / "cache")
        assert frames.length.tolist() == [97, 0, 397]
        expected = log_mel(whole.read(2), FRONT)
        assert np.allclose(frames.read(2, 0, 397), expected, atol=0.05)  # float16
        assert np.array_equal(frames.read(2, 100, 5), frames.read(2, 0, 397)[100:105])


def test_who_teaches_decides_what_is_read_and_not_what_is_computed(
    whole: Segments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compute_frames(whole, np.array([0, 1]), FRONT, tmp_path / "cache", version=1)
    monkeypatch.setattr(features, "_compute_all", lambda *given: pytest.fail("computed again"))
    other = compute_frames(whole, np.array([1, 2]), FRONT, tmp_path / "cache", version=1)
    assert (first.length > 0).tolist() == [True, True, False]
    assert (other.length > 0).tolist() == [False, True, True]
    n = int(first.length[1])
    assert np.array_equal(first.read(1, 0, n), other.read(1, 0, n))
    assert len(other.values) == other.length.sum()


def test_augmented_frames_depend_on_the_seed_alone(whole: Segments, tmp_path: Path) -> None:
    chosen = np.arange(3)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = compute_frames(whole, chosen, FRONT, tmp_path / "a", version=1, seed=1)
    same = compute_frames(whole, chosen, FRONT, tmp_path / "b", version=1, seed=1, workers=2)
    other = compute_frames(whole, chosen, FRONT, tmp_path / "a", version=1, seed=2)
    assert np.array_equal(one.values, same.values)
    assert one.values.shape != other.values.shape or not np.array_equal(one.values, other.values)


def test_weights_even_out_corpora_and_classes() -> None:
    corpora = ["big"] * 900 + ["small"] * 100
    emotions = ["happy"] * 600 + ["sad"] * 300 + ["happy"] * 50 + ["sad"] * 50
    weight = sampling_weights(corpora, emotions)
    share = weight / weight.sum()
    assert 0.1 < share[900:].sum() < 0.5  # more than its tenth, less than half
    assert share[600:900].sum() / share[:600].sum() == pytest.approx(np.sqrt(0.5), rel=1e-6)


@pytest.fixture
def examples(whole: Segments, tmp_path: Path) -> Examples:
    frames = compute_frames(whole, np.arange(3), FRONT, tmp_path / "cache")
    return Examples(
        segments=[np.array([0]), np.array([0, 1]), np.array([2])],
        versions=(frames,),
        emotions=np.eye(8, dtype=np.float32)[[4, 0, 1]],
        aggression=np.array([1, 0, 0], np.float32),
        hints=np.ones((3, 2), np.float32),
        speech=np.array([True, True, False]),
        weight=np.ones(3),
    )


def test_batches_are_full_normalised_and_repeatable(examples: Examples) -> None:
    settings = TrainSettings(batch=16, negatives=0.25, mixup=0.3)
    one, same = (next(batches(examples, settings, np.random.default_rng(3))) for _ in range(2))
    assert one.frames.shape == (16, 297, 64)
    assert np.array_equal(one.frames, same.frames)
    assert np.isfinite(one.frames).all()
    for row, length in enumerate(one.lengths):
        assert not one.frames[row, length:].any()
    assert np.allclose(one.emotions[one.share > 0].sum(axis=1), 1, atol=1e-5)
    assert ((one.share >= 0) & (one.share <= 1)).all()


def test_without_mixing_every_row_has_its_own_target(examples: Examples) -> None:
    settings = TrainSettings(batch=16, negatives=0.25, mixup=0.0)
    batch = next(batches(examples, settings, np.random.default_rng(0)))
    assert (batch.share == 0).sum() == 4
    assert set(batch.aggression.tolist()) <= {0.0, 1.0}
    assert (batch.emotions[batch.aggression == 1, 4] == 1).all()
    assert (batch.lengths[batch.share == 0] <= 297).all()


def test_windows_are_narrowed_to_a_telephones_band_as_often_as_asked(examples: Examples) -> None:
    shares = []
    for narrow in (0.0, 0.5, 1.0):
        settings = TrainSettings(batch=256, negatives=0.0, mixup=0.0, narrow=narrow)
        batch = next(batches(examples, settings, np.random.default_rng(2)))
        pairs = zip(batch.frames, batch.lengths, strict=True)
        # White noise fills all bands alike; of 64, those from the 50th on lie above 4.5 kHz.
        gaps = [np.median(rows[:n, 20:40]) - np.median(rows[:n, 50:]) for rows, n in pairs]
        shares.append(float(np.mean(np.array(gaps) > 0.7)))
    assert shares[0] < 0.05 and shares[2] > 0.9
    assert shares[1] == pytest.approx(0.5, abs=0.1)


def test_mixing_keeps_a_negative_out_of_the_emotions(examples: Examples) -> None:
    settings = TrainSettings(batch=64, negatives=0.5, mixup=5.0)
    batch = next(batches(examples, settings, np.random.default_rng(1)))
    part = (batch.share > 0) & (batch.share < 1)
    assert part.any()
    assert np.allclose(batch.emotions[part][:, 1], 0)  # the negative's nominal label never shows


def test_short_and_empty_segments(examples: Examples) -> None:
    short = Frames(
        examples.versions[0].values, examples.versions[0].start, np.minimum(examples.versions[0].length, 3)
    )
    batch = next(
        batches(replace(examples, versions=(short,)), TrainSettings(batch=8), np.random.default_rng(0))
    )
    assert batch.lengths.max() == 3
