"""Which text models are on this machine, whether they are sound, and which are suggested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blipper.errors import ModelError
from blipper.paths import models_dir
from blipper.words.text_builtin import WEIGHTS, available_text_models, read_checked, read_description
from blipper.words.text_files import digest_of, weights_of
from blipper.words.text_hub import cached_names, find
from blipper.words.text_names import Wanted
from blipper.words.text_suggested import SUGGESTED, suggested


def list_text_models(directory: str | Path | None = None) -> list[dict[str, Any]]:
    """Describe the text models of ours, those that were fetched, and those that are suggested.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.

    Returns
    -------
    list of dict
        As plain JSON values: ``name`` (by which a model is asked for), ``folder`` (None where it is not on
        this machine), ``revision``, ``reads``, ``languages``, ``licence``, and either ``error`` (str), or
        ``sha256``, ``size_bytes`` and ``threshold``, or ``lacks``: what has to be done to have it.
    """
    folder = models_dir() if directory is None else Path(directory)
    rows = [_ours(folder / name) for name in available_text_models(folder)]
    names = dict.fromkeys((*cached_names(), *(one.name for one in SUGGESTED)))
    return rows + [_chosen(name) for name in names]


def _ours(folder: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"name": folder.name, "folder": str(folder), "revision": None, "licence": None}
    try:
        description = read_description(folder)
        files = read_checked(folder, description["files"])
        row |= {
            "reads": ["sentiment", "aggression"],
            "languages": list(description["languages"]),
            "sha256": description["files"][WEIGHTS],
            "size_bytes": sum(map(len, files.values())),
            "threshold": float(description["aggression"]["threshold"]),
        }
    except ModelError as error:
        row["error"] = str(error)
    except (KeyError, TypeError, ValueError) as error:
        row["error"] = f"{folder}: its aggression has no threshold that fits ({error!r})"
    return row


def _chosen(name: str) -> dict[str, Any]:
    known = suggested(name)
    found = find(Wanted(name))
    row: dict[str, Any] = {
        "name": name,
        "folder": None if found is None else str(found.folder),
        "revision": None if found is None else found.revision,
        "licence": None if known is None else known.licence,
        "reads": None if known is None else [known.reads],
        "languages": None if known is None else list(known.languages),
    }
    if found is None:
        size = f"about {known.megabytes:,} MB" if known is not None else "its weights"
        return row | {"lacks": f"'blipper models download {name}' fetches {size}"}
    try:
        files = weights_of(found.folder)
        sizes = sum(path.stat().st_size for path in files)
        return row | {"sha256": digest_of(files), "size_bytes": sizes, "threshold": None}
    except (ModelError, OSError) as error:
        return row | {"error": str(error)}
