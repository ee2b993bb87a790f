"""All figures of a set of scored clips, as the plain values of ``metrics.json``.

The clips are scored by :mod:`blipper.training.scoring`; measures are those of :mod:`blipper.measures`, and
every interval is 95 % by bootstrap over speakers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper import curves
from blipper.groups import GROUP_MEASURES, by_group, groupings
from blipper.measures import Bools, Figure, Floats, Selection, headline, report, select
from blipper.progress import Progress, silent
from blipper.training import metrics
from blipper.training.bootstrap import Bootstrap
from blipper.training.predictions import POOLED, Scored, read_predictions, write_predictions
from blipper.training.scoring import score_clips, score_file
from blipper.voice.labels import COMMON_EMOTIONS, EMOTIONS
from blipper.voice.models import VoiceModel
from blipper.voice.windows import HOP

#: Points of a curve that ``metrics.json`` holds; the whole curve follows from the predictions.
_POINTS: Final = 60


def evaluate(
    scored: Sequence[Scored], threshold: float, *, seed: int = 0, resamples: int = 1000
) -> dict[str, Any]:
    """Compute all figures of a set of scored clips.

    Parameters
    ----------
    scored : sequence of Scored
    threshold : float
        From which a clip counts as sounding angry.
    seed, resamples : int
        Of the bootstrap over speakers.

    Returns
    -------
    dict
        ``corpora`` (one entry each, with its own emotions), ``common`` (six emotions over RAVDESS, CREMA-D
        and SAVEE together), ``all`` (the same with every corpus), ``by_sex``, ``by_intensity``; JSON values
        alone.
    """
    corpora = sorted({row.corpus for row in scored})
    six = [row for row in scored if row.emotion in COMMON_EMOTIONS]
    pooled = [row for row in six if row.corpus in POOLED]

    def part(rows: Sequence[Scored], name: str, *, whole: bool = True) -> dict[str, Any]:
        if not rows:
            return {"clips": 0}
        return figures(select(rows, name), threshold, seed=seed, resamples=resamples, whole=whole)

    return {
        "corpora": {name: part([row for row in scored if row.corpus == name], name) for name in corpora},
        "common": part(pooled, "common"),
        "all": part(six, "all"),
        "by_sex": {
            name: part([row for row in pooled if row.sex == name], "common", whole=False)
            for name in sorted({row.sex for row in scored})
        },
        "by_intensity": {
            name: part([row for row in pooled if row.intensity == name], "common", whole=False)
            for name in sorted({row.intensity for row in scored if row.corpus in POOLED})
        },
        "without_speech": sum(not row.speech for row in scored),
    }


def figures(
    selection: Selection, threshold: float, *, seed: int = 0, resamples: int = 1000, whole: bool = True
) -> dict[str, Any]:
    """Compute one selection's figures.

    Parameters
    ----------
    selection : Selection
    threshold : float
    seed, resamples : int
    whole : bool
        Whether the report by emotion, calibration and curves are wanted too.
    """
    labels, guessed, angry = selection.labels, selection.guessed, selection.angry
    found: dict[str, Any] = {
        "clips": len(selection),
        "speakers": len(set(selection.speakers)),
        "classes": list(selection.names),
    }
    heads = headline(selection, seed=seed, resamples=resamples)
    found |= {name: as_json(heads[name]) for name in ("accuracy", "uar", "macro_f1")}
    found["recall"] = {EMOTIONS[c]: _rounded(share) for c, share in metrics.recalls(labels, guessed).items()}
    found["calibration_error"] = _rounded(metrics.calibration_error(labels == guessed, selection.confidence))
    found["confusion"] = selection.confusion().tolist()
    if angry.any() and not angry.all():
        over = selection.aggression >= threshold
        found["angry"] = {
            "clips": int(angry.sum()),
            "roc_auc": as_json(heads["roc_auc"]),
            "pr_auc": as_json(heads["pr_auc"]),
            "brier": _rounded(metrics.brier(angry, selection.aggression)),
            "calibration_error": _rounded(metrics.calibration_error(angry, selection.aggression)),
            "threshold": threshold,
            "found": _rounded(float(over[angry].mean())),
            "precision": _rounded(float(angry[over].mean())) if over.any() else None,
            "false_alarm_share": _rounded(float(over[~angry].mean())),
        }
    if whole:
        found["report"] = {
            row["emotion"]: {
                name: as_json(value) if isinstance(value, Figure) else value
                for name, value in row.items()
                if name != "emotion"
            }
            for row in report(selection, seed=seed, resamples=resamples)
        }
        found["calibration"] = calibration(selection, seed=seed, resamples=resamples)
        if "angry" in found:
            found["angry"]["curve"] = _curve(angry, selection.aggression)
    return found


def calibration(selection: Selection, *, seed: int = 0, resamples: int = 1000) -> dict[str, Any]:
    """Compute Brier score and calibration error before and after calibration.

    Returns
    -------
    dict
        ``emotions`` and ``aggression``, each with ``after`` and, where the predictions know it, ``before``:
        ``brier`` and ``calibration_error``. The Brier score of the emotions is the summed squared distance
        over the classes, 0 to 2 (Brier 1950); that of aggression the squared distance of one probability.
    """
    draws = Bootstrap(selection.speakers, seed=seed, resamples=resamples)
    found: dict[str, Any] = {"emotions": {}, "aggression": {}}
    sides = {"after": (selection.shares(), selection.aggression)}
    if all(row.raw for row in selection.rows):
        raw = np.array([row.raw for row in selection.rows])
        sides["before"] = (raw[:, 1:][:, list(selection.classes)], raw[:, 0])
    acted = selection.labels[:, np.newaxis] == np.array(selection.classes)
    for name, (shares, aggression) in sides.items():
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        right = np.asarray(acted[np.arange(len(acted)), shares.argmax(axis=1)])
        distance = np.asarray(((shares - acted) ** 2).sum(axis=1))
        found["emotions"][name] = _probabilities(right, shares.max(axis=1), distance, draws)
        angry = selection.angry
        found["aggression"][name] = _probabilities(angry, aggression, (aggression - angry) ** 2, draws)
    return found


def _probabilities(right: Bools, said: Floats, distance: Floats, draws: Bootstrap) -> dict[str, Any]:
    brier = draws.total(distance) / draws.total(np.ones(len(distance)))
    error = metrics.calibration_error(right, said)
    return {
        "brier": as_json(Figure(float(distance.mean()), draws.interval(brier))),
        "calibration_error": as_json(Figure(error, draws.interval(draws.calibration_error(right, said)))),
    }


def _curve(angry: Bools, scores: Floats) -> dict[str, list[float]]:
    """Thin the ROC and precision-recall curves to points at even steps of what is found."""
    points = curves.curve(angry, scores)
    wanted = np.searchsorted(points.found + points.false, np.linspace(0, 2, _POINTS))
    kept = np.unique(np.clip(np.append(wanted, len(points.found) - 1), 1, len(points.found) - 1))
    return {
        "threshold": [_rounded(value) for value in points.threshold[kept]],
        "found": [_rounded(value) for value in points.found[kept]],
        "false": [_rounded(value) for value in points.false[kept]],
        "precision": [_rounded(value) for value in points.precision[kept]],
    }


#: Selections whose groups are compared in ``metrics.json``.
_COMPARED: Final = ("common", "crema-d", "ravdess")


def gaps(
    scored: Sequence[Scored],
    threshold: float,
    demographics: Mapping[str, Mapping[str, str]],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Any]:
    """Compare groups of speakers and of clips in all of :data:`blipper.groups.GROUP_MEASURES`.

    Parameters
    ----------
    scored : sequence of Scored
    threshold : float
    demographics : mapping
        As :func:`blipper.evaluation.read_demographics` gives it.
    seed, resamples : int

    Returns
    -------
    dict
        By selection, way of grouping and group: ``clips``, ``speakers``, and for every measure ``value``,
        ``interval``, and ``gap`` to all others with ``gap_interval``.
    """
    found: dict[str, Any] = {}
    for name in _COMPARED:
        if name != "common" and not any(row.corpus == name for row in scored):
            continue
        if name == "common" and not {row.corpus for row in scored} >= set(POOLED):
            continue
        selection = select(scored, name)
        ways = groupings(selection, demographics if name == "crema-d" else {})
        found[name] = {}
        for way, belongs in ways.items():
            if way == "speaker" or (way == "intensity" and name == "common"):
                continue  # a row a speaker is no group; intensities mean other things in other corpora
            table: dict[str, Any] = {}
            for measure in GROUP_MEASURES:
                rows = by_group(selection, belongs, measure, threshold, seed=seed, resamples=resamples)
                for row in rows:
                    entry = table.setdefault(row.group, {"clips": row.clips, "speakers": row.speakers})
                    gap = as_json(row.gap)
                    entry[measure] = as_json(row.figure) | {
                        "gap": gap["value"],
                        "gap_interval": gap["interval"],
                    }
            found[name][way] = table
    return found


def as_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as plain values; None where it is undefined."""
    return {
        "value": None if math.isnan(figure.value) else _rounded(figure.value),
        "interval": None if figure.interval is None else [_rounded(bound) for bound in figure.interval],
    }


def false_alarms(
    model: VoiceModel,
    files: Sequence[Path],
    threshold: float,
    *,
    trim: bool,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Count alarms on sounds in which nobody sounds angry.

    Parameters
    ----------
    model : VoiceModel
    files : sequence of path
    threshold : float
    trim : bool
        True hears what the app hears (stretches that its speech detector lets through, none in most noises);
        False puts the whole file to the network, the harder test.
    progress : Progress
        Told files, as step ``"false alarms"``.

    Returns
    -------
    dict
        Files, those with speech detected, those with a window at the threshold, seconds heard, and alarms per
        hour: stretches of windows at the threshold, a new one after a window below it.
    """
    heard, with_speech, alarmed, alarms, highest = 0.0, 0, 0, 0, 0.0
    for i, path in enumerate(files):
        progress("false alarms", i, len(files))
        speech, _, aggression, seconds = score_file(model, path, trim=trim)
        with_speech += speech
        if trim and not speech:
            continue
        over = aggression >= threshold
        heard += seconds
        alarms += int(over[:1].sum() + np.sum(over[1:] & ~over[:-1]))
        alarmed += bool(over.any())
        highest = max(highest, float(aggression.max()))
    return {
        "files": len(files),
        "with_speech": with_speech if trim else None,
        "seconds": round(heard, 1),
        "files_with_alarm": alarmed,
        "alarms": alarms,
        "alarms_per_hour": round(alarms / heard * 3600, 2) if heard else 0.0,
        "highest": _rounded(highest),
        "hop": HOP,
    }


def _rounded(value: float) -> float:
    return round(float(value), 6)


__all__: Sequence[str] = (
    "POOLED",
    "Scored",
    "calibration",
    "evaluate",
    "false_alarms",
    "figures",
    "gaps",
    "read_predictions",
    "score_clips",
    "score_file",
    "write_predictions",
)
