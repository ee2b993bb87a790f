"""What integrated gradients start from: the mean frame, or windows where a model takes that for no speech."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blipper.errors import Cancelled, ModelError
from blipper.explain import paths
from blipper.explain.background import Background, background_of, read_background, write_background
from blipper.explain.baselines import settle
from blipper.explain.gradients import BATCH, log_odds
from blipper.explain.paths import POINTS, ROUNDS, walk
from blipper.explain.targets import probability, target_index
from blipper.explain.voice import integrated_gradients
from blipper.paths import models_dir
from blipper.voice.models import VoiceModel, load_model
from tests.explain.made import FRONT, linear_model, neutral, voice_model

AGGRESSION = target_index("aggression")


def listens_to_movement() -> VoiceModel:
    """Return a model that hears speech in how frames change, and anger in how loud the lowest bands are."""
    from keras import ops

    def make(frames, lengths):
        moved = ops.mean(ops.abs(frames[:, 1:] - frames[:, :-1]), axis=(1, 2))
        low = ops.mean(ops.relu(frames[:, :, :6]), axis=(1, 2))
        speech = 60.0 * ops.minimum(moved, 0.3) - 20.0
        angry = speech + 8.0 * low
        return ops.stack([*([speech] * 8), angry], axis=1)

    return voice_model(make)


@pytest.fixture(scope="module")
def background() -> Background:
    return neutral(np.random.default_rng(5), n=12)


def test_the_mean_frame_is_kept_where_it_is_heard_as_neutral_speech(background, rng):
    weights = rng.normal(0, 0.01, (FRONT.frames, FRONT.mels))
    found = settle(linear_model(weights), replace(background, typical=(3, 1)))
    assert found.typical == ()
    np.testing.assert_allclose(found.baselines(50), np.tile(background.frame, (1, 50, 1)))
    np.testing.assert_array_equal(found.replacements(50), found.baselines(50))


def test_windows_take_its_place_where_it_is_not(background):
    model = listens_to_movement()
    found = settle(model, background)
    assert len(found.typical) == 6, "half of the windows"
    odds = log_odds(model, background.tiled(FRONT.frames), np.full(12, FRONT.frames, np.int32))
    far = np.abs(odds - np.median(odds, axis=0)).sum(axis=1)
    assert sorted(far[list(found.typical)]) == sorted(far)[:6]
    assert found.typical[0] == far.argmin()
    starts = found.baselines(FRONT.frames)
    np.testing.assert_array_equal(starts[0], background.tiled(FRONT.frames)[found.typical[0]])
    # What an explanation is judged by is not what it was made from.
    for stand_in in found.replacements(FRONT.frames):
        assert not any(np.array_equal(stand_in, start) for start in starts)
    assert len(found.replacements(FRONT.frames)) == 4
    assert len(replace(background, typical=tuple(range(12))).replacements(FRONT.frames)) == 4


def test_a_calm_voice_is_no_longer_said_to_differ_from_neutral_speech(background, rng):
    model = listens_to_movement()
    calm = rng.normal(0.5, 0.3, (FRONT.frames, FRONT.mels)).astype(np.float32)
    held = walk(model, calm, FRONT.frames, background.baselines(FRONT.frames), AGGRESSION)
    settled = settle(model, background).baselines(FRONT.frames)
    real = walk(model, calm, FRONT.frames, settled, AGGRESSION)
    assert held.log_odds - held.base > 15
    assert abs(real.log_odds - real.base) < 1
    assert abs(real.values.sum()) < 1


def test_contributions_of_a_linear_model_are_exact_from_many_windows(background, rng):
    weights = rng.normal(0, 0.02, (FRONT.frames, FRONT.mels))
    model = linear_model(weights)
    some = replace(background, typical=(7, 2, 4))
    frames = rng.normal(0, 1, (FRONT.frames, FRONT.mels)).astype(np.float32)
    piece = walk(model, frames, 60, some.baselines(FRONT.frames), AGGRESSION)
    mean = some.tiled(FRONT.frames)[[7, 2, 4]].mean(axis=0)
    expected = model.calibration.slope * weights[:60] * (frames - mean)[:60]
    np.testing.assert_allclose(piece.values, expected, atol=1e-5)
    assert piece.steps == POINTS
    assert piece.values.sum() == pytest.approx(piece.log_odds - piece.base, abs=1e-3)


@pytest.mark.parametrize("count", [2, 5, 16])
def test_points_of_all_paths_are_evenly_spread(count):
    rounds = [paths._spread(count, number) for number in range(ROUNDS)]
    for points in rounds:
        assert points.shape == (count, POINTS)
        gaps = np.diff(np.sort(points.ravel()))
        np.testing.assert_allclose(gaps, 1 / (count * POINTS), rtol=1e-3)
        assert points.min() >= 0
        assert points.max() < 1
    for path in np.hstack(rounds):  # the second round lies between the first one's points
        np.testing.assert_allclose(np.diff(np.sort(path)), 1 / (POINTS * ROUNDS), rtol=1e-3)


def test_a_second_round_comes_where_the_first_misses(rng):
    from keras import ops

    def steep(frames, lengths):
        level = ops.mean(frames, axis=(1, 2))
        angry = 4.0 * ops.sigmoid(80.0 * (level - 0.9))
        return ops.stack([*([level] * 8), angry], axis=1)

    model = voice_model(steep)
    some = replace(neutral(rng, n=2), typical=(0, 1))
    loud = np.full((FRONT.frames, FRONT.mels), 1.5, np.float32)
    piece = walk(model, loud, FRONT.frames, some.baselines(FRONT.frames), AGGRESSION)
    assert piece.steps == POINTS * ROUNDS


def test_a_walk_from_windows_can_be_stopped_on_its_way(background):
    model = listens_to_movement()
    told = []

    def stop(step, completed, total):
        told.append((step, completed, total))
        if completed > 0:
            raise Cancelled("enough")

    starts = settle(model, background).baselines(FRONT.frames)
    with pytest.raises(Cancelled):
        walk(model, starts[0] + 1, FRONT.frames, starts, AGGRESSION, progress=stop)
    assert told == [("path", 0, 2 * 6 * POINTS), ("path", BATCH, 2 * 6 * POINTS)]


def test_progress_of_a_walk_is_a_part_of_its_windows(background, rng):
    model = listens_to_movement()
    told = []
    integrated_gradients(
        model,
        rng.normal(0, 0.1, 32_000).astype(np.float32),
        16_000,
        starts=[0.0, 1.0],
        ends=[1.0, 2.0],
        background=settle(model, background),
        progress=lambda step, completed, total: told.append((step, completed, total)),
    )
    assert {step for step, *_ in told} == {"explain"}
    assert {total for *_, total in told} == {2}
    done = [completed for _, completed, _ in told]
    assert done == sorted(done)
    assert any(0 < part < 1 for part in done)
    assert done[-1] == 2


def test_what_walks_start_from_survives_the_file(tmp_path, background):
    write_background(replace(background, typical=(3, 11)), tmp_path / "b.safetensors")
    assert read_background(tmp_path / "b.safetensors").typical == (3, 11)


@pytest.mark.parametrize("typical", [(12,), (-1,), (True,), ("1",)])
def test_windows_that_are_not_there_are_refused(tmp_path, background, typical):
    write_background(replace(background, typical=typical), tmp_path / "b.safetensors")
    with pytest.raises(ModelError, match="has 12"):
        read_background(tmp_path / "b.safetensors")


def test_models_that_ship_start_from_what_they_hear_as_neutral_speech():
    for name in ("mel-cnn", "mel-cnn-open"):
        model = load_model(name)
        background = background_of(model)
        assert background.typical == settle(model, background).typical == ()
    assert len(read_background(models_dir() / "whisper-cnn" / "background.safetensors").typical) == 16


@pytest.mark.data
def test_whisper_cnn_hears_its_starts_as_neutral_speech(monkeypatch, data_dir):
    monkeypatch.setenv("BLIPPER_WHISPER", str(data_dir / "whisper-tiny-en-encoder"))
    model = load_model("whisper-cnn")
    background = background_of(model)
    n_frames = int(model.differentiable.inputs[0].shape[1])
    starts = background.baselines(n_frames)
    scores = probability(log_odds(model, starts, np.full(len(starts), n_frames, np.int32)))
    assert 0.001 < scores[:, AGGRESSION].mean() < 0.1
    assert set(background.typical) == set(settle(model, background).typical)
