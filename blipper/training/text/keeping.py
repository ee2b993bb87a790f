"""Teaching a text model new sentences while whatever else it says stays what it said before."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from blipper.progress import Progress, silent
from blipper.training.text import batches as batching
from blipper.training.text.advice import drawn
from blipper.training.text.corpora import Line
from blipper.training.text.fit import LONGEST, Schedule, epochs_in, run_epochs
from blipper.training.text.relearning import mean_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

logger = logging.getLogger(__name__)

#: Lines of a corpus, at most, that are shown, and how often an epoch shows them, once unless named.
_MOST: Final = {
    **{"trac1-en": 6300, "insults": 4900, "meld": 3500, "sst2": 2800, "conda": 2100, "airline": 1750},
    **{"goemotions": 9000, "convabuse": 10_000, "detoxy-common-voice": 10_000, "emocontext": 1750},
    **{"templates": 10_000, "sentences": 20_000},
}
_REPEATS: Final = {"sentences": 2, "convabuse": 2}
#: Whose labels teach. On the lines of others the answers of before are kept, right or wrong.
_OURS: Final = ("sentences", "templates")
#: Outputs that answer together, and whose sum means nothing: sentiment, TRAC-1's classes, GoEmotions' own.
_TOGETHER: Final = (slice(0, 3), slice(4, 7), slice(11, 14))
#: Outputs that our own sentences have labels for, beside the sentiment (aggression, abuse), their columns in
#: ``Targets.binary`` and the weights of their losses.
_TAUGHT: Final = ((3, 0, 2.0), (8, 2, 1.0))
_SENTIMENT_WEIGHT: Final = 0.5
#: The weights of how many epochs, the last ones, are averaged.
AVERAGED: Final = 2


def learn_and_keep(
    other: Any,
    pupil: tuple[Any, Tokenizer],
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    validate: Callable[[int], float],
    progress: Progress = silent,
) -> list[dict[str, float]]:
    """Teach a text model the labels of our own sentences, and nothing else anew.

    Learning from labels moves all outputs, those too that the labels say nothing about, and each further time
    it learns a corpus by heart a little more. Here all outputs but those with a label are held to what two
    networks answer to the very same (misheard) words, by their squared distance and without dropout: the
    other one and the pupil as it was, on average. The pupil ends as the mean of its weights after the last
    epochs (Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization").

    Sources: Buzzega et al. 2020, "Dark experience for general continual learning" (NeurIPS); Beyer et al.
    2022, "Knowledge distillation: a good teacher is patient and consistent" (CVPR).

    Parameters
    ----------
    other : BertForSequenceClassification
        With the shipped outputs; reads the pupil's word pieces.
    pupil : (BertForSequenceClassification, tokenizers.Tokenizer)
        With the shipped outputs; changed in place.
    lines : sequence of Line
        Of the training side.
    schedule, seed, folder, validate, progress
        See :func:`.fit.learn_labels`.

    Returns
    -------
    list of dict
        As that of :func:`.fit.learn_labels`, and a last one of the mean: ``"mean_of"`` (how many),
        ``"validation"``.
    """
    import torch

    model, tokenizer = pupil
    drawn_lines = [lines[row] for row in drawn(lines, _MOST, seed)]
    shown = batching.epoch_rows(drawn_lines, _REPEATS)
    targets = batching.targets_of(
        [line if _is_ours(line) else replace(line, labels={}) for line in drawn_lines]
    )
    before = copy.deepcopy(model).eval()
    other.eval()

    def encode(rng: np.random.Generator) -> list[list[int]]:
        return batching.encode(tokenizer, [drawn_lines[row].text for row in shown], longest=LONGEST, rng=rng)

    def batch_loss(rows: batching.Ints, pieces: list[list[int]], rng: np.random.Generator) -> Any:
        ids, attention = batching.padded(pieces, rows)
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(attention)}
        with torch.no_grad():
            others, own = (one(**given).logits.float() for one in (other, before))
        return loss_beside(
            model(**given).logits.float(), (others + own) / 2, batching.take(targets, shown[rows])
        )

    history = run_epochs(
        *(model, "sentences", encode, batch_loss, schedule, seed, folder, progress, validate), dropout=False
    )
    last = list(epochs_in(folder, schedule.epochs))[-AVERAGED:]
    model.load_state_dict(mean_weights(last))
    mean = {"mean_of": float(len(last)), "validation": validate(schedule.epochs)}
    logger.info("mean of the weights: %s", mean)
    return [*history, mean]


def loss_beside(logits: Tensor, wanted: Tensor, targets: batching.Targets) -> Tensor:
    """Return a mean over lines: of the labels' losses, and for outputs without one of their squared distance.

    Parameters
    ----------
    logits, wanted : torch.Tensor, shape (n, 14)
        What the pupil answers, and what those answer whom it is held to.
    targets : Targets
        Of n lines; those for aggression, abuse and sentiment count.
    """
    import torch
    from torch.nn import functional

    held = torch.ones_like(logits)
    total = logits.new_zeros(())
    for output, column, weight in _TAUGHT:
        label = torch.from_numpy(targets.binary[:, column])
        known = ~torch.isnan(label)
        held[known, output] = 0
        total = total + weight * functional.binary_cross_entropy_with_logits(
            logits[known, output], label[known].clamp(0.02, 0.98), reduction="sum"
        )
    sentiment = torch.from_numpy(targets.sentiment)
    held[sentiment >= 0, :3] = 0
    total = total + _SENTIMENT_WEIGHT * functional.cross_entropy(
        logits[:, :3], sentiment, ignore_index=-1, label_smoothing=0.05, reduction="sum"
    )
    return (total + (distances(logits, wanted) * held).sum()) / len(logits)


def distances(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared distance of each output, shape (n, 14), leaving out what changes no probability."""
    import torch

    apart = logits - wanted
    common = torch.zeros_like(apart)
    for together in _TOGETHER:
        common[:, together] = apart[:, together].mean(dim=1, keepdim=True)
    return (apart - common) ** 2


def _is_ours(line: Line) -> bool:
    return line.corpus.partition(":")[0] in _OURS
