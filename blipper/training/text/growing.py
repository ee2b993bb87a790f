"""Giving a trained text model more word pieces and outputs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from blipper.errors import ModelError
from blipper.training.text.network import PIECES, SHIPPED
from blipper.training.text.vocabulary import prune
from blipper.words.text_torch import beside_tensorflow

if TYPE_CHECKING:
    from transformers import BertForSequenceClassification


def grow(
    model: BertForSequenceClassification, tokenizer: str, encoder: Path, texts: Iterable[str], size: int
) -> tuple[BertForSequenceClassification, str]:
    """Return a text model that knows more words, from the encoder that it began as.

    A piece that the model had keeps its row. A further one gets the encoder's row, moved by the mean way that
    the rows of the pieces in both went since, so that it lies where the trained layers expect words.

    Parameters
    ----------
    model : BertForSequenceClassification
        Not changed.
    tokenizer : str
        Its ``tokenizer.json``.
    encoder : path
        Folder in Hugging Face format with ``model.safetensors`` and ``tokenizer.json``.
    texts : iterable of str
        Training texts, in spoken form: the pieces that they use most are taken.
    size : int
        How many pieces the model then has; those that it had are among them.

    Returns
    -------
    BertForSequenceClassification
    str
        The new ``tokenizer.json``.

    Raises
    ------
    ModelError
        If the encoder has another width, lacks its tensors or the model's pieces, or if there is nothing to
        add.
    """
    import torch

    had: dict[str, int] = json.loads(tokenizer)["model"]["vocab"]
    if size <= len(had):
        raise ModelError(f"the text model has {len(had)} word pieces already; more than {size} were expected")
    grown, numbers = prune(encoder / "tokenizer.json", texts, size, keep=had)
    rows = _rows_of(encoder)[torch.from_numpy(numbers)]
    own = model.state_dict()[PIECES]
    if rows.shape[1] != own.shape[1]:
        raise ModelError(f"{encoder}: is {rows.shape[1]} wide; the text model is {own.shape[1]} wide")
    pieces: dict[str, int] = json.loads(grown)["model"]["vocab"]
    new = torch.tensor([pieces[piece] for piece in had])
    old = torch.tensor(list(had.values()))
    table = rows + (own[old] - rows[new]).mean(dim=0)
    table[new] = own[old]
    tensors = {**model.state_dict(), PIECES: table}
    return _rebuilt(model, tensors, vocab_size=len(pieces)), grown


def with_outputs(model: BertForSequenceClassification) -> BertForSequenceClassification:
    """Return a text model with all outputs that ship now; GoEmotions' own begin as the shared sentiment's."""
    import torch

    had = tuple((model.config.id2label or {}).values())
    if had == SHIPPED:
        return model
    tensors = dict(model.state_dict())
    for part in ("weight", "bias"):
        rows = tensors[f"classifier.{part}"]
        like = [had.index(name.removeprefix("goemotions-")) for name in SHIPPED[len(had) :]]
        tensors[f"classifier.{part}"] = torch.cat([rows, rows[like]])
    names = dict(enumerate(SHIPPED))
    return _rebuilt(model, tensors, id2label=names, label2id={name: row for row, name in names.items()})


def _rows_of(encoder: Path) -> Any:
    import torch
    from safetensors.torch import load_file

    path = encoder / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"{path}: not there; --init takes the folder of a BERT encoder")
    given = {name.removeprefix("bert."): tensor for name, tensor in load_file(path).items()}
    name = PIECES.removeprefix("bert.")
    if name not in given:
        raise ModelError(f"{path}: lacks {name}; expected a BERT encoder's tensors")
    return given[name].to(torch.float32)


def _rebuilt(model: Any, tensors: dict[str, Any], **changes: Any) -> BertForSequenceClassification:
    with beside_tensorflow():
        from transformers import BertForSequenceClassification

        config = copy.deepcopy(model.config)
        config.update(changes)
        rebuilt: Any = BertForSequenceClassification(config)
    rebuilt.load_state_dict(tensors)
    rebuilt.eval()
    return cast("BertForSequenceClassification", rebuilt)
