"""A whisper-cnn with random weights: the right shapes, and nothing learned."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save, save_file

from blipper.voice import whisper
from blipper.voice.heads import HeadSettings, all_variables, build_heads
from blipper.voice.labels import EMOTIONS

SMALL = HeadSettings(channels=8, dilations=(1,), squeeze=4, embedding=16, members=2)


def random_tensors() -> dict[str, np.ndarray]:
    """Return an encoder's tensors, by openai-whisper's names."""
    rng = np.random.default_rng(0)
    tensors = {}
    for name, (layer, variable) in whisper.tensor_names().items():
        if variable == "table":
            shape: tuple[int, ...] = (1500, 384)
        elif layer.startswith("conv"):
            shape = (384, 80 if layer == "conv1" else 384, 3) if variable == "kernel" else (384,)
        elif variable == "kernel":
            wide = {"mlp_0": (1536, 384), "mlp_2": (384, 1536)}
            shape = wide.get(layer.split("_", 1)[1], (384, 384))
        else:
            shape = (1536,) if layer.endswith("mlp_0") else (384,)
        values = rng.normal(0, 0.03, shape) + (1 if variable == "gamma" else 0)
        tensors[name] = values.astype(np.float16)
    return tensors


def write_encoder(path: Path) -> dict[str, np.ndarray]:
    """Write an encoder's file and return its tensors."""
    tensors = random_tensors()
    save_file(tensors, path)
    return tensors


def write_model(
    folder: Path, tensors: dict[str, np.ndarray], *, network: HeadSettings = SMALL, **changes: object
) -> None:
    """Write the model's folder."""
    rng = np.random.default_rng(1)
    weights = {
        name: rng.normal(0, 0.2, variable.shape).astype(np.float32)
        if name.endswith(("kernel", "bias"))
        else variable.numpy()
        for name, variable in all_variables(build_heads(network)).items()
    }
    payload = save(weights)
    config = {
        "format": 1,
        "kind": "whisper-cnn",
        "name": folder.name,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "labels": list(EMOTIONS),
        "encoder": {"name": "tiny.en", "sha256": whisper.tensors_sha256(tensors)},
        "front_end": {"sampling_rate": 16000, "mels": 80, "pool": 4, "context": 8.0, "longest": 15.0},
        "network": network.to_dict(),
        "calibration": {"temperature": 1.3, "slope": 0.8, "intercept": -0.2},
        "threshold": 0.6,
        **changes,
    }
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "weights.safetensors").write_bytes(payload)
    (folder / "config.json").write_text(json.dumps(config))
