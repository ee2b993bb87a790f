"""Scores of single clips and their file, from which every figure of an evaluation can be recomputed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blipper.errors import DatasetError
from blipper.voice.labels import EMOTIONS

#: Corpora of the figure over the six common emotions; TESS's unseen actress stands apart.
POOLED: Final = ("crema-d", "ravdess", "savee")
#: Digits kept in the file; every figure is computed from the rounded numbers, so that it can be recomputed.
DIGITS: Final = 6

#: Columns before the eight emotions.
_COLUMNS: Final = ("key", "corpus", "speaker", "sex", "emotion", "intensity", "speech", "aggression")
#: Columns after them, which a file may lack.
_RAW: Final = ("raw_aggression", *(f"raw_{emotion}" for emotion in EMOTIONS))
_OPTIONAL: Final = ("fold", "seconds", *_RAW)


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
    fold : str, optional
        Fold, or corpus held out, whose weights gave the scores: ``"3"``, ``"savee"``; empty where the file
        does not say.
    seconds : float, optional
        Length of what was heard: of the speech, or of the whole clip where there is none.
    raw : tuple of float, optional
        Aggression and the eight emotions before calibration, likewise means over the windows; empty where
        nobody noted them.
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
    fold: str = ""
    seconds: float | None = None
    raw: tuple[float, ...] = ()


def write_predictions(path: Path, scored: Sequence[Scored]) -> None:
    """Write scores as CSV; of the optional columns those that every clip has."""
    folds = any(row.fold for row in scored)
    timed = all(row.seconds is not None for row in scored)
    raw = all(row.raw for row in scored)
    header = [*_COLUMNS, *EMOTIONS, *["fold"] * folds, *["seconds"] * timed, *(_RAW if raw else ())]
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in scored:
            fields = [getattr(row, name) for name in _COLUMNS]
            fields[_COLUMNS.index("speech")] = int(row.speech)
            more = [*[row.fold] * folds, *[row.seconds] * timed, *(row.raw if raw else ())]
            writer.writerow([*fields, *row.emotions, *more])
    partial.replace(path)


def read_predictions(path: Path) -> tuple[Scored, ...]:
    """Read what :func:`write_predictions` wrote.

    Raises
    ------
    DatasetError
        If the file lacks a column or has one that nobody knows.
    """
    needed = (*_COLUMNS, *EMOTIONS)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names = list(reader.fieldnames or ())
        if not set(needed) <= set(names) or set(names) - {*needed, *_OPTIONAL}:
            raise DatasetError(
                f"{path}: columns {names}, expected {list(needed)}, and {list(_OPTIONAL)} if any"
            )
        raw = _RAW if set(_RAW) <= set(names) else ()
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
                row.get("fold") or "",
                float(row["seconds"]) if row.get("seconds") else None,
                tuple(float(row[name]) for name in raw),
            )
            for row in reader
        )
