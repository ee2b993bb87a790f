from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import blipper
from blipper.inventory import headline, list_models
from blipper.reports import models_text, training_text

FIGURES = {
    "common": {"accuracy": {"value": 0.61}, "uar": {"value": 0.6}, "angry": {"roc_auc": {"value": 0.9}}},
    "corpora": {"tess": {"accuracy": {"value": 0.5}}},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the shipped model and figures known here."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("config.json", "weights.safetensors"):
        shutil.copy(blipper.models_dir() / "mel-cnn" / name, copy)
    sha256 = json.loads((copy / "config.json").read_text("utf-8"))["sha256"]
    (copy / "metrics.json").write_text(json.dumps({"model": {"sha256": sha256}, "test": FIGURES}), "utf-8")
    return tmp_path


def test_the_shipped_models_are_sound_and_measured() -> None:
    rows = list_models()
    assert "mel-cnn" in [row["name"] for row in rows]
    for row in rows:
        assert "error" not in row
        assert len(row["sha256"]) == 64
        assert 0 < row["threshold"] < 1
        assert row["figures"]["accuracy"] > 1 / 6  # guessing among the six
        assert row["figures"]["roc_auc_angry"] > 0.5
    text = models_text(rows)
    assert rows[0]["sha256"][:12] in text
    assert f"{rows[0]['figures']['accuracy']:.3f}" in text


def test_a_model_is_described(folder: Path) -> None:
    (row,) = list_models(folder)
    assert row["name"] == "copy"
    assert row["folder"] == str(folder / "copy")
    assert row["size_bytes"] == (folder / "copy" / "weights.safetensors").stat().st_size
    assert row["figures"] == {"accuracy": 0.61, "uar": 0.6, "roc_auc_angry": 0.9, "accuracy_tess": 0.5}
    assert models_text([row]).splitlines()[1].split()[-4:] == ["0.610", "0.600", "0.900", "0.500"]
    assert row["commercial"] is False
    assert models_text([row]).splitlines()[1].split()[:2] == ["copy", "research"]
    edit(folder / "copy" / "config.json", lambda config: config.update(commercial=True))
    (row,) = list_models(folder)
    assert row["commercial"] is True
    assert models_text([row]).splitlines()[1].split()[:2] == ["copy", "commercial"]


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    values = json.loads(path.read_text("utf-8"))
    change(values)
    path.write_text(json.dumps(values), "utf-8")


def test_a_changed_weight_is_found(folder: Path) -> None:
    weights = folder / "copy" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    (row,) = list_models(folder)
    assert "was changed or damaged" in row["error"]
    assert "sha256" not in row


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "copy" / "weights.safetensors").unlink()
    (row,) = list_models(folder)
    assert "weights.safetensors: cannot be read" in row["error"]


def test_figures_of_other_weights_are_refused(folder: Path) -> None:
    edit(folder / "copy" / "metrics.json", lambda metrics: metrics["model"].update(sha256="0" * 64))
    (row,) = list_models(folder)
    assert "its figures are of the weights 000000000000" in row["error"]


@pytest.mark.parametrize("content", ["", "[]", '{"model": 1}', '{"model": {"sha256": "x"}, "test": {}}'])
def test_unreadable_figures_are_named(folder: Path, content: str) -> None:
    (folder / "copy" / "metrics.json").write_text(content, "utf-8")
    (row,) = list_models(folder)
    assert "metrics.json: cannot be read as a model's figures" in row["error"]


def test_a_model_without_figures_is_listed_without(folder: Path) -> None:
    (folder / "copy" / "metrics.json").unlink()
    (row,) = list_models(folder)
    assert row["figures"] is None
    assert models_text([row]).splitlines()[1].split()[-4:] == ["-", "-", "-", "-"]


def test_no_models(tmp_path: Path) -> None:
    assert list_models(tmp_path) == []
    assert list_models(tmp_path / "nowhere") == []


def test_headline_leaves_out_what_was_not_measured() -> None:
    metrics = {"test": {"common": {"clips": 0}, "corpora": {"tess": {"accuracy": {"value": 0.5}}}}}
    assert headline(metrics) == {"accuracy_tess": 0.5}
    run = {
        "training": {"epochs": 2, "best_epoch": 1, "seconds": 61},
        "model": {"name": "x", "sha256": "ab" * 32, "threshold": 0.4},
    }
    assert training_text(run, headline(metrics)).splitlines() == [
        "x (abababababab): 2 epochs, the best was 1; 1 min 1 s.",
        "On unseen speakers: TESS accuracy 0.500.",
        "Threshold 0.40, chosen on validation speakers.",
    ]
