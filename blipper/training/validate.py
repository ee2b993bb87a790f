"""Scores of whole clips from windows' logits, and the figure that decides which epoch is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32
from blipper.results import ModelInfo
from blipper.training import metrics
from blipper.training.corpus import Material
from blipper.training.data import ANGRY
from blipper.training.settings import TrainSettings
from blipper.voice.labels import COMMON_EMOTIONS, EMOTIONS
from blipper.voice.models import Calibration, VoiceModel

#: Columns of the six emotions that all corpora have.
COMMON: Final = tuple(EMOTIONS.index(emotion) for emotion in COMMON_EMOTIONS)


@dataclass(frozen=True, eq=False)
class WindowLogits:
    """Logits of the windows of some clips.

    Parameters
    ----------
    values : numpy.ndarray of float32, shape (n_windows, 9)
    owner : numpy.ndarray of int, shape (n_windows,)
        Row of the clip in `labels`.
    labels : numpy.ndarray of int, shape (n_clips,)
    corpora : numpy.ndarray of str, shape (n_clips,)
    """

    values: Float32
    owner: NDArray[np.int64]
    labels: NDArray[np.int64]
    corpora: NDArray[np.str_]

    def clips(self, calibration: Calibration) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average each clip's windows: emotions (n_clips, 8) and aggression (n_clips,)."""
        emotions, aggression = calibration.apply(self.values)
        count = np.bincount(self.owner, minlength=len(self.labels)).astype(np.float64)
        summed = np.zeros((len(self.labels), len(EMOTIONS)))
        np.add.at(summed, self.owner, emotions)
        angry = np.bincount(self.owner, weights=aggression, minlength=len(self.labels))
        return summed / count[:, np.newaxis], angry / count


def wrap(network: Any, settings: TrainSettings) -> VoiceModel:
    """Make an uncalibrated voice model of a network that is still learning."""
    return VoiceModel(ModelInfo(settings.name, "", 0.5), {}, network, settings.front, Calibration())


def validation_logits(material: Material, settings: TrainSettings) -> Callable[[VoiceModel], WindowLogits]:
    """Return a function that runs a model over the validation speakers' windows."""
    chosen = np.flatnonzero(material.sides == "validation")
    pieces: list[Float32] = []
    owner: list[int] = []
    for row, clip in enumerate(chosen):
        windows = material.windows(int(clip), settings)
        pieces += windows
        owner += [row] * len(windows)
    labels = material.emotions(chosen)
    corpora = np.array([material.clips[i].corpus for i in chosen])

    def run(model: VoiceModel) -> WindowLogits:
        return WindowLogits(model.logits(pieces), np.array(owner), labels, corpora)

    return run


def figures(logits: WindowLogits) -> dict[str, float]:
    """Sum up a network on the validation speakers.

    Returns
    -------
    dict of str to float
        ``score`` is the mean of the accuracy on the six common emotions and of the ROC-AUC of angry against
        the rest, over all corpora together.
    """
    emotions, aggression = logits.clips(Calibration())
    found = {f"uar_{corpus}": _uar(logits, emotions, corpus) for corpus in np.unique(logits.corpora)}
    common = np.isin(logits.labels, COMMON)
    guessed = np.array(COMMON)[emotions[:, COMMON].argmax(axis=1)]
    accuracy = float((guessed == logits.labels)[common].mean()) if common.any() else 0.0
    angry = logits.labels == ANGRY
    auc = metrics.roc_auc(angry, aggression) if 0 < angry.sum() < len(angry) else 0.5
    return {"score": (accuracy + auc) / 2, "accuracy_common": accuracy, "angry_roc_auc": auc, **found}


def _uar(logits: WindowLogits, emotions: NDArray[np.float64], corpus: str) -> float:
    inside = logits.corpora == corpus
    return metrics.uar(logits.labels[inside], metrics.choose(emotions[inside], logits.labels[inside]))
