"""Blipper: finds where recorded speech sounds aggressive, how sure it is, and why.

>>> import blipper
>>> analysis = blipper.analyze("call.wav")            # doctest: +SKIP
>>> [(e.start, e.end, e.peak) for e in analysis.events]  # doctest: +SKIP

The names below are imported when they are first used, so that ``import blipper`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blipper.analysis import analyze
    from blipper.errors import AudioError, BlipperError, DatasetError, ModelError, SettingsError
    from blipper.features import extract_features, feature_names
    from blipper.marking import with_balance, with_min_duration, with_surroundings, with_threshold
    from blipper.paths import models_dir
    from blipper.prediction import predict
    from blipper.results import Analysis, Event, Prediction
    from blipper.settings import Settings
    from blipper.wording import summary_sentence

__version__ = "0.1.0"

_HOME = {
    "analyze": "analysis",
    "with_balance": "marking",
    "with_min_duration": "marking",
    "with_surroundings": "marking",
    "with_threshold": "marking",
    "AudioError": "errors",
    "BlipperError": "errors",
    "DatasetError": "errors",
    "ModelError": "errors",
    "SettingsError": "errors",
    "extract_features": "features",
    "feature_names": "features",
    "models_dir": "paths",
    "predict": "prediction",
    "Analysis": "results",
    "Event": "results",
    "Prediction": "results",
    "Settings": "settings",
    "summary_sentence": "wording",
}

__all__ = [
    "Analysis",
    "AudioError",
    "BlipperError",
    "DatasetError",
    "Event",
    "ModelError",
    "Prediction",
    "Settings",
    "SettingsError",
    "analyze",
    "extract_features",
    "feature_names",
    "models_dir",
    "predict",
    "summary_sentence",
    "with_balance",
    "with_min_duration",
    "with_surroundings",
    "with_threshold",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'blipper' has no attribute {name!r}")
    return getattr(importlib.import_module(f"blipper.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
