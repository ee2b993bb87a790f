"""``blipper evaluate-text``: every figure of the text model, each on lines that taught and chose nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.training import text_baselines as baselines
from blipper.training import text_metrics as measures
from blipper.training.text import tasks as tasking
from blipper.training.text.calibrate import attacks
from blipper.training.text.card import card
from blipper.training.text.corpora import Line
from blipper.training.text.sentences import sentences_to_check
from blipper.training.text.shipped import Shipped
from blipper.training.text.tasks import METRIC_NAMES, TASKS, Task
from blipper.training.text.train import read_lines
from blipper.training.text_bias import measure_bias
from blipper.training.text_checks import checks_to_dict, run_checklist
from blipper.words.spoken import unmarked

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

COMMAND: Final = "blipper evaluate-text DATA"
#: Corpora whose labels say attack or no attack, on which the score's calibration is judged.
_CALIBRATED: Final = ("trac1-en", "convabuse", "insults", "conda", "detoxy-common-voice")


def evaluate(
    data: str | Path, folder: Path, *, resamples: int = 1000, progress: Progress = silent
) -> dict[str, Any]:
    """Measure a text model, and write ``metrics.json`` and ``MODEL_CARD.md`` beside it.

    Parameters
    ----------
    data : path
        Folder with ``text/``.
    folder : path
        The model's.
    resamples : int, optional
        Draws for the 95 % intervals: of utterances, of dialogues for MELD.
    progress : Progress, optional
        Told ``"figures"`` in tasks.

    Returns
    -------
    dict
        What was written; the fields are those that the Evaluation page reads.

    Raises
    ------
    DatasetError, ModelError
    """
    model = Shipped(folder)
    lines = read_lines(data, int(model.described["seed"]))
    corpora = []
    for done, task in enumerate(TASKS):
        progress("figures", done, len(TASKS) + 1)
        corpora.append(_figure(task, model, lines, resamples))
    progress("figures", len(TASKS), len(TASKS) + 1)
    checks = checks_to_dict(run_checklist(model, model.threshold), measure_bias(model))
    metrics = {
        "schema": 1,
        "model": model.name,
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "command": COMMAND,
        "lines": _counted(lines),
        "corpora": corpora,
        "calibration": [_aggression_calibration(model, lines), *_sentiment_calibration(model, lines)],
        **checks,
        "sentences": _sentences(model, lines),
        "speed": None,
    }
    _write(folder / "metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False) + "\n")
    weights = folder / "model.safetensors"
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _write(folder / "MODEL_CARD.md", card(model.described, metrics, config, weights.stat().st_size))
    progress("figures", len(TASKS) + 1, len(TASKS) + 1)
    return metrics


def report(metrics: Mapping[str, Any]) -> str:
    """Return the figures as lines of text for a terminal."""
    rows = []
    for one in metrics["corpora"]:
        target = "" if one["target"] is None else f", target {one['target']:.3f}"
        beside = ", ".join(
            f"{name} {figure['value']:.3f}" for name, figure in one["baselines"].items() if figure is not None
        )
        rows.append(
            f"{one['corpus']} ({one['split']}), {one['task']}: {one['metric']} {one['value']:.3f} "
            f"({one['low']:.3f} to {one['high']:.3f}){target}; {beside}\n"
        )
    rows.append(f"checklist: {metrics['checklist']['rate']:.2f} of its sentences\n")
    rows.append(f"identity terms: mean shift of the score {metrics['bias']['mean_shift']:.3f}\n")
    return "".join(rows)


def _figure(task: Task, model: Shipped, lines: Sequence[Line], resamples: int) -> dict[str, Any]:
    held_out, labels = _labelled(task, lines, (task.side,))
    texts = [line.text for line in held_out]
    groups = [line.group for line in held_out] if task.corpus == "meld" else None
    probabilities = task.probabilities(model.score(texts))
    found = _measured(task, labels, probabilities, groups, resamples)
    bare = task.probabilities(model.score([unmarked(text) for text in texts]))
    teachers, taught = _labelled(task, lines, ("train", "validation"))
    rival = baselines.tfidf_lr([line.text for line in teachers], taught, texts)
    beside: dict[str, Any] = {
        "tfidf-lr": _measured(task, labels, rival, groups, resamples)[task.metric].to_dict(),
        "vader": _vader(task, labels, texts, groups, resamples),
    }
    return {
        "corpus": task.corpus,
        "task": task.name,
        "split": task.side,
        "n": len(texts),
        "metric": METRIC_NAMES[task.metric],
        **found[task.metric].to_dict(),
        "target": task.target,
        "baselines": beside,
        "output": task.output,
        "unmarked": _measured(task, labels, bare, groups, resamples)[task.metric].to_dict(),
        "more": {name: figure.to_dict() for name, figure in found.items() if name != task.metric},
    }


def _sentences(model: Shipped, lines: Sequence[Line]) -> dict[str, Any]:
    """Return how often our own sentences by writers who only measure are on the right side, by kind."""
    checked = run_checklist(model, model.threshold, sentences_to_check(lines)).to_dict()
    return {name: checked[name] for name in ("threshold", "rate", "low", "high", "categories")}


def _labelled(task: Task, lines: Sequence[Line], sides: Sequence[str]) -> tuple[list[Line], Labels]:
    pairs = [
        (line, label)
        for line in lines
        if line.corpus.partition(":")[0] == task.corpus
        and line.side in sides
        and (label := task.label(line)) is not None
    ]
    return [line for line, _ in pairs], np.array([label for _, label in pairs], dtype=np.int64)


def _measured(
    task: Task, labels: Labels, probabilities: Floats, groups: Sequence[str] | None, resamples: int
) -> dict[str, measures.Measured]:
    if task.metric == "roc_auc":
        return measures.of_detection(labels == 1, probabilities[:, 1], groups=groups, resamples=resamples)
    return measures.of_probabilities(labels, probabilities, groups=groups, resamples=resamples)


def _vader(
    task: Task, labels: Labels, texts: Sequence[str], groups: Sequence[str] | None, resamples: int
) -> dict[str, Any] | None:
    """Return VADER's figure, where it has an answer: it knows sentiment, and no attack from a complaint."""
    if task.vader is None:
        return None
    compound = baselines.vader_compound(texts)
    if task.metric == "roc_auc":
        found = measures.of_ranking(labels == 1, -compound, groups=groups, resamples=resamples)
    else:
        if task.vader == "sentiment":
            guessed = baselines.vader_sentiment(compound)
        elif task.vader == "polarity":
            guessed = (compound >= 0).astype(np.int64)
        else:
            guessed = (baselines.vader_sentiment(compound) == 0).astype(np.int64)
        found = measures.of_guesses(labels, guessed, groups=groups, resamples=resamples)
    return found[task.metric].to_dict()


def _aggression_calibration(model: Shipped, lines: Sequence[Line]) -> dict[str, Any]:
    """Compare scores with what five corpora say, all their held-out lines together."""
    known = [
        (line.text, value)
        for line in lines
        if line.side in ("dev", "test")
        and line.corpus in _CALIBRATED
        and (value := attacks(line)) is not None
    ]
    positive = np.array([value for _, value in known]) > 0.5
    scores = model.score([text for text, _ in known]).aggression
    return {
        "head": "aggression",
        "corpus": ", ".join(_CALIBRATED),
        "split": "dev and test, TRAC-1's covert lines left out",
        "ece": measures.of_detection(positive, scores, resamples=10)["ece"].value,
        "bins": measures.calibration_bins(positive, scores),
    }


def _sentiment_calibration(model: Shipped, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Compare the probability of the likeliest sentiment with how often it is right, corpus by corpus."""
    rows = []
    for task in TASKS:
        if task.side != "dev" or task.probabilities is not tasking.sentiment_of:
            continue
        held_out, labels = _labelled(task, lines, ("dev",))
        chances = model.score([line.text for line in held_out]).sentiment
        right, sure = chances.argmax(axis=1) == labels, chances.max(axis=1)
        rows.append(
            {
                "head": "sentiment",
                "corpus": task.corpus,
                "split": "dev",
                "ece": measures.of_probabilities(labels, chances, resamples=10)["ece"].value,
                "bins": measures.calibration_bins(right, sure),
            }
        )
    return rows


def _counted(lines: Sequence[Line]) -> dict[str, dict[str, int]]:
    """Return how many lines of each corpus are on each side."""
    counts: dict[str, dict[str, int]] = {}
    for line in lines:
        corpus = line.corpus.partition(":")[0]
        sides = counts.setdefault(corpus, {})
        sides[line.side] = sides.get(line.side, 0) + 1
    return counts


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
