"""What a head over Whisper's encoder learns from: clips, sides, targets and encoded frames, in batches."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.heard import Heard, HeardSettings, hear, put_in
from blipper.training.prepare import Segments, prepare
from blipper.training.sounds import negative_files, noise_files, sound_files
from blipper.training.splits import Side, Split, check_split
from blipper.voice.heads import POOL
from blipper.voice.labels import EMOTIONS
from blipper.voice.whisper import STEP

ANGRY: Final = EMOTIONS.index("angry")
#: Seconds of a clip that one example shows; the app's windows are as long.
_SHOWN: Final = 3.0
#: Fewest frames of 80 ms that a shortened example keeps: 13 * 0.08 = 1.04 s.
_FEWEST: Final = 13
#: Letters of CREMA-D's votes.
_VOTES: Final = {"A": "angry", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}


@dataclass(frozen=True, eq=False)
class HeadMaterial:
    """Clips with their sides, what the encoder hears in them, and their targets; one row a clip.

    Parameters
    ----------
    clips : tuple of Clip
    sides : numpy.ndarray of str, shape (n,)
    segments : Segments
    versions : tuple of Heard
        As they are, then augmented, then at other speeds: what is learned from.
    negatives : Heard, or None
        Noises and nonverbal sounds of the training side.
    labels : numpy.ndarray of int, shape (n,)
    targets : numpy.ndarray of float32, shape (n, 8)
        Distributions over the emotions, smoothed, votes mixed in.
    own : numpy.ndarray of float32, shape (n, 8)
        1 for the emotions that the loss compares.
    aside, asked : numpy.ndarray of float32, shape (n, 2)
        Targets of the further tasks (male; intense), and whether the corpus says so.
    weight : numpy.ndarray of float64, shape (n,)
        How often a training clip is drawn.
    deeper : tuple of Heard
        What goes into the blocks that are to be adapted, of the same versions; see
        :func:`blipper.training.heard.put_in`.
    deeper_negatives : Heard, or None
    besides : tuple of Heard
        At the speeds at which the model hears each window beside its own, when it is scored.
    """

    clips: tuple[Clip, ...]
    sides: NDArray[np.str_]
    segments: Segments
    versions: tuple[Heard, ...]
    negatives: Heard | None
    labels: NDArray[np.int64]
    targets: Float32
    own: Float32
    aside: Float32
    asked: Float32
    weight: NDArray[np.float64]
    deeper: tuple[Heard, ...] = ()
    deeper_negatives: Heard | None = None
    besides: tuple[Heard, ...] = ()

    @property
    def hearings(self) -> tuple[Heard, ...]:
        """What the model hears of a clip when it scores it."""
        return (self.versions[0], *self.besides)

    def side(self, side: Side) -> NDArray[np.int64]:
        """Return the rows of one side."""
        return np.flatnonzero(self.sides == side)


@dataclass(frozen=True, eq=False)
class HeadBatch:
    """Inputs and targets of one step; vectors of `other` rows are mixed in, `part` of each row stays."""

    blocks: NDArray[np.float16]
    lengths: NDArray[np.int32]
    targets: Float32
    own: Float32
    aggression: Float32
    speech: Float32
    aside: Float32
    asked: Float32
    other: NDArray[np.int32]
    part: Float32


def read_head_material(
    data: Path, encoder: Path, settings: HeadTrainSettings, cache: Path, *, progress: Progress = silent
) -> HeadMaterial:
    """Read, split, prepare and encode.

    Parameters
    ----------
    data : path
        Folder with the corpora, and optionally ``noise/``, ``nonverbal/`` and ``rir/``.
    encoder : path
        Whisper's weights.
    settings : HeadTrainSettings
    cache : path
    progress : Progress

    Returns
    -------
    HeadMaterial

    Raises
    ------
    DatasetError
        If no corpus is found, a side has no clips, or a speaker or a sound is on two sides.
    ModelError
        If the encoder cannot be read.
    """
    split = settings.split()
    clips = tuple(_limited(read_corpora(data).clips, split, settings.limit))
    sides = [split.side(clip) for clip in clips]
    for side in ("train", "validation", "test"):
        if side not in sides:
            raise DatasetError(f"{data}: fold {split.fold} has no {side} clip among these corpora")
    if settings.added is not None:
        clips = (*clips, *(clip for clip, _ in settings.added.clips))
        sides += [side for _, side in settings.added.clips]
    segments = prepare([clip.path for clip in clips], cache, margins=settings.margins, progress=progress)
    check_split(clips, sides, segments.digest)
    return encode_clips(data, clips, np.array(sides), segments, encoder, settings, cache, progress=progress)


def encode_clips(
    data: Path,
    clips: tuple[Clip, ...],
    sides: NDArray[np.str_],
    segments: Segments,
    encoder: Path,
    settings: HeadTrainSettings,
    cache: Path,
    *,
    progress: Progress = silent,
) -> HeadMaterial:
    """Encode clips that are prepared, and put their targets beside.

    Parameters
    ----------
    data : path
        As for :func:`read_head_material`.
    clips : tuple of Clip
    sides : numpy.ndarray of str, shape (n_clips,)
    segments : Segments
        Of these clips.
    encoder : path
        Whisper's weights.
    settings : HeadTrainSettings
        Its split plays no part here.
    cache : path
    progress : Progress

    Returns
    -------
    HeadMaterial

    Raises
    ------
    ModelError
        If the encoder cannot be read.
    """
    noises = tuple(noise_files(data, "train"))[: settings.limit]
    rooms = tuple(sound_files(data / "rir"))[: settings.limit]
    heard = [
        HeardSettings(version, 0, settings.augmentation, noises, rooms)
        for version in range(settings.versions + 1)
    ]
    heard += [HeardSettings(speed=speed) for speed in settings.speeds]
    how: dict[str, Any] = {"workers": settings.workers, "progress": progress}
    inner = settings.network.inner
    versions, besides = (
        tuple(hear(segments, len(clips), encoder, cache, inner=inner, settings=one, **how) for one in wanted)
        for wanted in (heard, [HeardSettings(speed=speed) for speed in settings.heard_at])
    )
    negatives = _negatives(data, settings, cache, progress)
    deeper: tuple[Heard, ...] = ()
    deeper_negatives = None
    if settings.adapting:
        first = settings.adapting.first
        deeper = tuple(
            put_in(segments, len(clips), encoder, cache, first, settings=one, **how) for one in heard
        )
        if negatives:
            deeper_negatives = put_in(negatives, len(negatives), encoder, cache, first, progress=progress)
    labels = np.array([EMOTIONS.index(clip.emotion) for clip in clips])
    own = _own(clips, settings)
    targets = _targets(clips, labels, own, data, settings)
    intense = {"strong": 1.0, "high": 1.0, "normal": 0.0, "low": 0.0, "medium": 0.5}
    return HeadMaterial(
        clips=clips,
        sides=sides,
        segments=segments,
        versions=versions,
        negatives=(
            hear(negatives, len(negatives), encoder, cache, inner=inner, progress=progress)
            if negatives
            else None
        ),
        labels=labels,
        targets=targets,
        own=own,
        aside=np.array([[c.sex == "male", intense.get(c.intensity, 0.0)] for c in clips], dtype=np.float32),
        asked=np.array(
            [[c.sex in ("female", "male"), c.intensity in intense] for c in clips], dtype=np.float32
        ),
        weight=_weights(clips, labels, sides == "train", settings),
        deeper=deeper,
        deeper_negatives=deeper_negatives,
        besides=besides,
    )


def _limited(clips: Sequence[Clip], split: Split, limit: int | None) -> list[Clip]:
    """Take at most ``settings.limit`` clips of each corpus and side, spread evenly over their keys."""
    if limit is None:
        return list(clips)
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.corpus, split.side(clip)), []).append(clip)
    chosen = []
    for group in groups.values():
        places = np.linspace(0, len(group) - 1, min(limit, len(group))).round().astype(int)
        chosen += [group[i] for i in places]
    return sorted(chosen, key=lambda clip: clip.key)


def _negatives(data: Path, settings: HeadTrainSettings, cache: Path, progress: Progress) -> Segments | None:
    files = negative_files(data, "train")
    if settings.limit is not None:
        files = files[:: max(1, len(files) // settings.limit)]
    if settings.added is not None:
        files += settings.added.calm
    if not files or not settings.negatives:
        return None
    return prepare(files, cache, trim=False, progress=progress)


def _own(clips: Sequence[Clip], settings: HeadTrainSettings) -> Float32:
    own = np.ones((len(clips), len(EMOTIONS)), dtype=np.float32)
    if settings.own_classes:
        corpora = np.array([clip.corpus for clip in clips])
        for corpus in np.unique(corpora):
            there = {clip.emotion for clip in clips if clip.corpus == corpus}
            own[corpora == corpus] = [emotion in there for emotion in EMOTIONS]
    return own


def _targets(
    clips: Sequence[Clip], labels: NDArray[np.int64], own: Float32, data: Path, settings: HeadTrainSettings
) -> Float32:
    targets = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    if settings.votes:
        votes = read_votes(data)
        for row, clip in enumerate(clips):
            heard = votes.get(clip.key) if clip.corpus == "crema-d" else None
            if heard is not None:
                targets[row] = (1 - settings.votes) * targets[row] + settings.votes * heard
    smooth = settings.label_smoothing
    return np.asarray(
        (1 - smooth) * targets + smooth * own / own.sum(axis=1, keepdims=True), dtype=np.float32
    )


def read_votes(data: Path) -> dict[str, Float32]:
    """Read what raters heard in CREMA-D's voices alone.

    Parameters
    ----------
    data : path
        Folder with ``crema-d/voice_votes.csv`` below it.

    Returns
    -------
    dict of str to numpy.ndarray of float32, shape (8,)
        Shares of the votes by a clip's key; clips without a vote are left out.

    Raises
    ------
    DatasetError
        If there is no such file, or it has other columns.
    """
    found = sorted(data.rglob("voice_votes.csv"))
    if not found:
        raise DatasetError(f"{data}: no voice_votes.csv below it; train without: votes=0")
    votes: dict[str, Float32] = {}
    with found[0].open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not {"FileName", *_VOTES} <= set(reader.fieldnames or ()):
            raise DatasetError(
                f"{found[0]}: columns {reader.fieldnames}, expected FileName and {list(_VOTES)}"
            )
        for row in reader:
            counts = np.zeros(len(EMOTIONS), dtype=np.float32)
            for letter, emotion in _VOTES.items():
                counts[EMOTIONS.index(emotion)] = float(row[letter])
            if counts.sum():
                votes[f"crema-d/{row['FileName']}"] = counts / counts.sum()
    return votes


def _weights(
    clips: Sequence[Clip], labels: NDArray[np.int64], train: NDArray[np.bool_], settings: HeadTrainSettings
) -> NDArray[np.float64]:
    weight = train.astype(np.float64)
    power = {"none": 0.0, "root": -0.5, "full": -1.0}[settings.balance]
    corpora = np.array([clip.corpus for clip in clips])
    for corpus in np.unique(corpora[train]):
        inside = train & (corpora == corpus)
        weight[inside] *= inside.sum() ** (power / 2)  # corpora differ by a factor of thirty in size
        for label in np.unique(labels[inside]):
            both = inside & (labels == label)
            weight[both] *= (both.sum() / inside.sum()) ** power
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def steps_an_epoch(material: HeadMaterial, settings: HeadTrainSettings) -> int:
    """Return how many batches an epoch has."""
    return max(1, int((material.sides == "train").sum()) // settings.batch)


def head_batches(
    material: HeadMaterial, settings: HeadTrainSettings, rng: np.random.Generator
) -> Iterator[HeadBatch]:
    """Draw one epoch's batches.

    Parameters
    ----------
    material : HeadMaterial
    settings : HeadTrainSettings
    rng : numpy.random.Generator

    Yields
    ------
    HeadBatch
    """
    n_negative = round(settings.batch * settings.negatives) if material.negatives is not None else 0
    n_speech = settings.batch - n_negative
    for _ in range(steps_an_epoch(material, settings)):
        rows = rng.choice(len(material.clips), n_speech, p=material.weight)
        pieces = [
            shown(material.versions[rng.integers(len(material.versions))].read(int(i)), settings, rng)
            for i in rows
        ]
        if material.negatives is not None:
            pieces += [
                shown(material.negatives.read(int(i)), settings, rng)
                for i in rng.integers(len(material.negatives), size=n_negative)
            ]
        yield make_batch(material, rows, *pad(pieces), settings, rng)


def shown(
    frames: NDArray[np.float16], settings: HeadTrainSettings, rng: np.random.Generator, *, finer: int = 1
) -> NDArray[np.float16]:
    """Cut what one example shows out of a clip: at most 3 s, now and then less or with a gap.

    Parameters
    ----------
    frames : numpy.ndarray of float16, shape (n, ...)
    settings : HeadTrainSettings
    rng : numpy.random.Generator
    finer : int
        How many of the frames last as long as one of the head's, 80 ms.
    """
    n, fewest = len(frames), _FEWEST * finer
    length = min(n, round(_SHOWN / (STEP * POOL)) * finer)
    chance = rng.random()
    if length > fewest and chance < settings.masking:
        length = int(rng.integers(fewest, length + 1))
    first = int(rng.integers(n - length + 1))
    frames = frames[first : first + length]
    if length > fewest and chance > 1 - settings.masking:
        hidden = int(rng.integers(1, length // 3 + 1))
        first = int(rng.integers(length - hidden + 1))
        frames = np.concatenate([frames[:first], frames[first + hidden :]])
    return frames


def make_batch(
    material: HeadMaterial,
    rows: NDArray[np.int64],
    blocks: NDArray[np.float16],
    lengths: NDArray[np.int32],
    settings: HeadTrainSettings,
    rng: np.random.Generator,
) -> HeadBatch:
    """Put inputs and their targets together.

    Parameters
    ----------
    material : HeadMaterial
    rows : numpy.ndarray of int, shape (n_clips,)
        The clips that the first inputs are of; the others are negatives.
    blocks : numpy.ndarray of float16, shape (n, ...)
    lengths : numpy.ndarray of int32, shape (n,)
    settings : HeadTrainSettings
    rng : numpy.random.Generator

    Returns
    -------
    HeadBatch
    """
    n, spoken = len(blocks), len(rows)
    part = np.ones(n, dtype=np.float32)
    if settings.mixup:
        part = rng.beta(settings.mixup, settings.mixup, n).astype(np.float32)
        part = np.maximum(part, 1 - part)

    def extended(values: Float32, fill: float) -> Float32:
        return np.concatenate([values, np.full((n - spoken, *values.shape[1:]), fill, dtype=np.float32)])

    return HeadBatch(
        blocks,
        lengths,
        extended(material.targets[rows], 1 / len(EMOTIONS)),
        extended(material.own[rows], 1.0),
        extended((material.labels[rows] == ANGRY).astype(np.float32), 0.0),
        extended(np.ones(spoken, dtype=np.float32), 0.0),
        extended(material.aside[rows], 0.0),
        extended(material.asked[rows], 0.0),
        rng.permutation(n).astype(np.int32),
        part,
    )


def pad(pieces: Sequence[NDArray[np.float16]]) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """Put pieces of different length into one array, zeros behind; return it and the lengths."""
    lengths = np.array([len(piece) for piece in pieces], dtype=np.int32)
    blocks = np.zeros((len(pieces), int(lengths.max()), *pieces[0].shape[1:]), dtype=np.float16)
    for row, piece in enumerate(pieces):
        blocks[row, : len(piece)] = piece
    return blocks, lengths
