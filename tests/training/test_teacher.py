"""The teacher: the encoder against an independent one, honest cross-fitting, components."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from blipper.datasets import Clip
from blipper.errors import Cancelled, ModelError
from blipper.training import encoder, teacher
from blipper.training.head_data import HeadMaterial
from blipper.training.head_fit import fit_head, heads_of, score_head
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.heard import Heard
from blipper.training.prepare import Segments
from blipper.training.settings import TEACHER
from blipper.voice import whisper
from blipper.voice.heads import HeadSettings
from blipper.voice.labels import EMOTIONS
from tests.conftest import needed


@pytest.fixture(scope="module")
def weights_file(data_dir: Path) -> Path:
    path = needed(data_dir / TEACHER)
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


def heard_of(frames: np.ndarray) -> Heard:
    """One clip a row of ``frames``, shape (n_clips, n, blocks, width)."""
    n, each = frames.shape[:2]
    shard = frames.reshape(n * each, *frames.shape[2:]).astype(np.float16)
    return Heard((shard,), np.zeros(n, np.int64), np.arange(n) * each, np.full(n, each))


def material_of(
    signal: np.ndarray, labels: np.ndarray, speaker: np.ndarray, train: np.ndarray
) -> HeadMaterial:
    """Clips whose every frame is ``signal`` with noise, shape (n_clips, width)."""
    rng = np.random.default_rng(9)
    n = len(labels)
    frames = signal[:, np.newaxis, np.newaxis] + rng.normal(0, 0.05, (n, 14, 4, signal.shape[1]))
    clips = tuple(
        Clip(
            Path("x.wav"),
            "savee",
            f"{speaker[i]:02d}",
            "male",
            EMOTIONS[labels[i]],
            "normal",
            "",
            f"savee/{i}",
        )
        for i in range(n)
    )
    segments = Segments(
        np.zeros(0, np.int16), np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.bool_), tuple(str(i) for i in range(n)),
    )  # fmt: skip
    return HeadMaterial(
        clips=clips,
        sides=np.where(train, "train", "test"),
        segments=segments,
        versions=(heard_of(frames),),
        negatives=None,
        labels=labels,
        targets=np.eye(8, dtype=np.float32)[labels],
        own=np.ones((n, 8), np.float32),
        aside=np.zeros((n, 2), np.float32),
        asked=np.zeros((n, 2), np.float32),
        weight=train / train.sum(),
    )


SMALL = HeadTrainSettings(
    epochs=2, judge_epochs=40, batch=16, masking=0.0, dropout=0.0, mixup=0.0, versions=0, average=0.9,
    learning_rate=3e-3, network=HeadSettings(width=40, channels=8, dilations=(1,), squeeze=4, embedding=16),
)  # fmt: skip


def test_nobody_is_judged_by_who_heard_them(tmp_path: Path) -> None:
    """Each speaker has a private mark that gives the label away to whoever learned it; nothing else does."""
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(24), 12)
    labels = rng.choice([0, 4], len(speaker))
    signal = np.zeros((len(speaker), 40))
    signal[np.arange(len(speaker)), speaker] = np.where(labels, 3, -3) * np.where(speaker % 2, 1, -1)
    train = speaker < 16
    material = material_of(signal, labels, speaker, train)
    found = teacher.opinions(material, SMALL, 3, tmp_path)
    assert found.shape == (288, 9)
    assert np.allclose(found[:, :8].sum(axis=1), 1, atol=1e-4)
    right = np.where(found[:, 4] > found[:, 0], 4, 0) == labels
    assert 0.2 < right[train].mean() < 0.8
    assert 0.1 < right[~train].mean() < 0.9
    # That it could have been learned: a head that heard all of them knows.
    head = fit_head(material, SMALL, 0, None)
    logits = score_head(heads_of([head], SMALL), material.hearings, np.flatnonzero(train))
    assert (np.where(logits[:, 4] > logits[:, 0], 4, 0) == labels[train]).mean() > 0.95


def test_opinions_are_learned_once_and_go_on_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice([0, 3, 4], 200)
    speaker = np.arange(200) % 10
    signal = np.eye(8)[labels] @ rng.normal(size=(8, 40)) + rng.normal(0, 0.3, (200, 40))
    material = material_of(signal, labels, speaker, speaker < 8)

    def stop(step: str, done: float, total: float) -> None:
        assert (step, total) == ("opinions", 2)
        if done > 1.2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        teacher.opinions(material, SMALL, 2, tmp_path, progress=stop)
    trained: list[int] = []
    fit = teacher.fit_head
    monkeypatch.setattr(teacher, "fit_head", lambda *given, **how: trained.append(0) or fit(*given, **how))
    found = teacher.opinions(material, SMALL, 2, tmp_path)
    assert len(trained) == 1, "the first head was on file"
    assert (found[:, :8].argmax(axis=1) == labels).mean() > 0.9
    assert np.corrcoef(found[:, 8], labels == 4)[0, 1] > 0.8
    assert np.array_equal(teacher.opinions(material, SMALL, 2, tmp_path), found)
    assert len(trained) == 1
    frames = material.versions[0].shards[0]
    louder = replace(material.versions[0], shards=(frames * np.float16(1.1),))
    teacher.opinions(replace(material, versions=(louder,)), SMALL, 2, tmp_path)
    assert len(trained) == 3, "what another encoder hears is another matter"
    whole = tmp_path / "again"
    whole.mkdir()
    assert np.allclose(teacher.opinions(material, SMALL, 2, whole), found, atol=1e-5)
    assert not list(whole.glob("checkpoint-*"))


def test_groups_share_a_corpuss_speakers_out_evenly() -> None:
    names = [f"{corpus}/{i}" for corpus, n in (("a", 7), ("b", 2)) for i in range(n) for _ in range(3)]
    train = np.array([name != "a/0" for name in names])
    group = teacher.speaker_groups(names, train, 3, seed=5)
    assert (group == -1).tolist() == (~train).tolist()
    by_speaker = {name: set(group[[other == name for other in names]].tolist()) for name in names}
    assert all(len(found) == 1 for found in by_speaker.values()), "a speaker is in one group"
    sizes = np.bincount([found.pop() for name, found in by_speaker.items() if name != "a/0"], minlength=3)
    assert sizes.tolist() in ([3, 3, 2], [3, 2, 3], [2, 3, 3])


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
