"""What ``blipper tune`` may change, and how a proposal becomes training settings.

A setting of the network is named with its part: ``network.channels``. What the validation score cannot judge
is not searched: augmentation and negatives are there for noise, rooms and coughs, which the corpora's clean
clips do not have, so a search would only ever find that it does better without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from blipper.errors import SettingsError
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.recipes import Settings

AnySettings = TypeVar("AnySettings", bound=Settings)
#: What Optuna proposes: numbers, words and switches.
Value = float | int | str | bool


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`.

    Parameters
    ----------
    name : str
    low, high : float
        Both included.
    log : bool
        Whether factors count rather than differences.
    step : int, optional
        Whole numbers alone, this far apart.
    """

    name: str
    low: float
    high: float
    log: bool = False
    step: int | None = None

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    def holds(self, value: Value) -> bool:
        """Say whether a value can be proposed."""
        if isinstance(value, str) or not self.low <= value <= self.high:
            return False
        return self.step is None or (value - self.low) % self.step == 0

    def suggest(self, trial: Any) -> Value:
        """Ask an Optuna trial for a value."""
        if self.step is not None:
            whole: int = trial.suggest_int(self.name, int(self.low), int(self.high), step=self.step)
            return whole
        number: float = trial.suggest_float(self.name, self.low, self.high, log=self.log)
        return number


@dataclass(frozen=True)
class Choice:
    """One of a few values.

    Parameters
    ----------
    name : str
    options : tuple
        Dilations are written ``"1-2-3"``, since Optuna stores words and numbers but no lists.
    """

    name: str
    options: tuple[Value, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.options))

    def holds(self, value: Value) -> bool:
        """Say whether a value can be proposed."""
        return value in self.options

    def suggest(self, trial: Any) -> Value:
        """Ask an Optuna trial for a value."""
        found: Value = trial.suggest_categorical(self.name, self.options)
        return found


Space = tuple[Range | Choice, ...]

_COMMON: Final[Space] = (
    Range("weight_decay", 1e-3, 1e-1, log=True),
    Range("dropout", 0.1, 0.6),
    Range("label_smoothing", 0.0, 0.15),
    Range("mixup", 0.0, 1.0),
)
#: Of a ``whisper-cnn``.
HEAD: Final[Space] = (
    Range("learning_rate", 3e-4, 3e-3, log=True),
    *_COMMON,
    Range("masking", 0.0, 0.4),
    Range("aside", 0.0, 0.5),
    Choice("batch", (32, 64, 128)),
    Choice("balance", ("none", "root", "full")),
    Choice("own_classes", (False, True)),
    Range("network.channels", 64, 192, step=32),
    Choice("network.dilations", ("1", "1-2", "1-2-3", "1-2-4-8")),
    Range("network.squeeze", 16, 64, step=16),
    Range("network.embedding", 128, 512, step=128),
)
#: Of a ``mel-cnn``; its largest network stays below the 4 MB that it may weigh.
MEL: Final[Space] = (
    Range("learning_rate", 5e-4, 5e-3, log=True),
    *_COMMON,
    Choice("batch", (16, 32, 64)),
    Range("network.width", 96, 192, step=32),
    Choice("network.dilations", ("1-2", "1-2-3", "1-2-3-4")),
    Range("network.squeeze", 16, 64, step=16),
    Range("network.embedding", 96, 224, step=32),
)
#: Of a ``mel-cnn`` that has a teacher, as well.
TAUGHT: Final[Space] = (Range("distil", 0.0, 0.9), Range("hint_weight", 0.05, 2.0, log=True))


def space_of(settings: Settings, only: Sequence[str] = ()) -> Space:
    """Return what is searched for a kind of model.

    Parameters
    ----------
    settings : TrainSettings or HeadTrainSettings
        Decide the kind, and whether there is a teacher.
    only : sequence of str
        Names to keep; all unless given.

    Raises
    ------
    SettingsError
        If a name is unknown.
    """
    if isinstance(settings, HeadTrainSettings):
        space = HEAD
    else:
        space = (*MEL, *(TAUGHT if settings.distil or settings.hints else ()))
    known = [one.name for one in space]
    for name in only:
        if name not in known:
            raise SettingsError(f"{name!r} cannot be tuned: expected some of {', '.join(known)}")
    return tuple(one for one in space if not only or one.name in only)


def values_of(settings: Settings, space: Space) -> dict[str, Value]:
    """Return the settings' own values, as a proposal has them.

    Raises
    ------
    SettingsError
        If one cannot be proposed.
    """
    found: dict[str, Value] = {}
    for one in space:
        value: Any = settings
        for part in one.name.split("."):
            value = getattr(value, part)
        found[one.name] = "-".join(map(str, value)) if isinstance(value, tuple) else value
        if not one.holds(found[one.name]):
            raise SettingsError(f"{one.name} is {found[one.name]}, which is not searched: expected {one}")
    return found


def nested(values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a proposal as the plain values that a settings file holds."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        whole: Any = [int(part) for part in str(value).split("-")] if name.endswith(".dilations") else value
        if name.startswith("network."):
            found.setdefault("network", {})[name.removeprefix("network.")] = whole
        else:
            found[name] = whole
    return found


def changed(settings: AnySettings, changes: Mapping[str, Any]) -> AnySettings:
    """Return settings with the plain values of :func:`nested` in place of their own.

    Raises
    ------
    ModelError, SettingsError
        If a value lies outside its domain.
    """
    rest = {name: value for name, value in changes.items() if name != "network"}
    network = type(settings.network).from_dict({**settings.network.to_dict(), **changes.get("network", {})})
    return replace(settings, **{**rest, "network": network})
