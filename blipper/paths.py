"""Where Blipper's own files are."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def models_dir() -> Path:
    """Return the folder with the voice models, one folder a model.

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
