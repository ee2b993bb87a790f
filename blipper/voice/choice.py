"""Which voice model ``"auto"`` means on this machine, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.errors import ModelError
from blipper.paths import models_dir
from blipper.voice.models import CONFIG, WEIGHTS, available_models, read_config
from blipper.voice.whisper_files import find_encoder, wanted

#: The accurate model, which needs Whisper's weights on the machine, and the one that ships whole.
ACCURATE: Final = "whisper-cnn"
WHOLE: Final = "mel-cnn"

#: The environment variable that says which model ``"auto"`` means, such as one for commercial use.
VARIABLE: Final = "BLIPPER_VOICE_MODEL"


@dataclass(frozen=True)
class Choice:
    """What ``"auto"`` means.

    Parameters
    ----------
    name : str
        The model's.
    why : str
        One sentence for people; empty where there was no choice, since ``whisper-cnn`` is not installed.
    """

    name: str
    why: str


def choose(directory: str | Path | None = None) -> Choice:
    """Choose the best model that can run here.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.

    Returns
    -------
    Choice
        What the environment variable ``BLIPPER_VOICE_MODEL`` names; without it ``whisper-cnn`` where it is
        installed and Whisper's weights are on the machine, else ``mel-cnn``, else the first there is.

    Raises
    ------
    ModelError
        If there is no model at all, or none of the name in ``BLIPPER_VOICE_MODEL``.
    """
    folder = models_dir() if directory is None else Path(directory)
    names = available_models(folder)
    if not names:
        raise ModelError(f"{folder}: no voice model here; a folder with {CONFIG} and {WEIGHTS} is needed")
    if named := _named(names, folder):
        return Choice(named, f"It is the one that the environment variable {VARIABLE} names.")
    if ACCURATE in names:
        if find_encoder() is not None:
            return Choice(
                ACCURATE, "It tells single clips apart better; Whisper's weights are on this machine."
            )
        others = [name for name in names if name != ACCURATE]
        if others:
            name = WHOLE if WHOLE in others else others[0]
            return Choice(name, f"{ACCURATE} tells single clips apart better, but {wanted()}.")
        return Choice(ACCURATE, "The only model that is installed.")
    name = WHOLE if WHOLE in names else names[0]
    return Choice(name, "")


def choose_light(directory: str | Path | None = None) -> str:
    """Name the model that can follow a stream on two cores.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.

    Returns
    -------
    str
        What ``BLIPPER_VOICE_MODEL`` names, else ``mel-cnn``, else the first there is: of those that need no
        encoder. Where all need one, ``mel-cnn``, which is then missing.

    Raises
    ------
    ModelError
        If there is no model of the name in ``BLIPPER_VOICE_MODEL``, or a ``config.json`` is damaged.
    """
    folder = models_dir() if directory is None else Path(directory)
    names = available_models(folder)
    named = _named(names, folder)
    for name in (*([named] if named else []), *([WHOLE] if WHOLE in names else []), *names):
        if "encoder" not in read_config(folder / name / CONFIG):
            return name
    return WHOLE


def allows_commerce(config: Mapping[str, Any]) -> bool:
    """Say whether a model was learned only from what allows commercial use.

    Parameters
    ----------
    config : mapping
        The model's ``config.json``.
    """
    return config.get("commercial") is True


def _named(names: Sequence[str], folder: Path) -> str | None:
    """Return what the environment variable names, having checked it."""
    named = os.environ.get(VARIABLE)
    if named and named not in names:
        known = ", ".join(names) or "none"
        raise ModelError(f"{VARIABLE}={named}: {folder} has no such voice model; available: {known}")
    return named or None


def lacking(config: Mapping[str, Any]) -> str | None:
    """Say what a model needs and this machine has not, or None if nothing.

    Parameters
    ----------
    config : mapping
        The model's ``config.json``.
    """
    return wanted() if "encoder" in config and find_encoder() is None else None
