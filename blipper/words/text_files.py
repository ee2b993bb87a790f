"""The weights in a classifier's folder: safetensors alone, one file or several."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePath
from typing import Any, Final

from blipper.errors import ModelError

WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"

_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def weights_of(folder: Path) -> list[Path]:
    """Return the files with a folder's weights, in order.

    Raises
    ------
    ModelError
        If there are none, or only pickles, or one of several is missing.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if (folder / INDEX).is_file():
        parts = read_json(folder / INDEX).get("weight_map")
        names = sorted(set(parts.values())) if isinstance(parts, dict) else []
        if not names or not all(isinstance(name, str) and PurePath(name).name == name for name in names):
            raise ModelError(f"{folder / INDEX}: names no files of weights in its folder")
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ModelError(f"{folder}: {', '.join(missing)} is missing, which {INDEX} names")
        return [folder / name for name in names]
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    if pickles:
        raise ModelError(
            f"{folder}: its weights are {', '.join(pickles)}, pickles, which can run code when they are "
            f"opened; they were not. {WEIGHTS} is needed: save the model anew with "
            "save_pretrained(safe_serialization=True) where you trust it, or take another revision"
        )
    raise ModelError(f"{folder}: has no {WEIGHTS}, so it is no model that can be loaded")


def digest_of(files: list[Path]) -> str:
    """Return the SHA-256 of a file, or of the digests of several, in order.

    Raises
    ------
    ModelError
        If one cannot be read.
    """
    digests = []
    for path in files:
        try:
            with path.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    ModelError
        If the file is none.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read ({error})") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: holds a {type(values).__name__}, expected an object")
    return values
