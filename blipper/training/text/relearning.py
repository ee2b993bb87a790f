"""Teaching a text model anew without losing what it knew: its own answers, the mean of its weights."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.training.text.advice import ADVISED_LINES, drawn
from blipper.training.text.batches import N_ADVISED
from blipper.training.text.corpora import Line
from blipper.training.text.fit import Schedule, epochs_in, learn_labels
from blipper.training.text.scoring import Logits, logits_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

Floats = NDArray[np.float32]
logger = logging.getLogger(__name__)

#: What each run is shown: lines of a corpus, at most, and how often an epoch shows them, once unless named.
_MOST: Final = {**ADVISED_LINES, "goemotions": 50_000, "sst2": 10_000}
_REPEATS: Final = {"convabuse": 4, "insults": 2, "sentences": 2}
RUNS: Final[Sequence[tuple[dict[str, int], dict[str, int]]]] = (
    (_MOST, _REPEATS),
    ({**_MOST, "trac1-en": 20_000}, {**_REPEATS, "trac1-en": 2}),
)
#: Corpora on which no network is asked: these labels are certain, and new to the networks that are asked.
_UNASKED: Final = ("sentences",)


@dataclass(frozen=True, eq=False)
class Asked:
    """A network whose answers teach.

    Parameters
    ----------
    model : BertForSequenceClassification
    tokenizer : tokenizers.Tokenizer
    about : callable, optional
        Which lines it is asked about; all unless given.
    """

    model: Any
    tokenizer: Tokenizer
    about: Callable[[Line], bool] = lambda line: True


def learn_again(
    asked: Sequence[Sequence[Asked]],
    pupil: tuple[Any, Tokenizer],
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    validate: Callable[[int], float],
    progress: Progress = silent,
) -> list[dict[str, float]]:
    """Teach a text model the labels once more, beside what it and others answer.

    It is taught so several times, each time from where it began and on other shares of the corpora
    (:data:`RUNS`), and becomes what validates best: the mean of its weights before and after every epoch of
    them all, that of all but the beginning, or a single epoch.

    Parameters
    ----------
    asked : sequence of sequence of Asked
        Whose answers are averaged, for each run: itself before it grew and since, itself and larger
        siblings, or itself alone.
    pupil : (BertForSequenceClassification, tokenizers.Tokenizer)
        Changed in place.
    lines : sequence of Line
        Of the training side.
    schedule, seed, folder, validate
        See :func:`.fit.learn_labels`; the schedule is that of one run.
    progress : Progress, optional
        Told ``"answers, run 1"`` and ``"labels and answers, run 1"``, and so on.

    Returns
    -------
    list of dict
        As that of :func:`.fit.learn_labels`, each with its ``"run"``, and last ones of the means:
        ``"mean_of"`` (how many), ``"validation"``.
    """
    model, tokenizer = pupil
    untaught = _copied(model)
    best, epochs = untaught, [untaught]
    history: list[dict[str, float]] = []
    for run, ((most, repeats), who) in enumerate(zip(RUNS, asked, strict=True), start=1):
        model.load_state_dict(untaught)
        shown = [lines[row] for row in drawn(lines, most, seed)]
        own = folder / f"run-{run}"
        rows = learn_labels(
            *(model, tokenizer, shown, schedule),
            seed=seed,
            folder=own,
            validate=validate,
            advice=_answered(who, shown, own, run, progress),
            repeats=repeats,
            name=f"labels and answers, run {run}",
            progress=progress,
        )
        reached = max((row["validation"] for row in history), default=-np.inf)
        if max(row["validation"] for row in rows) > reached:
            best = _copied(model)
        history += [{"run": float(run), **row} for row in rows]
        epochs += epochs_in(own, schedule.epochs)
    for averaged in (epochs[1:], epochs):
        mean = mean_weights(averaged)
        model.load_state_dict(mean)
        row = {"mean_of": float(len(averaged)), "validation": validate(schedule.epochs)}
        logger.info("mean of the weights: %s", row)
        if row["validation"] >= max(one["validation"] for one in history):
            best = mean
        history.append(row)
    model.load_state_dict(best)
    return history


def _answered(
    asked: Sequence[Asked], lines: Sequence[Line], folder: Path, run: int, told: Progress
) -> Floats:
    """Return :func:`mean_answers`, kept in `folder` for a run that was stopped."""

    def ask(texts: Sequence[str]) -> Floats:
        return mean_answers(asked, lines, lambda done: told(f"answers, run {run}", done, len(asked)))

    return kept_answers(ask, [line.text for line in lines], folder)


def kept_answers(ask: Callable[[Sequence[str]], Floats], texts: Sequence[str], folder: Path) -> Floats:
    """Return ``ask(texts)``; kept in `folder`, where a run that was stopped finds it again."""
    digest = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]
    path = folder / f"answers-{digest}.npy"
    if path.is_file():
        kept: Floats = np.load(path)
        return kept
    answers = ask(texts)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, answers)
    part.replace(path)
    return answers


def mean_answers(
    asked: Sequence[Asked], lines: Sequence[Line], told: Callable[[int], None] = lambda done: None
) -> Floats:
    """Return what networks answer, on average, as advice to learn from.

    Learning anew from labels alone loses what other teachers once taught; a network's own answers keep it (Li
    and Hoiem 2018, "Learning without forgetting", IEEE TPAMI 40).

    Parameters
    ----------
    asked : sequence of Asked
    lines : sequence of Line
    told : callable, optional
        Told how many of them have answered.

    Returns
    -------
    numpy.ndarray, shape (n_lines, 9)
        NaN for lines about which nobody is asked.
    """
    total = np.zeros((len(lines), N_ADVISED))
    count = np.zeros((len(lines), 1))
    may = [line.corpus.partition(":")[0] not in _UNASKED for line in lines]
    for done, one in enumerate(asked):
        told(done)
        rows = [row for row, line in enumerate(lines) if may[row] and one.about(line)]
        if rows:
            logits = logits_of(one.model.eval(), one.tokenizer, [lines[row].text for row in rows])
            total[rows] += as_advice(logits)
            count[rows] += 1
    told(len(asked))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def as_advice(logits: Logits) -> NDArray[np.float64]:
    """Return what logits, shape (n, n_outputs), say as :mod:`.advice` has it, shape (n, 9)."""
    from scipy.special import expit, softmax

    return np.hstack(
        [softmax(logits[:, :3], axis=1), softmax(logits[:, 4:7], axis=1), expit(logits[:, [7, 8, 3]])]
    )


def mean_weights(networks: Iterable[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of networks that began alike; it often beats each of them.

    Wortsman et al. 2022, "Model soups" (ICML).

    Parameters
    ----------
    networks : iterable of mapping of str to torch.Tensor
        One at least, all with the same names and shapes.
    """
    kept = list(networks)
    first, *others = kept
    total = {name: tensor.float() for name, tensor in first.items()}
    for other in others:
        total = {name: tensor + other[name].float() for name, tensor in total.items()}
    return {name: tensor / len(kept) for name, tensor in total.items()}


def _copied(model: Any) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
