"""What a model was measured to do at the settings of a result: what it finds, and how often it is wrong.

The figures are those of conversations of known content (:mod:`blipper.training.scenes`), from the model's
``metrics.json``. They say something of a result whose events were marked as those were.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.fusion import EventSettings
from blipper.inventory import METRICS, metrics_of
from blipper.line_notice import is_telephone
from blipper.paths import models_dir
from blipper.results import Analysis
from blipper.settings import Settings

logger = logging.getLogger(__name__)

#: Settings that change scores or events; the conversations were analysed with those that are usual.
_USUAL: Final = ("window", "hop", "step", "smoothing", "surroundings", "release", "rise", "bridge", "speech")

Range = tuple[float, float]


@dataclass(frozen=True)
class Expectation:
    """Figures of conversations acted by speakers whom a model never heard.

    Parameters
    ----------
    model : str
    threshold : float
        In (0, 1], at which it was measured: of those that were, the one next to the result's.
    shortest : float
        Seconds that an event had to last.
    found, found_range : float, (float, float) or None
        Share of the angry stretches, in [0, 1], of which events cover half; and its interval of 95 %.
    alarms, alarms_range : float, (float, float) or None
        Other events, by the hour outside the stretches; and their interval of 95 %.
    seconds : float
        Length of all conversations.
    """

    model: str
    threshold: float
    shortest: float
    found: float
    found_range: Range | None
    alarms: float
    alarms_range: Range | None
    seconds: float

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        shortest = ""
        if self.shortest != EventSettings.min_duration:
            shortest = f", with events of at least {self.shortest:g} s,"
        raised = f"{self.alarms:.0f} false alarms an hour{_told(self.alarms_range, 1)}"
        if not self.alarms:  # draws of nothing are nothing, which is no interval
            raised = "no false alarm"
        return (
            f"At {self.threshold:.2f}{shortest} {self.model} found {100 * self.found:.0f} % of the angry "
            f"stretches{_told(self.found_range, 100)} and raised {raised} in {self.seconds / 3600:.0f} hours "
            "of conversations acted by speakers whom it never heard."
        )


def expectation(analysis: Analysis) -> Expectation | None:
    """Return what was measured of a result's model at its threshold and its shortest event.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    Expectation or None
        None where nothing is known: no conversations were measured with exactly these weights, the sound
        came over a telephone line, words count in the score, or other settings are not the usual ones. Of
        shortest events other than the usual one, those at the model's own threshold alone were measured.
    """
    if is_telephone(analysis.tracks) or any(track.fused is not None for track in analysis.tracks):
        return None
    usual = Settings().to_dict()
    if any(analysis.settings.get(name, "unknown") != usual[name] for name in _USUAL):
        return None
    path = models_dir() / analysis.model.name / METRICS
    if not path.is_file():
        return None  # a model need not have been measured
    scenes = _scenes(path, path.stat().st_mtime_ns, analysis.model.sha256)
    if scenes is None:
        return None
    shortest = float(analysis.settings.get("min_duration", EventSettings.min_duration))
    own, threshold = float(scenes["threshold"]), analysis.threshold
    if shortest != EventSettings.min_duration:
        if abs(threshold - own) > 0.005 or f"{shortest:g}" not in scenes.get("shortest", {}):
            return None
        return _read(analysis.model.name, own, shortest, scenes["shortest"][f"{shortest:g}"], scenes)
    measured = {float(name): entry for name, entry in scenes["thresholds"].items()}
    measured[own] = scenes
    nearest = min(measured, key=lambda value: abs(value - threshold))
    return _read(analysis.model.name, nearest, shortest, measured[nearest], scenes)


def _read(
    model: str, threshold: float, shortest: float, entry: Mapping[str, Any], scenes: Mapping[str, Any]
) -> Expectation:
    found, alarms = entry["recall"], entry["false_alarms_per_hour"]
    return Expectation(
        model=model,
        threshold=threshold,
        shortest=shortest,
        found=float(found["value"]),
        found_range=None if found["interval"] is None else (found["interval"][0], found["interval"][1]),
        alarms=float(alarms["value"]),
        alarms_range=None if alarms["interval"] is None else (alarms["interval"][0], alarms["interval"][1]),
        seconds=float(scenes["seconds"]),
    )


def _told(interval: Range | None, times: float) -> str:
    return "" if interval is None else f" (95 %: {times * interval[0]:.0f} to {times * interval[1]:.0f})"


@functools.lru_cache(maxsize=16)
def _scenes(path: Path, stamp: int, sha256: str) -> Mapping[str, Any] | None:
    """Read what was measured of exactly these weights; None where nothing was."""
    try:
        scenes: Mapping[str, Any] | None = (metrics_of(path, sha256) or {}).get("scenes")
        if scenes is not None:  # each entry once, so that a damaged file is found here
            entries = [scenes, *scenes["thresholds"].values(), *scenes.get("shortest", {}).values()]
            for entry in entries:
                _read("", float(scenes["threshold"]), 1.0, entry, scenes)
    except (OSError, KeyError, TypeError, ValueError) as error:
        # No reason to lose a result; `blipper models` and the Evaluation page say it, too.
        logger.warning("%s: its conversations cannot be read (%r)", path, error)
        return None
    return scenes
