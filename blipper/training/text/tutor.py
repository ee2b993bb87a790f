"""A larger encoder that is taught what is said to machines, and a text model that learns from its answers.

ConvAbuse has too few lines for a small network, which learns them by heart and hears little more in others;
a larger encoder, taught as a whole, finds far more of what is abusive in lines that it has not seen.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.training.text import batches as batching
from blipper.training.text.advice import drawn, read_encoder
from blipper.training.text.corpora import Line
from blipper.training.text.fit import LONGEST, Schedule, halves, run_epochs
from blipper.training.text.keeping import distances
from blipper.training.text.network import SHIPPED
from blipper.training.text.relearning import kept_answers

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]
logger = logging.getLogger(__name__)

#: The output that learns from the tutor, and the label that teaches the tutor.
_OUTPUT: Final = 8
_LABEL: Final = "abuse"
#: How much a line of ours counts beside one of ConvAbuse when the tutor is taught.
_OURS_COUNT: Final = 0.3
#: Lines of a corpus, at most, that the model is shown, and how often an epoch shows them, once unless named.
_MOST: Final = {
    **{"trac1-en": 6300, "insults": 4000, "meld": 3000, "sst2": 2500, "conda": 3500, "airline": 1000},
    **{"goemotions": 8000, "convabuse": 10_000, "detoxy-common-voice": 2000, "emocontext": 7000},
    **{"templates": 700, "sentences": 30_000},
}
_REPEATS: Final = {"convabuse": 3}
#: Words of a line, at most, about which the tutor is asked; nobody says more to a machine.
_ASKED_WORDS: Final = 24
#: How much a distance of the other outputs counts; one of the output that learns counts once.
_HELD: Final = 2.0
#: The tutor, who is surer than the model, is asked at this temperature (Hinton et al. 2015).
_TEMPERATURE: Final = 2.0
#: How far the output goes from what it said towards what the tutor says.
_TRUST: Final = 0.75
#: Word pieces of a line that the tutor reads, at most; lines in one of its calls.
_READ: Final = 64
_BATCH: Final = 64


@dataclass(frozen=True)
class TutorRecipe:
    """How the tutor is taught, and the model by the tutor.

    Parameters
    ----------
    tutor, pupil : Schedule
    """

    tutor: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=3e-5, batch=32))
    pupil: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=6e-5))


def raise_tutor(
    encoder: Path,
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    progress: Progress = silent,
) -> Callable[[Sequence[str]], Floats]:
    """Teach a whole encoder to tell abuse of a machine; goes on from what lies in `folder`.

    Parameters
    ----------
    encoder : path
        Folder in Hugging Face format with ``model.safetensors`` and ``tokenizer.json``.
    lines : sequence of Line
        Of the training side; those of ConvAbuse and our own sentences with a label for abuse teach.
    schedule, seed, folder
        See :func:`.fit.learn_labels`.
    progress : Progress, optional
        Told ``"tutor"`` in steps, and when it is asked ``"tutor's answers"`` in texts.

    Returns
    -------
    callable
        ``ask(texts) -> (n_texts,)``: log-odds that a text is abusive.

    Raises
    ------
    ModelError
        If the folder holds no encoder.
    """
    import torch

    taught = [line for line in lines if _LABEL in line.labels]
    wanted = torch.tensor([line.labels[_LABEL] for line in taught]).clamp(0.03, 0.97)
    counts = torch.tensor([1.0 if line.corpus == "convabuse" else _OURS_COUNT for line in taught])
    torch.manual_seed(seed)
    network, tokenizer, pad = _with_head(encoder)

    def logits(pieces: list[list[int]], rows: batching.Ints) -> Any:
        ids, mask = batching.padded(pieces, rows)
        return network(torch.from_numpy(np.where(mask == 1, ids, pad)), torch.from_numpy(mask)).float()

    def encode(rng: np.random.Generator) -> list[list[int]]:
        return batching.encode(tokenizer, [line.text for line in taught], longest=_READ)

    def batch_loss(rows: batching.Ints, pieces: list[list[int]], rng: np.random.Generator) -> Any:
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits(pieces, rows), wanted[rows], reduction="none"
        )
        return (each * counts[rows]).mean()

    run_epochs(network, "tutor", encode, batch_loss, schedule, seed, folder, progress)

    def ask(texts: Sequence[str]) -> Floats:
        network.eval()
        pieces = batching.encode(tokenizer, texts, longest=_READ)
        found = np.zeros(len(texts), dtype=np.float32)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=halves()):
            for number, rows in enumerate(batching.batches(pieces, _BATCH)):
                found[rows] = logits(pieces, rows).numpy()
                progress("tutor's answers", min(len(texts), (number + 1) * _BATCH), len(texts))
        return found

    return ask


def learn_from_tutor(
    ask: Callable[[Sequence[str]], Floats],
    pupil: tuple[Any, Tokenizer],
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    validate: Callable[[int], float],
    progress: Progress = silent,
) -> list[dict[str, float]]:
    """Teach ConvAbuse's own output of a text model what a tutor says, and nothing else anew.

    All other outputs are held to what the model said before to the very same (misheard) words, as in
    :func:`.keeping.learn_and_keep`. The pupil is left as it was after the last epoch.

    Parameters
    ----------
    ask : callable
        ``ask(texts) -> (n_texts,)``, log-odds; asked about short lines alone.
    pupil, lines, schedule, seed, folder, validate, progress
        See :func:`.keeping.learn_and_keep`.

    Returns
    -------
    list of dict
        As that of :func:`.fit.learn_labels`.
    """
    import torch

    model, tokenizer = pupil
    drawn_lines = [lines[row] for row in drawn(lines, _MOST, seed)]
    short = [row for row, line in enumerate(drawn_lines) if len(line.text.split()) <= _ASKED_WORDS]
    answers = torch.full((len(drawn_lines),), torch.nan)
    answered = kept_answers(ask, [drawn_lines[row].text for row in short], folder)
    answers[short] = torch.from_numpy(answered / _TEMPERATURE)
    shown = batching.epoch_rows(drawn_lines, _REPEATS)
    before = copy.deepcopy(model).eval()
    counts = torch.full((len(SHIPPED),), _HELD)
    counts[_OUTPUT] = 1.0

    def encode(rng: np.random.Generator) -> list[list[int]]:
        return batching.encode(tokenizer, [drawn_lines[row].text for row in shown], longest=LONGEST, rng=rng)

    def batch_loss(rows: batching.Ints, pieces: list[list[int]], rng: np.random.Generator) -> Any:
        ids, attention = batching.padded(pieces, rows)
        given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(attention)}
        with torch.no_grad():
            wanted = before(**given).logits.float()
        said = answers[shown[rows]]
        known = ~torch.isnan(said)
        wanted[known, _OUTPUT] += _TRUST * (said[known] - wanted[known, _OUTPUT])
        return (distances(model(**given).logits.float(), wanted) * counts).sum() / len(rows)

    history = run_epochs(
        *(model, "from the tutor", encode, batch_loss, schedule, seed, folder, progress), dropout=False
    )
    model.eval()
    row = {"last": float(schedule.epochs), "validation": validate(schedule.epochs)}
    logger.info("after the tutor: %s", row)
    return [*history, row]


def _with_head(encoder: Path) -> tuple[Any, Tokenizer, int]:
    """Return the encoder with one output on the mean of its last layer, its word pieces and its padding."""
    import torch

    body, tokenizer = read_encoder(encoder, "--tutor")

    class Judge(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body, torch.nn.Linear(body.config.hidden_size, 1)
            torch.nn.init.zeros_(self.head.weight)

        def forward(self, ids: Any, attention: Any) -> Any:
            states = self.body(input_ids=ids, attention_mask=attention).last_hidden_state
            weights = attention[..., None].float()
            # The head is new and has further to go than the encoder: the factor speeds it up.
            return 30 * self.head((states * weights).sum(1) / weights.sum(1))[:, 0]

    # Few of its words would be heard again, and their table is a fifth of what each epoch keeps.
    for tensor in body.embeddings.parameters():
        tensor.requires_grad = False
    return Judge(), tokenizer, int(body.config.pad_token_id or 0)
