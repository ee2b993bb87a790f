"""``blipper train-text``: from corpora and an encoder to a folder as ``models/text-small``."""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.training.text.advice import ADVISED_LINES, READ, READ_WORDS, advise, drawn, features_of
from blipper.training.text.batches import N_ADVISED, TEACHING
from blipper.training.text.corpora import Line, read_corpora, without_repeats
from blipper.training.text.fit import Schedule, guess_words, learn_labels
from blipper.training.text.growing import grow, with_outputs
from blipper.training.text.keeping import learn_and_keep
from blipper.training.text.network import SHIPPED, classifier_from, make_config, masked_model
from blipper.training.text.relearning import Asked, learn_again
from blipper.training.text.scoring import Logits, logits_of, validation_score
from blipper.training.text.sentences import make_sentences
from blipper.training.text.siblings import SiblingRecipe, in_part, raise_siblings
from blipper.training.text.templates import make_lines
from blipper.training.text.tutor import TutorRecipe, learn_from_tutor, raise_tutor
from blipper.training.text.vocabulary import prune
from blipper.words.text_torch import beside_tensorflow

logger = logging.getLogger(__name__)


#: Which lines an epoch shows more than once in the part with advice.
ADVISED_REPEATS: Final = {"convabuse": 4}
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
    words, labels, advised, grown, again, kept : Schedule
        Of guessing hidden words, of learning labels, of learning them again beside a larger encoder's
        advice, of learning them with more word pieces beside the model's own answers, of learning them
        beside larger siblings' answers, and of learning our own sentences while all else is kept.
    grown_pieces : int
        Size of the vocabulary once it has grown.
    siblings : SiblingRecipe
    tutored : TutorRecipe
    seed : int
    """

    pieces: int = 7800
    layers: tuple[int, ...] = (0, 1, 2, 3, 5)
    hidden: int = 384
    heads: int = 12
    words: Schedule = field(default_factory=lambda: Schedule(epochs=1, rate=1.5e-4))
    labels: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=1.2e-4))
    advised: Schedule = field(default_factory=lambda: Schedule(epochs=2, rate=6e-5))
    grown: Schedule = field(default_factory=lambda: Schedule(epochs=2, rate=6e-5))
    again: Schedule = field(default_factory=lambda: Schedule(epochs=2, rate=1e-4))
    kept: Schedule = field(default_factory=lambda: Schedule(epochs=3, rate=7e-5))
    grown_pieces: int = 16_500
    siblings: SiblingRecipe = field(default_factory=SiblingRecipe)
    tutored: TutorRecipe = field(default_factory=TutorRecipe)
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
    """Read the corpora below ``DATA/text``, and our own sentences; no text is on two sides."""
    corpora = read_corpora(Path(data) / "text", seed=seed)
    return tuple(without_repeats((*corpora, *make_lines(seed=seed), *make_sentences())))


def fit_text(
    data: str | Path,
    work: Path,
    *,
    init: Path | None = None,
    start: Path | None = None,
    teacher: Path | None = None,
    siblings: bool = False,
    beside: Path | None = None,
    tutor: Path | None = None,
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
    init : path, optional
        Folder of an uncased BERT encoder in Hugging Face format, with its tokenizer; its weights are taken
        where the recipe's width is the encoder's own, else only its word pieces are. With `start`: the
        encoder that the model began as, of which it is given more word pieces.
    start : path, optional
        Folder of a text model that this function made, to go on from: it learns the labels once more, beside
        the `teacher`'s advice or, with further word pieces from `init`, beside its own answers; or, `beside`
        another model, our own sentences alone; or what a `tutor` knows of abuse of a machine.
    siblings : bool, optional
        With `start` and `init`: it gets no further word pieces; the whole encoder learns the labels first,
        each time but for a part of the lines, and it then learns beside these networks' answers for that
        part and its own.
    beside : path, optional
        With `start`: folder of another text model with the same word pieces. All answers but those to our own
        sentences are held to what the two models say (:func:`.keeping.learn_and_keep`).
    tutor : path, optional
        With `start`: folder of a larger encoder, which is taught what is said to machines. Its answers teach
        the output for that, and all others are held (:func:`.tutor.learn_from_tutor`).
    teacher : path, optional
        Folder of a larger encoder, which advises in a last part.
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
        If an encoder is none, or there is nothing to begin with or to do.
    """
    import torch
    from tokenizers import Tokenizer

    recipe = recipe or TextRecipe()
    if start is None:
        can_begin = init is not None and beside is None and tutor is None
    else:
        can_begin = [init, teacher, beside, tutor].count(None) == 3
    if not can_begin:
        raise ModelError(
            "training begins with an encoder, or with a text model and one of these: the encoder that it was "
            "once, a teacher, a tutor, or another text model"
        )
    if siblings and (start is None or init is None):
        raise ModelError("siblings need a text model to go on from and the encoder that it was once")
    lines = read_lines(data, recipe.seed)
    # EmoContext's "others" says nothing about sentiment or aggression.
    train = [line for line in lines if line.side == "train" and line.labels.get("turn") != 0]
    validation = tuple(line for line in lines if line.side == "validation")
    said = [line.text for line in validation]
    torch.manual_seed(recipe.seed)
    before = None
    if start is not None:
        model, tokenizer_json = before = _begun(start)
        if init is not None and not siblings:
            texts = [line.text for line in train]
            model, tokenizer_json = grow(model, tokenizer_json, init, texts, recipe.grown_pieces)
    else:
        assert init is not None
        model, tokenizer_json, rows = _empty(init, recipe, train)
        logger.info("%d lines teach, %d validate, %d word pieces", len(train), len(validation), rows)
    tokenizer = Tokenizer.from_str(tokenizer_json)

    def validate(epoch: int) -> float:
        return validation_score(logits_of(model, tokenizer, said), validation)

    history: list[dict[str, float]] = []
    if start is None:
        model = _after_words(model, tokenizer, train, recipe, work / "words", progress)
        history += learn_labels(
            *(model, tokenizer, train, recipe.labels),
            seed=recipe.seed,
            folder=work / "labels",
            validate=validate,
            progress=progress,
        )
    elif init is not None:
        assert before is not None
        logger.info("with %d word pieces: validation %.4f", model.config.vocab_size, validate(0))
        itself = Asked(copy.deepcopy(before[0]), Tokenizer.from_str(before[1]))
        if siblings:
            raised = raise_siblings(
                *(init, train, validation, recipe.siblings),
                seed=recipe.seed,
                folder=work / "siblings",
                progress=progress,
            )
            others = [
                Asked(*one, about=functools.partial(in_part, part=part, parts=len(raised)))
                for part, one in enumerate(raised)
            ]
            # Siblings know more of the new sentences, the model itself more of what larger teachers taught.
            asked = [[itself, *others], [itself]]
        else:
            asked = [[itself, Asked(copy.deepcopy(model), tokenizer)]] * 2
        history += learn_again(
            *(asked, (model, tokenizer), train, recipe.again if siblings else recipe.grown),
            seed=recipe.seed,
            folder=work / ("again" if siblings else "grown"),
            validate=validate,
            progress=progress,
        )
    elif beside is not None:
        other, other_pieces = _begun(beside)
        if other_pieces != tokenizer_json:
            raise ModelError(f"{beside}: has other word pieces than {start}")
        history += learn_and_keep(
            *(other, (model, tokenizer), train, recipe.kept),
            seed=recipe.seed,
            folder=work / "kept",
            validate=validate,
            progress=progress,
        )
    elif tutor is not None:
        logger.info("before the tutor: validation %.4f", validate(0))
        ask = raise_tutor(
            *(tutor, train, recipe.tutored.tutor),
            seed=recipe.seed,
            folder=work / "tutor",
            progress=progress,
        )
        history += learn_from_tutor(
            *(ask, (model, tokenizer), train, recipe.tutored.pupil),
            seed=recipe.seed,
            folder=work / "tutored",
            validate=validate,
            progress=progress,
        )
    if teacher is not None:
        logger.info("before advice: validation %.4f", validate(0))
        history += _learn_advised(model, tokenizer, train, teacher, recipe, work, validate, progress)
    logits = logits_of(model, tokenizer, said)
    return Trained(model, tokenizer_json, validation, logits.astype(np.float64), history)


def _empty(init: Path, recipe: TextRecipe, train: list[Line]) -> tuple[Any, str, int]:
    """Return the network that guesses words, its word pieces and their number."""
    tokenizer_json, rows = prune(init / "tokenizer.json", [line.text for line in train], recipe.pieces)
    width = {"layers": len(recipe.layers), "hidden": recipe.hidden, "heads": recipe.heads}
    config = make_config(len(rows), outputs=TEACHING, **width)
    masked = masked_model(config, init if _fits(init, recipe) else None, rows, recipe.layers)
    return masked, tokenizer_json, len(rows)


def _after_words(
    masked: Any, tokenizer: Any, train: list[Line], recipe: TextRecipe, folder: Path, progress: Progress
) -> Any:
    texts = [line.text for line in train if len(line.text.split()) >= SHORTEST]
    guess_words(masked, tokenizer, texts, recipe.words, seed=recipe.seed, folder=folder, progress=progress)
    return classifier_from(masked, masked.config)


def _begun(start: Path) -> tuple[Any, str]:
    """Return the network of a text model with its word pieces."""
    import torch

    with beside_tensorflow():
        from transformers import BertForSequenceClassification as Network

        try:
            model: Any = Network.from_pretrained(
                start, use_safetensors=True, dtype=torch.float32, local_files_only=True
            )
            tokenizer = (start / "tokenizer.json").read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError(f"{start}: is no text model to go on from: {error}") from error
    outputs = tuple(model.config.id2label.values())
    if outputs not in (SHIPPED, SHIPPED[:-3]):  # without GoEmotions' own before 2026-12
        raise ModelError(f"{start}: has other outputs than blipper train-text gives")
    return with_outputs(model), tokenizer


def _learn_advised(
    model: Any,
    tokenizer: Any,
    train: list[Line],
    teacher: Path,
    recipe: TextRecipe,
    work: Path,
    validate: Callable[[int], float],
    progress: Progress,
) -> list[dict[str, float]]:
    """Learn labels and advice together, on fewer lines: the larger encoder is slow."""
    shown = [train[row] for row in drawn(train, ADVISED_LINES, recipe.seed)]
    read = drawn(shown, READ, recipe.seed)
    read = np.array([row for row in read if len(shown[row].text.split()) <= READ_WORDS])
    asked = [shown[row] for row in read]
    features = features_of(teacher, [line.text for line in asked], work / "teacher", progress=progress)
    advice = np.full((len(shown), N_ADVISED), np.nan, dtype=np.float32)
    found = advise(features, asked, recipe.seed)
    advice[read, : found.shape[1]] = found
    return learn_labels(
        *(model, tokenizer, shown, recipe.advised),
        seed=recipe.seed,
        folder=work / "advised",
        validate=validate,
        advice=advice,
        repeats=ADVISED_REPEATS,
        name="labels and advice",
        progress=progress,
    )


def _fits(init: Path, recipe: TextRecipe) -> bool:
    import json

    described = json.loads((init / "config.json").read_text(encoding="utf-8"))
    deep_enough = described.get("num_hidden_layers", 0) > max(recipe.layers)
    return bool(described.get("hidden_size") == recipe.hidden and deep_enough)
