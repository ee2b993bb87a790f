"""Events marked anew from kept results, where nothing has changed that needs the sound or a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from blipper.batch.work import row_values
from blipper.errors import SettingsError
from blipper.settings import Settings
from blipper.words.text_names import kept_transcript, without_folders


def remark(path: Path, model_sha256: str, settings: Settings) -> tuple[str, dict[str, Any]] | None:
    """Mark a kept result's events by other rules, with other surroundings or words weighed otherwise.

    Parameters
    ----------
    path : pathlib.Path
        An analysis as a batch wrote it.
    model_sha256 : str
        What the result must have been scored by.
    settings : Settings
        What this run works with; without a threshold the model's own holds.

    Returns
    -------
    (str, dict) or None
        The new result as JSON, and its values for the manifest; None if there is no such result, or more than
        what counts as an event, surroundings and balance differ, so that the recording has to be analysed.
    """
    from blipper.marking import fuse_again, with_surroundings, with_threshold
    from blipper.results import Analysis

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            return None
        analysis = Analysis.from_dict(document)
        kept = Settings.from_dict(analysis.settings)
    except (OSError, ValueError, SettingsError):  # gone, damaged, or another version's
        return None
    if analysis.model.sha256 != model_sha256 or _rest(kept) != _rest(_travelled(settings)):
        return None
    # From the run's own settings, since a release may have been lowered to fit below the kept threshold.
    asked = replace(analysis, settings=_travelled(settings).to_dict())
    changed = kept.surroundings != settings.surroundings
    asked = with_surroundings(asked, settings.surroundings) if changed else fuse_again(asked)
    marked = with_threshold(asked, settings.events(analysis.model.threshold).onset)
    text = json.dumps(marked.to_dict(), allow_nan=False, separators=(",", ":")) + "\n"
    return text, row_values(marked)


def _travelled(settings: Settings) -> Settings:
    """Return settings as a result keeps them: without folders of this machine.

    Whether the weights in them are the same the manifest knows, which gives out no other results.
    """
    return replace(
        settings,
        transcript=kept_transcript(settings.transcript),
        text_model=without_folders(settings.text_model),
    )


def _rest(settings: Settings) -> Settings:
    """Return the settings that need the model, or the sound, to run again when they change."""
    plain = Settings()
    return replace(
        settings,
        threshold=None,
        release=None,
        rise=plain.rise,
        min_duration=plain.min_duration,
        bridge=plain.bridge,
        balance=plain.balance,
        surroundings=plain.surroundings,
    )
