"""What a text model was measured to be worth: its ``metrics.json``, and whether that is of these weights.

Figures are read, not computed: the corpora's texts are on no analyst's machine. Everything is checked as it
is read, so that a page either shows what was measured or says what is wrong with the file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.curves import Bin
from blipper.errors import ModelError
from blipper.inventory import METRICS
from blipper.measures import Figure
from blipper.paths import TEXT_DESCRIPTION
from blipper.training.text_bias import Bias, GroupBias
from blipper.training.text_checks import Category, Checked, Checklist
from blipper.training.text_metrics import wilson

WEIGHTS: Final = "model.safetensors"
#: Raised whenever an old reader would misread the file.
SCHEMA: Final = 1


@dataclass(frozen=True)
class CorpusFigure:
    """What a model, and what it has to beat, was worth on one task of one corpus.

    Parameters
    ----------
    corpus, task, split : str
    n : int
        Utterances measured.
    metric : str
        Name of the figure.
    figure : Figure
    target : float or None
    baselines : mapping of str to Figure or None
        None where a baseline does not do the task.
    output : str
        Which outputs of the model gave it.
    more : mapping of str to float
        Other figures of the same outputs.
    """

    corpus: str
    task: str
    split: str
    n: int
    metric: str
    figure: Figure
    target: float | None
    baselines: Mapping[str, Figure | None]
    output: str
    more: Mapping[str, float]

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; None without one."""
        return None if self.target is None else self.figure.value >= self.target

    @property
    def ahead(self) -> bool | None:
        """Whether the figure is above that of every baseline; None where there is none."""
        known = [one.value for one in self.baselines.values() if one is not None]
        return self.figure.value > max(known) if known else None


@dataclass(frozen=True)
class TextReliability:
    """What one of the model's outputs said, and what was so.

    Parameters
    ----------
    head, corpus, split : str
    ece : float
        Expected calibration error.
    bins : tuple of Bin
        Their intervals are Wilson's, over utterances.
    """

    head: str
    corpus: str
    split: str
    ece: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, eq=False)
class TextEvaluation:
    """A text model's figures and whose weights they are of.

    Parameters
    ----------
    name : str
    folder : path
    command : str
        What was run.
    corpora : tuple of CorpusFigure
    calibration : tuple of TextReliability
    checklist : Checklist
    checklist_target : float
    further : tuple of Category
        Pass rates of sentences by writers who taught nothing; none where they were not measured.
    bias : Bias
    bias_target : float
    speed : mapping of str to object, or None
    hashes : mapping of str to str
        The weights' SHA-256 as the file has it and as ``blipper.json`` and ``metrics.json`` say.
    """

    name: str
    folder: Path
    command: str
    corpora: tuple[CorpusFigure, ...]
    calibration: tuple[TextReliability, ...]
    checklist: Checklist
    checklist_target: float
    further: tuple[Category, ...]
    bias: Bias
    bias_target: float
    speed: Mapping[str, Any] | None
    hashes: Mapping[str, str]

    @property
    def matches(self) -> bool:
        """Whether the figures are of exactly the weights that lie in the folder."""
        return len(set(self.hashes.values())) == 1


def read_text_evaluation(folder: str | Path) -> TextEvaluation:
    """Read a text model's evaluation.

    Parameters
    ----------
    folder : path
        With ``model.safetensors``, ``blipper.json`` and ``metrics.json``.

    Returns
    -------
    TextEvaluation
        It may be of other weights: see :attr:`TextEvaluation.matches`.

    Raises
    ------
    ModelError
        If a file is missing or damaged, naming it and what is wrong.
    """
    folder = Path(folder)
    missing = [name for name in (WEIGHTS, TEXT_DESCRIPTION, METRICS) if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            f"{folder}: {' and '.join(missing)} missing; `blipper evaluate-text DATA` measures the model and "
            f"writes {METRICS} beside its weights"
        )
    path = folder / METRICS
    found = _read(path)
    if found.get("schema") != SCHEMA:
        raise ModelError(f"{path}: schema is {found.get('schema')!r}, expected {SCHEMA}")
    described = _read(folder / TEXT_DESCRIPTION)
    try:
        hashes = {
            WEIGHTS: hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
            TEXT_DESCRIPTION: str(described["files"][WEIGHTS]),
            METRICS: str(found["sha256"]),
        }
        return TextEvaluation(
            folder.name,
            folder,
            str(found["command"]),
            tuple(_corpus(entry) for entry in found["corpora"]),
            tuple(_reliability(entry) for entry in found["calibration"]),
            _checklist(found["checklist"], described),
            float(found["checklist"].get("target", 0.8)),
            _categories(found.get("sentences", {"categories": []})),
            _bias(found["bias"]),
            float(found["bias"]["target"]),
            found.get("speed"),
            hashes,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as a text model's figures ({error!r})") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path}: holds {type(found).__name__}, expected an object")
    return found


def _figure(entry: Mapping[str, Any]) -> Figure:
    low, high = entry.get("low"), entry.get("high")
    bounds = None if low is None or high is None else (_number(low), _number(high))
    return Figure(_number(entry["value"]), bounds)


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no figure")
    return number


def _share(value: Any) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{value!r} is outside 0 to 1")
    return number


def _corpus(entry: Mapping[str, Any]) -> CorpusFigure:
    more = {
        str(name): _number(value["value"] if isinstance(value, Mapping) else value)
        for name, value in entry.get("more", {}).items()
        if value is not None
    }
    return CorpusFigure(
        str(entry["corpus"]),
        str(entry["task"]),
        str(entry["split"]),
        int(entry["n"]),
        str(entry["metric"]),
        _figure(entry),
        None if entry.get("target") is None else _number(entry["target"]),
        {str(k): None if v is None else _figure(v) for k, v in entry.get("baselines", {}).items()},
        str(entry.get("output", "")),
        more,
    )


def _reliability(entry: Mapping[str, Any]) -> TextReliability:
    bins = []
    for part in entry["bins"]:
        score, share, n = _share(part["mean_score"]), _share(part["share"]), int(part["n"])
        low = min(int(score * 10), 9) / 10
        bins.append(Bin(low, low + 0.1, n, score, Figure(share, wilson(round(share * n), n))))
    return TextReliability(
        str(entry["head"]), str(entry["corpus"]), str(entry["split"]), _number(entry["ece"]), tuple(bins)
    )


def _categories(entry: Mapping[str, Any]) -> tuple[Category, ...]:
    found = tuple(
        Category(
            str(one["name"]), bool(one["expected"]), int(one["n"]), int(one["passed"]), _share(one["low"]),
            _share(one["high"]),
        )
        for one in entry["categories"]
    )  # fmt: skip
    if wrong := [one for one in found if one.n < 1 or not 0 <= one.passed <= one.n]:
        raise ValueError(f"category {wrong[0].name!r}: {wrong[0].passed} of {wrong[0].n} passed")
    return found


def _checklist(entry: Mapping[str, Any], described: Mapping[str, Any]) -> Checklist:
    categories = _categories(entry)
    sentences = tuple(
        Checked(
            str(one["category"]), bool(one["expected"]), str(one["text"]), _share(one["score"]),
            bool(one["passed"]),
        )
        for one in entry["sentences"]
    )  # fmt: skip
    if not sentences:
        raise ValueError("the checklist is empty")
    for one in categories:
        ours = [sentence.passed for sentence in sentences if sentence.category == one.name]
        if (len(ours), sum(ours)) != (one.n, one.passed):
            raise ValueError(f"category {one.name!r} has other counts than its sentences")
    threshold = entry.get("threshold", described["aggression"]["threshold"])
    return Checklist(_share(threshold), categories, sentences)


def _bias(entry: Mapping[str, Any]) -> Bias:
    groups = tuple(
        GroupBias(
            str(one["group"]),
            _number(one["mean_shift"]),
            _number(one.get("signed_shift", 0.0)),
            str(one["worst_term"]),
            _number(one["worst_shift"]),
        )
        for one in entry["groups"]
    )
    over = entry.get("over_threshold")
    return Bias(
        _number(entry["mean_shift"]),
        _number(entry["max_shift"]),
        _number(entry.get("largest", entry["max_shift"])),
        None if over is None else int(over),
        int(entry["templates"]),
        int(entry["terms"]),
        groups,
    )
