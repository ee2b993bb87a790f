"""Telephone lines: what is one, the threshold that a model has there, and what it was measured to do.

A model takes neutral voices for angrier than they are where nothing lies above a telephone's band. So the
threshold is chosen once more for such lines, by the same rule, on validation speakers heard through such a
band (:func:`blipper.training.alarms.choose_threshold`), and a recording as narrow as one is told so.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blipper.inventory import METRICS, metrics_of
from blipper.paths import models_dir
from blipper.recording import Notice
from blipper.results import ModelInfo, Track

logger = logging.getLogger(__name__)

#: The conditions in ``metrics.json`` that are compared; of :data:`blipper.training.alarms.CONDITIONS`.
RECORDED: Final = "as recorded"
TELEPHONE: Final = "telephone band"
#: Sampling rate in Hz of a telephone line, up to which a stream counts as one before anything was heard.
LINE_RATE: Final = 8000


def is_telephone(tracks: Sequence[Track]) -> bool:
    """Say whether a channel with speech reaches hardly beyond a telephone's band."""
    return any(track.speech and _is_narrow(track) for track in tracks)


def telephone_notice(
    model: ModelInfo, tracks: Sequence[Track], elsewhere: float | None = None
) -> Notice | None:
    """Say what a model was measured to do through a telephone's band.

    Parameters
    ----------
    model : ModelInfo
        With the threshold that it has on such lines.
    tracks : sequence of Track
    elsewhere : float, optional
        Its threshold on other recordings; the same unless given.

    Returns
    -------
    Notice or None
        None where no channel with speech is narrow-band. With the usual threshold, also where nothing was
        measured of exactly these weights, or the model raises no more false alarms there than otherwise.
    """
    if not is_telephone(tracks):
        return None
    elsewhere = model.threshold if elsewhere is None else elsewhere
    found = _alarms(models_dir() / model.name / METRICS, model.sha256)
    start = "The sound reaches hardly beyond a telephone's band, where"
    if model.threshold > elsewhere:
        text = (
            f"{start} {model.name} hears more anger in voices than there is. So its own threshold here is "
            f"{model.threshold:.2f} instead of {elsewhere:.2f}; both were chosen on validation speakers, "
            "this one through such a band."
        )
        if found is not None and abs(found.threshold - model.threshold) < 5e-5:
            text += (
                f" With it, an hour of test speakers' neutral speech through such a band has "
                f"{found.telephone:.0f} false alarms, and {100 * found.found:.0f} % of their angry clips are "
                "found; a lower threshold finds more of both."
            )
        return Notice("telephone", text, "info")
    if found is None or found.telephone <= found.recorded:
        return None
    return Notice(
        "telephone",
        f"{start} {model.name} raises more false alarms: "
        f"{found.telephone:.0f} in an hour of test speakers' neutral speech through such a band, "
        f"{found.recorded:.0f} in the same speech as recorded (at its own threshold of "
        f"{found.threshold:.2f}). Check what it marks by ear, or set a higher threshold.",
        "info",
    )


def _is_narrow(track: Track) -> bool:
    return any(
        check.name == "bandwidth" and check.verdict in ("fair", "poor") for check in track.quality.checks
    )


@dataclass(frozen=True)
class _Alarms:
    """False alarms an hour of neutral speech; by telephone, share of angry clips found, and threshold."""

    recorded: float
    telephone: float
    found: float
    threshold: float


@functools.lru_cache(maxsize=16)
def _alarms(path: Path, sha256: str) -> _Alarms | None:
    """Read what was measured of exactly these weights; None where nothing was."""
    try:
        metrics = metrics_of(path, sha256)
        if metrics is None or "alarms" not in metrics:
            return None
        speech = metrics["alarms"]["speech"]
        return _Alarms(
            float(speech[RECORDED]["neutral"]["per_hour"]["value"]),
            float(speech[TELEPHONE]["neutral"]["per_hour"]["value"]),
            float(speech[TELEPHONE]["angry"]["share"]["value"]),
            float(speech[TELEPHONE].get("threshold", metrics["alarms"]["threshold"])),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        # No reason to lose an analysis; `blipper models` and the Evaluation page say it, too.
        logger.warning("%s: its false alarms cannot be read (%r)", path, error)
        return None
