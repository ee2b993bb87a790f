"""What explanations need besides the model: neutral speech of the training speakers, as features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from blipper import audio, speech
from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError
from blipper.explain.background import Background
from blipper.progress import Progress, silent
from blipper.training.splits import make_split
from blipper.voice.models import VoiceModel
from blipper.voice.windows import place_windows

#: The corpus whose licence lets derived data be passed on with its name.
CORPUS: Final = "crema-d"
SOURCE: Final = (
    "CREMA-D (Cao et al. 2014), Open Database License 1.0: log-mel features of neutral clips, one a speaker, "
    "of speakers whom the model learned from"
)
#: Windows in a background, half of each sex.
WINDOWS: Final = 32


def make_background(
    model: VoiceModel, data: Path, *, fold: int = 1, windows: int = WINDOWS, progress: Progress = silent
) -> Background:
    """Gather neutral speech as a model sees it.

    Parameters
    ----------
    model : VoiceModel
    data : path
        The folder with the corpora; CREMA-D alone is used.
    fold : int
        Only this fold's training speakers speak.
    windows : int
        How many, at most one a speaker, as many of each sex as there are.
    progress : Progress
        Told clips, as step ``"background"``.

    Returns
    -------
    Background

    Raises
    ------
    DatasetError
        If there is no neutral clip of a training speaker.
    """
    chosen = neutral_clips(read_corpora(data).clips, fold, windows)
    found, keys = [], []
    for done, clip in enumerate(chosen):
        progress("background", done, len(chosen))
        recording = audio.load(clip.path)
        placed = place_windows(speech.detect_speech(recording), length=3.0)
        if not placed:
            continue
        longest = max(placed, key=lambda window: window.duration)
        inputs = model.inputs_of(recording.channel(), recording.sampling_rate, [longest.start], [longest.end])
        found.append(inputs.frames[0, : inputs.lengths[0]].astype(np.float32))
        keys.append(clip.key)
    if not found:
        raise DatasetError(f"{data}: no neutral speech of fold {fold}'s training speakers in {CORPUS}")
    progress("background", len(chosen), len(chosen))
    return Background(tuple(found), model.config["front_end"], SOURCE, tuple(keys))


def neutral_clips(clips: Sequence[Clip], fold: int, most: int) -> list[Clip]:
    """Choose neutral clips of training speakers: one a speaker, sexes in turn, spread by their keys' hash."""
    split = make_split(fold)
    by_speaker: dict[str, Clip] = {}
    for clip in sorted(clips, key=lambda clip: _hash(clip.key)):
        if clip.corpus == CORPUS and clip.emotion == "neutral" and split.side(clip) == "train":
            by_speaker.setdefault(clip.speaker, clip)
    sexes = [
        sorted((clip for clip in by_speaker.values() if clip.sex == sex), key=lambda clip: _hash(clip.key))
        for sex in ("female", "male")
    ]
    half = min(most // 2, *(len(clips) for clips in sexes))
    return [clip for pair in zip(sexes[0][:half], sexes[1][:half], strict=True) for clip in pair]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
