"""Training ``whisper-cnn``: from corpora and Whisper's weights to a model folder that the app can load."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.results import ModelInfo
from blipper.training import evaluate
from blipper.training.adapt import Adapted, adapt, with_adapted
from blipper.training.card import write_card
from blipper.training.corpus import missing_material
from blipper.training.head_data import HeadMaterial, read_head_material, steps_an_epoch
from blipper.training.head_fit import FittedHead, fit_head, fit_perceptrons, heads_of, score_head
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.predictions import Scored
from blipper.training.prepare import SAMPLING_RATE
from blipper.training.scoring import as_scored
from blipper.training.settings import TEACHER
from blipper.training.train import (
    METRICS,
    PREDICTIONS,
    TrainResult,
    alarms_on,
    describe_split,
    limit_threads,
    rounded,
    settle,
    versions,
    write_atomic,
    write_json,
)
from blipper.training.validate import WindowLogits
from blipper.voice import whisper
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration
from blipper.voice.weights import CONFIG, FORMAT, WEIGHTS
from blipper.voice.whisper_cnn import KIND, Listening, WhisperVoice, load_whisper_cnn
from blipper.voice.whisper_files import SIZE, find_encoder, read_file, wanted


def train_whisper(
    data: str | Path,
    output: str | Path,
    *,
    settings: HeadTrainSettings | None = None,
    alarms: bool = True,
    progress: Progress = silent,
) -> TrainResult:
    """Train the heads over Whisper's encoder and measure them on speakers they never met.

    Speakers are split first; only training clips are augmented; calibration and threshold are chosen on
    validation speakers; test speakers are scored once, at the end, each clip's speech in one piece. An
    interrupted run goes on where it was when it is called again with the same settings.

    Parameters
    ----------
    data : path
        Folder with the corpora; ``noise/``, ``nonverbal/`` and ``rir/`` in it are used where they are.
    output : path
        The model's folder; made if needed, files in it replaced.
    settings : HeadTrainSettings, optional
    alarms : bool
        Whether false alarms are counted as well, on the app's own road.
    progress : Progress
        Told the steps ``"prepare"``, ``"encode"``, ``"train"``, ``"adapt"`` and ``"false alarms"``. It may
        raise to stop the run.

    Returns
    -------
    TrainResult

    Raises
    ------
    DatasetError
        If the corpora cannot be read or split.
    ModelError
        If Whisper's weights are missing, or cannot be read.
    """
    import tensorflow as tf

    settings = settings or HeadTrainSettings()
    data, output = Path(data), Path(output)
    encoder = encoder_file(data, settings)
    limit_threads(tf, settings.threads)
    began = time.perf_counter()
    cache = settings.cache or Path(".cache", "training")
    cache.mkdir(parents=True, exist_ok=True)
    material = read_head_material(data, encoder, settings, cache, progress=progress)
    plain = replace(settings, adapting=None)  # however the encoder is adapted, the same head comes first
    name = _name(plain, data)
    members = [
        fit_head(material, plain, i, cache / f"checkpoint-{name}-{i}.npz", progress=progress)
        for i in range(settings.network.members)
    ]
    members += fit_perceptrons(material, plain)
    adapted = None
    if settings.adapting is not None:
        point = cache / f"checkpoint-{_name(settings, data)}-adapters.npz"
        adapted = adapt(material, settings, members[0], encoder, point, progress=progress)
        members, material = [adapted.head], with_adapted(material, encoder, adapted)
    output.mkdir(parents=True, exist_ok=True)
    model, chosen = _ship(members, material, settings, encoder, output, adapted)
    scored = _scored(model, material)
    evaluate.write_predictions(output / PREDICTIONS, scored)
    found: dict[str, Any] = {
        "format": FORMAT,
        "model": {"name": settings.name, "sha256": model.info.sha256, "threshold": model.info.threshold},
        "settings": settings.to_dict(),
        "split": describe_split(material.clips, material.sides, material.segments, settings.split()),
        "training": {
            "epochs": settings.epochs,
            "best_epoch": settings.epochs,
            "windows_an_epoch": steps_an_epoch(material, settings) * settings.batch,
            "parameters": int(
                sum(w.size for member in members for w in member.weights.values())
                + sum(w.size for w in (adapted.adapters.values() if adapted else ()))
            ),
            "teacher": None,
            "missing": missing_material(data),
            "seconds": round(time.perf_counter() - began),
            "history": [
                {"member": i, **{k: rounded(v) for k, v in epoch.items()}}
                for i, member in enumerate(members)
                for epoch in member.history
            ],
            **({} if adapted is None else {"adapting": _rounded(adapted.history)}),
        },
        "validation": chosen,
        "test": evaluate.evaluate(
            scored, model.info.threshold, seed=settings.seed, resamples=settings.resamples
        ),
        "false_alarms": (
            alarms_on(model, _side(material, "test"), data, settings.limit, progress) if alarms else {}
        ),
        "versions": versions(),
    }
    write_json(output / METRICS, found)
    write_card(output, found, json.loads((output / CONFIG).read_text(encoding="utf-8")))
    return TrainResult(output, found)


def encoder_file(data: Path, settings: HeadTrainSettings) -> Path:
    """Return the file with Whisper's weights: the setting's, this machine's, or one below the data folder.

    Raises
    ------
    ModelError
        If there is none.
    """
    for path in (settings.encoder, find_encoder(), data / TEACHER):
        if path is not None and path.is_file():
            return path
    raise ModelError(f"{data}: {wanted()}")


def _ship(
    members: list[FittedHead],
    material: HeadMaterial,
    settings: HeadTrainSettings,
    encoder: Path,
    output: Path,
    adapted: Adapted | None,
) -> tuple[WhisperVoice, dict[str, Any]]:
    """Write weights and configuration, calibrated on validation speakers, and load them again."""
    from safetensors.numpy import save

    payload = save(
        {
            f"{i}/{name}": np.ascontiguousarray(values, dtype=np.float32)
            for i, member in enumerate(members)
            for name, values in member.weights.items()
        }
        | ({} if adapted is None else adapted.adapters)
    )
    config: dict[str, Any] = {
        "format": FORMAT,
        "kind": KIND,
        "name": settings.name,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "labels": list(EMOTIONS),
        "encoder": {"name": SIZE, "sha256": whisper.tensors_sha256(read_file(encoder))},
        "front_end": Listening(speeds=settings.heard_at, **asdict(settings.margins)).to_dict(),
        "network": settings.network.to_dict(),
        **(
            {}
            if settings.adapting is None
            else {"rank": settings.adapting.rank, "adapted_from": settings.adapting.first}
        ),
        "calibration": asdict(Calibration()),
        "threshold": 0.5,
        "versions": versions(),
    }
    write_atomic(output / WEIGHTS, payload)
    rows = material.side("validation")
    values = score_head(heads_of(members, settings), material.hearings, rows)
    corpora = np.array([material.clips[i].corpus for i in rows])
    logits = WindowLogits(values, np.arange(len(rows)), material.labels[rows], corpora)
    chosen = settle(logits, config)
    write_json(output / CONFIG, config)
    info = ModelInfo(config["name"], config["sha256"], config["threshold"])
    return load_whisper_cnn(config, info, payload, output / WEIGHTS, encoder), chosen


def _scored(model: WhisperVoice, material: HeadMaterial) -> tuple[Scored, ...]:
    """Score the test clips, each clip's speech in one piece, from what the encoder heard in it."""
    rows = material.side("test")
    values = score_head(model.network, material.hearings, rows)
    emotions, aggression = model.calibration.apply(values)
    segments = material.segments
    seconds = np.bincount(segments.clip, weights=segments.length, minlength=len(material.clips))
    return tuple(
        as_scored(
            material.clips[row],
            not bool(segments.without_speech[row]),
            emotions[i : i + 1],
            aggression[i : i + 1],
            float(seconds[row]) / SAMPLING_RATE,
            model.calibration,
        )
        for i, row in enumerate(rows)
    )


def _rounded(history: list[dict[str, float]]) -> list[dict[str, Any]]:
    return [{key: rounded(value) for key, value in epoch.items()} for epoch in history]


def _side(material: HeadMaterial, side: str) -> list[Any]:
    return [clip for clip, own in zip(material.clips, material.sides, strict=True) if own == side]


def _name(settings: HeadTrainSettings, data: Path) -> str:
    values = settings.to_dict()
    del values["judge_epochs"]  # checkpoints are of what comes before, and of one member
    del values["network"]["members"]
    values["network"].pop("perceptrons", None)
    described = json.dumps([values, str(data.resolve())], sort_keys=True)
    return f"{settings.name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}"
