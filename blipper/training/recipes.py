"""Which training belongs to which settings: one door for commands that know both kinds of model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blipper.progress import Progress, silent
from blipper.training import train, train_whisper
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.settings import TrainSettings
from blipper.training.train import TrainResult

Settings = TrainSettings | HeadTrainSettings


def train_by(
    data: str | Path,
    output: str | Path,
    *,
    settings: Settings,
    alarms: bool = True,
    progress: Progress = silent,
) -> TrainResult:
    """Train the kind of model that the settings are of.

    Parameters
    ----------
    data, output : path
    settings : TrainSettings or HeadTrainSettings
    alarms : bool
        Whether a ``whisper-cnn``'s false alarms are counted as well.
    progress : Progress

    Returns
    -------
    TrainResult
    """
    if isinstance(settings, HeadTrainSettings):
        return train_whisper.train_whisper(data, output, settings=settings, alarms=alarms, progress=progress)
    return train.train(data, output, settings=settings, progress=progress)


def is_head(values: Mapping[str, Any]) -> bool:
    """Say whether settings in a ``metrics.json`` are those of a ``whisper-cnn``."""
    network = values.get("network")
    return isinstance(network, Mapping) and "members" in network
