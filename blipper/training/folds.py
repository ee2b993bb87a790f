"""Cross-validation and leave-one-corpus-out: the model trained anew without the speakers that test it.

Every fold is a whole training run with the shipped model's own settings and a folder of its own, so it can be
interrupted: a fold that is finished is read, one that was begun goes on from its last whole epoch.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from blipper.errors import DatasetError, SettingsError
from blipper.progress import Progress, silent
from blipper.training.added import REPEATED
from blipper.training.augment import AugmentSettings
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.predictions import Scored, read_predictions
from blipper.training.recipes import Settings, is_head, train_by
from blipper.training.settings import TrainSettings
from blipper.training.splits import FOLDS, N_FOLDS, first_fold, split_of
from blipper.training.train import METRICS, PREDICTIONS
from blipper.voice.frontend import FrontEnd
from blipper.voice.networks import NetworkSettings

#: Predictions of all folds, and of all corpora held out, beside a model's weights.
FOLD_PREDICTIONS: Final = "fold-predictions.csv"
LEFT_OUT_PREDICTIONS: Final = "left-out-predictions.csv"

#: Trains by settings into a folder; replaced in tests.
Trainer = Callable[..., Any]
_train: Final = functools.partial(train_by, alarms=False)


def settings_from(values: Mapping[str, Any], **changes: Any) -> Settings:
    """Rebuild training settings from those in ``metrics.json``.

    Parameters
    ----------
    values : mapping
        As :meth:`blipper.training.settings.TrainSettings.to_dict` gives them.
    **changes
        Settings to change.

    Raises
    ------
    SettingsError
        If there are none, or some that this training does not know.
    """
    if is_head(values):
        return HeadTrainSettings.from_dict(values, **changes)
    fields = {"contrast": 0.0, "narrow": 0.0, **values}  # as before there were any
    if "added" in fields:
        raise SettingsError(REPEATED)
    try:
        network = NetworkSettings.from_dict(fields.pop("network"))
        front = FrontEnd.from_dict(fields.pop("front"))
        augmentation = dict(fields.pop("augmentation"))
        augmentation["snr"] = tuple(augmentation["snr"])
        return TrainSettings(
            **{**fields, **changes},
            network=network,
            front=front,
            augmentation=AugmentSettings(**augmentation),
        )
    except (KeyError, TypeError) as error:
        raise SettingsError(
            f"metrics.json does not hold the settings of `blipper train` ({error}), so its folds cannot be "
            f"trained here; predictions that exist are read from {FOLD_PREDICTIONS}"
        ) from error


def run_fold(
    data: Path,
    fold: int | str,
    settings: Settings,
    *,
    progress: Progress = silent,
    trainer: Trainer = _train,
) -> tuple[Scored, ...]:
    """Train one fold, or take it where it is finished, and return its test clips' scores.

    Parameters
    ----------
    data : path
        Folder with the corpora.
    fold : int or str
        Fold number, or the corpus to leave out.
    settings : TrainSettings or HeadTrainSettings
        Of the shipped model; its fold is replaced.
    progress : Progress
    trainer : callable
        :func:`blipper.training.recipes.train_by`, without a count of false alarms.

    Returns
    -------
    tuple of Scored
        Their ``fold`` names the fold.

    Raises
    ------
    DatasetError
        If the predictions are not of the fold's test speakers.
    """
    own = (
        replace(settings, fold=1, hold_out=fold)
        if isinstance(fold, str)
        else replace(settings, fold=fold, hold_out=None)
    )
    described = json.dumps([own.to_dict(), str(data.resolve())], sort_keys=True)
    identity = hashlib.sha256(described.encode()).hexdigest()[:12]
    folder = (settings.cache or Path(".cache", "training")) / "folds" / f"{settings.name}-{fold}-{identity}"
    if not (folder / METRICS).is_file():  # written last
        trainer(data, folder, settings=own, progress=progress)
    return of_fold(read_predictions(folder / PREDICTIONS), fold)


def of_fold(scored: Sequence[Scored], fold: int | str) -> tuple[Scored, ...]:
    """Name the fold in its scores, after a look at whose they are.

    Raises
    ------
    DatasetError
        If somebody is not held out by that fold.
    """
    held_out = split_of(fold).test
    strangers = sorted({(row.corpus, row.speaker) for row in scored} - held_out)
    if strangers:
        raise DatasetError(f"fold {fold} does not hold out speaker {strangers[0][1]} of {strangers[0][0]}")
    return tuple(replace(row, fold=str(fold)) for row in scored)


def merge(known: Sequence[Scored], found: Sequence[Scored]) -> tuple[Scored, ...]:
    """Put newly scored folds in place of what was known of them; ordered by fold and key."""
    folds = {row.fold for row in found}
    rows = [*(row for row in known if row.fold not in folds), *found]
    return tuple(sorted(rows, key=lambda row: (row.fold, row.key)))


def counted_once(scored: Sequence[Scored]) -> tuple[Scored, ...]:
    """Take each clip from the first fold that holds its speaker out, as TESS's two folds come round thrice.

    Raises
    ------
    DatasetError
        If a clip names no fold, or one that does not hold its speaker out.
    """
    for fold in {row.fold for row in scored}:
        if not fold.isdigit() or not 1 <= int(fold) <= N_FOLDS:
            raise DatasetError(f"fold {fold!r} in {FOLD_PREDICTIONS}: expected 1 to {N_FOLDS}")
        of_fold([row for row in scored if row.fold == fold], int(fold))
    return tuple(row for row in scored if row.fold == str(first_fold(row.corpus, row.speaker)))


def parse_folds(text: str) -> tuple[int, ...]:
    """Read fold numbers: ``"1-6"``, ``"2"``, ``"1,3-4"``.

    Raises
    ------
    SettingsError
        If it is none, or there is no such fold.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise SettingsError(f"folds {text!r}: expected numbers and ranges such as '1-6' or '1,3'")
        found |= set(range(int(first), int(last or first) + 1))
    if not found or min(found) < 1 or max(found) > N_FOLDS:
        raise SettingsError(f"folds {text!r}: expected 1 to {N_FOLDS}")
    return tuple(sorted(found))


def parse_corpora(text: str) -> tuple[str, ...]:
    """Read names of corpora to leave out: ``"all"``, ``"savee"``, ``"ravdess,tess"``.

    Raises
    ------
    SettingsError
        If one is unknown.
    """
    if text == "all":
        return tuple(FOLDS)
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for name in names:
        split_of(name)
    return names
