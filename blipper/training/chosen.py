"""Settings that a search chose, in a file that ``blipper tune`` writes and ``blipper train`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from blipper.errors import BlipperError, SettingsError
from blipper.training.recipes import Settings
from blipper.training.splits import N_FOLDS, make_split
from blipper.training.tune_space import AnySettings, changed

#: What belongs to a run and not to a recipe: a file may not set it.
_OF_A_RUN: Final = frozenset(
    [
        *("name", "fold", "hold_out", "seed", "limit", "workers", "threads", "resamples"),
        *("encoder", "teacher", "cache", "added", "front", "augmentation"),
    ]
)


@dataclass(frozen=True)
class Chosen:
    """What a settings file says.

    Parameters
    ----------
    path : path
    changes : mapping
        Plain values, for :func:`blipper.training.tune_space.changed`.
    fold : int, optional
        Whose validation speakers they were chosen on.
    """

    path: Path
    changes: Mapping[str, Any]
    fold: int | None

    def apply(self, settings: AnySettings) -> AnySettings:
        """Return settings with these in place of their own.

        Raises
        ------
        SettingsError
            If a value lies outside its domain.
        """
        try:
            return changed(settings, self.changes)
        except BlipperError as error:
            raise SettingsError(f"{self.path}: {error}") from error

    def met(self, settings: Settings) -> frozenset[tuple[str, str]]:
        """Return test speakers of a run whom the choice of these settings has heard, as (corpus, speaker)."""
        if self.fold is None:
            return frozenset()
        return make_split(self.fold).validation & settings.split().test


def read_settings(path: Path, kind: str, default: Settings) -> Chosen:
    """Read a settings file.

    Parameters
    ----------
    path : path
        JSON: ``model`` (a kind), ``settings``, and ``chosen`` with the ``fold`` that chose them.
    kind : str
        That the settings must be of.
    default : TrainSettings or HeadTrainSettings
        Which names there are, and of which type their values are.

    Raises
    ------
    SettingsError
        If it cannot be read, is of another kind, or names a setting that is none of a recipe.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SettingsError(f"--settings {path}: cannot be read as JSON ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("settings"), dict):
        raise SettingsError(f"--settings {path}: expected an object with 'model' and 'settings'")
    if found.get("model") != kind:
        raise SettingsError(f"--settings {path}: is for {found.get('model')!r}, not for {kind!r}")
    _check(path, found["settings"], default, _recipe(default))
    if "network" in found["settings"]:
        network = default.network
        _check(path, found["settings"]["network"], network, [field.name for field in fields(network)])
    chosen = found.get("chosen")
    fold = chosen.get("fold") if isinstance(chosen, dict) else None
    if fold is not None and (not isinstance(fold, int) or not 1 <= fold <= N_FOLDS):
        raise SettingsError(f"--settings {path}: chosen on fold {fold!r}, expected 1 to {N_FOLDS}")
    return Chosen(path, found["settings"], fold)


def _recipe(settings: Settings) -> list[str]:
    return [field.name for field in fields(settings) if field.name not in _OF_A_RUN]


def _check(path: Path, values: Mapping[str, Any], default: object, known: list[str]) -> None:
    for name, value in values.items():
        if name not in known:
            raise SettingsError(
                f"--settings {path}: no setting {name!r}; expected some of {', '.join(known)}"
            )
        own = getattr(default, name)
        if isinstance(own, bool | str):
            fits, wanted = isinstance(value, type(own)), type(own).__name__
        elif isinstance(own, int | float):
            numbers = int if isinstance(own, int) else int | float
            fits = isinstance(value, numbers) and not isinstance(value, bool)
            wanted = "a whole number" if isinstance(own, int) else "a number"
        elif isinstance(own, tuple):
            fits, wanted = isinstance(value, list), "a list"
        else:
            fits, wanted = isinstance(value, dict), "an object"
        if not fits:
            raise SettingsError(f"--settings {path}: {name} is {value!r}, expected {wanted}")
