"""Evaluation as the app hears it: clips scored on its own road, figures with intervals over speakers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.datasets import Clip
from blipper.errors import DatasetError
from blipper.progress import Progress, silent
from blipper.results import Span
from blipper.speech import detect_speech
from blipper.training import metrics
from blipper.training.data import ANGRY
from blipper.training.prepare import SAMPLING_RATE, as_recording, read_mono
from blipper.training.validate import COMMON
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import VoiceModel
from blipper.voice.windows import HOP, place_windows

#: Columns of the predictions file before the eight emotions.
_COLUMNS: Final = ("key", "corpus", "speaker", "sex", "emotion", "intensity", "speech", "aggression")
#: Digits kept in the file; every figure is computed from the rounded numbers, so that it can be recomputed.
_DIGITS: Final = 6
#: Corpora of the figure over the six common emotions; TESS's one unseen actress stands apart.
POOLED: Final = ("crema-d", "ravdess", "savee")


@dataclass(frozen=True)
class Scored:
    """One clip's scores.

    Parameters
    ----------
    key, corpus, speaker, sex, emotion, intensity : str
        As in :class:`blipper.datasets.Clip`.
    speech : bool
        Whether speech was detected; a clip without is scored whole, where the app would give no score.
    aggression : float
    emotions : tuple of float
        Means over the clip's windows.
    """

    key: str
    corpus: str
    speaker: str
    sex: str
    emotion: str
    intensity: str
    speech: bool
    aggression: float
    emotions: tuple[float, ...]


def score_file(model: VoiceModel, path: Path, *, trim: bool = True) -> tuple[bool, Any, Any, float]:
    """Score a sound file on the app's road.

    Parameters
    ----------
    model : VoiceModel
    path : path
    trim : bool
        Whether to look for speech; without, and where there is none, the whole file is heard.

    Returns
    -------
    speech : bool
    emotions : numpy.ndarray, shape (n_windows, 8)
    aggression : numpy.ndarray, shape (n_windows,)
    seconds : float
        Length of what was heard.
    """
    samples = read_mono(path)
    spans = detect_speech(as_recording(samples, path.name)) if trim else ()
    heard = spans or (Span(0.0, len(samples) / SAMPLING_RATE),)
    windows = place_windows(heard)
    emotions, aggression = model.score_windows(
        samples, SAMPLING_RATE, [window.start for window in windows], [window.end for window in windows]
    )
    return bool(spans), emotions, aggression, sum(span.duration for span in heard)


def score_clips(
    model: VoiceModel, clips: Sequence[Clip], *, progress: Progress = silent
) -> tuple[Scored, ...]:
    """Score clips; see :func:`score_file`.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
    progress : Progress
        Told clips, as step ``"evaluate"``.
    """
    found = []
    for i, clip in enumerate(clips):
        progress("evaluate", i, len(clips))
        speech, emotions, aggression, _ = score_file(model, clip.path)
        found.append(
            Scored(
                clip.key,
                clip.corpus,
                clip.speaker,
                clip.sex,
                clip.emotion,
                clip.intensity,
                speech,
                round(float(aggression.mean(dtype=np.float64)), _DIGITS),
                tuple(round(float(p), _DIGITS) for p in emotions.mean(axis=0, dtype=np.float64)),
            )
        )
    progress("evaluate", len(clips), len(clips))
    return tuple(found)


def write_predictions(path: Path, scored: Sequence[Scored]) -> None:
    """Write scores as CSV, from which every figure can be recomputed."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_COLUMNS, *EMOTIONS])
        for row in scored:
            fields = [getattr(row, name) for name in _COLUMNS]
            fields[_COLUMNS.index("speech")] = int(row.speech)
            writer.writerow([*fields, *row.emotions])


def read_predictions(path: Path) -> tuple[Scored, ...]:
    """Read what :func:`write_predictions` wrote.

    Raises
    ------
    DatasetError
        If the file has other columns.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != (*_COLUMNS, *EMOTIONS):
            raise DatasetError(f"{path}: columns {reader.fieldnames}, expected {[*_COLUMNS, *EMOTIONS]}")
        return tuple(
            Scored(
                row["key"],
                row["corpus"],
                row["speaker"],
                row["sex"],
                row["emotion"],
                row["intensity"],
                row["speech"] == "1",
                float(row["aggression"]),
                tuple(float(row[emotion]) for emotion in EMOTIONS),
            )
            for row in reader
        )


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
        ``corpora`` (one entry each), ``common`` (six emotions over RAVDESS, CREMA-D and SAVEE together),
        ``all`` (the same with every corpus), ``by_sex``, ``by_intensity``; JSON values alone.
    """
    table = _Table(scored, threshold, seed, resamples)
    corpus, sex, intensity = (
        np.array([getattr(row, name) for row in scored]) for name in ("corpus", "sex", "intensity")
    )
    common = np.isin(table.labels, COMMON)
    pooled = np.isin(corpus, POOLED)
    return {
        "corpora": {str(name): table.figures(corpus == name) for name in np.unique(corpus)},
        "common": table.figures(common & pooled, COMMON),
        "all": table.figures(common, COMMON),
        "by_sex": {
            str(name): table.figures(common & pooled & (sex == name), COMMON) for name in np.unique(sex)
        },
        "by_intensity": {
            str(name): table.figures(common & pooled & (intensity == name), COMMON)
            for name in np.unique(intensity[pooled])
        },
        "without_speech": int(sum(not row.speech for row in scored)),
    }


class _Table:
    """Scored clips as arrays."""

    def __init__(self, scored: Sequence[Scored], threshold: float, seed: int, resamples: int) -> None:
        self.labels = np.array([EMOTIONS.index(row.emotion) for row in scored], dtype=np.int64)
        self.emotions = np.array([row.emotions for row in scored])
        self.aggression = np.array([row.aggression for row in scored])
        self.speakers = np.array([f"{row.corpus}/{row.speaker}" for row in scored])
        self._threshold, self._seed, self._resamples = threshold, seed, resamples

    def figures(self, chosen: NDArray[np.bool_], classes: Sequence[int] | None = None) -> dict[str, Any]:
        """Compute one group's figures; `classes` may be guessed, by default those there are."""
        labels, scores = self.labels[chosen], self.aggression[chosen]
        if not len(labels):
            return {"clips": 0}
        allowed = np.unique(labels) if classes is None else np.array(classes)
        shares = self.emotions[chosen][:, allowed]
        guessed = allowed[shares.argmax(axis=1)]
        confidence = shares.max(axis=1) / np.maximum(shares.sum(axis=1), 1e-9)
        angry = labels == ANGRY
        speakers = self.speakers[chosen]

        def figure(measure: Callable[[NDArray[np.int64]], float]) -> dict[str, Any]:
            bounds = metrics.interval(measure, speakers.tolist(), seed=self._seed, resamples=self._resamples)
            return {
                "value": _rounded(measure(np.arange(len(labels)))),
                "interval": None if bounds is None else [_rounded(bound) for bound in bounds],
            }

        recalls = metrics.recalls(labels, guessed)
        found: dict[str, Any] = {
            "clips": len(labels),
            "speakers": len(np.unique(speakers)),
            "classes": [EMOTIONS[c] for c in allowed],
            "accuracy": figure(lambda rows: metrics.accuracy(labels[rows], guessed[rows])),
            "uar": figure(lambda rows: metrics.uar(labels[rows], guessed[rows])),
            "macro_f1": figure(lambda rows: metrics.macro_f1(labels[rows], guessed[rows])),
            "recall": {EMOTIONS[c]: _rounded(value) for c, value in recalls.items()},
            "calibration_error": _rounded(metrics.calibration_error(labels == guessed, confidence)),
            "confusion": metrics.confusion(labels, guessed)[np.ix_(allowed, allowed)].tolist(),
        }
        if angry.any() and not angry.all():
            found["angry"] = self._angry(angry, scores, figure)
        return found

    def _angry(
        self,
        angry: NDArray[np.bool_],
        scores: NDArray[np.float64],
        figure: Callable[[Callable[[NDArray[np.int64]], float]], dict[str, Any]],
    ) -> dict[str, Any]:
        over = scores >= self._threshold
        return {
            "clips": int(angry.sum()),
            "roc_auc": figure(lambda rows: metrics.roc_auc(angry[rows], scores[rows])),
            "pr_auc": figure(lambda rows: metrics.pr_auc(angry[rows], scores[rows])),
            "brier": _rounded(metrics.brier(angry, scores)),
            "calibration_error": _rounded(metrics.calibration_error(angry, scores)),
            "threshold": self._threshold,
            "found": _rounded(float(over[angry].mean())),
            "precision": _rounded(float(angry[over].mean())) if over.any() else None,
            "false_alarm_share": _rounded(float(over[~angry].mean())),
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
