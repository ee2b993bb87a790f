"""Tiny text models for tests: random weights, own WordPiece tokenizer, in the very formats that are loaded.

Their scores mean nothing, but everything about them is real: files, hashes, tokens, network, calibration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blipper.words.spoken import FORM, spoken
from blipper.words.text_builtin import load_built_in
from blipper.words.text_models import TextModel
from blipper.words.text_torch import beside_tensorflow

#: Sentences whose words the tokenizer knows whole.
SENTENCES = (
    "You are a useless liar and I will make you sorry.",
    "Where is my parcel? It should have been here on Monday.",
    "Thank you so much, that was very kind of you.",
    "Shut up and do what you are told, you stupid fool!",
    "I don't know; the train leaves at ten past four.",
    "It would be a shame if something happened to your lovely shop.",
)
LABELS = ("negative", "neutral", "positive", "aggression", "insult")


def tokenizer_json(folder: Path, texts: tuple[str, ...] = SENTENCES, size: int = 300) -> None:
    """Train a WordPiece tokenizer on a few sentences and write it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([spoken(text) for text in texts], trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 128,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def save_classifier(
    folder: Path,
    labels: tuple[str, ...] = LABELS,
    *,
    seed: int = 0,
    half: bool = False,
    problem_type: str | None = None,
    loudness: float = 0.5,
) -> Path:
    """Write a random BERT classifier in Hugging Face's format: what anybody's model on a hub looks like.

    Parameters
    ----------
    folder : pathlib.Path
        Made if needed.
    labels : tuple of str
    seed : int
    half : bool
        Whether to store half precision.
    problem_type : str, optional
    loudness : float
        Standard deviation of the weights: enough for scores that differ.
    """
    import torch

    with beside_tensorflow():
        from transformers import BertConfig, BertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer_json(folder)
    config = BertConfig(
        vocab_size=300,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        initializer_range=loudness,
        problem_type=problem_type,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = BertForSequenceClassification(config)
    network = network.half() if half else network
    network.save_pretrained(folder)
    return folder


def save_built_in(folder: Path, *, seed: int = 0, **changes: Any) -> Path:
    """Write a random model in the format of ``models/text-small``.

    Parameters
    ----------
    folder : pathlib.Path
    seed : int
    **changes
        Keys of ``blipper.json`` to write instead of the usual.
    """
    save_classifier(folder, seed=seed, half=True)
    describe(folder, **changes)
    return folder


def describe(folder: Path, **changes: Any) -> None:
    """Write ``blipper.json`` beside a model's files, with the hashes that they have."""
    names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    values: Mapping[str, Any] = {
        "schema": 1,
        "kind": "text",
        "name": "text-small",
        "form": FORM,
        "languages": ["en"],
        "max_length": 32,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
        "sentiment": {"negative": 0, "neutral": 1, "positive": 2, "temperature": 1.2},
        "aggression": {"output": 3, "scale": 1.1, "bias": -0.3, "threshold": 0.5},
        "libraries": {},
        "seed": 0,
        "initialised_from": "nothing",
    }
    (folder / "blipper.json").write_text(json.dumps({**values, **changes}), encoding="utf-8")


def tiny_model(folder: Path, *, seed: int = 0) -> TextModel:
    """Write a random built-in model and load it."""
    return load_built_in(save_built_in(folder, seed=seed))
