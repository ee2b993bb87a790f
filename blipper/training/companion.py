"""Trains the companion model of :mod:`blipper.explain.features` on the training speakers, and measures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper import audio, speech
from blipper.datasets import read_corpora
from blipper.errors import DatasetError
from blipper.explain.companion_summary import Summary, summarise
from blipper.explain.features import Companion, measure, select
from blipper.explain.targets import TARGETS
from blipper.progress import Progress, silent
from blipper.training.explaining import spread
from blipper.training.splits import Side
from blipper.voice.labels import EMOTIONS

#: Clips of each side, at most.
CLIPS: Final[dict[Side, int]] = {"test": 500, "validation": 200, "train": 1200}
#: Strengths of regularisation (inverse); the validation speakers choose.
STRENGTHS: Final = (0.003, 0.01, 0.03, 0.1, 0.3)

Float = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Table:
    """Features of clips.

    Parameters
    ----------
    vectors : numpy.ndarray, shape (n, n_measured)
        In the order of :data:`blipper.explain.features.MEASURED`.
    sides, speakers, emotions : sequence of str, length n
        Speakers unlike for all corpora.
    """

    vectors: Float
    sides: Sequence[str]
    speakers: Sequence[str]
    emotions: Sequence[str]


def gather(data: Path, *, fold: int = 1, progress: Progress = silent) -> Table:
    """Compute the features of clips of all sides, from the first to the last moment of speech.

    Raises
    ------
    DatasetError
        If a side has no clip.
    """
    clips = read_corpora(data).clips
    chosen = [(side, clip) for side, most in CLIPS.items() for clip in spread(clips, fold, most, side)]
    rows, sides, speakers, emotions = [], [], [], []
    for done, (side, clip) in enumerate(chosen):
        progress("features", done, len(chosen))
        recording = audio.load(clip.path)
        spans = speech.detect_speech(recording)
        if not spans:
            continue
        samples = recording.read(spans[0].start, spans[-1].end)
        rows.append(measure(samples, recording.sampling_rate))
        sides.append(side)
        speakers.append(f"{clip.corpus}/{clip.speaker}")
        emotions.append(clip.emotion)
    progress("features", len(chosen), len(chosen))
    for side in CLIPS:
        if side not in sides:
            raise DatasetError(f"{data}: fold {fold} has no {side} clip with speech among these corpora")
    return Table(np.array(rows), sides, speakers, emotions)


def fit(table: Table, *, fold: int = 1) -> Companion:
    """Train on the training speakers, choose the regularisation on the validation speakers, test on the rest.

    Each clip's features are taken less the mean over its speaker's clips, which stand for a recording.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss, recall_score, roc_auc_score

    features, speakers = relative(table), np.array(table.speakers)
    side = np.array(table.sides)
    scale = np.maximum(features[side == "train"].std(axis=0), 1e-9)
    scaled = features / scale
    emotions = np.array(table.emotions)
    labels = {target: emotions == ("angry" if target == "aggression" else target) for target in TARGETS}
    train, validation, test = (side == name for name in ("train", "validation", "test"))
    weights, intercepts, strengths = [], [], {}
    for target in TARGETS:
        wanted = labels[target]
        # An emotion that no validation speaker has gets the usual strength.
        tried = STRENGTHS if wanted[validation].any() else STRENGTHS[1:2]
        models = [
            LogisticRegression(C=strength, max_iter=2000).fit(scaled[train], wanted[train])
            for strength in tried
        ]
        losses = [
            log_loss(wanted[validation], model.predict_proba(scaled[validation])[:, 1], labels=[False, True])
            for model in models
        ]
        best = int(np.argmin(losses))
        strengths[target] = tried[best]
        weights.append(models[best].coef_[0])
        intercepts.append(models[best].intercept_[0])
    companion = Companion(scale, np.array(weights), np.array(intercepts), {})
    odds = companion.log_odds(features[test])
    guesses = np.array(EMOTIONS)[odds[:, : len(EMOTIONS)].argmax(axis=1)]
    present = sorted(set(emotions[test]))
    figures = {
        "split": f"test speakers of fold {fold}",
        "clips": int(test.sum()),
        "speakers": len(set(speakers[test])),
        "training_clips": int(train.sum()),
        "training_speakers": len(set(speakers[train])),
        "uar": _figure(recall_score(emotions[test], guesses, labels=present, average="macro")),
        "emotions": len(present),
        "roc_auc": {
            target: _figure(roc_auc_score(labels[target][test], odds[:, k]))
            for k, target in enumerate(TARGETS)
            if 0 < labels[target][test].sum() < test.sum()
        },
        "regularisation": strengths,
    }
    return Companion(scale, np.array(weights), np.array(intercepts), figures)


def relative(table: Table) -> Float:
    """Return the features that the companion hears, less the mean over each speaker's clips."""
    features, speakers = select(table.vectors), np.array(table.speakers)
    for speaker in np.unique(speakers):
        rows = speakers == speaker
        features[rows] -= features[rows].mean(axis=0)
    return features


def summary_of(table: Table, companion: Companion) -> Summary:
    """Say on the test speakers' clips which features each emotion rests on."""
    test = np.array(table.sides) == "test"
    return summarise(companion, relative(table)[test], np.array(table.emotions)[test])


def _figure(value: float) -> float:
    return float(f"{value:.4g}")
