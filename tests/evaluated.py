"""A model folder with figures, made in a moment: made-up scores of made-up clips, real files."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from blipper.paths import models_dir
from blipper.results import Span
from blipper.training import event_scores
from blipper.training.evaluate import Scored, evaluate, write_predictions
from blipper.training.splits import split_of
from blipper.voice.labels import EMOTIONS

CLASSES = {
    "ravdess": EMOTIONS,
    "crema-d": ("neutral", "happy", "sad", "angry", "fear", "disgust"),
    "savee": tuple(emotion for emotion in EMOTIONS if emotion != "calm"),
    "tess": tuple(emotion for emotion in EMOTIONS if emotion != "calm"),
}
SPEAKERS = {
    "ravdess": ("01", "11", "20"),
    "crema-d": ("1001", "1002", "1003", "1004"),
    "savee": ("JE",),
    "tess": ("OAF",),
}
#: Before any test points BLIPPER_MODELS elsewhere.
SHIPPED = models_dir() / "mel-cnn"
THRESHOLD = 0.5
RESAMPLES = 30


def made_up(seed: int = 0, each: int = 4) -> tuple[Scored, ...]:
    """Return clips of all corpora with scores that are right about two times out of three."""
    rng = np.random.default_rng(seed)
    rows = []
    for corpus, speakers in SPEAKERS.items():
        for number, speaker in enumerate(speakers):
            for emotion in CLASSES[corpus]:
                for take in range(each):
                    shares = rng.dirichlet(np.ones(len(EMOTIONS)))
                    if rng.random() < 0.65:
                        shares[EMOTIONS.index(emotion)] += 1
                    shares = np.round(shares / shares.sum(), 6)
                    score = rng.beta(5, 2) if emotion == "angry" else rng.beta(2, 5)
                    rows.append(
                        Scored(
                            f"{corpus}/{speaker}-{emotion}-{take}",
                            corpus,
                            speaker,
                            "male" if number % 2 else "female",
                            emotion,
                            ("normal", "strong")[take % 2] if corpus == "ravdess" else "unspecified",
                            True,
                            round(float(score), 6),
                            tuple(float(share) for share in shares),
                            seconds=round(float(rng.uniform(1, 3)), 3),
                        )
                    )
    rows[0] = replace(rows[0], speech=False)
    return tuple(rows)


def described(rows: tuple[Scored, ...], sha256: str) -> dict[str, Any]:
    """Return what ``metrics.json`` says about them."""
    quiet = {
        name: sum(row.emotion == name.split()[0] and row.speech for row in rows)
        for name in ("neutral speech", "happy speech")
    }
    return {
        "format": 1,
        "model": {"name": "made-up", "sha256": sha256, "threshold": THRESHOLD},
        "settings": {"seed": 0, "resamples": RESAMPLES},
        "split": {
            "fold": 1,
            "speakers": {
                "train": {"ravdess": ["02", "03"], "crema-d": ["1050"]},
                "validation": {"ravdess": ["04"]},
                "test": {corpus: list(names) for corpus, names in SPEAKERS.items()},
            },
        },
        "training": {
            "best_epoch": 2,
            "parameters": 1234,
            "history": [
                {"epoch": e, "loss": 3.0 / e, "accuracy_common": 0.2 * e, "angry_roc_auc": 0.3 * e,
                 "uar_ravdess": 0.15 * e, "learning_rate": 1e-3, "score": 0.2 * e, "seconds": 1.0}
                for e in (1, 2, 3)
            ],
        },
        "validation": {
            "calibration_error_before": {"emotions": 0.1, "aggression": 0.2},
            "calibration_error_after": {"emotions": 0.05, "aggression": 0.06},
            "false_alarms": {"seconds": 360.0, "alarms": 0, "per_hour": 0.0, "upper": 30.0, "found": 0.7},
        },
        **met(),
        "test": evaluate(rows, THRESHOLD, seed=0, resamples=RESAMPLES),
        "false_alarms": {
            name: {"files": n, "with_speech": n, "seconds": 90.0, "files_with_alarm": 1, "alarms": 2,
                   "alarms_per_hour": 80.0, "highest": 0.8, "hop": 0.5}
            for name, n in quiet.items()
        },
    }  # fmt: skip


def clips_of(fold: int | str) -> tuple[Scored, ...]:
    """Return made-up scores of a fold's test speakers."""
    rows = []
    template = made_up()
    for corpus, speaker in sorted(split_of(fold).test):
        own = [row for row in template if row.corpus == corpus]
        first = own[0].speaker
        rows += [
            replace(row, speaker=speaker, key=row.key.replace(f"/{first}-", f"/{speaker}-"))
            for row in own
            if row.speaker == first
        ]
    return tuple(rows)


def met() -> dict[str, Any]:
    """Return what events in conversations and false alarms may come to."""

    def scenes(threshold: float) -> dict[str, Any]:
        late = round(10 * threshold)
        matched = [
            event_scores.match([Span(10 + late, 20), Span(40, 40 + late)], [Span(10, 20)], 120)
            for _ in range(4)
        ]
        return event_scores.summarize(matched, resamples=RESAMPLES)

    def figure(value: float) -> dict[str, Any]:
        return {"value": value, "interval": [value / 2, value * 1.5]}

    def kind(value: float) -> dict[str, Any]:
        rate = {"speakers": 2, "clips": 9, "seconds": 60.0, "alarms": 1, "per_hour": figure(value)}
        return {**rate, "corpora": {"ravdess": rate, "savee": rate | {"per_hour": figure(2 * value)}}}

    found = {"speakers": 2, "clips": 9, "found": 5, "share": figure(0.5)}
    condition = {
        "neutral": kind(4.0),
        "happy": kind(40.0),
        "angry": {**found, "corpora": {"ravdess": found}},
    }
    sound = {
        "files": 3, "seconds": 9.0, "heard_seconds": 1.0, "with_speech": 1,
        "files_with_alarm": 0, "alarms": 0,
        "per_hour": 0.0, "highest": 0.2, "thresholds": {},
    }  # fmt: skip
    return {
        "scenes": {
            "seed": 0, "seconds": 480.0, "angry_seconds": 40.0, "speakers": ["ravdess/01", "savee/JE"],
            "overlap": 0.5, "threshold": THRESHOLD, **scenes(THRESHOLD),
            "thresholds": {f"{t:.2f}": scenes(t) for t in (0.2, 0.4, 0.6, 0.8)},
            "shortest": {"1": scenes(THRESHOLD), "3": scenes(0.9)},
        },
        "alarms": {
            "seed": 0, "threshold": THRESHOLD, "pause": 3.0,
            "speech": {"as recorded": condition, "noise at 0 dB": condition},
            "sounds": {"coughing": sound, "noise: urban": sound | {"per_hour": None, "seconds": 0.0}},
        },
    }  # fmt: skip


def make_folder(folder: Path, rows: tuple[Scored, ...] | None = None) -> Path:
    """Write a model's folder; the weights are the shipped model's, so that the app can load them."""
    rows = made_up() if rows is None else rows
    folder.mkdir(parents=True)
    for name in ("weights.safetensors", "config.json"):
        shutil.copyfile(SHIPPED / name, folder / name)
    sha256 = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    (folder / "metrics.json").write_text(json.dumps(described(rows, sha256)), encoding="utf-8")
    write_predictions(folder / "test-predictions.csv", rows)
    return folder


def change_metrics(folder: Path, change: Any) -> None:
    """Change a folder's ``metrics.json`` in place."""
    path = folder / "metrics.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
