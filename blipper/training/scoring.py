"""Clips scored on the app's own road: its speech detector, its windows, its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from blipper.analysis import windows_over
from blipper.datasets import Clip
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Span
from blipper.speech import detect_speech
from blipper.training.predictions import DIGITS, Scored
from blipper.training.prepare import SAMPLING_RATE, as_recording, read_mono
from blipper.voice.models import Calibration, VoiceModel

#: Probabilities are kept this far from 0 and 1 before their logits are taken.
_EDGE = 1e-7


def score_file(model: VoiceModel, path: Path, *, trim: bool = True) -> tuple[bool, Float32, Float32, float]:
    """Score a sound file on the app's road.

    Parameters
    ----------
    model : VoiceModel
    path : path
    trim : bool
        Whether to look for speech; without, and where there is none, the whole file is heard.

    Returns
    -------
    speech : bool
    emotions : numpy.ndarray, shape (n_windows, 8)
    aggression : numpy.ndarray, shape (n_windows,)
    seconds : float
        Length of what was heard.
    """
    samples = read_mono(path)
    spans = detect_speech(as_recording(samples, path.name)) if trim else ()
    duration = len(samples) / SAMPLING_RATE
    heard = spans or (Span(0.0, duration),)
    windows = windows_over(heard, duration, model)
    emotions, aggression = model.score_windows(
        samples, SAMPLING_RATE, [window.start for window in windows], [window.end for window in windows]
    )
    return bool(spans), emotions, aggression, sum(span.duration for span in heard)


def score_clips(
    model: VoiceModel, clips: Sequence[Clip], *, fold: str = "", progress: Progress = silent
) -> tuple[Scored, ...]:
    """Score clips; see :func:`score_file`.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
    fold : str
        Fold, or corpus held out, that the model's weights belong to.
    progress : Progress
        Told clips, as step ``"evaluate"``.
    """
    found = []
    for i, clip in enumerate(clips):
        progress("evaluate", i, len(clips))
        speech, emotions, aggression, seconds = score_file(model, clip.path)
        found.append(as_scored(clip, speech, emotions, aggression, seconds, model.calibration, fold=fold))
    progress("evaluate", len(clips), len(clips))
    return tuple(found)


def as_scored(
    clip: Clip,
    speech: bool,
    emotions: Float32,
    aggression: Float32,
    seconds: float,
    calibration: Calibration | None,
    *,
    fold: str = "",
) -> Scored:
    """Average a clip's windows.

    Parameters
    ----------
    clip : Clip
    speech : bool
    emotions : numpy.ndarray, shape (n_windows, 8)
    aggression : numpy.ndarray, shape (n_windows,)
    seconds : float
    calibration : Calibration or None
        What turned logits into these probabilities; None notes nothing from before it.
    fold : str

    Returns
    -------
    Scored
    """
    raw: tuple[float, ...] = ()
    if calibration is not None:
        before = uncalibrated(emotions, aggression, calibration)
        raw = (*_means(before[1][:, np.newaxis]), *_means(before[0]))
    return Scored(
        clip.key,
        clip.corpus,
        clip.speaker,
        clip.sex,
        clip.emotion,
        clip.intensity,
        speech,
        _means(aggression[:, np.newaxis])[0],
        _means(emotions),
        fold,
        round(seconds, 3),
        raw,
    )


def uncalibrated(
    emotions: Float32, aggression: Float32, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray]:
    """Take a calibration back: what the network's logits alone would have said.

    Parameters
    ----------
    emotions : numpy.ndarray, shape (n, 8)
    aggression : numpy.ndarray, shape (n,)
    calibration : Calibration

    Returns
    -------
    emotions : numpy.ndarray of float64, shape (n, 8)
    aggression : numpy.ndarray of float64, shape (n,)
    """
    logits = np.log(np.maximum(emotions.astype(np.float64), _EDGE)) * calibration.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    angry = np.clip(aggression.astype(np.float64), _EDGE, 1 - _EDGE)
    logit = (np.log(angry / (1 - angry)) - calibration.intercept) / calibration.slope
    return powers / powers.sum(axis=1, keepdims=True), 1 / (1 + np.exp(-logit))


def _means(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values.mean(axis=0, dtype=np.float64))
