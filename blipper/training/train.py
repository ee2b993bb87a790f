"""Training, from a folder of corpora to a model folder that the app can load."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.datasets import Clip
from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.training import calibrate, evaluate, metrics, validate
from blipper.training.card import write_card
from blipper.training.corpus import (
    Material,
    cache_folder,
    missing_material,
    read_material,
    teacher_file,
)
from blipper.training.data import ANGRY, steps_an_epoch
from blipper.training.fit import Fitted, fit
from blipper.training.prepare import Segments
from blipper.training.settings import TrainSettings
from blipper.training.sounds import negative_files, sound_files
from blipper.training.splits import Split, side_of_sound
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration, VoiceModel, load_folder
from blipper.voice.weights import CONFIG, FORMAT, WEIGHTS

METRICS: Final = "metrics.json"
PREDICTIONS: Final = "test-predictions.csv"
_LIBRARIES: Final = ("blipper", "tensorflow", "keras", "numpy", "scipy", "librosa", "audiomentations")


@dataclass(frozen=True, eq=False)
class TrainResult:
    """What a training run leaves.

    Parameters
    ----------
    folder : path
        Holds the weights, ``config.json``, ``metrics.json``, ``MODEL_CARD.md`` and the test predictions.
    metrics : dict
        As in ``metrics.json``.
    """

    folder: Path
    metrics: dict[str, Any]


def train(
    data: str | Path,
    output: str | Path,
    *,
    settings: TrainSettings | None = None,
    progress: Progress = silent,
) -> TrainResult:
    """Train a voice model and measure it on speakers it never met.

    Speakers are split first; only training clips are augmented; the epoch, the calibration and the threshold
    are chosen on validation speakers; test speakers are scored once, at the end, by the app's own road.
    An interrupted run goes on where it was when it is called again with the same settings: decoded clips,
    features and a checkpoint after every epoch are in ``settings.cache``.

    Parameters
    ----------
    data : path
        Folder with the corpora; ``noise/``, ``nonverbal/``, ``rir/`` and the teacher's weights in it are used
        where they are.
    output : path
        The model's folder; made if needed, files in it replaced.
    settings : TrainSettings, optional
    progress : Progress
        Told the steps ``"prepare"``, ``"features"``, ``"teacher"``, ``"opinions"``, ``"train"``,
        ``"evaluate"`` and ``"false alarms"``. It may raise to stop the run.

    Returns
    -------
    TrainResult

    Raises
    ------
    DatasetError
        If the corpora cannot be read or split.
    ModelError
        If the teacher is asked for and missing, or cannot be read.
    """
    import tensorflow as tf

    settings = settings or TrainSettings()
    data, output = Path(data), Path(output)
    wanted = teacher_file(data, settings)
    if wanted is not None and not wanted.is_file():
        raise ModelError(
            f"{wanted}: the teacher's weights are missing; put Whisper's encoder (safetensors) there or name "
            "it in the setting 'teacher', or train without: --no-teacher, or distil=0 and hints=0"
        )
    limit_threads(tf, settings.threads)
    began = time.perf_counter()
    material = read_material(data, settings, progress=progress)
    logits = validate.validation_logits(material, settings)
    fitted = fit(
        material.examples,
        lambda network: validate.figures(logits(validate.wrap(network, settings))),
        settings,
        cache_folder(settings) / f"checkpoint-{_name(settings, data)}.npz",
        progress=progress,
    )
    output.mkdir(parents=True, exist_ok=True)
    model, chosen = _ship(fitted, logits, settings, output)
    scored = evaluate.score_clips(model, _side(material, "test"), progress=progress)
    evaluate.write_predictions(output / PREDICTIONS, scored)
    found = {
        "format": FORMAT,
        "model": {"name": settings.name, "sha256": model.info.sha256, "threshold": model.info.threshold},
        "settings": settings.to_dict(),
        "split": describe_split(material.clips, material.sides, material.segments, settings.split()),
        "training": {
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            "windows_an_epoch": steps_an_epoch(material.examples, settings) * settings.batch,
            "parameters": int(sum(weights.size for weights in fitted.weights.values())),
            "teacher": "whisper-cnn on Whisper's tiny.en encoder" if material.taught else None,
            "missing": missing_material(data, commercial=settings.commercial),
            "seconds": round(time.perf_counter() - began),
            "history": [{k: rounded(v) for k, v in epoch.items()} for epoch in fitted.history],
        },
        "validation": chosen,
        "test": evaluate.evaluate(
            scored, model.info.threshold, seed=settings.seed, resamples=settings.resamples
        ),
        "false_alarms": alarms_on(model, _side(material, "test"), data, settings.limit, progress),
        "versions": versions(),
    }
    write_json(output / METRICS, found)
    write_card(output, found, json.loads((output / CONFIG).read_text(encoding="utf-8")))
    return TrainResult(output, found)


def _ship(
    fitted: Fitted, logits: Any, settings: TrainSettings, output: Path
) -> tuple[VoiceModel, dict[str, Any]]:
    """Write weights and configuration, calibrated on validation speakers, and load them as the app does."""
    from safetensors.numpy import save

    weights = {
        name: np.ascontiguousarray(values, dtype=np.float32) for name, values in fitted.weights.items()
    }
    payload = save(weights)
    config: dict[str, Any] = {
        "format": FORMAT,
        "name": settings.name,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "labels": list(EMOTIONS),
        "front_end": settings.front.to_dict(),
        "network": settings.network.to_dict(),
        "calibration": asdict(Calibration()),
        "threshold": 0.5,
        "versions": versions(),
    }
    if settings.commercial:
        config["commercial"] = True
    write_atomic(output / WEIGHTS, payload)
    write_json(output / CONFIG, config)
    chosen = settle(logits(load_folder(output)), config)
    write_json(output / CONFIG, config)
    return load_folder(output), chosen


def settle(found: validate.WindowLogits, config: dict[str, Any]) -> dict[str, Any]:
    """Choose calibration and threshold on validation speakers.

    Parameters
    ----------
    found : WindowLogits
    config : dict
        Is given ``calibration``, ``threshold`` and ``threshold_rule``.

    Returns
    -------
    dict
        What was found there: the ``validation`` of ``metrics.json``.
    """
    calibration = calibrate.calibrate(found)
    emotions, aggression = found.clips(calibration)
    threshold = calibrate.choose_threshold(found.labels, aggression)
    config |= {
        "calibration": asdict(calibration),
        "threshold": threshold,
        "threshold_rule": calibrate.THRESHOLD_RULE,
    }
    plain_emotions, plain_aggression = found.clips(Calibration())
    angry = found.labels == ANGRY

    def errors(emotions: Any, aggression: Any) -> dict[str, float]:
        guessed = emotions.argmax(axis=1)
        return {
            "emotions": rounded(metrics.calibration_error(guessed == found.labels, emotions.max(axis=1))),
            "aggression": rounded(metrics.calibration_error(angry, aggression)),
        }

    over = aggression >= threshold
    quiet = np.isin(found.labels, [EMOTIONS.index(emotion) for emotion in calibrate.QUIET])
    return {
        "clips": len(found.labels),
        **{name: rounded(value) for name, value in validate.figures(found).items()},
        "calibration_error_before": errors(plain_emotions, plain_aggression),
        "calibration_error_after": errors(emotions, aggression),
        "threshold": threshold,
        "angry_found": rounded(float(over[angry].mean())),
        "quiet_clips": int(quiet.sum()),
        "quiet_over_threshold": int(over[quiet].sum()),
    }


def alarms_on(
    model: VoiceModel, test: Sequence[Clip], data: Path, limit: int | None, progress: Progress
) -> dict[str, Any]:
    """Count alarms on neutral and happy test clips, plain reading, and held-out noises."""
    threshold = model.info.threshold
    groups: dict[str, tuple[list[Path], bool]] = {
        "neutral speech": ([clip.path for clip in test if clip.emotion == "neutral"], True),
        "happy speech": ([clip.path for clip in test if clip.emotion == "happy"], True),
    }
    reading = [path for path in sound_files(data / "speech") if path.suffix != ".tsv"]
    groups["plain reading (never in training)"] = (reading, True)
    held_out = negative_files(data, "test")
    noises = [path for path in held_out if "nonverbal" not in path.parts]
    groups["noise, as the app hears it"] = (noises, True)
    groups["noise, put to the network"] = (noises, False)
    for folder in sorted(path for path in (data / "nonverbal").glob("*") if path.is_dir()):
        files = [path for path in sound_files(folder) if side_of_sound(path) == "test"]
        groups[f"{folder.name}, put to the network"] = (files, False)
    return {
        name: evaluate.false_alarms(model, files[:limit], threshold, trim=trim, progress=progress)
        for name, (files, trim) in groups.items()
        if files
    }


def _side(material: Material, side: str) -> list[Any]:
    return [clip for clip, own in zip(material.clips, material.sides, strict=True) if own == side]


def describe_split(
    clips: Sequence[Clip], sides: Sequence[str] | NDArray[np.str_], segments: Segments, split: Split
) -> dict[str, Any]:
    """Say who is on which side, and how many clips: the ``split`` of ``metrics.json``."""
    names = ("train", "validation", "test")
    speakers: dict[str, dict[str, set[str]]] = {side: {} for side in names}
    counts: dict[str, Counter[str]] = {side: Counter() for side in names}
    for clip, side in zip(clips, sides, strict=True):
        speakers[side].setdefault(clip.corpus, set()).add(clip.speaker)
        counts[side][clip.corpus] += 1
    return {
        "fold": split.fold,
        "clips": {side: dict(sorted(counts[side].items())) for side in names},
        "speakers": {
            side: {corpus: sorted(found) for corpus, found in sorted(speakers[side].items())}
            for side in names
        },
        "without_speech": int(segments.without_speech.sum()),
    }


def limit_threads(tf: Any, threads: int) -> None:
    """Limit TensorFlow's threads, where it has not begun to work yet."""
    if tf.config.threading.get_intra_op_parallelism_threads() == 0:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:  # already initialised by this process: it keeps the threads it has
            return


def _name(settings: TrainSettings, data: Path) -> str:
    described = json.dumps([settings.to_dict(), str(data.resolve())], sort_keys=True)
    return f"{settings.name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}"


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decide a model's numbers."""
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:  # a checkout that was never installed
            from blipper import __version__

            found[library] = __version__ if library == "blipper" else "unknown"
    return found


def rounded(value: float) -> float:
    """Round a figure as ``metrics.json`` holds it."""
    return round(float(value), 6)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file that is whole or not there."""
    write_atomic(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())


def write_atomic(path: Path, payload: bytes) -> None:
    """Write a file that is whole or not there."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(payload)
    partial.replace(path)


__all__: Sequence[str] = ("METRICS", "PREDICTIONS", "TrainResult", "TrainSettings", "train")
