"""The text model that ships: finding it, checking every file by its hash, building it from what was checked.

``blipper.json`` names the SHA-256 of every file that is loaded. Files are read once, compared, and built from
the bytes that were compared; nothing in the folder is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Final

from blipper.errors import ModelError
from blipper.paths import TEXT_DESCRIPTION as DESCRIPTION
from blipper.paths import models_dir
from blipper.words import spoken
from blipper.words.text_heads import Heads
from blipper.words.text_info import SENTIMENTS, TextModelInfo
from blipper.words.text_labels import meanings
from blipper.words.text_models import TextModel
from blipper.words.text_torch import beside_tensorflow

WEIGHTS: Final = "model.safetensors"

#: The name by which the model that ships is asked for, and that of its folder.
BUILT_IN: Final = "built-in"
FOLDER: Final = "text-small"

#: Raised whenever an old reader would misread a folder.
SCHEMA: Final = 1

_NEEDED: Final = ("config.json", WEIGHTS, "tokenizer.json", "tokenizer_config.json")
_FORMS: Final = {spoken.FORM: spoken.spoken}


def available_text_models(directory: str | Path | None = None) -> tuple[str, ...]:
    """Name the text models of ours in a folder, sorted.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.
    """
    folder = models_dir() if directory is None else Path(directory)
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if (path / DESCRIPTION).is_file()))


def built_in_folder() -> Path:
    """Return where the model that ships lies; it need not exist."""
    return models_dir() / FOLDER


def read_description(folder: Path) -> dict[str, Any]:
    """Read and check what a folder says about its model, without opening any other file.

    Raises
    ------
    ModelError
        If it is missing, no JSON, of another schema, or incomplete.
    """
    path = folder / DESCRIPTION
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as a text model's description ({error})") from error
    if not isinstance(values, dict) or values.get("schema") != SCHEMA or values.get("kind") != "text":
        found = (values.get("schema"), values.get("kind")) if isinstance(values, dict) else values
        raise ModelError(f"{path}: schema and kind are {found!r}, expected {(SCHEMA, 'text')!r}")
    kinds = {"name": str, "form": str, "languages": list, "max_length": int, "files": dict}
    kinds |= {"sentiment": dict, "aggression": dict}
    for key, kind in kinds.items():
        if not isinstance(values.get(key), kind):
            raise ModelError(f"{path}: {key} is {values.get(key)!r}, which does not fit")
    if values["form"] not in _FORMS:
        raise ModelError(f"{path}: form is {values['form']!r}, expected one of {', '.join(_FORMS)}")
    if not 8 <= values["max_length"] <= 4096:
        raise ModelError(f"{path}: max_length is {values['max_length']}, expected 8 to 4096 tokens")
    for name, digest in values["files"].items():
        if PurePath(name).name != name or not isinstance(digest, str) or len(digest) != 64:
            raise ModelError(f"{path}: files names {name!r} with {digest!r}, which does not fit")
    missing = [name for name in _NEEDED if name not in values["files"]]
    if missing:
        raise ModelError(f"{path}: files names no SHA-256 of {', '.join(missing)}")
    return values


def read_checked(folder: Path, files: Mapping[str, str]) -> dict[str, bytes]:
    """Read files whose bytes have the hashes that a description names.

    Raises
    ------
    ModelError
        If one is missing, cannot be read, or has another hash.
    """
    found = {}
    for name, wanted in files.items():
        path = folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
        digest = hashlib.sha256(data).hexdigest()
        if digest != wanted:
            raise ModelError(
                f"{path}: SHA-256 is {digest[:12]}…, {DESCRIPTION} says {wanted[:12]}…; one of the two files "
                "was changed or damaged"
            )
        found[name] = data
    return found


def load_built_in(folder: Path | None = None) -> TextModel:
    """Load a text model of ours.

    Parameters
    ----------
    folder : pathlib.Path, optional
        ``text-small`` in :func:`blipper.models_dir` unless given.

    Returns
    -------
    TextModel

    Raises
    ------
    ModelError
        If a file is missing, has another hash, or does not fit the others.
    """
    folder = folder or built_in_folder()
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: missing; this is where the built-in text model lies. Without it words get no scores"
        )
    description = read_description(folder)
    files = read_checked(folder, description["files"])
    network, labels = _network(files, folder)
    heads, threshold = _heads(description, len(labels), folder / DESCRIPTION)
    info = TextModelInfo(
        name=description["name"],
        sha256=description["files"][WEIGHTS],
        revision=None,
        labels=meanings(labels, heads),
        threshold=threshold,
        calibrated=True,
        languages=tuple(map(str, description["languages"])),
    )
    tokenizer = _tokenizer(files, description["max_length"], network.config, folder)
    return TextModel(
        info, heads, network, tokenizer, description["max_length"], form=_FORMS[description["form"]]
    )


def _network(files: Mapping[str, bytes], folder: Path) -> tuple[Any, dict[int, str]]:
    """Build the network from its configuration and fill it from the weights, every tensor of them."""
    import safetensors.torch
    import torch
    from safetensors import SafetensorError

    with beside_tensorflow():
        from transformers import BertConfig, BertForSequenceClassification

    try:
        values = json.loads(files["config.json"])
        if values.get("model_type") != "bert":
            raise ValueError(f"model_type is {values.get('model_type')!r}, expected 'bert'")
        network = BertForSequenceClassification(BertConfig.from_dict(values))
        tensors = safetensors.torch.load(files[WEIGHTS])
        # Half precision on the disk, single in memory: processors compute no faster with halves.
        network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in tensors.items()})
    except (ValueError, TypeError, AttributeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: config.json and {WEIGHTS} do not fit each other: {error}") from error
    if not all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values()):
        raise ModelError(f"{folder / WEIGHTS}: holds numbers that are not finite")
    network.train(False).requires_grad_(False)
    labels = {int(index): str(label) for index, label in (network.config.id2label or {}).items()}
    return network, labels


def _tokenizer(files: Mapping[str, bytes], max_length: int, config: Any, folder: Path) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_buffer(files["tokenizer.json"])
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read as a tokenizer: {error}") from error
    if tokenizer.get_vocab_size() > config.vocab_size:
        raise ModelError(
            f"{path}: has {tokenizer.get_vocab_size()} tokens, the network knows {config.vocab_size}"
        )
    if max_length > config.max_position_embeddings:
        raise ModelError(
            f"{folder / DESCRIPTION}: max_length is {max_length}, the network reads "
            f"{config.max_position_embeddings} tokens"
        )
    bare = len(tokenizer.encode("a", add_special_tokens=False).ids)
    if len(tokenizer.encode("a").ids) != bare + 2:
        raise ModelError(f"{path}: puts no [CLS] and [SEP] around a text, which the network was trained with")
    return tokenizer


def _heads(description: Mapping[str, Any], n_outputs: int, path: Path) -> tuple[Heads, float]:
    sentiment, aggression = description["sentiment"], description["aggression"]
    outputs = [_output(sentiment, name, n_outputs, path) for name in SENTIMENTS]
    outputs.append(_output(aggression, "output", n_outputs, path))
    if len(set(outputs)) < 4:
        raise ModelError(f"{path}: names an output twice: {outputs}")
    heads = Heads(
        sentiment=((outputs[0],), (outputs[1],), (outputs[2],)),
        aggression=(outputs[3],),
        activation="sigmoid",
        temperature=_number(sentiment, "temperature", 1e-3, 1e3, path),
        scale=_number(aggression, "scale", 1e-3, 1e3, path),
        bias=_number(aggression, "bias", -1e3, 1e3, path),
    )
    return heads, _number(aggression, "threshold", 1e-6, 1.0, path)


def _output(values: Mapping[str, Any], key: str, n_outputs: int, path: Path) -> int:
    value = values.get(key)
    if type(value) is not int or not 0 <= value < n_outputs:
        raise ModelError(f"{path}: {key} is {value!r}, expected an output from 0 to {n_outputs - 1}")
    return value


def _number(values: Mapping[str, Any], key: str, low: float, high: float, path: Path) -> float:
    value = values.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ModelError(f"{path}: {key} is {value!r}, expected a number from {low:g} to {high:g}")
    if not low <= value <= high:
        raise ModelError(f"{path}: {key} is {value!r}, expected {low:g} to {high:g}")
    return float(value)
