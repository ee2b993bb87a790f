"""``blipper train-text``: from corpora and an encoder to a folder as ``models/text-small``."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.progress import Progress, silent
from blipper.training.text.batches import TEACHING
from blipper.training.text.corpora import Line, read_corpora
from blipper.training.text.fit import Schedule, guess_words, learn_labels
from blipper.training.text.network import classifier_from, make_config, masked_model
from blipper.training.text.scoring import Logits, logits_of, validation_score
from blipper.training.text.templates import make_lines
from blipper.training.text.vocabulary import prune

logger = logging.getLogger(__name__)


#: Words of a text, at least, from which hidden words are guessed: little can be guessed from less.
SHORTEST: Final = 12


@dataclass(frozen=True)
class TextRecipe:
    """Everything that decides what the text model becomes.

    Parameters
    ----------
    pieces : int
        Size of the vocabulary.
    layers : tuple of int
        Which layers of the encoder are taken, in order.
    hidden, heads : int
        Width of the network; has to be the encoder's, where one is named.
    words, labels : Schedule
        Of guessing hidden words and of learning labels.
    seed : int
    """

    pieces: int = 7800
    layers: tuple[int, ...] = (0, 1, 2, 3, 5)
    hidden: int = 384
    heads: int = 12
    words: Schedule = field(default_factory=lambda: Schedule(epochs=1, rate=1.5e-4))
    labels: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=1.2e-4))
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network with what is needed to calibrate and to write it.

    Parameters
    ----------
    model : BertForSequenceClassification
        With all outputs of :data:`.batches.TEACHING`.
    tokenizer : str
        Content of ``tokenizer.json``.
    validation : tuple of Line
    logits : numpy.ndarray, shape (n_validation, n_outputs)
    history : list of dict
    """

    model: Any
    tokenizer: str
    validation: tuple[Line, ...]
    logits: Logits
    history: list[dict[str, float]]


def read_lines(data: str | Path, seed: int) -> tuple[Line, ...]:
    """Read the corpora below ``DATA/text`` and make the templates' sentences."""
    return (*read_corpora(Path(data) / "text", seed=seed), *make_lines(seed=seed))


def fit_text(
    data: str | Path,
    work: Path,
    *,
    init: Path,
    recipe: TextRecipe | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train the text model; goes on from what lies in `work`.

    Parameters
    ----------
    data : path
        Folder with ``text/``.
    work : path
        Where checkpoints are kept.
    init : path
        Folder of an uncased BERT encoder in Hugging Face format, with its tokenizer; its weights are taken
        where the recipe's width is the encoder's own, else only its word pieces are.
    recipe : TextRecipe, optional
    progress : Progress, optional

    Returns
    -------
    Trained

    Raises
    ------
    DatasetError
        If a corpus is missing.
    ModelError
        If the encoder is none.
    """
    import torch
    from tokenizers import Tokenizer

    recipe = recipe or TextRecipe()
    lines = read_lines(data, recipe.seed)
    # EmoContext's "others" says nothing about sentiment or aggression.
    train = [line for line in lines if line.side == "train" and line.labels.get("turn") != 0]
    validation = tuple(line for line in lines if line.side == "validation")
    tokenizer_json, rows = prune(init / "tokenizer.json", [line.text for line in train], recipe.pieces)
    tokenizer = Tokenizer.from_str(tokenizer_json)
    torch.manual_seed(recipe.seed)
    width = {"layers": len(recipe.layers), "hidden": recipe.hidden, "heads": recipe.heads}
    config = make_config(len(rows), outputs=TEACHING, **width)
    logger.info("%d lines teach, %d validate, %d word pieces", len(train), len(validation), len(rows))
    masked = masked_model(config, init if _fits(init, recipe) else None, rows, recipe.layers)
    texts = [line.text for line in train if len(line.text.split()) >= SHORTEST]
    guess_words(
        masked, tokenizer, texts, recipe.words, seed=recipe.seed, folder=work / "words", progress=progress
    )
    model = classifier_from(masked, config)
    del masked
    said = [line.text for line in validation]

    def validate(epoch: int) -> float:
        return validation_score(logits_of(model, tokenizer, said), validation)

    history = learn_labels(
        model,
        tokenizer,
        train,
        recipe.labels,
        seed=recipe.seed,
        folder=work / "labels",
        validate=validate,
        progress=progress,
    )
    logits = logits_of(model, tokenizer, said)
    return Trained(model, tokenizer_json, validation, logits.astype(np.float64), history)


def _fits(init: Path, recipe: TextRecipe) -> bool:
    import json

    described = json.loads((init / "config.json").read_text(encoding="utf-8"))
    deep_enough = described.get("num_hidden_layers", 0) > max(recipe.layers)
    return bool(described.get("hidden_size") == recipe.hidden and deep_enough)
