"""What a model was measured to be worth: its metrics, its predictions, and whose weights they are of.

Everything shown is computed from the predictions of single clips (:mod:`blipper.measures`); ``metrics.json``
says what a list of clips cannot: who was on which side, how training went, and how long speech without anger
lasted.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.errors import DatasetError, ModelError, SettingsError
from blipper.inventory import METRICS
from blipper.training.folds import FOLD_PREDICTIONS, LEFT_OUT_PREDICTIONS, counted_once
from blipper.training.predictions import Scored, read_predictions
from blipper.training.train import PREDICTIONS
from blipper.voice.labels import EMOTIONS
from blipper.voice.weights import CONFIG, WEIGHTS, read_config

#: What a metrics file must hold, and of which kind.
_KINDS: Final[dict[str, type]] = {
    "model": dict,
    "split": dict,
    "training": dict,
    "validation": dict,
    "test": dict,
    "false_alarms": dict,
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's figures and where they come from.

    Parameters
    ----------
    name : str
    folder : path
    config, metrics : dict
        ``config.json`` and ``metrics.json``.
    scored : tuple of Scored
        The test speakers' clips.
    hashes : dict of str to str
        The weights' SHA-256 as the file has it and as ``config.json`` and ``metrics.json`` say.
    crossed : tuple of Scored
        Clips of all folds, each once and scored by weights that never heard its speaker; empty where no fold
        was run.
    left_out : tuple of Scored
        Clips of corpora left out, whose ``fold`` names the corpus; empty where none was.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    metrics: dict[str, Any]
    scored: tuple[Scored, ...]
    hashes: dict[str, str]
    crossed: tuple[Scored, ...] = ()
    left_out: tuple[Scored, ...] = ()

    @property
    def matches(self) -> bool:
        """Whether the figures are of exactly the weights that lie in the folder."""
        return len(set(self.hashes.values())) == 1

    @property
    def threshold(self) -> float:
        """The model's own threshold, from 0 to 1."""
        return float(self.metrics["model"]["threshold"])

    @property
    def sides(self) -> dict[str, str]:
        """What figures can be of: title by name."""
        folds = sorted({row.fold for row in self.crossed})
        found = {"shipped": "these weights, on the speakers they never met"}
        if folds:
            named = f"folds {', '.join(folds)}, each speaker heard by weights that were not trained on them"
            speakers, chose = _speakers(self.crossed), self._of_split("validation")
            heard = len(speakers & chose)
            if heard:
                named += (
                    f"; {heard} of the {len(speakers)} are validation speakers of these weights, by whom the "
                    "settings were chosen"
                )
            found["folds"] = named
        return found

    def rows(self, side: str = "shipped") -> tuple[Scored, ...]:
        """Return the clips of one of :attr:`sides`."""
        return self.crossed if side == "folds" else self.scored

    def written(self, side: str = "shipped") -> dict[str, Any]:
        """Return the figures of one of :attr:`sides` as ``metrics.json`` has them, if it does."""
        found = self.metrics.get("cross_validation", {}) if side == "folds" else self.metrics
        return dict(found.get("test", {}))

    def test_speakers(self) -> dict[str, tuple[str, ...]]:
        """Name the test speakers of each corpus, from the predictions themselves."""
        found: dict[str, set[str]] = {}
        for row in self.scored:
            found.setdefault(row.corpus, set()).add(row.speaker)
        return {corpus: tuple(sorted(names)) for corpus, names in sorted(found.items())}

    def shared_speakers(self) -> tuple[str, ...]:
        """Name speakers of the test who also taught or were chosen on; there should be none."""
        taught = self._of_split("train") | self._of_split("validation")
        return tuple(sorted(taught & _speakers(self.scored)))

    def _of_split(self, side: str) -> set[str]:
        speakers = self.metrics["split"]["speakers"].get(side, {})
        return {f"{corpus}/{name}" for corpus, names in speakers.items() for name in names}


def _speakers(rows: Iterable[Scored]) -> set[str]:
    return {f"{row.corpus}/{row.speaker}" for row in rows}


def read_evaluation(folder: str | Path) -> Evaluation:
    """Read a model's evaluation.

    Parameters
    ----------
    folder : path
        A model's folder as ``blipper train`` leaves it.

    Returns
    -------
    Evaluation
        It may be of other weights: see :attr:`Evaluation.matches`.

    Raises
    ------
    ModelError
        If a file is missing or damaged, naming it.
    """
    folder = Path(folder)
    config = read_config(folder / CONFIG)
    missing = [name for name in (WEIGHTS, METRICS, PREDICTIONS) if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder}: {' and '.join(missing)} missing; `blipper train` writes {METRICS} and {PREDICTIONS} "
            "beside the weights"
        )
    metrics = _read_metrics(folder / METRICS)
    hashes = {
        WEIGHTS: hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
        CONFIG: str(config["sha256"]),
        METRICS: str(metrics["model"]["sha256"]),
    }
    scored = _read_scored(folder / PREDICTIONS)
    crossed, left_out = (
        _read_scored(folder / name) if (folder / name).is_file() else ()
        for name in (FOLD_PREDICTIONS, LEFT_OUT_PREDICTIONS)
    )
    try:
        crossed = counted_once(crossed)
    except (DatasetError, SettingsError) as error:
        raise ModelError(f"{folder / FOLD_PREDICTIONS}: {error}") from error
    return Evaluation(folder.name, folder, config, metrics, scored, hashes, crossed, left_out)


def _read_metrics(path: Path) -> dict[str, Any]:
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as a model's figures ({error})") from error
    if not isinstance(metrics, dict):
        raise ModelError(f"{path}: holds {type(metrics).__name__}, expected an object")
    for key, kind in _KINDS.items():
        if not isinstance(metrics.get(key), kind):
            raise ModelError(f"{path}: {key} is {metrics.get(key)!r}, expected an object")
    model, split, training = metrics["model"], metrics["split"], metrics["training"]
    if not isinstance(model.get("sha256"), str) or not isinstance(model.get("threshold"), (int, float)):
        raise ModelError(f"{path}: model lacks sha256 or threshold")
    if not isinstance(split.get("speakers"), dict):
        raise ModelError(f"{path}: split lacks the speakers of each side")
    if not isinstance(training.get("history"), list):
        raise ModelError(f"{path}: training lacks its history")
    return metrics


def _read_scored(path: Path) -> tuple[Scored, ...]:
    try:
        scored = read_predictions(path)
    except (OSError, UnicodeDecodeError, ValueError, TypeError, DatasetError) as error:
        raise ModelError(f"{path}: cannot be read as predictions ({error})") from error
    if not scored:
        raise ModelError(f"{path}: holds no clip")
    for row in scored:
        if row.emotion not in EMOTIONS:
            raise ModelError(
                f"{path}: {row.key} is acted {row.emotion!r}, expected one of {', '.join(EMOTIONS)}"
            )
        if not all(0 <= value <= 1 for value in (row.aggression, *row.emotions)):
            raise ModelError(f"{path}: {row.key} has a score outside 0 to 1")
    return scored


def read_demographics(path: str | Path) -> dict[str, dict[str, str]]:
    """Read CREMA-D's ``VideoDemographics.csv``: each actor's age band and race.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict
        ``"age"`` and ``"race"``, each from speaker (``"1001"``) to group (``"30 to 39"``).

    Raises
    ------
    DatasetError
        If the file lacks a column, or an age is no number.
    """
    path = Path(path)
    wanted = ("ActorID", "Age", "Race")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in wanted if name not in (reader.fieldnames or ())]
        if missing:
            raise DatasetError(f"{path}: no column {missing[0]}; expected {', '.join(wanted)}")
        ages, races = {}, {}
        for row in reader:
            if not row["Age"].isdigit():
                raise DatasetError(f"{path}: age of actor {row['ActorID']} is {row['Age']!r}, no number")
            decade = int(row["Age"]) // 10 * 10
            ages[row["ActorID"]] = f"{decade} to {decade + 9}"
            races[row["ActorID"]] = row["Race"]
    return {"age": ages, "race": races}


__all__: Sequence[str] = ("Evaluation", "Scored", "read_demographics", "read_evaluation")
