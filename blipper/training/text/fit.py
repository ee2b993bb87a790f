"""Training the text model: guessing hidden words first, then labels. Both go on where they were stopped."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from blipper.progress import Progress, silent
from blipper.training.text import batches as batching
from blipper.training.text.corpora import Line
from blipper.training.text.losses import loss_of
from blipper.words.text_torch import beside_tensorflow

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch.nn import Module
    from torch.optim import Optimizer

logger = logging.getLogger(__name__)

#: Share of a text's pieces that are to be guessed, and of those the shares masked and replaced (BERT's own).
MASKED: Final = 0.15
MASK_SHARE: Final = 0.8
RANDOM_SHARE: Final = 0.1
#: Pieces of a text, at most, in training; longer ones are cut (1 % of the texts).
LONGEST: Final = 80


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Parameters
    ----------
    epochs : int
    rate : float
        Highest learning rate, after a linear rise over the first 6 % of the steps; it then falls to 0.
    batch : int
        Lines a step.
    """

    epochs: int
    rate: float
    batch: int = 64


def guess_words(
    model: Any,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    progress: Progress = silent,
) -> None:
    """Teach a network to guess hidden word pieces (BERT's masked-language objective).

    Parameters
    ----------
    model : BertForMaskedLM
        Changed in place.
    tokenizer : tokenizers.Tokenizer
    texts : sequence of str
        Training texts alone.
    schedule : Schedule
    seed : int
    folder : path
        Where checkpoints lie; one of an earlier, interrupted run is gone on from.
    progress : Progress, optional
        Told ``"masked words"`` in steps.
    """
    import torch

    pieces_by_name = tokenizer.get_vocab()
    mask, n_pieces = pieces_by_name["[MASK]"], len(pieces_by_name)

    def epoch_loss(rows: batching.Ints, pieces: list[list[int]], rng: np.random.Generator) -> Any:
        ids, attention = batching.padded(pieces, rows)
        hidden = (rng.random(ids.shape) < MASKED) & (ids > 4)  # the first five are the special pieces
        labels = np.where(hidden, ids, -100)
        how = rng.random(ids.shape)
        ids = np.where(hidden & (how < MASK_SHARE), mask, ids)
        other = rng.integers(5, n_pieces, ids.shape)
        ids = np.where(hidden & (how >= MASK_SHARE) & (how < MASK_SHARE + RANDOM_SHARE), other, ids)
        states = model.bert(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(attention))[0]
        at = torch.from_numpy(labels >= 0)  # only those are scored: the table of pieces is the dearest part
        if not bool(at.any()):
            return states.sum() * 0.0
        return torch.nn.functional.cross_entropy(model.cls(states[at]).float(), torch.from_numpy(labels)[at])

    def encode(rng: np.random.Generator) -> list[list[int]]:
        return batching.encode(tokenizer, texts, longest=LONGEST)

    run_epochs(model, "masked words", encode, epoch_loss, schedule, seed, folder, progress)


def learn_labels(
    model: Module,
    tokenizer: Tokenizer,
    lines: Sequence[Line],
    schedule: Schedule,
    *,
    seed: int,
    folder: Path,
    validate: Callable[[int], float],
    advice: batching.Floats | None = None,
    repeats: Mapping[str, int] = batching.REPEATS,
    name: str = "labels",
    progress: Progress = silent,
) -> list[dict[str, float]]:
    """Teach the network the corpora's labels; leave it as it was after its best epoch on validation lines.

    Parameters
    ----------
    model : BertForSequenceClassification
        With the outputs of :data:`.batches.TEACHING`; changed in place.
    tokenizer : tokenizers.Tokenizer
    lines : sequence of Line
        Of the training side.
    schedule : Schedule
    seed : int
    folder : path
        See :func:`guess_words`.
    validate : callable
        ``validate(epoch) -> float``, the higher the better.
    advice : numpy.ndarray, shape (n_lines, 9), optional
        Soft targets beside the labels; NaN where a line has none.
    repeats : mapping of str to int, optional
        How often an epoch shows a corpus' lines.
    name : str, optional
        What the progress calls it.
    progress : Progress, optional
        Told `name` in steps.

    Returns
    -------
    list of dict
        One an epoch: ``"epoch"``, ``"loss"``, ``"validation"``.
    """
    import torch

    shown = batching.epoch_rows(lines, repeats)
    all_targets = batching.targets_of(lines, advice)

    def encode(rng: np.random.Generator) -> list[list[int]]:
        return batching.encode(tokenizer, [lines[row].text for row in shown], longest=LONGEST, rng=rng)

    def batch_loss(rows: batching.Ints, pieces: list[list[int]], rng: np.random.Generator) -> Any:
        ids, attention = batching.padded(pieces, rows)
        out = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(attention))
        return loss_of(out.logits.float(), batching.take(all_targets, shown[rows]))

    return run_epochs(model, name, encode, batch_loss, schedule, seed, folder, progress, validate)


def run_epochs(
    model: Module,
    name: str,
    encode: Callable[[np.random.Generator], list[list[int]]],
    batch_loss: Callable[[batching.Ints, list[list[int]], np.random.Generator], Any],
    schedule: Schedule,
    seed: int,
    folder: Path,
    progress: Progress,
    validate: Callable[[int], float] | None = None,
    *,
    dropout: bool = True,
) -> list[dict[str, float]]:
    """Minimise a loss of batches for some epochs, with a checkpoint after each; keep the best one's weights.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    name : str
        What the progress and the log call it.
    encode : callable
        ``encode(rng) -> list of list of int``: the word pieces of what an epoch shows.
    batch_loss : callable
        ``batch_loss(rows, pieces, rng) -> torch.Tensor``: of those rows of the epoch.
    schedule, seed, folder, progress
        See :func:`learn_labels`.
    validate : callable, optional
        See :func:`learn_labels`; without it the last epoch's weights are kept.
    dropout : bool, optional
        Whether the network drops units while it learns.

    Returns
    -------
    list of dict
        As that of :func:`learn_labels`.
    """
    import torch

    with beside_tensorflow():
        import torch._dynamo  # torch's optimisers do so at their first step
    folder.mkdir(parents=True, exist_ok=True)
    decayed = [p for n, p in model.named_parameters() if p.ndim > 1]
    plain = [p for n, p in model.named_parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=schedule.rate
    )
    history = _resume(folder, model, optimizer)
    steps = step = 0
    for epoch in range(len(history), schedule.epochs):
        rng = np.random.default_rng([seed, epoch])
        torch.manual_seed(seed * 1000 + epoch)
        pieces = encode(rng)
        steps = -(-len(pieces) // schedule.batch)
        model.train(dropout)
        losses = []
        for number, rows in enumerate(batching.batches(pieces, schedule.batch, rng)):
            step = epoch * steps + number
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate * _shape(step / (steps * schedule.epochs))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halves()):
                loss = batch_loss(rows, pieces, rng)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(loss.detach()))
            if number % 20 == 0:
                progress(name, step, steps * schedule.epochs)
            if number % 100 == 0:
                logger.info(
                    "%s: epoch %d, step %d of %d, loss %.4f",
                    name,
                    epoch + 1,
                    number,
                    steps,
                    np.mean(losses[-100:]),
                )
        row = {"epoch": epoch + 1.0, "loss": float(np.mean(losses))}
        if validate is not None:
            model.eval()
            row["validation"] = validate(epoch + 1)
        logger.info("%s: %s", name, row)
        history.append(row)
        _keep(folder, model, optimizer, history)
    if validate is not None and history:
        best = int(np.argmax([row["validation"] for row in history])) + 1
        _load_weights(folder / f"epoch-{best}.safetensors", model)
    model.eval()
    progress(name, max(1, steps * schedule.epochs), max(1, steps * schedule.epochs))
    return history


def epochs_in(folder: Path, epochs: int) -> Iterator[dict[str, Any]]:
    """Yield a network's tensors as they were after each epoch that ``learn_labels`` left in a folder."""
    from safetensors.torch import load_file

    for epoch in range(1, epochs + 1):
        yield load_file(folder / f"epoch-{epoch}.safetensors")


def halves() -> bool:
    """Whether this processor computes in bfloat16; one that has to imitate it is ten times as slow."""
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _shape(done: float, rise: float = 0.06) -> float:
    return done / rise if done < rise else (1 - done) / (1 - rise)


def _keep(folder: Path, model: Module, optimizer: Optimizer, history: list[dict[str, float]]) -> None:
    """Write a checkpoint; the history comes last and makes it count."""
    from safetensors.torch import save_file, save_model

    save_model(model, str(folder / f"epoch-{len(history)}.safetensors"))
    moments = {}
    for number, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            moments[f"{number}.{key}"] = value.contiguous()
    save_file(moments, folder / "optimizer.safetensors.part")
    (folder / "optimizer.safetensors.part").replace(folder / "optimizer.safetensors")
    part = folder / "history.json.part"
    part.write_text(json.dumps(history), encoding="utf-8")
    part.replace(folder / "history.json")


def _resume(folder: Path, model: Module, optimizer: Optimizer) -> list[dict[str, float]]:
    from safetensors.torch import load_file

    if not (folder / "history.json").is_file():
        return []
    history: list[dict[str, float]] = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    _load_weights(folder / f"epoch-{len(history)}.safetensors", model)
    state: dict[int, dict[str, Any]] = {}
    for name, value in load_file(folder / "optimizer.safetensors").items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})
    return history


def _load_weights(path: Path, model: Module) -> None:
    from safetensors.torch import load_model

    load_model(model, str(path))
