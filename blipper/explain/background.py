"""Neutral speech as a model sees it: what explanations compare with.

A file of features, never of sound, beside a model's weights. Cells are kept as bytes, half a step of which is
far below what moves a score, so that a few dozen windows weigh some hundred kilobytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.export.files import write_atomically
from blipper.paths import models_dir
from blipper.recording import Float32
from blipper.voice.models import VoiceModel

#: The file's name in a model's folder.
BACKGROUND: Final = "background.safetensors"


@dataclass(frozen=True, eq=False)
class Background:
    """Windows of neutral speech on a model's own input.

    Parameters
    ----------
    windows : tuple of numpy.ndarray of float32, shape (n_frames, n_bands)
        Each as long as its speech.
    front : mapping
        The front end's settings, as in the model's ``config.json``.
    source : str
        Where the speech came from and under which licence.
    clips : tuple of str
        Keys of the clips, one a window.
    typical : tuple of int
        Numbers of the windows that integrated gradients start from; from the mean frame where there is none.
        See :mod:`blipper.explain.baselines`.
    """

    windows: tuple[Float32, ...]
    front: Mapping[str, Any]
    source: str
    clips: tuple[str, ...] = ()
    typical: tuple[int, ...] = ()

    @property
    def frame(self) -> Float32:
        """The mean frame of all windows, shape (n_bands,): the spectrum of neutral speech, at rest."""
        mean: Float32 = np.concatenate(self.windows).mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    def tiled(self, frames: int) -> Float32:
        """Return every window repeated until it fills so many frames, shape (n_windows, frames, n_bands)."""
        rows = [np.resize(window, (frames, window.shape[1])) for window in self.windows]
        return np.stack(rows).astype(np.float32)

    def baselines(self, frames: int) -> Float32:
        """Return what integrated gradients start from, shape (n_starts, frames, n_bands)."""
        if self.typical:
            return self.tiled(frames)[list(self.typical)]
        return np.tile(self.frame, (1, frames, 1))

    def replacements(self, frames: int, most: int = 4) -> Float32:
        """Return what may stand in for parts of a window, shape (n, frames, n_bands).

        The mean frame, or where walks start from windows, some of the others: what an explanation is judged
        by should not be what it was made from.
        """
        if not self.typical:
            return self.baselines(frames)
        others = [number for number in range(len(self.windows)) if number not in self.typical]
        return self.tiled(frames)[(others or list(self.typical))[:most]]


def write_background(background: Background, path: Path) -> None:
    """Write a background; the file is whole or not there.

    Parameters
    ----------
    background : Background
    path : path
    """
    from safetensors.numpy import save

    cells = np.concatenate(background.windows)
    low, high = float(cells.min()), float(cells.max())
    step = max(high - low, 1e-6) / 255
    tensors: dict[str, NDArray[Any]] = {
        "cells": np.round((cells - low) / step).astype(np.uint8),
        "lengths": np.array([len(window) for window in background.windows], dtype=np.int32),
    }
    metadata = {
        "low": repr(low),
        "step": repr(step),
        "front_end": json.dumps(dict(background.front), sort_keys=True),
        "source": background.source,
        "clips": json.dumps(list(background.clips)),
        "typical": json.dumps(list(background.typical)),
    }
    write_atomically(path, save(tensors, metadata))


def read_background(path: Path) -> Background:
    """Read what :func:`write_background` wrote.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or does not fit itself.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError(
            f"{path}: missing, so there is no neutral speech to compare with; "
            "'blipper explain-setup DATA' makes it from the corpora"
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            cells, lengths = file.get_tensor("cells"), file.get_tensor("lengths")
        low, step = float(metadata["low"]), float(metadata["step"])
        front, clips = json.loads(metadata["front_end"]), json.loads(metadata["clips"])
        # Files from before there was a choice start from the mean frame.
        typical = tuple(json.loads(metadata.get("typical", "[]")))
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise ModelError(f"{path}: cannot be read as neutral speech ({error})") from error
    fits = cells.ndim == 2 and lengths.ndim == 1 and len(lengths) and (lengths > 0).all()
    if not fits or int(lengths.sum()) != len(cells) or not np.isfinite([low, step]).all():
        raise ModelError(f"{path}: cells of shape {cells.shape} and lengths {lengths.shape} do not fit")
    if not all(type(number) is int and 0 <= number < len(lengths) for number in typical):
        raise ModelError(f"{path}: starts from windows {typical}, and has {len(lengths)}")
    values = (low + step * cells).astype(np.float32)
    windows = tuple(np.split(values, np.cumsum(lengths)[:-1]))
    return Background(windows, front, metadata.get("source", ""), tuple(clips), typical)


def background_of(model: VoiceModel, directory: str | Path | None = None) -> Background:
    """Return the neutral speech that ships beside a model.

    Parameters
    ----------
    model : VoiceModel
    directory : path, optional
        The models' folder; :func:`blipper.models_dir` unless given.

    Raises
    ------
    ModelError
        If it is missing, damaged, or was made for another front end.
    """
    path = (models_dir() if directory is None else Path(directory)) / model.info.name / BACKGROUND
    found = read_background(path)
    if dict(found.front) != dict(model.config["front_end"]):
        raise ModelError(f"{path}: was made for another front end than that of {model.info.name}")
    return found


def check_shape(background: Background, bands: int, name: str) -> None:
    """Refuse a background with another number of bands than the model's."""
    found = {window.shape[1] for window in background.windows}
    if found != {bands}:
        raise ModelError(f"{name} sees {bands} bands, the neutral speech has {sorted(found)}")
