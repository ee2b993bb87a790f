"""mel-cnn scored by ONNX Runtime: the numbers are Keras', and TensorFlow stays out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession

from blipper import audio
from blipper.voice.graph import make_graph, tensor_shapes
from blipper.voice.mel_cnn import MelVoice
from blipper.voice.models import VoiceModel, load_model
from blipper.voice.networks import NetworkSettings, build
from blipper.voice.weights import named_weights

#: Odd and even sizes, so that "same" padding falls on either side.
CASES = [
    (NetworkSettings((4, 6, 8), 16, (1, 2), 8, 12), 297, 64),
    (NetworkSettings((3, 5, 7), 10, (1, 3, 5), 4, 9), 150, 40),
    (NetworkSettings((2, 4, 6), 8, (2,), 4, 8), 101, 33),
    (NetworkSettings((8, 8, 8), 24, (1, 2, 3, 4), 12, 16), 64, 80),
]


@pytest.mark.parametrize(("settings", "frames", "mels"), CASES)
def test_any_network_gives_the_numbers_of_keras(settings: NetworkSettings, frames: int, mels: int) -> None:
    rng = np.random.default_rng(frames)
    network = build(settings, frames, mels)
    tensors = {}
    for name, variable in named_weights(network).items():
        shape = tuple(variable.shape)
        if name.endswith("kernel"):
            values = rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
        elif name.endswith(("gamma", "variance")):
            values = rng.uniform(0.5, 1.5, shape)
        else:
            values = rng.normal(0, 0.2, shape)
        tensors[name] = values.astype(np.float32)
        variable.assign(tensors[name])
    assert tensor_shapes(settings, mels) == {name: tensor.shape for name, tensor in tensors.items()}
    x = rng.normal(size=(6, frames, mels)).astype(np.float32)
    lengths = np.array([frames, frames - 1, frames - 2, frames // 2, 5, 1], dtype=np.int32)
    session = InferenceSession(make_graph(settings, frames, mels, tensors))
    found = session.run(None, {"frames": x, "lengths": lengths})[0]
    wanted = np.asarray(network([x, lengths], training=False))
    assert np.ptp(wanted, axis=0).max() > 0.05, "the network says the same to everything"
    np.testing.assert_allclose(found, wanted, atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(
        found[:4], wanted[:4], atol=2e-5, rtol=1e-4
    )  # of few frames deviations are tiny
    without = InferenceSession(make_graph(settings, frames, mels, tensors, full=True))
    assert [put.name for put in without.get_inputs()] == ["frames"]
    whole = without.run(None, {"frames": x})[0]
    all_sound = network([x, np.full(len(x), frames, dtype=np.int32)], training=False)
    np.testing.assert_allclose(whole, np.asarray(all_sound), atol=2e-5, rtol=1e-4)


def test_the_shipped_model_scores_as_keras_does(data_dir: Path) -> None:
    speech = audio.load(data_dir / "speech" / "jfk.flac").samples[0]
    model = load_model("mel-cnn")
    assert isinstance(model, MelVoice)
    slow = VoiceModel(model.info, model.config, model.network, model.front, model.calibration)
    starts = np.arange(0, 8, 0.25)
    ours, theirs = (one.score_windows(speech, 16_000, starts, starts + 3) for one in (model, slow))
    assert np.ptp(theirs[1]) > 0.05
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-4)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)
    assert model.network is model.network, "built once"


def test_an_analysis_does_without_tensorflow(data_dir: Path) -> None:
    """It would cost three seconds and 600 MB."""
    path = data_dir / "speech" / "jfk.flac"
    code = (
        "import sys; from blipper.analysis import analyze; "
        f"a = analyze({str(path)!r}, model='mel-cnn'); "
        "heavy = {'tensorflow', 'keras', 'torch'} & set(sys.modules); "
        "print(len(a.tracks[0].windows), sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    n, _, heavy = done.stdout.strip().partition(" ")
    assert int(n) > 3 and heavy == "[]"


def test_the_order_of_windows_changes_nothing() -> None:
    model = load_model("mel-cnn")
    rng = np.random.default_rng(2)
    lengths = [297, 60, 297, 296, 297, 5, 120, 297] * 5
    pieces = [rng.normal(-40, 10, (length, 64)).astype(np.float32) for length in lengths]
    together = model.logits(pieces)
    alone = np.concatenate([model.logits([piece]) for piece in pieces])
    np.testing.assert_allclose(together, alone, atol=1e-4)
