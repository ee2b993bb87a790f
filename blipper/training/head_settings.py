"""Everything that decides the result of training a ``whisper-cnn``, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from blipper.errors import SettingsError
from blipper.training.added import REPEATED, Added
from blipper.training.augment import AugmentSettings
from blipper.training.splits import N_FOLDS, Split, leave_out, make_split
from blipper.voice.heads import HeadSettings
from blipper.voice.speeds import SPEEDS
from blipper.voice.windows import Margins

#: How clips are drawn: as they come, or small corpora and rare classes more often.
Balance = Literal["none", "root", "full"]


@dataclass(frozen=True)
class Adapting:
    """How the encoder itself is adapted, after the head was trained; see :mod:`blipper.voice.adapters`.

    Parameters
    ----------
    rank : int
        Of the adapters.
    first : int
        The first block that is adapted, from 0: what the blocks below it hear is computed once.
    epochs : int
        In which adapters and head are trained together.
    batch : int
    learning_rate : float
        Highest; lowered along a cosine.
    """

    rank: int = 8
    first: int = 2
    epochs: int = 4
    batch: int = 32
    learning_rate: float = 5e-4

    def __post_init__(self) -> None:
        """Check the domains."""
        ranges: dict[str, tuple[float, float]] = {
            "rank": (1, 384),
            "first": (0, 3),
            "epochs": (1, 1000),
            "batch": (2, 1024),
            "learning_rate": (1e-6, 1.0),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"adapting {name} is {getattr(self, name)}, expected {low} to {high}")


@dataclass(frozen=True)
class HeadTrainSettings:
    """How the head over Whisper's frozen encoder is trained.

    Parameters
    ----------
    name : str
        The model's name.
    fold : int
        Which speakers are held out; see :func:`blipper.training.splits.make_split`.
    hold_out : str, optional
        A corpus to hold out whole, instead of a fold; see :func:`blipper.training.splits.leave_out`.
    seed : int
        Decides initial weights, order and augmentation; member m starts from ``seed + m``.
    epochs : int
        One epoch draws as many clips as there are training clips.
    judge_epochs : int
        Epochs in which the last layers are trained anew afterwards, on what the frozen rest makes of whole
        clips, and perceptrons altogether; 0 for none.
    batch : int
    learning_rate : float
        Highest; lowered along a cosine.
    weight_decay : float
    dropout : float
    label_smoothing : float
    mixup : float
        Parameter of the Beta distribution by which pooled vectors are mixed; 0 turns it off.
    versions : int
        Augmented versions of each training clip through the encoder, beside the clip itself.
    speeds : tuple of float
        Speeds at which each training clip is put through the encoder besides, unaltered otherwise: voices a
        little higher and faster, or lower and slower.
    heard_at : tuple of float
        Speeds at which the model hears each window besides, in use as on validation and test speakers; the
        logits are averaged.
    margins : Margins
        What is heard of the sound around an utterance, in training and in use.
    masking : float
        Share of clips of which a stretch is hidden in each epoch, and as many that are shortened.
    balance : {"none", "root", "full"}
        How much more often clips of small corpora and rare classes are drawn.
    votes : float
        Share of the raters' votes in the targets of CREMA-D, 0 to 1.
    aside : float
        Weight of the further tasks, sex and intensity; 0 leaves them out.
    own_classes : bool
        Whether a clip's loss compares only the emotions that its corpus has.
    negatives : float
        Share of each batch that is noise or nonverbal sound, which no angry voice is in.
    average : float
        Decay of the running mean of the weights, which is what is kept.
    encoder : path, optional
        Whisper's weights; looked for on this machine unless given.
    cache : path, optional
        Folder for decoded clips and encoded frames; ``.cache/training`` unless given.
    limit : int, optional
        Clips of each corpus on each side, for a trial run.
    workers, threads : int
        Processes for augmentation, threads of TensorFlow.
    resamples : int
        Of the bootstrap over speakers.
    network : HeadSettings
    augmentation : AugmentSettings
    added : Added, optional
        Clips beside the corpora: the library's verdicts.
    adapting : Adapting, optional
        How the encoder is adapted to voices; it stays as it is unless given. For one member alone.
    """

    name: str = "whisper-cnn"
    fold: int = 1
    hold_out: str | None = None
    seed: int = 0
    epochs: int = 8
    judge_epochs: int = 30
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.4
    label_smoothing: float = 0.05
    mixup: float = 0.3
    versions: int = 1
    speeds: tuple[float, ...] = ()
    heard_at: tuple[float, ...] = ()
    margins: Margins = field(default_factory=Margins)
    masking: float = 0.25
    balance: Balance = "root"
    votes: float = 0.0
    aside: float = 0.0
    own_classes: bool = False
    negatives: float = 0.05
    average: float = 0.995
    encoder: Path | None = None
    cache: Path | None = None
    limit: int | None = None
    workers: int = 2
    threads: int = 2
    resamples: int = 1000
    network: HeadSettings = field(default_factory=HeadSettings)
    augmentation: AugmentSettings = field(default_factory=AugmentSettings)
    added: Added | None = None
    adapting: Adapting | None = None

    def __post_init__(self) -> None:
        """Check the domains."""
        ranges: dict[str, tuple[float, float]] = {
            "fold": (1, N_FOLDS),
            "epochs": (1, 1000),
            "judge_epochs": (0, 1000),
            "batch": (2, 1024),
            "learning_rate": (1e-6, 1.0),
            "weight_decay": (0, 1),
            "dropout": (0, 0.9),
            "label_smoothing": (0, 0.5),
            "mixup": (0, 10),
            "versions": (0, 100),
            "masking": (0, 0.5),
            "votes": (0, 1),
            "aside": (0, 10),
            "negatives": (0, 0.5),
            "average": (0, 0.9999),
            "workers": (1, 64),
            "threads": (1, 64),
            "resamples": (10, 100_000),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise SettingsError(
                    f"training setting {name} is {getattr(self, name)}, expected {low} to {high}"
                )
        for name in ("speeds", "heard_at"):
            for speed in getattr(self, name):
                if not SPEEDS[0] <= speed <= SPEEDS[1] or speed == 1:
                    raise SettingsError(
                        f"training setting {name} has {speed}, expected {SPEEDS[0]} to {SPEEDS[1]}, but for 1"
                    )
        if self.adapting is not None and self.network.inner:
            raise SettingsError(
                f"training setting inner is {self.network.inner}; adapters go with the blocks' outputs alone"
            )
        if self.adapting is not None and self.heard_at:
            raise SettingsError(
                f"training setting heard_at is {self.heard_at}; adapters go with the sound's own speed alone"
            )
        if self.balance not in ("none", "root", "full"):
            raise SettingsError(f"training setting balance is {self.balance!r}, expected none, root or full")
        if self.hold_out is not None:
            leave_out(self.hold_out)
        count = self.network.members + self.network.perceptrons
        if self.adapting is not None and count > 1:
            raise SettingsError(f"training setting members is {count}; adapters go with one member")
        if self.network.perceptrons and not self.judge_epochs:
            raise SettingsError(
                "training setting judge_epochs is 0; perceptrons learn in them, expected 1 or more"
            )
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"training setting limit is {self.limit}, expected 1 or more, or none")
        if not self.name or not all(c.isalnum() or c in "-_." for c in self.name) or self.name[0] == ".":
            raise SettingsError(f"model name {self.name!r}: expected letters, digits, '-', '_' and '.'")

    @classmethod
    def smoke(cls, **changes: Any) -> HeadTrainSettings:
        """Return settings that run the whole road in seconds, to see that it works; the model is no good."""
        network = HeadSettings(channels=8, dilations=(1,), squeeze=4, embedding=16, members=2, perceptrons=1)
        small: dict[str, Any] = {
            "epochs": 2,
            "judge_epochs": 2,
            "batch": 8,
            "versions": 1,
            "limit": 6,
            "average": 0.5,
        }
        small |= {"workers": 1, "resamples": 20, "network": network}
        return cls(**{**small, **changes})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], **changes: Any) -> HeadTrainSettings:
        """Rebuild from :meth:`to_dict`'s output, with changes.

        Raises
        ------
        SettingsError
            If a setting is unknown, or verdicts of a library took part.
        """
        fields = {"speeds": (), "heard_at": (), **values}  # as before there were any
        if "added" in fields:
            raise SettingsError(REPEATED)
        try:
            network = HeadSettings.from_dict(fields.pop("network"))
            augmentation = dict(fields.pop("augmentation"))
            augmentation["snr"] = tuple(augmentation["snr"])
            fields["speeds"], fields["heard_at"] = tuple(fields["speeds"]), tuple(fields["heard_at"])
            if "margins" in fields:
                fields["margins"] = Margins(**fields["margins"])
            if fields.get("adapting") is not None:
                fields["adapting"] = Adapting(**fields["adapting"])
            built = {**fields, "network": network, "augmentation": AugmentSettings(**augmentation), **changes}
            return cls(**built)
        except (KeyError, TypeError) as error:
            raise SettingsError(
                f"these are not the settings of a whisper-cnn's training ({error})"
            ) from error

    def split(self) -> Split:
        """Return who is on which side."""
        return make_split(self.fold) if self.hold_out is None else leave_out(self.hold_out)

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the result as plain JSON values; folders and processes are left out."""
        values = asdict(self)
        for name in ("encoder", "cache", "workers", "added"):
            del values[name]
        for name in ("speeds", "heard_at"):
            values[name] = list(getattr(self, name))
            if not values[name]:
                del values[name]  # as before there were any: checkpoints go by these values
        if self.margins == Margins():
            del values["margins"]  # likewise
        if self.adapting is None:
            del values["adapting"]  # as before there was one: checkpoints go by these values
        if self.added is not None:
            values["added"] = dict(self.added.counts)
        values["network"] = self.network.to_dict()
        values["augmentation"]["snr"] = list(self.augmentation.snr)
        return values
