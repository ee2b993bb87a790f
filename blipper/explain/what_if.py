"""What if the voice were higher, faster, louder, noisier? The sound is changed in steps and scored anew."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.explain.targets import TARGETS, target_index
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Span
from blipper.voice.models import VoiceModel


@dataclass(frozen=True)
class Change:
    """One way to change a sound.

    Parameters
    ----------
    name, label, unit : str
    steps : tuple of float
        Ordered as on an axis.
    unchanged : float or None
        The step that leaves the sound as it is; None where none does.
    note : str
        What the change does besides.
    """

    name: str
    label: str
    unit: str
    steps: tuple[float, ...]
    unchanged: float | None
    note: str


CHANGES: Final = (
    Change(
        "pitch",
        "Pitch",
        "semitones",
        (-4, -3, -2, -1, 0, 1, 2, 3, 4),
        0,
        "The whole voice is moved, its timbre with its pitch, as if on another tape speed but as fast.",
    ),
    Change(
        "speed",
        "Speed",
        "times",
        (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3),
        1.0,
        "Faster or slower at the same pitch.",
    ),
    Change(
        "loudness",
        "Loudness",
        "dB",
        (-18, -12, -6, 0, 6, 12),
        0,
        "The model levels every window, so louder and quieter alone should change nothing; what a loud voice "
        "does to its timbre is still there.",
    ),
    Change("noise", "Noise", "dB above the noise", (30, 25, 20, 15, 10, 5, 0), None, "White noise is added."),
)


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Scores of a sound that was changed in steps.

    Parameters
    ----------
    change : Change
    target : str
    scores : numpy.ndarray, shape (n_steps,)
        Mean score of the windows at each step, in [0, 1].
    original : float
        Mean score of the unchanged sound.
    """

    change: Change
    target: str
    scores: NDArray[np.floating[Any]]
    original: float


def what_if(
    model: VoiceModel,
    samples: Float32,
    sampling_rate: int,
    windows: Sequence[Span],
    *,
    target: str = "aggression",
    changes: Sequence[Change] = CHANGES,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[WhatIf, ...]:
    """Change a sound in steps and score it anew.

    Parameters
    ----------
    model : VoiceModel
    samples : numpy.ndarray of float32, shape (n,)
        Mono.
    sampling_rate : int
        Hz; the model's own.
    windows : sequence of Span
        Seconds from ``samples[0]``. Each is cut out first and changed by itself, so nothing from outside
        reaches it; a faster one becomes shorter.
    target : str
    changes : sequence of Change
    seed : int
        Of the noise.
    progress : Progress
        Told windows and steps, as step ``"what if"``.

    Returns
    -------
    tuple of WhatIf
        One a change.

    Raises
    ------
    SettingsError
        If there is no window or no such target.
    """
    index = target_index(target)
    if not windows:
        raise SettingsError("no window to change: nobody speaks there")
    cut = [samples[round(w.start * sampling_rate) : round(w.end * sampling_rate)] for w in windows]
    original = np.mean([_score(model, sound, sampling_rate, index) for sound in cut])
    total = len(cut) * sum(len(change.steps) for change in changes)
    done = 0
    found = []
    for change in changes:
        scores = np.zeros(len(change.steps))
        for i, step in enumerate(change.steps):
            for sound in cut:
                progress("what if", done, total)
                done += 1
                changed = (
                    sound if step == change.unchanged else altered(sound, sampling_rate, change, step, seed)
                )
                scores[i] += _score(model, changed, sampling_rate, index) / len(cut)
        found.append(WhatIf(change, target, scores, float(original)))
    progress("what if", total, total)
    return tuple(found)


def altered(samples: Float32, sampling_rate: int, change: Change, step: float, seed: int = 0) -> Float32:
    """Change a sound by one step.

    Pitch and speed by Signalsmith's stretcher (through audiomentations, as in training).

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
    sampling_rate : int
    change : Change
    step : float
    seed : int
        Of the noise.

    Returns
    -------
    numpy.ndarray of float32, shape (m,)
        ``m`` differs from ``n`` for speed alone.

    Raises
    ------
    SettingsError
        If there is no such change.
    """
    if change.name == "loudness":
        return np.asarray(samples * np.float32(10 ** (step / 20)), dtype=np.float32)
    if change.name == "noise":
        noise = np.random.default_rng(seed).standard_normal(len(samples)).astype(np.float32)
        power = float(np.mean(samples.astype(np.float64) ** 2))
        return np.asarray(samples + noise * np.float32(np.sqrt(power * 10 ** (-step / 10))), np.float32)
    if change.name not in ("pitch", "speed"):
        raise SettingsError(f"change {change.name!r}: expected pitch, speed, loudness or noise")
    import audiomentations

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own defaults
        transform = (
            audiomentations.PitchShift(step, step, p=1.0)
            if change.name == "pitch"
            else audiomentations.TimeStretch(step, step, leave_length_unchanged=False, p=1.0)
        )
        return np.ascontiguousarray(transform(samples, sampling_rate), dtype=np.float32)


def _score(model: VoiceModel, samples: Float32, sampling_rate: int, index: int) -> float:
    emotions, aggression = model.score_windows(samples, sampling_rate, [0.0], [len(samples) / sampling_rate])
    return float(aggression[0] if TARGETS[index] == "aggression" else emotions[0, index])
