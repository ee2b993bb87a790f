"""Where Blipper's own files are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).resolve().parent

#: What describes a text model in its folder; a folder in :func:`models_dir` without it is a voice model's.
TEXT_DESCRIPTION: Final = "blipper.json"


def models_dir() -> Path:
    """Return the folder with the models, one folder a model.

    Returns
    -------
    pathlib.Path
        What the environment variable ``BLIPPER_MODELS`` names, else ``models/`` beside the package (a
        checkout), else the copy inside an installed package. It need not exist.
    """
    if chosen := os.environ.get("BLIPPER_MODELS"):
        return Path(chosen)
    checkout = _PACKAGE.parent / "models"
    return checkout if checkout.is_dir() else _PACKAGE / "shipped_models"
