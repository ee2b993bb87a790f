"""What explanations need besides the model, neutral speech, and how far they can be trusted, measured."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper import audio, speech
from blipper.analysis import windows_over
from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError
from blipper.explain.background import Background, background_of
from blipper.explain.baselines import settle
from blipper.explain.faithfulness import faithfulness
from blipper.explain.faithfulness_clip import Sound
from blipper.progress import Progress, silent
from blipper.training.splits import Side, make_split
from blipper.voice.models import VoiceModel

#: The corpus whose licence lets derived data be passed on with its name.
CORPUS: Final = "crema-d"
SOURCE: Final = (
    "CREMA-D (Cao et al. 2014), Open Database License 1.0: log-mel features of neutral clips, one a speaker, "
    "of speakers whom the model learned from"
)
#: Windows in a background, half of each sex.
WINDOWS: Final = 32
#: Clips on which explanations are measured.
CLIPS: Final = 240


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
        placed = windows_over(speech.detect_speech(recording), recording.duration, model)
        if not placed:
            continue
        longest = max(placed, key=lambda window: window.duration)
        inputs = model.inputs_of(recording.channel(), recording.sampling_rate, [longest.start], [longest.end])
        found.append(inputs.frames[0, : inputs.lengths[0]].astype(np.float32))
        keys.append(clip.key)
    if not found:
        raise DatasetError(f"{data}: no neutral speech of fold {fold}'s training speakers in {CORPUS}")
    progress("background", len(chosen), len(chosen))
    return settle(model, Background(tuple(found), model.config["front_end"], SOURCE, tuple(keys)))


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


def measure_explanations(
    model: VoiceModel,
    data: Path,
    *,
    fold: int = 1,
    clips: int = CLIPS,
    background: Background | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Measure on a fold's test speakers how far a model's explanations can be trusted.

    Parameters
    ----------
    model : VoiceModel
    data : path
        The folder with the corpora.
    fold : int
        Whose test speakers speak: none whom the model learned from.
    clips : int
        How many at most, as many of each emotion as there are.
    background : Background, optional
        The one that ships beside the model unless given.
    cache : path, optional
        Where what was measured of each clip is kept, so that the same call goes on after an interrupt.
    progress : Progress
        Told clips, as steps ``"files"`` and ``"faithfulness"``.

    Returns
    -------
    dict
        What :func:`blipper.explain.faithfulness.faithfulness` returns, with the model and the split.

    Raises
    ------
    DatasetError
        If there is no clip of a test speaker.
    """
    chosen = spread(read_corpora(data).clips, fold, clips)
    sounds = []
    for done, clip in enumerate(chosen):
        progress("files", done, len(chosen))
        recording = audio.load(clip.path)
        spans = speech.detect_speech(recording)
        longest = max(spans, key=lambda span: span.duration, default=None)
        if longest is not None and longest.duration >= 0.4:
            samples = recording.read(longest.start, longest.end)
            sounds.append(Sound(samples, clip.emotion, f"{clip.corpus}/{clip.speaker}"))
    progress("files", len(chosen), len(chosen))
    if not sounds:
        raise DatasetError(f"{data}: no speech of fold {fold}'s test speakers")
    found = faithfulness(
        model,
        sounds,
        background_of(model) if background is None else background,
        keep=None if cache is None else cache / "explanations",
        progress=progress,
    )
    return {
        "model": model.info.name,
        "sha256": model.info.sha256,
        "split": f"test speakers of fold {fold}",
        "clips_of_corpora": dict(sorted(Counter(clip.corpus for clip in chosen).items())),
        **found,
    }


def spread(clips: Sequence[Clip], fold: int, most: int, side: Side = "test") -> list[Clip]:
    """Choose clips of one side's speakers: emotions and corpora in turn, spread by their keys' hash."""
    split = make_split(fold)
    queues: dict[str, dict[str, list[Clip]]] = {}
    for clip in sorted(clips, key=lambda clip: _hash(clip.key)):
        if split.side(clip) == side:
            queues.setdefault(clip.emotion, {}).setdefault(clip.corpus, []).append(clip)
    chosen: list[Clip] = []
    while len(chosen) < most and any(queue for corpora in queues.values() for queue in corpora.values()):
        for emotion in sorted(queues):
            for corpus in sorted(queues[emotion]):
                if queues[emotion][corpus]:
                    chosen.append(queues[emotion][corpus].pop(0))
    return chosen[:most]
