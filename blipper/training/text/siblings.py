"""Larger networks from the text model's own encoder, which learn the same labels and then advise it.

What ships has to be small; its encoder, whole and with all its word pieces, reads better. Each sibling learns
from a part of the lines and answers for the others, so that an answer tells how sure one can be and does not
repeat a label that was learned by heart (Hinton et al. 2015, "Distilling the knowledge in a neural network").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.training.text.batches import TEACHING
from blipper.training.text.corpora import Line
from blipper.training.text.fit import Schedule, learn_labels
from blipper.training.text.network import classifier_from, make_config, masked_model
from blipper.training.text.scoring import logits_of, validation_score
from blipper.training.text.vocabulary import prune

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class SiblingRecipe:
    """How the siblings are taught.

    Parameters
    ----------
    parts : int
        How many there are: each learns from all parts of the lines but one.
    schedule : Schedule
    """

    parts: int = 2
    schedule: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=1.2e-4))


def in_part(line: Line, part: int, parts: int) -> bool:
    """Whether a line belongs to a part; the lines of a dialogue, or of a writer, are all in one."""
    digest = hashlib.sha256(f"part:{line.group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % parts == part


def raise_siblings(
    encoder: Path,
    lines: Sequence[Line],
    validation: Sequence[Line],
    recipe: SiblingRecipe,
    *,
    seed: int,
    folder: Path,
    progress: Progress = silent,
) -> list[tuple[Any, Tokenizer]]:
    """Teach the whole encoder the labels, several times; goes on from what lies in `folder`.

    Parameters
    ----------
    encoder : path
        Folder of an uncased BERT encoder in Hugging Face format.
    lines, validation : sequence of Line
        What teaches, and what chooses the epoch.
    recipe : SiblingRecipe
    seed : int
        Of the first; the next ones are those after it.
    folder : path
    progress : Progress, optional
        Told ``"sibling 1"``, and so on.

    Returns
    -------
    list of (BertForSequenceClassification, tokenizers.Tokenizer)
        In the order of the parts that they have not seen.

    Raises
    ------
    ModelError
        If the encoder lacks its tensors.
    """
    said = [line.text for line in validation]
    siblings = []
    for part in range(recipe.parts):
        model, tokenizer = _whole(encoder, seed + part)

        def validate(epoch: int, model: Any = model, tokenizer: Tokenizer = tokenizer) -> float:
            return validation_score(logits_of(model, tokenizer, said), validation)

        learn_labels(
            *(model, tokenizer, [line for line in lines if not in_part(line, part, recipe.parts)]),
            recipe.schedule,
            seed=seed + part,
            folder=folder / str(part + 1),
            validate=validate,
            name=f"sibling {part + 1}",
            progress=progress,
        )
        siblings.append((model, tokenizer))
    return siblings


def _whole(encoder: Path, seed: int) -> tuple[Any, Tokenizer]:
    """Return a network of all layers and word pieces of an encoder, its outputs at random."""
    import torch
    from tokenizers import Tokenizer

    try:
        described = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
        pieces = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    except OSError as error:
        raise ModelError(f"{encoder}: is no encoder: {error.strerror}") from error
    tokenizer, rows = prune(encoder / "tokenizer.json", (), len(pieces), keep=pieces)
    layers = int(described["num_hidden_layers"])
    config = make_config(
        len(rows),
        layers=layers,
        hidden=int(described["hidden_size"]),
        heads=int(described["num_attention_heads"]),
        outputs=TEACHING,
    )
    torch.manual_seed(seed)
    masked = masked_model(config, encoder, rows, range(layers))
    return classifier_from(masked, config), Tokenizer.from_str(tokenizer)
