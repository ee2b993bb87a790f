"""What ``blipper evaluate`` does: scores clips, and writes every figure into a model's ``metrics.json``.

Each kind of evidence is a part that can be asked for alone: the shipped weights on their own test speakers,
the folds, corpora left out, scenes, false alarms. Figures are computed anew from all predictions that lie in
the model's folder, so that they always follow from the files beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError, ModelError
from blipper.evaluation import read_demographics
from blipper.line_notice import TELEPHONE
from blipper.measures import select
from blipper.progress import Progress, silent
from blipper.training.alarms import THRESHOLD_RULE, choose_threshold, measure_alarms
from blipper.training.card import CARD, write_card
from blipper.training.evaluate import evaluate, figures, gaps
from blipper.training.folds import (
    FOLD_PREDICTIONS,
    LEFT_OUT_PREDICTIONS,
    counted_once,
    merge,
    of_fold,
    run_fold,
    settings_from,
)
from blipper.training.predictions import Scored, read_predictions, write_predictions
from blipper.training.scenes import COUNT, measure_scenes
from blipper.training.scoring import score_clips
from blipper.training.splits import split_of
from blipper.training.train import METRICS, PREDICTIONS
from blipper.voice.models import TELEPHONE_THRESHOLD, load_folder
from blipper.voice.weights import CONFIG, FORMAT, read_config


@dataclass(frozen=True)
class Parts:
    """What is to be measured anew.

    Parameters
    ----------
    shipped : bool
        The shipped weights on the speakers that they were never trained on.
    folds : tuple of int
        Folds to train, or to take where they are finished.
    left_out : tuple of str
        Corpora to leave out, likewise.
    threshold : bool
        Choose the default threshold anew, on validation speakers; ``config.json`` changes with it.
    scenes, alarms : bool
        Events in conversations of known content, and false alarms, of the shipped weights.
    """

    shipped: bool = False
    folds: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()
    threshold: bool = False
    scenes: bool = False
    alarms: bool = False


def assess(
    data: Path,
    folder: Path,
    parts: Parts,
    *,
    cache: Path | None = None,
    limit: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Measure a model and write its ``metrics.json``, predictions and card.

    Parameters
    ----------
    data : path
        Folder with the corpora.
    folder : path
        The model's folder.
    parts : Parts
        Everything else is computed from the predictions that are there.
    cache : path, optional
        As in :class:`blipper.training.settings.TrainSettings`.
    limit : int, optional
        Clips of each corpus to score with the shipped weights, scenes, and files of a class of sounds; for
        trials.
    progress : Progress

    Returns
    -------
    dict
        As in ``metrics.json``.

    Raises
    ------
    DatasetError
        If the corpora lack what is needed, or predictions are not of the speakers they claim.
    ModelError
        If the model or its figures cannot be read.
    SettingsError
        If a fold is asked for that cannot be trained.
    """
    config = read_config(folder / CONFIG)
    found = read_metrics(folder)
    if parts.threshold:
        config = _choose_threshold(data, folder, found, config, limit, progress)
    if parts.shipped:
        model = load_folder(folder)
        clips = held_out_clips(data, found, limit)
        scored = score_clips(model, clips, fold=str(shipped_fold(found)), progress=progress)
        write_predictions(folder / PREDICTIONS, scored)
    for names, file in ((parts.folds, FOLD_PREDICTIONS), (parts.left_out, LEFT_OUT_PREDICTIONS)):
        for name in names:
            rows = _fold(data, folder, found, name, cache, progress)
            known = read_predictions(folder / file) if (folder / file).is_file() else ()
            write_predictions(folder / file, merge(known, rows))  # after each: an interrupt loses one at most
    found |= recompute(folder, data, found, config)
    if parts.scenes or parts.alarms:
        model, clips = load_folder(folder), held_out_clips(data, found)
        seed, resamples = _bootstrap(found)
        if parts.scenes:
            found["scenes"] = measure_scenes(
                model, clips, data, count=limit or COUNT, seed=seed, resamples=resamples, progress=progress
            )
        if parts.alarms:
            clips = held_out_clips(data, found, limit)
            found["alarms"] = measure_alarms(
                model, clips, data, seed=seed, resamples=resamples, limit=limit, progress=progress
            )
    write_metrics(folder, found)
    return found


def _fold(
    data: Path,
    folder: Path,
    found: Mapping[str, Any],
    name: int | str,
    cache: Path | None,
    progress: Progress,
) -> tuple[Scored, ...]:
    if name == shipped_fold(found) and (folder / PREDICTIONS).is_file():
        return of_fold(read_predictions(folder / PREDICTIONS), name)  # the same run as the shipped one
    settings = settings_from(found.get("settings", {}), cache=cache)
    return run_fold(data, name, settings, progress=progress)


def _choose_threshold(
    data: Path,
    folder: Path,
    found: dict[str, Any],
    config: dict[str, Any],
    limit: int | None,
    progress: Progress,
) -> dict[str, Any]:
    """Choose the threshold, and write it into ``config.json`` and what it rests on into the figures."""
    clips = side_clips(data, found, "validation", limit)
    seed, _ = _bootstrap(found)
    model = load_folder(folder)
    threshold, evidence = choose_threshold(model, clips, seed=seed, progress=progress)
    narrow, on_lines = choose_threshold(model, clips, condition=TELEPHONE, seed=seed, progress=progress)
    config = {
        **config,
        "threshold": threshold,
        TELEPHONE_THRESHOLD: max(threshold, narrow),
        "threshold_rule": THRESHOLD_RULE,
    }
    _write_json(folder / CONFIG, config)
    found["validation"] = {
        **found.get("validation", {}),
        "threshold": threshold,
        TELEPHONE_THRESHOLD: max(threshold, narrow),
        "false_alarms": evidence,
        "false_alarms_telephone": on_lines,
    }
    return config


def recompute(
    folder: Path, data: Path | None, found: Mapping[str, Any], config: Mapping[str, Any]
) -> dict[str, Any]:
    """Compute all figures that follow from the predictions in a model's folder.

    Parameters
    ----------
    folder : path
    data : path or None
        Folder with the corpora, for CREMA-D's table of actors.
    found : mapping
        ``metrics.json`` as it is, for the bootstrap's seed.
    config : mapping

    Returns
    -------
    dict
        The keys of ``metrics.json`` that change: ``model``, ``test``, ``groups``, and where there are such
        predictions ``cross_validation`` and ``left_out``.
    """
    seed, resamples = _bootstrap(found)
    threshold = float(config["threshold"])
    people = demographics(data)

    def all_of(scored: Sequence[Scored]) -> dict[str, Any]:
        return {
            "test": evaluate(scored, threshold, seed=seed, resamples=resamples),
            "groups": gaps(scored, threshold, people, seed=seed, resamples=resamples),
        }

    new: dict[str, Any] = {
        "model": {"name": config["name"], "sha256": config["sha256"], "threshold": threshold}
    }
    if (folder / PREDICTIONS).is_file():
        new |= all_of(read_predictions(folder / PREDICTIONS))
    if (folder / FOLD_PREDICTIONS).is_file():
        scored = read_predictions(folder / FOLD_PREDICTIONS)
        folds = sorted({int(row.fold) for row in scored if row.fold.isdigit()})
        new["cross_validation"] = {"folds": folds, **all_of(counted_once(scored))}
    if (folder / LEFT_OUT_PREDICTIONS).is_file():
        new["left_out"] = {}
        scored = read_predictions(folder / LEFT_OUT_PREDICTIONS)
        for corpus in sorted({row.fold for row in scored}):
            rows = of_fold([row for row in scored if row.fold == corpus], corpus)
            new["left_out"][corpus] = {
                name: figures(select(rows, pool), threshold, seed=seed, resamples=resamples)
                for name, pool in (("own", corpus), ("common", "all"))
            }
    return new


def _bootstrap(found: Mapping[str, Any]) -> tuple[int, int]:
    """Return the seed and the number of resamples."""
    settings = found.get("settings", {})
    return int(settings.get("seed", 0)), int(settings.get("resamples", 1000))


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read a model's ``metrics.json``; an empty one where there is none yet.

    Raises
    ------
    ModelError
        If it is no JSON object.
    """
    path = folder / METRICS
    if not path.is_file():
        return {"format": FORMAT}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as a model's figures ({error})") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: holds {type(found).__name__}, expected an object")
    return found


def write_metrics(folder: Path, found: dict[str, Any]) -> None:
    """Write ``metrics.json`` and, where training left one, the model's card anew."""
    _write_json(folder / METRICS, found)
    if (folder / CARD).is_file():
        write_card(folder, found, read_config(folder / CONFIG))


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def shipped_fold(found: Mapping[str, Any]) -> int | str:
    """Return the fold that the shipped weights hold out."""
    fold = found.get("split", {}).get("fold", 1)
    return fold if isinstance(fold, int | str) else 1


def held_out_clips(data: Path, found: Mapping[str, Any], limit: int | None = None) -> list[Clip]:
    """Return the clips of the shipped weights' test speakers; see :func:`side_clips`."""
    return side_clips(data, found, "test", limit)


def side_clips(data: Path, found: Mapping[str, Any], side: str, limit: int | None = None) -> list[Clip]:
    """Return the clips of one side of the shipped weights' split.

    Parameters
    ----------
    data : path
    found : mapping
        The model's ``metrics.json``, which names the split.
    side : {"train", "validation", "test"}
    limit : int, optional
        Clips of each corpus, spread evenly.

    Raises
    ------
    DatasetError
        If there is none.
    """
    split = split_of(shipped_fold(found))
    clips = [clip for clip in read_corpora(data).clips if split.side(clip) == side]
    if not clips:
        raise DatasetError(f"{data}: no clip of the {side} speakers of fold {split.fold}")
    if limit is None:
        return clips
    kept = []
    for corpus in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == corpus]
        kept += own[:: max(1, len(own) // limit)][:limit]
    return kept


def demographics(data: Path | None) -> dict[str, dict[str, str]]:
    """Return what is known of CREMA-D's actors where their table is at hand, else nothing."""
    path = None if data is None else data / "crema-d" / "VideoDemographics.csv"
    return read_demographics(path) if path is not None and path.is_file() else {}
