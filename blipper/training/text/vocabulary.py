"""A tokenizer for spoken text: the word pieces of a given tokenizer that our texts use most, and no others.

Fewer pieces make a smaller model: most of a small transformer's weights are its table of pieces.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def prune(
    tokenizer_file: Path, texts: Iterable[str], size: int, *, keep: Iterable[str] = ()
) -> tuple[str, NDArray[np.int64]]:
    """Keep the pieces of a WordPiece tokenizer that are used most.

    Parameters
    ----------
    tokenizer_file : path
        ``tokenizer.json`` of an uncased WordPiece tokenizer.
    texts : iterable of str
        In spoken form; training texts alone.
    size : int
        How many pieces to keep. Single ASCII letters and digits, as beginnings and as continuations, are
        always kept, so that any English word can be spelt.
    keep : iterable of str, optional
        Pieces that are kept in any case.

    Returns
    -------
    str
        The new ``tokenizer.json``.
    numpy.ndarray, shape (size,)
        For each new piece the old one's number.

    Raises
    ------
    ModelError
        If the tokenizer is of another kind, or lacks a piece that is to be kept.
    """
    from tokenizers import Tokenizer

    old = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    if old.get("model", {}).get("type") != "WordPiece":
        raise ModelError(f"{tokenizer_file}: holds no WordPiece tokenizer")
    vocabulary: dict[str, int] = old["model"]["vocab"]
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    counts: Counter[str] = Counter()
    for encoded in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoded.tokens)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    spelling = ["'", *letters, *(f"##{letter}" for letter in letters)]
    frequent = [piece for piece, _ in counts.most_common() if piece not in SPECIAL]
    keep = list(keep)
    if lacking := [piece for piece in keep if piece not in vocabulary]:
        raise ModelError(f"{tokenizer_file}: lacks {len(lacking)} word pieces, among them {lacking[0]!r}")
    wanted = dict.fromkeys(
        [*SPECIAL, *(piece for piece in spelling if piece in vocabulary), *keep, *frequent]
    )
    kept = list(wanted)[:size]
    rows = np.array([vocabulary[piece] for piece in kept], dtype=np.int64)
    return json.dumps(_with_pieces(old, kept), ensure_ascii=False), rows


def _with_pieces(old: dict[str, Any], kept: list[str]) -> dict[str, Any]:
    """Return the tokenizer's description with other pieces, and without padding or truncation of its own."""
    number = {piece: index for index, piece in enumerate(kept)}
    new = {**old, "padding": None, "truncation": None}
    new["model"] = {**old["model"], "vocab": number}
    new["added_tokens"] = [{**one, "id": number[one["content"]]} for one in old["added_tokens"]]
    processor = json.loads(json.dumps(old["post_processor"]))
    for name, special in (processor.get("special_tokens") or {}).items():
        special["ids"] = [number[name]]
    for key in ("sep", "cls"):
        if isinstance(processor.get(key), list):
            processor[key][1] = number[processor[key][0]]
    new["post_processor"] = processor
    return new
