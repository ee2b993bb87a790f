"""Teaching a text model anew without losing what it knew: its own answers, the mean of its weights."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
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
RUNS: Final[Sequence[tuple[dict[str, int], dict[str, int]]]] = (
    (_MOST, {"convabuse": 4, "insults": 2}),
    ({**_MOST, "trac1-en": 20_000}, {"convabuse": 4, "insults": 2, "trac1-en": 2}),
)


def learn_grown(
    before: tuple[Any, Tokenizer],
    after: tuple[Any, Tokenizer],
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    validate: Callable[[int], float],
    progress: Progress = silent,
) -> list[dict[str, float]]:
    """Teach a text model that has grown the labels, beside what it answered before it grew and since.

    It is taught so several times, each time from where it began and on other shares of the corpora
    (:data:`RUNS`), and becomes the mean of its weights before and after every epoch of them all, or the best
    single epoch where that validates better.

    Parameters
    ----------
    before, after : (BertForSequenceClassification, tokenizers.Tokenizer)
        The text model before it grew and since; `after` is changed in place.
    lines : sequence of Line
        Of the training side.
    schedule, seed, folder, validate
        See :func:`.fit.learn_labels`; the schedule is that of one run.
    progress : Progress, optional
        Told ``"own answers, run 1"`` and ``"labels and own answers, run 1"``, and so on.

    Returns
    -------
    list of dict
        As that of :func:`.fit.learn_labels`, each with its ``"run"``, and a last one of the mean:
        ``"mean_of"`` (how many), ``"validation"``.
    """
    model, tokenizer = after
    untaught = _copied(model)
    best, epochs = untaught, [untaught]
    history: list[dict[str, float]] = []
    for run, (most, repeats) in enumerate(RUNS, start=1):
        model.load_state_dict(untaught)
        shown = [lines[row] for row in drawn(lines, most, seed)]
        own = folder / f"run-{run}"
        rows = learn_labels(
            *(model, tokenizer, shown, schedule),
            seed=seed,
            folder=own,
            validate=validate,
            advice=_answered((before, after), shown, own, run, progress),
            repeats=repeats,
            name=f"labels and own answers, run {run}",
            progress=progress,
        )
        reached = max((row["validation"] for row in history), default=-np.inf)
        if max(row["validation"] for row in rows) > reached:
            best = _copied(model)
        history += [{"run": float(run), **row} for row in rows]
        epochs += epochs_in(own, schedule.epochs)
    model.load_state_dict(mean_weights(epochs))
    mean = {"mean_of": float(len(epochs)), "validation": validate(schedule.epochs)}
    logger.info("mean of the weights before and after each epoch: %s", mean)
    if mean["validation"] < max(row["validation"] for row in history):
        model.load_state_dict(best)
    return [*history, mean]


def _answered(
    models: Sequence[tuple[Any, Tokenizer]], lines: Sequence[Line], folder: Path, run: int, progress: Progress
) -> Floats:
    """Return :func:`own_answers`, kept in `folder` for a run that was stopped."""
    texts = [line.text for line in lines]
    digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
    path = folder / f"own-answers-{digest}.npy"
    if path.is_file():
        kept: Floats = np.load(path)
        return kept
    answers = []
    for done, (model, tokenizer) in enumerate(models):
        progress(f"own answers, run {run}", done, len(models))
        answers.append(logits_of(model.eval(), tokenizer, texts))
    advice = own_answers(answers)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npy")
    np.save(part, advice)
    part.replace(path)
    progress(f"own answers, run {run}", len(models), len(models))
    return advice


def own_answers(logits: Sequence[Logits]) -> Floats:
    """Return what text models answered, on average, as advice to learn from, shape (n, 9).

    Learning anew from labels alone loses what other teachers once taught; a network's own answers keep it (Li
    and Hoiem 2018, "Learning without forgetting", IEEE TPAMI 40).

    Parameters
    ----------
    logits : sequence of numpy.ndarray, shape (n, n_outputs)
        Of each model, for the same lines.
    """
    from scipy.special import expit, softmax

    answers = [
        np.hstack([softmax(one[:, :3], axis=1), softmax(one[:, 4:7], axis=1), expit(one[:, [7, 8, 3]])])
        for one in logits
    ]
    advice: Floats = np.mean(answers, axis=0).astype(np.float32)
    assert advice.shape[1] == N_ADVISED
    return advice


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
