"""A classifier that somebody chose: from its folder to a :class:`TextModel`, without running its code."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from blipper.errors import ModelError
from blipper.words.text_files import digest_of, read_json, weights_of
from blipper.words.text_info import TextModelInfo
from blipper.words.text_labels import map_labels, meanings, parse_mapping
from blipper.words.text_models import TextModel
from blipper.words.text_suggested import suggested
from blipper.words.text_torch import beside_tensorflow

#: Probability from which an utterance of a chosen model is worth a listen: nothing better is known.
THRESHOLD: Final = 0.5

#: Networks whose positions begin after that of the padding token.
_LATE_POSITIONS: Final = frozenset(
    ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet")
)

#: Tokens read at once at most: utterances are short, and attention grows with the square.
_LONGEST: Final = 512

#: transformers has one verbosity for the process.
_QUIET = threading.Lock()

#: What transformers raises over files that do not fit.
_UNFIT: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError)


def load_chosen(
    folder: Path, name: str, revision: str | None = None, mapping: str | None = None
) -> TextModel:
    """Load a Hugging Face sequence classifier from a folder.

    Parameters
    ----------
    folder : pathlib.Path
        With ``config.json``, safetensors and a tokenizer. Its code, if it has any, is not run.
    name : str
        What to call it.
    revision : str, optional
        The commit that the files are of.
    mapping : str, optional
        What its labels mean, where they do not say so themselves; see
        :func:`blipper.words.text_labels.parse_mapping`.

    Returns
    -------
    TextModel
        Not calibrated.

    Raises
    ------
    ModelError
        If a file is missing or damaged, the weights are pickles, the labels are unknown, or the model is no
        sequence classifier or wants code of its own.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: is no folder; one with config.json and model.safetensors is needed")
    values = read_json(folder / "config.json")
    files = weights_of(folder)
    kinds = values.get("architectures") or []
    if not any(str(kind).endswith("ForSequenceClassification") for kind in kinds):
        raise ModelError(
            f"{name}: is a {', '.join(map(str, kinds)) or 'model of no named kind'}; a sequence classifier "
            "(…ForSequenceClassification) is needed"
        )
    labels = _labels(values, name)
    problem = values.get("problem_type")
    heads = (
        map_labels(labels, name, problem)
        if mapping is None
        else parse_mapping(mapping, labels, name, problem)
    )
    network = _network(folder, name)
    tokenizer, read_at_once = _tokenizer(folder, name)
    longest = min(read_at_once, _positions(network.config), _LONGEST)
    known = suggested(name)
    info = TextModelInfo(
        name=name,
        sha256=digest_of(files),
        revision=revision,
        labels=meanings(labels, heads),
        threshold=THRESHOLD,
        calibrated=False,
        languages=known.languages if known is not None else (),
    )
    return TextModel(info, heads, network, tokenizer, longest)


def _labels(values: Mapping[str, Any], name: str) -> dict[int, str]:
    labels = values.get("id2label")
    if labels is None and isinstance(values.get("num_labels"), int):
        labels = {index: f"LABEL_{index}" for index in range(values["num_labels"])}
    if labels is None:
        labels = {0: "LABEL_0", 1: "LABEL_1"}  # what transformers makes of a configuration without any
    try:
        return {int(index): str(label) for index, label in labels.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"{name}: its id2label is {labels!r:.200}, which does not fit") from error


def _network(folder: Path, name: str) -> Any:
    import torch
    from safetensors import SafetensorError

    try:
        with beside_tensorflow(), _quiet():
            from transformers import AutoModelForSequenceClassification

            network, report = AutoModelForSequenceClassification.from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (*_UNFIT, SafetensorError) as error:
        raise ModelError(f"{name}: cannot be loaded from {folder}: {_first_line(error)}") from error
    unfilled = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if unfilled:
        raise ModelError(
            f"{name}: its weights lack {', '.join(unfilled[:3])}{' …' if len(unfilled) > 3 else ''}, which "
            "would be random numbers"
        )
    return network.eval().requires_grad_(False)


def _tokenizer(folder: Path, name: str) -> tuple[Any, int]:
    """Return the tokenizer, a copy of its own, and how many tokens it says may be read at once."""
    from tokenizers import Tokenizer

    try:
        with beside_tensorflow(), _quiet():
            from transformers import AutoTokenizer

            loaded = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    except _UNFIT as error:
        raise ModelError(
            f"{name}: its tokenizer cannot be loaded from {folder}: {_first_line(error)}"
        ) from error
    return tokenizer, int(min(loaded.model_max_length, _LONGEST))


def _positions(config: Any) -> int:
    """Return how many tokens a network reads at once."""
    most = getattr(config, "max_position_embeddings", None)
    if not isinstance(most, int) or most <= 0:  # relative positions have no end
        return _LONGEST
    late = config.model_type in _LATE_POSITIONS
    return most - (config.pad_token_id or 0) - 1 if late else most


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing: the library prints nothing."""
    from transformers.utils import logging as chatter

    logging: Any = chatter

    with _QUIET:
        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
