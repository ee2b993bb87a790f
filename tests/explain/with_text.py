"""A folder of models with a tiny text model in the built-in one's place."""

from __future__ import annotations

from pathlib import Path

from blipper import models_dir
from tests.words.tiny_text_model import save_built_in


def models_with_text(folder: Path) -> Path:
    """Return a folder with the models that ship and a tiny text model in the built-in one's place."""
    for model in models_dir().iterdir():
        if model.name != "text-small":
            (folder / model.name).symlink_to(model, target_is_directory=True)
    save_built_in(folder / "text-small")
    return folder
