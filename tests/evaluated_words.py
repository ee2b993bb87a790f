"""A text model's folder with figures, made in a moment: no weights that could be loaded, real figures."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from blipper.training import text_metrics
from blipper.training.text_checks import Sentence, check, run_checklist

THRESHOLD = 0.4
HOSTILE = ("you", "fuck", "kill", "animals", "they're")
FURTHER = (
    *(Sentence("threat", True, text) for text in ("i will kill you", "mind your back", "kill the lights")),
    Sentence("no threat", False, "mind the gap"),
)


class Lexicon:
    """A model that knows five words, and minds one identity."""

    def score(self, texts):
        found = [
            min(0.95, 0.15 + 0.3 * sum(word in HOSTILE for word in text.split()) + 0.1 * ("deaf" in text))
            for text in texts
        ]
        return type("Scores", (), {"aggression": np.array(found)})()


def made_up_metrics(sha256: str, *, seed: int = 0) -> dict[str, Any]:
    """Return figures of made-up labels and scores, through the functions that measure real ones."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 200)
    good = np.where(rng.random(200) < 0.7, labels, rng.integers(0, 3, 200))
    poor = np.where(rng.random(200) < 0.4, labels, rng.integers(0, 3, 200))
    insult = labels == 2
    scores = np.clip(rng.normal(0.3 + 0.3 * insult, 0.2), 0, 1)
    settings = {"resamples": 30}
    figures = {
        name: text_metrics.of_guesses(labels, guessed, **settings)
        for name, guessed in (("good", good), ("poor", poor))
    }
    detection = text_metrics.of_detection(insult, scores, **settings)
    f1 = {name: found["weighted_f1"].to_dict() for name, found in figures.items()}
    return {
        "schema": 1,
        "model": "text-small",
        "sha256": sha256,
        "command": "blipper evaluate-text shared/text",
        "corpora": [
            {
                **{"corpus": "quarrels", "task": "aggression, three ways", "split": "dev", "n": 200},
                **{"metric": "weighted F1", **f1["good"], "target": 0.6, "output": "aggression"},
                "baselines": {"tfidf-lr": f1["poor"], "vader": None},
                "more": {"accuracy": figures["good"]["accuracy"].value},
            },
            {
                **{"corpus": "reviews", "task": "sentiment", "split": "test", "n": 200},
                **{"metric": "weighted F1", **f1["poor"], "target": 0.9, "output": "sentiment"},
                "baselines": {"tfidf-lr": f1["good"], "vader": f1["poor"]},
                "more": {"accuracy": figures["poor"]["accuracy"].to_dict(), "roc_auc": None},
            },
        ],
        "calibration": [
            {
                **{"head": "aggression", "corpus": "quarrels", "split": "dev"},
                "ece": detection["ece"].value,
                "bins": text_metrics.calibration_bins(insult, scores),
            }
        ],
        **check(Lexicon(), THRESHOLD),
        "sentences": {"categories": run_checklist(Lexicon(), THRESHOLD, FURTHER).to_dict()["categories"]},
        "speed": None,
    }


def make_text_folder(folder: Path, *, seed: int = 0) -> Path:
    """Write a folder as the text model that ships has it; its weights are four bytes."""
    folder.mkdir(parents=True)
    weights = b"text"
    sha256 = hashlib.sha256(weights).hexdigest()
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text("{}")
    described = {
        "schema": 1,
        "kind": "text",
        "name": folder.name,
        "files": {"model.safetensors": sha256},
        "aggression": {"output": 3, "scale": 1.0, "bias": 0.0, "threshold": THRESHOLD},
    }
    (folder / "blipper.json").write_text(json.dumps(described))
    (folder / "metrics.json").write_text(json.dumps(made_up_metrics(sha256, seed=seed)))
    return folder


def change(folder: Path, edit: Any, name: str = "metrics.json") -> None:
    """Edit one of the folder's JSON files."""
    found = json.loads((folder / name).read_text())
    edit(found)
    (folder / name).write_text(json.dumps(found))
