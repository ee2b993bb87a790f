"""Whisper's encoder in Keras against openai-whisper's own, and what files it takes its weights from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from blipper.errors import ModelError
from blipper.voice import whisper, whisper_files
from blipper.words import weights as published
from tests.conftest import needed
from tests.voice.whisper_double import random_tensors, write_encoder


@pytest.fixture(scope="module")
def random_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an encoder of the right shape with random weights."""
    path = tmp_path_factory.mktemp("encoder") / "random.safetensors"
    write_encoder(path)
    return path


def theirs(tensors: dict[str, np.ndarray], mel: np.ndarray) -> np.ndarray:
    """Run openai-whisper's own encoder, its positions cut to the sound's length."""
    torch = pytest.importorskip("torch")
    model = pytest.importorskip("whisper.model")
    n = (len(mel) + 1) // 2
    encoder = model.AudioEncoder(80, n, 384, 6, 4)
    state = {k.removeprefix("encoder."): torch.tensor(v.astype(np.float32)) for k, v in tensors.items()}
    state["positional_embedding"] = state["positional_embedding"][:n]
    encoder.load_state_dict(state)
    with torch.no_grad():
        return np.asarray(encoder(torch.tensor(mel.T[np.newaxis])).numpy()[0])


def voice(seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * 16_000)) / 16_000
    swell = 0.3 + 0.2 * np.sin(2 * np.pi * 3 * time)
    buzz = sum(np.sin(2 * np.pi * (140 + 20 * np.sin(5 * time)) * k * time) / k for k in range(1, 20))
    noise = np.random.default_rng(1).normal(0, 0.003, len(time))
    return np.asarray(0.1 * swell * buzz + noise, dtype=np.float32)


def encode(tensors: dict[str, np.ndarray], mels: list[np.ndarray], width: int) -> list[Any]:
    encoder = whisper.load_encoder(tensors, Path("test"))
    batch = np.full((len(mels), width, 80), 0.7, np.float32)  # what lies behind the sound must not matter
    for row, mel in enumerate(mels):
        batch[row, : len(mel)] = mel
    lengths = np.array([len(mel) for mel in mels], np.int32)
    return [layer.numpy() for layer in encoder([batch, lengths], training=False)]


@pytest.mark.parametrize("seconds", [0.31, 2.345, 7.0])
def test_log_mel_is_openais(seconds: float) -> None:
    torch = pytest.importorskip("torch")
    audio = pytest.importorskip("whisper.audio")
    sound = voice(seconds)
    expected = audio.log_mel_spectrogram(torch.tensor(sound)).numpy().T
    found = whisper.log_mel(sound)
    assert found.shape == expected.shape == (len(sound) // 160, 80)
    assert np.abs(found - expected).max() < 1e-4


def test_inner_layers_come_in_four_behind_the_blocks() -> None:
    import keras

    tensors, mel = random_tensors(), whisper.log_mel(voice(1.0))[np.newaxis]
    lengths = np.array([mel.shape[1]], np.int32)
    plain = whisper.load_encoder(tensors, Path("test"))([mel, lengths])
    encoder = whisper.load_encoder(tensors, Path("test"), inner=(1, 3))
    found = [np.asarray(one) for one in encoder([mel, lengths])]
    assert len(found) == 4 + 8 + 1
    for own, other in zip([*found[:4], found[-1]], plain, strict=True):
        np.testing.assert_allclose(own, other, atol=1e-5)
    for at, block in ((4, 1), (8, 3)):
        given = keras.Model(encoder.inputs, encoder.get_layer(f"block{block}_mlp_2").input)
        np.testing.assert_allclose(
            np.concatenate(found[at : at + 4], axis=2), given([mel, lengths]), atol=1e-5
        )


def test_log_mel_of_less_than_a_frame_and_of_silence() -> None:
    assert whisper.log_mel(voice(0.01)).shape == (2, 80)
    assert np.ptp(whisper.log_mel(np.zeros(16_000, np.float32))) == 0
    assert np.isfinite(whisper.log_mel(whisper.levelled(np.zeros(16_000, np.float32)))).all()


def test_level_does_not_matter_once_levelled() -> None:
    sound = voice(1.0)
    assert np.allclose(whisper.levelled(sound), whisper.levelled(sound * 0.01), atol=1e-6)
    assert np.sqrt(np.mean(whisper.levelled(sound) ** 2)) == pytest.approx(0.05, rel=1e-4)


def test_the_encoder_is_openais_alone_and_padded_in_a_batch() -> None:
    tensors = random_tensors()
    mels = [whisper.log_mel(voice(2.345)), whisper.log_mel(voice(3.0))]
    layers = encode(tensors, mels, 320)
    assert [layer.shape for layer in layers] == [(2, 160, 384)] * 5
    for row, mel in enumerate(mels):
        expected = theirs(tensors, mel)
        assert np.abs(layers[-1][row, : len(expected)] - expected).max() < 1e-3


@pytest.mark.data
def test_with_openais_weights_it_is_openais_to_a_thousandth(data_dir: Path) -> None:
    path = needed(data_dir / "whisper-tiny-en-encoder" / "encoder.safetensors")
    mel = whisper.log_mel(voice(4.0))
    tensors = whisper.read_tensors(path)
    assert whisper.tensors_sha256(tensors).startswith("1bdbc80ce53a")
    found = encode(tensors, [mel], len(mel))[-1][0]
    assert np.abs(found - theirs(tensors, mel)).max() < 1e-3


def test_a_digest_is_that_of_the_numbers(random_file: Path, tmp_path: Path) -> None:
    tensors = whisper.read_tensors(random_file)
    wide = {key: value.astype(np.float32) for key, value in tensors.items()} | {
        "decoder.positional_embedding": np.zeros((448, 384), np.float32)
    }
    save_file(wide, tmp_path / "wide.safetensors")
    again = whisper.read_tensors(tmp_path / "wide.safetensors")
    assert whisper.tensors_sha256(again) == whisper.tensors_sha256(tensors)
    tensors["encoder.conv1.bias"][3] += 1
    assert whisper.tensors_sha256(again) != whisper.tensors_sha256(tensors)


def test_files_that_hold_no_such_encoder(random_file: Path, tmp_path: Path) -> None:
    tensors = load_file(random_file)
    path = tmp_path / "x.safetensors"
    for change, message in (
        ({"encoder.conv1.weight": None}, r"has no tensor encoder\.conv1\.weight"),
        ({"encoder.blocks.4.attn.out.bias": np.zeros(384, np.float16)}, r"has a tensor encoder\.blocks\.4"),
        ({"encoder.conv1.weight": np.zeros((384, 128, 3), np.float16)}, r"has shape \(384, 128, 3\)"),
    ):
        changed = {k: v for k, v in {**tensors, **change}.items() if v is not None}
        save_file(changed, path)
        with pytest.raises(ModelError, match=message):
            whisper.read_tensors(path)
    tensors["encoder.conv2.bias"][0] = np.nan
    with pytest.raises(ModelError, match=r"conv2\.bias holds NaN"):
        whisper.load_encoder(tensors, path)
    path.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"x\.safetensors: cannot be read"):
        whisper.read_tensors(path)


def test_where_weights_are_looked_for(
    random_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path))
    assert whisper_files.find_encoder() is None
    with pytest.raises(ModelError, match=r"blipper models download tiny\.en"):
        whisper_files.read_encoder()
    (tmp_path / "encoder.safetensors").write_bytes(random_file.read_bytes())
    assert whisper_files.find_encoder() == tmp_path / "encoder.safetensors"
    monkeypatch.setenv("BLIPPER_WHISPER", str(random_file))
    assert whisper_files.find_encoder() == random_file
    with pytest.raises(ModelError, match=r"another encoder than Whisper's tiny\.en"):
        whisper_files.read_encoder("0" * 64)
    monkeypatch.delenv("BLIPPER_WHISPER")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert whisper_files.find_encoder() is None


def test_openais_checkpoint_is_read_and_its_encoder_kept(
    random_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint here is made of random weights, so its hash stands in for the published one."""
    import hashlib

    torch = pytest.importorskip("torch")
    tensors = whisper.read_tensors(random_file)
    state = {key: torch.tensor(value) for key, value in tensors.items()}
    path = tmp_path / "tiny.en.pt"
    torch.save({"dims": {}, "model_state_dict": state | {"decoder.x": torch.zeros(3)}}, path)
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path))
    with pytest.raises(ModelError, match="has the SHA-256"):
        whisper_files.read_encoder()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = replace(published.CHECKPOINTS["tiny.en"], sha256=digest)
    monkeypatch.setitem(published.CHECKPOINTS, "tiny.en", known)
    found, source = whisper_files.read_encoder(whisper.tensors_sha256(tensors))
    assert source == path and found.keys() == tensors.keys()
    kept = whisper_files.find_encoder()
    assert kept == tmp_path / "tiny.en.encoder.safetensors"
    assert whisper.tensors_sha256(whisper.read_tensors(kept)) == whisper.tensors_sha256(tensors)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    import pickle

    pytest.importorskip("torch")

    class Bomb:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "tiny.en.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    known = replace(published.CHECKPOINTS["tiny.en"], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setitem(published.CHECKPOINTS, "tiny.en", known)
    with pytest.raises(ModelError, match="cannot be read as a Whisper checkpoint"):
        whisper_files.read_file(path)
    assert not (tmp_path / "ran").exists()
