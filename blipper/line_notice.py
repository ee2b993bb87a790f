"""What is known of a model's false alarms on telephone lines, said where a recording is as narrow as one."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from blipper.inventory import METRICS
from blipper.paths import models_dir
from blipper.recording import Notice
from blipper.results import ModelInfo, Track

logger = logging.getLogger(__name__)

#: The conditions in ``metrics.json`` that are compared; of :data:`blipper.training.alarms.CONDITIONS`.
RECORDED: Final = "as recorded"
TELEPHONE: Final = "telephone band"


def telephone_notice(model: ModelInfo, tracks: Sequence[Track]) -> Notice | None:
    """Say how many more false alarms a model was measured to raise through a telephone's band.

    Parameters
    ----------
    model : ModelInfo
    tracks : sequence of Track

    Returns
    -------
    Notice or None
        None where no channel with speech is narrow-band, where nothing was measured of exactly these weights,
        or where the model raises no more there than otherwise.
    """
    if not any(track.speech and _is_narrow(track) for track in tracks):
        return None
    rates = _alarms_an_hour(models_dir() / model.name / METRICS, model.sha256)
    if rates is None or rates[1] <= rates[0]:
        return None
    recorded, telephone, threshold = rates
    return Notice(
        "telephone",
        f"The sound reaches hardly beyond a telephone's band, where {model.name} raises more false alarms: "
        f"{telephone:.0f} in an hour of test speakers' neutral speech through such a band, "
        f"{recorded:.0f} in the same speech as recorded (at its own threshold of {threshold:.2f}). "
        "Check what it marks by ear, or set a higher threshold.",
        "info",
    )


def _is_narrow(track: Track) -> bool:
    return any(
        check.name == "bandwidth" and check.verdict in ("fair", "poor") for check in track.quality.checks
    )


@functools.lru_cache(maxsize=16)
def _alarms_an_hour(path: Path, sha256: str) -> tuple[float, float, float] | None:
    """Return false alarms an hour of neutral speech as recorded and by telephone, and the threshold."""
    if not path.is_file():
        return None  # a model need not have been measured
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if metrics["model"]["sha256"] != sha256 or "alarms" not in metrics:
            return None
        found = [
            float(metrics["alarms"]["speech"][condition]["neutral"]["per_hour"]["value"])
            for condition in (RECORDED, TELEPHONE)
        ]
        return found[0], found[1], float(metrics["alarms"]["threshold"])
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        # No reason to lose an analysis; `blipper models` and the Evaluation page say it, too.
        logger.warning("%s: its false alarms cannot be read (%r)", path, error)
        return None
