"""Loading and scoring with a tiny model made here, and everything that can be wrong with a model's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from blipper.errors import ModelError
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration, VoiceModel, available_models, load_model
from blipper.voice.networks import NetworkSettings, build
from blipper.voice.weights import named_weights

SMALL = NetworkSettings((4, 4, 8), 16, (1, 2), 8, 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model with random weights that do something."""
    from blipper.voice.frontend import FrontEnd

    rng = np.random.default_rng(0)
    network = build(SMALL, 297, 64)
    weights = {
        name: rng.normal(0, 0.4, variable.shape).astype(np.float32)
        if name.endswith(("kernel", "bias", "gamma"))
        else variable.numpy()
        for name, variable in named_weights(network).items()
    }
    root = tmp_path_factory.mktemp("models")
    write(root / "tiny", weights, {"front_end": FrontEnd().to_dict()})
    return root


def write(path: Path, weights: dict[str, np.ndarray], changes: dict[str, Any]) -> None:
    payload = save(weights)
    config = {
        "format": 1,
        "name": "tiny",
        "sha256": hashlib.sha256(payload).hexdigest(),
        "labels": list(EMOTIONS),
        "network": SMALL.to_dict(),
        "calibration": {"temperature": 1.3, "slope": 0.8, "intercept": -0.2},
        "threshold": 0.6,
        **changes,
    }
    path.mkdir(exist_ok=True)
    (path / "weights.safetensors").write_bytes(payload)
    (path / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def model(folder: Path) -> VoiceModel:
    return load_model("tiny", folder)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    rng = np.random.default_rng(5)
    time = np.arange(16_000 * 40) / 16_000
    swell = 0.3 + 0.2 * np.sin(2 * np.pi * 0.7 * time)
    buzz = sum(np.sin(2 * np.pi * (120 + 20 * np.sin(time)) * k * time) / k for k in range(1, 9))
    return (0.2 * swell * buzz + rng.normal(0, 0.003, len(time))).astype(np.float32)


STARTS = np.arange(0, 36, 0.5)


def test_shapes_and_domains(model: VoiceModel, speech: np.ndarray) -> None:
    emotions, aggression = model.score_windows(speech, 16_000, STARTS, STARTS + 3)
    assert emotions.shape == (72, 8)
    assert aggression.shape == (72,)
    assert emotions.dtype == aggression.dtype == np.float32
    assert np.allclose(emotions.sum(axis=1), 1, atol=1e-5)
    assert ((aggression >= 0) & (aggression <= 1)).all()
    assert np.ptp(aggression) > 1e-3  # it hears a difference


def test_no_windows(model: VoiceModel, speech: np.ndarray) -> None:
    emotions, aggression = model.score_windows(speech, 16_000, [], [])
    assert emotions.shape == (0, 8)
    assert aggression.shape == (0,)


def test_scores_do_not_depend_on_the_batch(model: VoiceModel, speech: np.ndarray) -> None:
    together = model.score_windows(speech, 16_000, STARTS, STARTS + 3)
    for n in (1, 7, 8, 9, 63, 65):
        emotions, aggression = model.score_windows(speech, 16_000, STARTS[:n], STARTS[:n] + 3)
        assert np.allclose(emotions, together[0][:n], atol=1e-5)
        assert np.allclose(aggression, together[1][:n], atol=1e-5)


def test_scores_do_not_depend_on_what_is_around(model: VoiceModel, speech: np.ndarray) -> None:
    alone = model.score_windows(speech[160_000:208_000], 16_000, [0], [3])
    within = model.score_windows(speech, 16_000, [10], [13])
    assert np.allclose(alone[0], within[0], atol=1e-4)
    assert np.allclose(alone[1], within[1], atol=1e-4)


def test_scores_do_not_depend_on_the_level(model: VoiceModel, speech: np.ndarray) -> None:
    loud = model.score_windows(speech, 16_000, STARTS, STARTS + 3)
    for gain in (0.01, 3.0):
        quiet = model.score_windows(speech * np.float32(gain), 16_000, STARTS, STARTS + 3)
        assert np.allclose(loud[0], quiet[0], atol=2e-3)
        assert np.allclose(loud[1], quiet[1], atol=2e-3)


def test_same_scores_twice_and_in_threads(model: VoiceModel, speech: np.ndarray, folder: Path) -> None:
    once = model.score_windows(speech, 16_000, STARTS, STARTS + 3)[1]
    again = load_model("tiny", folder)  # not traced yet: the threads race for that
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: again.score_windows(speech, 16_000, STARTS, STARTS + 3)[1], range(8)))
    for run in runs:
        assert np.array_equal(run, runs[0])
    assert np.allclose(once, runs[0], atol=1e-6)


def test_short_windows_are_padded_and_padding_is_not_heard(model: VoiceModel, speech: np.ndarray) -> None:
    emotions, aggression = model.score_windows(speech, 16_000, [1, 1, 1], [1.02, 1.3, 2.7])
    assert np.isfinite(emotions).all()
    assert np.allclose(emotions.sum(axis=1), 1, atol=1e-5)
    assert ((aggression > 0) & (aggression < 1)).all()
    # What lies in the padded part of the network's input changes nothing.
    frames = np.random.default_rng(0).normal(size=(1, 297, 64)).astype(np.float32)
    other = frames.copy()
    other[:, 120:] = 5
    length = np.array([120], np.int32)
    assert np.allclose(model._run(frames, length), model._run(other, length), atol=1e-5)


def test_a_long_window_is_the_mean_of_its_parts(model: VoiceModel, speech: np.ndarray) -> None:
    long = model.score_windows(speech, 16_000, [0], [6])
    n = model.front.count(96_000)
    middle = [0, n - 297] if n <= 594 else [0, round((n - 297) / 2), n - 297]
    starts = np.array(middle) * 0.01
    parts = model.score_windows(speech, 16_000, starts, starts + 3)
    assert np.allclose(long[0][0], parts[0].mean(axis=0), atol=1e-4)
    assert np.allclose(long[1][0], parts[1].mean(), atol=1e-4)


def test_silence_has_a_finite_score(model: VoiceModel) -> None:
    emotions, aggression = model.score_windows(np.zeros(48_000, np.float32), 16_000, [0], [3])
    assert np.isfinite(emotions).all()
    assert np.isfinite(aggression).all()


@pytest.mark.parametrize(
    ("rate", "starts", "ends", "message"),
    [
        (8_000, [0], [3], r"hears sound at 16000 Hz, not at 8000 Hz"),
        (16_000, [0, 1], [3], r"starts \(2,\) and ends \(1,\) do not fit"),
        (16_000, [-1], [2], r"window 0 from -1\.0 s to 2\.0 s does not lie within the 40\.000 s"),
        (16_000, [0, 39], [3, 42], r"window 1 from 39\.0 s to 42\.0 s"),
        (16_000, [3], [3], r"expected 0 <= start < end"),
        (16_000, [0], [np.nan], r"window 0 from 0\.0 s to nan s"),
    ],
)
def test_wrong_windows(
    model: VoiceModel, speech: np.ndarray, rate: int, starts: Any, ends: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        model.score_windows(speech, rate, starts, ends)


def test_sound_that_is_not_finite(model: VoiceModel) -> None:
    samples = np.zeros(48_000, np.float32)
    samples[7] = np.nan
    with pytest.raises(ModelError, match="NaN or infinite"):
        model.score_windows(samples, 16_000, [0], [3])


def test_calibration_in_closed_form() -> None:
    logits = np.array([[2.0, 0, 0, 0, 0, 0, 0, 0, 1.0], [1e4, 0, 0, 0, 0, 0, 0, 0, -1e4]])
    emotions, aggression = Calibration(temperature=2.0, slope=3.0, intercept=-1.0).apply(logits)
    assert emotions[0, 0] == pytest.approx(np.e / (np.e + 7))
    assert aggression[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert emotions[1].tolist() == [1.0] + [0.0] * 7
    assert aggression[1] == 0.0


def test_available_and_auto(folder: Path, tmp_path: Path) -> None:
    assert available_models(folder) == ("tiny",)
    assert available_models(tmp_path / "nowhere") == ()
    assert load_model("auto", folder).info.name == "tiny"
    assert load_model(directory=folder).info.threshold == 0.6
    with pytest.raises(ModelError, match=r"no voice model named 'huge'; available: tiny"):
        load_model("huge", folder)
    with pytest.raises(ModelError, match="no voice model here"):
        load_model("auto", tmp_path)
    with pytest.raises(ModelError, match=r"no voice model named '\.\./tiny'"):
        load_model("../tiny", folder)


def config_with(**changes: Any) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    def change(config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        config.update(changes)

    return change


def rename(config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    weights["stranger/kernel"] = weights.pop("embedding/kernel")


def add(config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    weights["stranger/kernel"] = np.zeros(3, np.float32)


def reshape(config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    weights["embedding/bias"] = np.zeros(17, np.float32)


def spoil(config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    weights["embedding/bias"][3] = np.inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (config_with(format=2), r"config\.json: format is 2, expected 1"),
        (config_with(name=7), r"name is 7, which does not fit"),
        (config_with(labels=["neutral", "rage"]), r"unknown labels \['rage'\]; expected \['neutral'"),
        (config_with(labels=list(EMOTIONS[::-1])), r"labels \['surprise'.*in this order"),
        (config_with(network={"depth": 3}), r"network settings \['depth'\] are not Blipper's"),
        (config_with(network={**SMALL.to_dict(), "width": -1}), "expected whole numbers from 1 to 4096"),
        (config_with(network={**SMALL.to_dict(), "stem": [4, 4]}), r"stem is \[4, 4\], expected three"),
        (config_with(network={**SMALL.to_dict(), "width": 24}), r"tensor .* has shape .* needs"),
        (config_with(network={**SMALL.to_dict(), "dilations": [1]}), "has no place in the network"),
        (config_with(front_end={"mels": 0}), "front-end setting mels is 0"),
        (
            config_with(calibration={"temperature": 0, "slope": 1, "intercept": 0}),
            r"calibration\.temperature is 0",
        ),
        (config_with(calibration={}), r"calibration\.temperature is None"),
        (config_with(threshold=1.5), r"threshold is 1\.5, expected a number from"),
        (rename, r"tensor embedding/kernel is missing"),
        (add, r"tensor stranger/kernel has no place"),
        (reshape, r"embedding/bias has shape \(17,\).*needs \(16,\)"),
        (spoil, r"embedding/bias holds NaN or infinite"),
    ],
)
def test_models_that_do_not_fit(
    folder: Path, tmp_path: Path, change: Callable[[Any, Any], None], message: str
) -> None:
    config = json.loads((folder / "tiny" / "config.json").read_text())
    weights = load_file(folder / "tiny" / "weights.safetensors")
    change(config, weights)
    del config["sha256"]
    write(tmp_path / "tiny", weights, config)
    with pytest.raises(ModelError, match=message):
        load_model("tiny", tmp_path)


def test_a_changed_byte_is_found(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "tiny", load_file(folder / "tiny" / "weights.safetensors"), {"front_end": {}})
    path = tmp_path / "tiny" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"weights\.safetensors: SHA-256 is .*config\.json says"):
        load_model("tiny", tmp_path)
    path.write_bytes(b"no tensors")
    config = json.loads((tmp_path / "tiny" / "config.json").read_text())
    config["sha256"] = hashlib.sha256(b"no tensors").hexdigest()
    (tmp_path / "tiny" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="is no safetensors file"):
        load_model("tiny", tmp_path)
    path.unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors: missing"):
        load_model("tiny", tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\xff"])
def test_a_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"config\.json"):
        load_model("tiny", tmp_path)


def test_inputs_are_what_the_network_scores(model: VoiceModel, speech: np.ndarray) -> None:
    starts, ends = [0.0, 0.5, 0.2], [3.0, 1.7, 3.9]
    inputs = model.inputs_of(speech, 16_000, starts, ends)
    assert inputs.frames.shape == (len(inputs), model.front.frames, model.front.mels)
    assert inputs.owners.tolist() == [0, 1, 2, 2]
    assert inputs.starts.tolist() == pytest.approx([0.0, 0.5, 0.2, 0.9], abs=0.011)
    assert not inputs.frames[1, inputs.lengths[1] :].any()
    logits = np.asarray(model.differentiable([inputs.frames, inputs.lengths], training=False))[:, :9]
    emotions, aggression = model.calibration.apply(logits)
    expected = model.score_windows(speech, 16_000, starts, ends)
    np.testing.assert_allclose(aggression[:2], expected[1][:2], atol=1e-5)
    np.testing.assert_allclose(emotions[2:].mean(axis=0), expected[0][2], atol=1e-5)


def test_bands_of_the_inputs_lie_where_the_filters_do(model: VoiceModel) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    inputs = model.inputs_of(tone, 16_000, [0.0], [1.0])
    assert len(inputs.bands) == model.front.mels
    strongest = int(inputs.frames[0, : inputs.lengths[0]].mean(axis=0).argmax())
    assert inputs.edges[strongest] < 1000 < inputs.edges[strongest + 2]


def test_inputs_of_no_window(model: VoiceModel, speech: np.ndarray) -> None:
    assert len(model.inputs_of(speech, 16_000, [], [])) == 0
