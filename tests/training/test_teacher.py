"""The teacher: the encoder against an independent one, honest cross-fitting, components."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from blipper.errors import ModelError
from blipper.training import encoder, teacher
from blipper.training.settings import TEACHER
from blipper.voice import whisper


@pytest.fixture(scope="module")
def weights_file(data_dir: Path) -> Path:
    path = data_dir / TEACHER
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path


def reference(weights: dict[str, np.ndarray], frames: np.ndarray) -> np.ndarray:
    """Whisper's encoder by PyTorch's own layers; returns the means and deviations of blocks 2 and 3."""
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    w = {key.removeprefix("encoder."): torch.tensor(v.astype(np.float32)) for key, v in weights.items()}
    x = torch.tensor(frames.T[None])
    x = f.gelu(f.conv1d(x, w["conv1.weight"], w["conv1.bias"], padding=1))
    x = f.gelu(f.conv1d(x, w["conv2.weight"], w["conv2.bias"], stride=2, padding=1))
    x = x[0].T
    x = x + w["positional_embedding"][: len(x)]
    pooled = []
    for i in range(3):
        p = f"blocks.{i}."

        def norm(y, name, p=p):  # type: ignore[no-untyped-def]
            return f.layer_norm(y, (384,), w[f"{p}{name}.weight"], w[f"{p}{name}.bias"])

        y = norm(x, "attn_ln")
        q, k, v = (
            f.linear(y, w[f"{p}attn.{n}.weight"], w.get(f"{p}attn.{n}.bias"))
            .view(len(x), 6, 64)
            .transpose(0, 1)
            for n in ("query", "key", "value")
        )
        mixed = f.scaled_dot_product_attention(q, k, v).transpose(0, 1).reshape(len(x), 384)
        x = x + f.linear(mixed, w[f"{p}attn.out.weight"], w[f"{p}attn.out.bias"])
        y = f.gelu(f.linear(norm(x, "mlp_ln"), w[f"{p}mlp.0.weight"], w[f"{p}mlp.0.bias"]))
        x = x + f.linear(y, w[f"{p}mlp.2.weight"], w[f"{p}mlp.2.bias"])
        if i:
            pooled += [x.mean(dim=0), x.std(dim=0, correction=0)]
    return torch.cat(pooled).numpy()


@pytest.mark.data
def test_the_encoder_is_whispers_alone_and_padded_in_a_batch(weights_file: Path) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(24_000) / 16_000
    sound = (0.1 * np.sin(2 * np.pi * 200 * time) + rng.normal(0, 0.02, 24_000)).astype(np.float32)
    frames = whisper.log_mel(sound)
    assert frames.shape == (150, 80)
    batch = np.zeros((2, 200, 80), np.float32)
    batch[0, :150] = frames
    batch[1] = rng.normal(size=(200, 80))
    encode = encoder.load_encoder(weights_file)
    found = encode(batch, np.array([150, 200], np.int32)).numpy()
    expected = reference(load_file(weights_file), frames)
    assert found.shape == (2, 1536)
    assert np.abs(found[0] - expected).max() < 1e-2 * np.abs(expected).max()
    assert np.corrcoef(found[0], expected)[0, 1] > 0.99999


def test_what_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors: cannot be read"):
        encoder.load_encoder(tmp_path / "none.safetensors")
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match=r"has no tensor encoder\."):
        encoder.load_encoder(tmp_path / "x.safetensors")


def test_nobody_is_judged_by_who_heard_them() -> None:
    """Each speaker has a private mark that gives the label away to whoever learned it; nothing else does."""
    rng = np.random.default_rng(0)
    n_speakers, each = 12, 30
    speaker = np.repeat(np.arange(n_speakers), each)
    labels = rng.integers(0, 2, n_speakers * each)
    x = rng.normal(0, 0.05, (len(labels), 40)).astype(np.float32)
    x[np.arange(len(x)), speaker] += np.where(labels, 3, -3) * np.where(speaker % 2, 1, -1)
    train = speaker < 10
    found = teacher.opinions(x, labels, [str(s) for s in speaker], train, seed=0, n_models=1, epochs=15)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-4)
    right = found[:, :2].argmax(axis=1) == labels
    assert 0.3 < right[train].mean() < 0.7
    assert 0.2 < right[~train].mean() < 0.8


def test_opinions_repeat_and_learn_what_speakers_share() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 300)
    x = (np.eye(3)[labels] @ rng.normal(size=(3, 20)) + rng.normal(0, 0.3, (300, 20))).astype(np.float32)
    speakers = [str(i % 10) for i in range(300)]
    train = np.arange(300) < 240
    one, same = (
        teacher.opinions(x, labels, speakers, train, seed=3, n_groups=2, n_models=1, epochs=10)
        for _ in range(2)
    )
    assert np.array_equal(one, same)
    assert (one.argmax(axis=1) == labels).mean() > 0.9


def test_components_are_fitted_on_training_clips() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 30)).astype(np.float32) * np.linspace(5, 0.1, 30, dtype=np.float32)
    train = np.arange(200) < 150
    found = teacher.components(x, train, 6)
    assert found.shape == (200, 6)
    assert np.mean(found[train] ** 2) == pytest.approx(1, rel=1e-4)
    other = x.copy()
    other[~train] *= 100
    assert np.allclose(teacher.components(other, train, 6)[train], found[train], atol=1e-3)
    assert teacher.components(x, train, 0).shape == (200, 0)
