"""Explanations of the voice: closed forms, a planted cause, adding up, shuffled weights, small shifts."""

from __future__ import annotations

import numpy as np
import pytest

from blipper import audio
from blipper.errors import Cancelled, ModelError, SettingsError
from blipper.explain.background import Background, background_of, read_background, write_background
from blipper.explain.faithfulness_clip import shuffled
from blipper.explain.gradients import gradients, log_odds
from blipper.explain.paths import walk
from blipper.explain.shap_gradients import shap_pieces
from blipper.explain.targets import TARGETS, probability, target_index
from blipper.explain.voice import (
    explain,
    integrated_gradients,
    shap_values,
    thin_out,
    windows_in,
)
from blipper.results import Span
from blipper.voice.models import VoiceModel, load_model
from tests.explain.made import FRONT, inputs_of, linear_model, neutral, voice_model

AGGRESSION = target_index("aggression")


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.02, (FRONT.frames, FRONT.mels))


@pytest.fixture(scope="module")
def linear(weights: np.ndarray) -> VoiceModel:
    return linear_model(weights)


@pytest.fixture(scope="module")
def shipped() -> VoiceModel:
    return load_model("mel-cnn")


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """A voiced sound of 4 s with a louder, higher second half."""
    time = np.arange(16_000 * 4) / 16_000
    pitch = np.where(time < 2, 120, 220) + 15 * np.sin(2 * np.pi * 3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    swell = (0.2 + 0.15 * np.sin(2 * np.pi * 4 * time)) * np.where(time < 2, 0.5, 1.0)
    noise = np.random.default_rng(3).normal(0, 0.003, len(time))
    return (0.3 * swell * buzz + noise).astype(np.float32)


def test_integrated_gradients_of_a_linear_model_are_weight_times_difference(linear, weights, rng):
    background = neutral(rng)
    frames = rng.normal(0, 1, (FRONT.frames, FRONT.mels)).astype(np.float32)
    piece = walk(linear, frames, 60, background.baselines(FRONT.frames), AGGRESSION, 32)
    expected = linear.calibration.slope * weights[:60] * (frames[:60] - background.frame)
    np.testing.assert_allclose(piece.values, expected, atol=1e-5)
    assert piece.steps == 32
    assert piece.values.sum() == pytest.approx(piece.log_odds - piece.base, abs=1e-4)


def test_shap_of_a_linear_model_is_weight_times_difference(linear, weights, rng):
    # With one window of background every draw is the same, so the expectation is exact.
    background = neutral(rng, n=1, frames=40)
    frames = rng.normal(0, 1, (1, FRONT.frames, FRONT.mels))
    frames[0, 60:] = 0
    inputs = inputs_of(frames, np.array([60]))
    (piece,) = shap_pieces(linear, inputs, background, AGGRESSION, draws=100)
    expected = linear.calibration.slope * weights[:60] * (inputs.frames[0, :60] - background.tiled(60)[0])
    np.testing.assert_allclose(piece.values, expected, atol=1e-5)
    assert piece.variance == pytest.approx(0, abs=1e-8)
    assert piece.values.sum() == pytest.approx(piece.log_odds - piece.base, abs=1e-4)


def test_shap_agrees_with_its_mean_background_within_its_own_uncertainty(linear, weights, rng):
    background = neutral(rng, n=8, frames=FRONT.frames)
    inputs = inputs_of(rng.normal(0, 1, (1, FRONT.frames, FRONT.mels)), np.array([FRONT.frames]))
    (piece,) = shap_pieces(linear, inputs, background, AGGRESSION, draws=400)
    mean = np.mean(background.windows, axis=0)
    expected = linear.calibration.slope * weights * (inputs.frames[0] - mean)
    assert abs(piece.values.sum() - expected.sum()) < 5 * np.sqrt(piece.variance)
    assert np.corrcoef(piece.values.ravel(), expected.ravel())[0, 1] > 0.99


def test_gradients_are_those_of_small_steps(shipped, voice):
    inputs = shipped.inputs_of(voice, 16_000, [0.0], [3.0])
    values, slopes = gradients(shipped, inputs.frames, inputs.lengths, AGGRESSION)
    direction = slopes[0] / np.linalg.norm(slopes[0])
    moved = inputs.frames[0] + np.array([-1, 1])[:, None, None] * 0.01 * direction
    ends = log_odds(shipped, moved.astype(np.float32), np.repeat(inputs.lengths, 2))[:, AGGRESSION]
    assert (ends[1] - ends[0]) / 0.02 == pytest.approx(np.linalg.norm(slopes[0]), rel=0.05)
    assert log_odds(shipped, inputs.frames, inputs.lengths)[0, AGGRESSION] == pytest.approx(
        values[0], abs=1e-4
    )


def test_log_odds_are_those_of_the_shown_scores(shipped, voice):
    inputs = shipped.inputs_of(voice, 16_000, [0.0, 1.0], [3.0, 1.8])
    found = probability(log_odds(shipped, inputs.frames, inputs.lengths))
    emotions, aggression = shipped.score_windows(voice, 16_000, [0.0, 1.0], [3.0, 1.8])
    np.testing.assert_allclose(found[:, AGGRESSION], aggression, atol=1e-5)
    np.testing.assert_allclose(found[:, :AGGRESSION], emotions, atol=1e-5)


@pytest.mark.parametrize("target", ["aggression", "sad"])
def test_contributions_add_up(shipped, voice, target):
    sound = voice[:40_000]
    found = integrated_gradients(shipped, sound, 16_000, target=target)
    assert found.target == target
    assert found.total == pytest.approx(np.mean([part.total for part in found.parts]), abs=1e-6)
    for part in found.parts:
        assert part.error <= max(0.02 * abs(part.difference), 0.01) or found.steps == 256
        assert part.score == pytest.approx(float(probability(part.log_odds)), abs=1e-9)
    assert found.relative_error < 0.1
    # Steps are few enough that more change nothing that anybody would see.
    finer = integrated_gradients(shipped, sound, 16_000, target=target, steps=128)
    assert np.corrcoef(found.values.ravel(), finer.values.ravel())[0, 1] > 0.98


def test_shap_adds_up_within_its_uncertainty(shipped, voice):
    found = shap_values(shipped, voice[:48_000], 16_000)
    assert found.method == "shap"
    assert found.uncertainty > 0
    assert found.completeness_error < 5 * found.uncertainty + 0.02 * abs(found.difference)
    again = shap_values(shipped, voice[:48_000], 16_000)
    np.testing.assert_array_equal(found.values, again.values)


def test_both_methods_agree_on_where(shipped, voice):
    one = integrated_gradients(shipped, voice[:48_000], 16_000)
    other = shap_values(shipped, voice[:48_000], 16_000, draws=100)
    assert np.corrcoef(one.values.ravel(), other.values.ravel())[0, 1] > 0.4


def test_the_stretch_s_origin_moves_times_alone(shipped, voice):
    here = integrated_gradients(shipped, voice, 16_000, starts=[0.5], ends=[2.5])
    there = integrated_gradients(shipped, voice, 16_000, starts=[0.5], ends=[2.5], origin=60.0)
    assert here.start == pytest.approx(0.5)
    assert there.start == pytest.approx(60.5)
    assert there.parts[0].start == pytest.approx(60.5)
    np.testing.assert_array_equal(here.values, there.values)


def test_windows_over_each_other_are_their_mean(shipped, voice):
    one = integrated_gradients(shipped, voice, 16_000, starts=[0.0], ends=[2.0])
    two = integrated_gradients(shipped, voice, 16_000, starts=[1.0], ends=[3.0])
    both = integrated_gradients(shipped, voice, 16_000, starts=[0.0, 1.0], ends=[2.0, 3.0])
    expected = np.zeros_like(both.values)
    expected[: len(one.values)] += one.values / 2
    expected[100 : 100 + len(two.values)] += two.values / 2
    np.testing.assert_allclose(both.values, expected, atol=1e-6)
    assert both.difference == pytest.approx((one.difference + two.difference) / 2, abs=1e-6)


def test_cells_that_no_window_heard_are_marked(shipped, voice):
    found = integrated_gradients(shipped, voice, 16_000, starts=[0.0, 3.0], ends=[1.0, 4.0])
    assert np.isnan(found.inputs[150:250]).all()
    assert not found.values[150:250].any()
    assert np.isfinite(found.inputs[:90]).all()


def test_a_long_window_is_the_mean_of_its_pieces(shipped, voice):
    found = integrated_gradients(shipped, voice, 16_000, starts=[0.0], ends=[4.0])
    assert len(found.parts) == 1
    assert found.parts[0].error <= 0.02 * abs(found.difference) + 0.02
    assert found.score == pytest.approx(float(shipped.score_windows(voice, 16_000, [0], [4])[1][0]), abs=1e-5)


def test_a_recording_is_explained_in_its_own_times(shipped, voice):
    recording = audio.from_samples(np.concatenate([np.zeros(16_000, np.float32), voice]), 16_000)
    found = explain(recording, [Span(1.0, 4.0)], shipped)
    direct = integrated_gradients(shipped, voice[:48_000], 16_000)
    assert found.start == pytest.approx(1.0)
    np.testing.assert_allclose(found.values, direct.values, atol=1e-5)


def planted_model(rng: np.random.Generator) -> tuple[VoiceModel, np.ndarray, np.ndarray]:
    """Train a small network on pictures in which one band at one time decides, beside two decoys."""
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(4)
    spots = [(slice(40, 50), slice(10, 13)), (slice(10, 20), slice(10, 13)), (slice(40, 50), slice(18, 21))]
    n = 600
    pictures = rng.normal(0, 0.3, (n, FRONT.frames, FRONT.mels)).astype(np.float32)
    there = rng.random((n, 3)) < 0.5
    for row in range(n):
        for spot, on in zip(spots, there[row], strict=True):
            if on:
                pictures[row][spot] += 1.0

    def make(frames, lengths):
        x = layers.Conv2D(6, 5, 2, padding="same", activation="relu")(ops.expand_dims(frames, 3))
        x = layers.Conv2D(8, 3, 2, padding="same", activation="relu")(x)
        x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
        return layers.Dense(9)(x) + 0.0 * ops.cast(ops.expand_dims(lengths, 1), "float32")

    model = voice_model(make)
    trainable = keras.Model(model.network.inputs, ops.sigmoid(model.network.outputs[0][:, 8]))
    trainable.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
    lengths = np.full(n, FRONT.frames, np.int32)
    trainable.fit([pictures, lengths], there[:, 0].astype(np.float32), epochs=6, batch_size=32, verbose=0)
    fresh = rng.normal(0, 0.3, (12, FRONT.frames, FRONT.mels)).astype(np.float32)
    for spot in spots:
        fresh[:, spot[0], spot[1]] += 1.0  # cause and decoys are all there
    return model, fresh, spots


@pytest.mark.parametrize("method", ["integrated gradients", "shap"])
def test_a_planted_cause_is_found(rng, method):
    model, pictures, spots = planted_model(rng)
    background = Background(
        tuple(rng.normal(0, 0.3, (12, FRONT.frames, FRONT.mels)).astype(np.float32)), {}, "noise"
    )
    inputs = inputs_of(pictures, np.full(len(pictures), FRONT.frames))
    odds = log_odds(model, inputs.frames, inputs.lengths)[:, AGGRESSION]
    assert (odds > 2).all(), "the network has learned the task"
    if method == "shap":
        pieces = shap_pieces(model, inputs, background, AGGRESSION, draws=100)
    else:
        pieces = [
            walk(model, frame, 100, background.baselines(FRONT.frames), AGGRESSION, 32)
            for frame in inputs.frames
        ]
    mean = np.mean([piece.values for piece in pieces], axis=0)
    cause, *decoys = [mean[spot].sum() for spot in spots]
    assert cause > 5 * max(abs(decoy) for decoy in decoys)
    assert cause > 0.7 * mean.sum()
    for piece in pieces:
        strongest = np.unravel_index(piece.values.argmax(), piece.values.shape)
        assert 38 <= strongest[0] < 52
        assert 9 <= strongest[1] < 14


def test_shuffled_weights_give_another_map(shipped, voice):
    """Sanity check of Adebayo et al. (2018): a map that survives this shows the sound, not the model."""
    one = integrated_gradients(shipped, voice[:48_000], 16_000)
    with shuffled(shipped, 7):
        other = integrated_gradients(shipped, voice[:48_000], 16_000)
    assert abs(np.corrcoef(one.values.ravel(), other.values.ravel())[0, 1]) < 0.3


def test_a_small_shift_changes_little(shipped, voice):
    one = integrated_gradients(shipped, voice, 16_000, starts=[0.50], ends=[3.50])
    other = integrated_gradients(shipped, voice, 16_000, starts=[0.54], ends=[3.54])
    assert np.corrcoef(one.values[4:].ravel(), other.values[:-4].ravel())[0, 1] > 0.8
    assert np.corrcoef(one.band_profile, other.band_profile)[0, 1] > 0.9


def test_it_can_be_stopped(shipped, voice):
    told = []

    def stop(step, completed, total):
        told.append((step, completed, total))
        if completed >= 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        shap_values(shipped, voice[:48_000], 16_000, progress=stop)
    assert told == [("shap", 0, 4), ("shap", 1, 4), ("shap", 2, 4)]
    with pytest.raises(Cancelled):
        integrated_gradients(shipped, voice, 16_000, progress=stop)


def test_a_background_survives_its_file(tmp_path, rng):
    made = Background(neutral(rng).windows, {"mels": 24}, "noise", ("a", "b"))
    write_background(made, tmp_path / "b.safetensors")
    found = read_background(tmp_path / "b.safetensors")
    assert (found.front, found.source, found.clips) == (made.front, "noise", ("a", "b"))
    for one, other in zip(made.windows, found.windows, strict=True):
        np.testing.assert_allclose(one, other, atol=0.01)
    assert list(tmp_path.iterdir()) == [tmp_path / "b.safetensors"]


def test_the_shipped_background_is_small_and_sounds_neutral(shipped):
    from blipper.paths import models_dir

    assert (models_dir() / "mel-cnn" / "background.safetensors").stat().st_size < 1e6
    found = background_of(shipped)
    assert len(found.windows) >= 24
    n_frames, length = shipped.front.frames, 200
    pictures = np.zeros((len(found.windows) + 1, n_frames, shipped.front.mels), np.float32)
    pictures[:-1, :length] = found.tiled(length)
    pictures[-1, :length] = found.frame
    scores = probability(log_odds(shipped, pictures, np.full(len(pictures), length, np.int32)))
    assert scores[:-1, AGGRESSION].mean() < 0.15
    assert scores[-1, AGGRESSION] < 0.05, "the baseline of integrated gradients"


def test_the_shipped_background_is_of_training_speakers_alone(shipped):
    from blipper.training.splits import make_split

    split = make_split(1)
    for key in background_of(shipped).clips:
        corpus, speaker = key.split("/")[0], key.split("/")[-1].split("_")[0]
        assert corpus == "crema-d"
        assert (corpus, speaker) not in split.test | split.validation


@pytest.mark.parametrize("damage", ["missing", "noise", "lengths"])
def test_a_damaged_background_is_refused(tmp_path, rng, damage):
    path = tmp_path / "b.safetensors"
    if damage == "noise":
        path.write_bytes(b"no tensors here")
    if damage == "lengths":
        from safetensors.numpy import save

        made = {"low": "0", "step": "1", "front_end": "{}", "clips": "[]"}
        path.write_bytes(
            save({"cells": np.zeros((4, 3), np.uint8), "lengths": np.array([9], np.int32)}, made)
        )
    with pytest.raises(ModelError, match=r"b\.safetensors"):
        read_background(path)


def test_a_background_of_another_front_end_is_refused(shipped, voice, rng):
    with pytest.raises(ModelError, match="64 bands, the neutral speech has"):
        integrated_gradients(shipped, voice, 16_000, background=neutral(rng))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "rage"}, "'rage': expected one of neutral"),
        ({"steps": 20}, "20 steps"),
        ({"starts": [], "ends": []}, "no window"),
    ],
)
def test_what_does_not_fit_is_refused(shipped, voice, changes, message):
    with pytest.raises(SettingsError, match=message):
        integrated_gradients(shipped, voice, 16_000, **changes)


def test_a_long_sound_is_refused_with_the_way_out(shipped):
    with pytest.raises(SettingsError, match="at most 120 s"):
        integrated_gradients(shipped, np.zeros(130 * 16_000, np.float32), 16_000)


def test_windows_of_a_stretch():
    starts = np.arange(0, 5, 0.5)
    ends = starts + 3
    assert windows_in(starts, ends, Span(2.0, 3.0)) == [Span(0.5, 3.5), Span(1.0, 4.0)]
    assert windows_in(starts, ends, Span(0.1, 0.2)) == [Span(0.0, 3.0)]
    assert windows_in(starts[:0], ends[:0], Span(0, 1)) == []
    assert thin_out([Span(i, i + 1) for i in range(9)], 3) == [Span(0, 1), Span(4, 5), Span(8, 9)]


def test_targets_are_the_emotions_and_aggression():
    assert TARGETS[-1] == "aggression"
    assert len(TARGETS) == 9
