"""Silero's network in NumPy against ONNX Runtime's, and files that are none."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from blipper import silero
from blipper.errors import ModelError
from blipper.onnx_weights import read_initializers
from blipper.speech import speech_probabilities
from tests.conftest import ROOT
from tests.helpers import read_16k

DATA = Path(importlib.util.find_spec("silero_vad").origin).parent / "data"


def theirs(samples: np.ndarray) -> np.ndarray:
    """Run the package's own sequence graph."""
    import onnxruntime

    session = onnxruntime.InferenceSession(DATA / "silero_vad_16k_sequence.onnx")
    n = len(samples) // silero.FRAME
    frames = np.zeros((n, silero.CONTEXT + silero.FRAME), dtype=np.float32)
    frames[:, silero.CONTEXT :] = samples[: n * silero.FRAME].reshape(n, silero.FRAME)
    frames[1:, : silero.CONTEXT] = frames[:-1, -silero.CONTEXT :]
    state = np.zeros((1, 1, silero.STATE), dtype=np.float32)
    return session.run(["speech_probs"], {"input": frames, "h": state, "c": state})[0].reshape(-1)


@pytest.mark.parametrize("gain", [1.0, 0.01, 0.0])
def test_the_same_numbers_as_onnx_runtime(gain, rng):
    samples = read_16k(ROOT / "ui" / "sample" / "scene.ogg")
    samples = gain * np.concatenate([samples, rng.normal(0, 0.2, 16_000), 10 * samples]).clip(-1, 1)
    samples = samples[: len(samples) // silero.FRAME * silero.FRAME].astype(np.float32)
    np.testing.assert_allclose(speech_probabilities([samples], shouts=False), theirs(samples), atol=1e-4)


def test_a_block_may_be_a_single_frame():
    samples = read_16k(ROOT / "ui" / "sample" / "scene.ogg")[: 40 * silero.FRAME]
    whole = speech_probabilities([samples])
    single = speech_probabilities(samples.reshape(-1, silero.FRAME))
    np.testing.assert_allclose(single, whole, atol=1e-5)
    assert len(speech_probabilities([samples[:0]])) == 0


def test_bytes_that_are_no_network():
    good = (DATA / "silero_vad_16k_sequence.onnx").read_bytes()
    assert sum(1 for _ in read_initializers(good)) >= 14
    for bad in (good[: len(good) // 2], b"\x3b" + good, b"\xff" * 40):
        with pytest.raises((ValueError, IndexError)):
            list(read_initializers(bad))


def test_another_network_is_refused(monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "silero_vad_16k_sequence.onnx").write_bytes(b"")

    class Elsewhere:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(silero.importlib.util, "find_spec", lambda name: Elsewhere)
    with pytest.raises(ModelError, match="not the network that Blipper knows"):
        silero.load.__wrapped__()
    (tmp_path / "data" / "silero_vad_16k_sequence.onnx").unlink()
    with pytest.raises(ModelError, match=r"6\.2\.3 or newer"):
        silero.load.__wrapped__()
    monkeypatch.setattr(silero.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="not installed"):
        silero.load.__wrapped__()
