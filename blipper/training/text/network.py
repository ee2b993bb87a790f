"""The text model's network: a small BERT, filled from an encoder that the user names, or at random.

Layers of Transformer encoders are redundant enough that one can be left out and the rest trained on (Sajjad
et al. 2023, "On the effect of dropping layers of pre-trained transformer models", Computer Speech & Language
77).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.words.text_torch import beside_tensorflow

if TYPE_CHECKING:
    from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

#: The logits, in order: sentiment, verbal aggression, then what single corpora teach beside them.
SHIPPED: Final = (
    *("negative", "neutral", "positive", "aggression"),
    *("trac-none", "trac-covert", "trac-overt"),
    *("insult", "abuse", "toxic", "explicit"),
    *("goemotions-negative", "goemotions-neutral", "goemotions-positive"),
)
#: The tensor with a row for each word piece.
PIECES: Final = "bert.embeddings.word_embeddings.weight"
#: Longest text in word pieces, the two at its ends included.
MAX_LENGTH: Final = 128


def make_config(
    n_pieces: int, *, layers: int, hidden: int = 384, heads: int = 12, outputs: Sequence[str]
) -> BertConfig:
    """Return the configuration of a network for `n_pieces` word pieces and the named outputs."""
    with beside_tensorflow():
        from transformers import BertConfig

    return BertConfig(
        vocab_size=n_pieces,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        classifier_dropout=0.2,
        id2label=dict(enumerate(outputs)),
        label2id={name: number for number, name in enumerate(outputs)},
        problem_type="multi_label_classification",
        pad_token_id=0,
    )


def masked_model(
    config: BertConfig, init: Path | None, rows: NDArray[np.int64], layers: Sequence[int]
) -> BertForMaskedLM:
    """Return the network that guesses hidden words, its encoder filled from `init`.

    Parameters
    ----------
    config : BertConfig
    init : path or None
        Folder of a BERT encoder in Hugging Face format (``model.safetensors``); at random if None.
    rows : numpy.ndarray, shape (n_pieces,)
        For each word piece its row in the encoder's table.
    layers : sequence of int
        Which of the encoder's layers to take, in order.

    Raises
    ------
    ModelError
        If the encoder's tensors have other names or shapes.
    """
    with beside_tensorflow():
        from transformers import BertForMaskedLM

        model = BertForMaskedLM(config)
    if init is not None:
        _fill(model.bert, init / "model.safetensors", rows, layers)
    return model


def classifier_from(masked: BertForMaskedLM, config: BertConfig) -> BertForSequenceClassification:
    """Return the network with its outputs over an encoder that has learned to guess hidden words."""
    with beside_tensorflow():
        from transformers import BertForSequenceClassification

        model = BertForSequenceClassification(config)
    missing, unexpected = model.bert.load_state_dict(masked.bert.state_dict(), strict=False)
    if unexpected or any(not name.startswith("pooler.") for name in missing):
        raise ModelError(f"encoder does not fit: missing {missing}, unexpected {unexpected}")
    return model


def only_shipped(model: BertForSequenceClassification) -> dict[str, Any]:
    """Return the tensors of the network with the shipped outputs alone, as they are stored.

    The table of word pieces is stored as 8-bit floats (E4M3; Micikevicius et al. 2022, "FP8 formats for deep
    learning"), all else in half precision: each row is one word's, and is normalised before it is used, so
    that its rounding costs little and makes room for twice as many words.
    """
    import torch

    tensors = {}
    for name, tensor in model.state_dict().items():
        if name.startswith("classifier."):
            tensor = tensor[: len(SHIPPED)]
        kind = torch.float8_e4m3fn if name == PIECES else torch.float16
        tensors[name] = tensor.detach().to(kind).contiguous()
    return tensors


def _fill(bert: Any, path: Path, rows: NDArray[np.int64], layers: Sequence[int]) -> None:
    import torch
    from safetensors.torch import load_file

    if not path.is_file():
        raise ModelError(
            f"{path}: not there; --init takes the folder of a BERT encoder with model.safetensors"
        )
    given = {name.removeprefix("bert."): tensor for name, tensor in load_file(path).items()}
    filled = {}
    for name, own in bert.state_dict().items():
        if name.startswith("pooler."):
            continue
        source = name
        if name.startswith("encoder.layer."):
            _, _, number, rest = name.split(".", 3)
            source = f"encoder.layer.{layers[int(number)]}.{rest}"
        if source not in given:
            raise ModelError(f"{path}: lacks {source}; expected a BERT encoder's tensors")
        tensor = given[source].to(torch.float32)
        if name == "embeddings.word_embeddings.weight":
            tensor = tensor[torch.from_numpy(rows)]
        elif name == "embeddings.position_embeddings.weight":
            tensor = tensor[: own.shape[0]]
        if tensor.shape != own.shape:
            raise ModelError(f"{path}: {source} is {tuple(tensor.shape)}, expected {tuple(own.shape)}")
        filled[name] = tensor
    bert.load_state_dict(filled, strict=False)
