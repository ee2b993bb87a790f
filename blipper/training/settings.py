"""Everything that decides a training run's result, in one frozen value."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from blipper.errors import SettingsError
from blipper.training.added import Added
from blipper.training.augment import AugmentSettings
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.splits import N_FOLDS, Split, leave_out, make_split
from blipper.voice.frontend import FrontEnd
from blipper.voice.networks import NetworkSettings

#: Corpora whose licence allows commercial use.
COMMERCIAL: Final = ("crema-d",)
#: Where the teacher is looked for below the data folder, unless a setting names it.
TEACHER = Path("whisper-tiny-en-encoder", "encoder.safetensors")


@dataclass(frozen=True)
class TrainSettings:
    """How a voice model is trained.

    The front end hides a recording's noise floor (frames are cut off at 20 dB below a band's mean, and the
    dynamic range is stretched): corpora differ in it, and where one teaches alone, what lies far above its
    floor was shouted, so a network that sees the floor calls every cleaner recording angry
    (``tools/one_corpus.py`` compares).

    Parameters
    ----------
    name : str
        The model's name.
    fold : int
        Which speakers are held out; see :func:`blipper.training.splits.make_split`.
    hold_out : str, optional
        A corpus to hold out whole, instead of a fold; see :func:`blipper.training.splits.leave_out`.
    seed : int
        Decides initial weights, order, augmentation and cross-fitting.
    epochs : int
        At most; one epoch draws as many windows as there are training clips.
    patience : int
        Epochs without a better validation score before training stops.
    batch : int
        Windows a step.
    learning_rate : float
        Highest; reached after a short warm-up, then lowered along a cosine.
    weight_decay : float
    dropout : float
    label_smoothing : float
    mixup : float
        Parameter of the Beta distribution; 0 turns it off.
    contrast : float
        How much each window's dynamic range is stretched or squeezed: the standard deviation of the factor's
        logarithm; 0 turns it off.
    narrow : float
        Share of the windows that are heard as through a telephone's band.
    versions : int
        Augmented versions of each training clip, beside the clip itself.
    distil : float
        Share of the opinion of the teacher, ``whisper-cnn``, in the target, 0 to 1; 0 trains without one.
    groups : int
        Groups of speakers for the teacher's cross-fitting.
    teacher_epochs : int
        Epochs of each of the teacher's heads before its last layers are trained anew.
    hints : int
        Principal components of the teacher's embedding that the network learns to predict; 0 for none.
    hint_weight : float
    negatives : float
        Share of each batch that is noise or nonverbal sound, which no angry voice is in.
    average : float
        Decay of the running mean of the weights, which is what is evaluated and kept.
    teacher : path, optional
        Whisper's encoder; looked for below the data folder unless given.
    cache : path, optional
        Folder for decoded clips and features; ``.cache/training`` unless given.
    limit : int, optional
        Clips of each corpus on each side; for trials.
    workers, threads : int
        Processes for augmentation, threads for TensorFlow.
    resamples : int
        Bootstrap resamples for the intervals.
    network : NetworkSettings
    front : FrontEnd
    augmentation : AugmentSettings
    commercial : bool
        Whether to learn only from what allows commercial use: the corpora in :data:`COMMERCIAL`, noises in
        :data:`blipper.training.sounds.COMMERCIAL_NOISE`, rooms. Other corpora's test speakers still test.
    added : Added, optional
        Clips beside the corpora: the library's verdicts.
    """

    name: str = "mel-cnn"
    fold: int = 1
    hold_out: str | None = None
    seed: int = 0
    epochs: int = 45
    patience: int = 12
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    label_smoothing: float = 0.05
    mixup: float = 0.3
    contrast: float = 0.2
    narrow: float = 0.2
    versions: int = 5
    distil: float = 0.6
    groups: int = 3
    teacher_epochs: int = 8
    hints: int = 96
    hint_weight: float = 0.5
    negatives: float = 0.06
    average: float = 0.997
    teacher: Path | None = None
    cache: Path | None = None
    limit: int | None = None
    workers: int = 2
    threads: int = 2
    resamples: int = 1000
    network: NetworkSettings = field(default_factory=NetworkSettings)
    front: FrontEnd = field(default_factory=lambda: FrontEnd(floor=20.0, depth=40.0))
    augmentation: AugmentSettings = field(default_factory=AugmentSettings)
    commercial: bool = False
    added: Added | None = None

    def __post_init__(self) -> None:
        """Check the domains."""
        ranges: dict[str, tuple[float, float]] = {
            "fold": (1, N_FOLDS),
            "epochs": (1, 1000),
            "patience": (1, 1000),
            "batch": (2, 1024),
            "learning_rate": (1e-6, 1.0),
            "weight_decay": (0, 1),
            "dropout": (0, 0.9),
            "label_smoothing": (0, 0.5),
            "mixup": (0, 10),
            "contrast": (0, 2),
            "narrow": (0, 1),
            "versions": (0, 100),
            "distil": (0, 1),
            "groups": (2, 50),
            "teacher_epochs": (1, 1000),
            "hints": (0, 1024),
            "hint_weight": (0, 100),
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
        if self.hold_out is not None:
            leave_out(self.hold_out)
        if self.commercial and self.hold_out in COMMERCIAL:
            raise SettingsError(f"corpus {self.hold_out!r} cannot be left out of training for commercial use")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"training setting limit is {self.limit}, expected 1 or more, or none")
        if not self.name or not all(c.isalnum() or c in "-_." for c in self.name) or self.name[0] == ".":
            raise SettingsError(f"model name {self.name!r}: expected letters, digits, '-', '_' and '.'")

    @classmethod
    def smoke(cls, **changes: Any) -> TrainSettings:
        """Return settings that run the whole road in seconds, to see that it works; the model is no good."""
        small: dict[str, Any] = {
            "epochs": 2,
            "batch": 8,
            "versions": 1,
            "limit": 12,
            "distil": 0.0,
            "groups": 2,
            "hints": 0,
            "average": 0.5,
            "workers": 1,
            "resamples": 20,
            "network": NetworkSettings((4, 4, 8), 16, (1, 2), 8, 16),
        }
        return cls(**{**small, **changes})

    def teaching(self) -> HeadTrainSettings:
        """Return how the teacher's heads are trained: as ``whisper-cnn`` is, on the same split."""
        return HeadTrainSettings(
            fold=self.fold,
            hold_out=self.hold_out,
            seed=self.seed,
            epochs=self.teacher_epochs,
            augmentation=self.augmentation,
            versions=0 if self.commercial else 1,  # what is heard with noise is shared with whisper-cnn
            negatives=0.0 if self.commercial else HeadTrainSettings.negatives,
            limit=self.limit,
            threads=self.threads,
            workers=self.workers,
        )

    def split(self) -> Split:
        """Return who is on which side."""
        return make_split(self.fold) if self.hold_out is None else leave_out(self.hold_out)

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the result as plain JSON values; folders and processes are left out."""
        values = asdict(self)
        for name in ("teacher", "cache", "workers"):
            del values[name]
        if self.hold_out is None:
            del values["hold_out"]  # as before there was one: checkpoints go by these values
        values["network"] = self.network.to_dict()
        values["augmentation"]["snr"] = list(self.augmentation.snr)
        if not self.commercial:
            del values["commercial"]  # likewise
        del values["added"]
        if self.added is not None:
            values["added"] = dict(self.added.counts)
        return values
