"""What a run learns from and is validated on: clips, sides, targets and frames, put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Span
from blipper.training import encoder, teacher
from blipper.training.data import ANGRY, Examples, sampling_weights
from blipper.training.features import Frames, compute_frames
from blipper.training.head_data import encode_clips
from blipper.training.prepare import SAMPLING_RATE, Segments, prepare
from blipper.training.settings import COMMERCIAL, TEACHER, TrainSettings
from blipper.training.sounds import COMMERCIAL_NOISE, negative_files, noise_files, sound_files
from blipper.training.splits import Side, Split, check_split
from blipper.voice.labels import EMOTIONS
from blipper.voice.windows import place_windows


@dataclass(frozen=True, eq=False)
class Material:
    """Clips with their sides, and what training needs of them.

    Parameters
    ----------
    clips : tuple of Clip
    sides : numpy.ndarray of str, shape (n_clips,)
    segments : Segments
    clean : Frames
        Of training and validation clips.
    examples : Examples
    taught : bool
        Whether a teacher had a say.
    opinions : numpy.ndarray of float32, shape (n_clips, 9), or None
        The teacher's, for reports; see :func:`blipper.training.teacher.opinions`.
    """

    clips: tuple[Clip, ...]
    sides: NDArray[np.str_]
    segments: Segments
    clean: Frames
    examples: Examples
    taught: bool
    opinions: Float32 | None

    def emotions(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return clips' labels as indices into the emotions."""
        return np.array([EMOTIONS.index(self.clips[i].emotion) for i in chosen])

    def windows(self, clip: int, settings: TrainSettings) -> list[Float32]:
        """Cut a clip's frames into the windows that the app would place."""
        front = settings.front
        pieces: list[Float32] = []
        for segment in np.flatnonzero(self.segments.clip == clip):
            spoken = Span(0.0, float(self.segments.length[segment]) / SAMPLING_RATE)
            for window in place_windows((spoken,), length=front.window):
                first = round(window.start * SAMPLING_RATE / front.hop)
                length = front.count(round(window.duration * SAMPLING_RATE))
                length = min(length, front.frames, int(self.clean.length[segment]) - first)
                pieces.append(self.clean.read(int(segment), first, length).astype(np.float32))
        return pieces


def read_material(data: Path, settings: TrainSettings, *, progress: Progress = silent) -> Material:
    """Read, split, prepare and augment.

    Parameters
    ----------
    data : path
        Folder with the corpora, and optionally ``noise/``, ``nonverbal/``, ``rir/`` and the teacher.
    settings : TrainSettings
    progress : Progress

    Returns
    -------
    Material

    Raises
    ------
    DatasetError
        If no corpus is found, a side has no clips, or a speaker or a sound is on two sides.
    ModelError
        If the teacher cannot be read.
    """
    cache = cache_folder(settings)
    split = settings.split()
    known = [clip for clip in read_corpora(data).clips if _taken(clip, split, settings)]
    clips = choose(known, [split.side(clip) for clip in known], settings)
    sides = [split.side(clip) for clip in clips]
    for side in ("train", "validation", "test"):
        if side not in sides:
            raise DatasetError(f"{data}: fold {split.fold} has no {side} clip among these corpora")
    if settings.added is not None:
        clips = (*clips, *(clip for clip, _ in settings.added.clips))
        sides += [side for _, side in settings.added.clips]
    segments = prepare([clip.path for clip in clips], cache, progress=progress)
    check_split(clips, sides, segments.digest)
    side_of = np.array(sides)
    owner = side_of[segments.clip]
    seen = np.flatnonzero(owner != "test")
    clean = compute_frames(segments, seen, settings.front, cache, workers=settings.workers, progress=progress)
    training = np.flatnonzero(owner == "train")
    noises = noise_files(data, "train", commercial=settings.commercial)[: settings.limit]
    rooms = sound_files(data / "rir")[: settings.limit]
    versions = [clean]
    for version in range(1, settings.versions + 1):
        versions.append(
            compute_frames(
                segments,
                training,
                settings.front,
                cache,
                version=version,
                seed=settings.seed,
                settings=settings.augmentation,
                noises=noises,
                rooms=rooms,
                workers=settings.workers,
                progress=progress,
            )
        )
    opinion, hints = _teach(data, clips, side_of, segments, settings, cache, progress)
    examples = _examples(clips, side_of, segments, tuple(versions), opinion, hints, settings)
    examples = _with_negatives(examples, data, noises, settings, cache, progress)
    return Material(clips, side_of, segments, clean, examples, opinion is not None, opinion)


def _taken(clip: Clip, split: Split, settings: TrainSettings) -> bool:
    """Say whether a clip may take part: anybody may test."""
    return not settings.commercial or clip.corpus in COMMERCIAL or split.side(clip) == "test"


def cache_folder(settings: TrainSettings) -> Path:
    """Return where decoded clips, features and checkpoints are kept."""
    folder = settings.cache or Path(".cache", "training")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def choose(clips: Sequence[Clip], sides: Sequence[Side], settings: TrainSettings) -> tuple[Clip, ...]:
    """Take at most ``settings.limit`` clips of each corpus and side, spread by the hash of their keys."""
    if settings.limit is None:
        return tuple(clips)
    taken: dict[tuple[str, Side], int] = {}
    chosen = []
    pairs = sorted(
        zip(clips, sides, strict=True), key=lambda pair: hashlib.sha256(pair[0].key.encode()).digest()
    )
    for clip, side in pairs:
        count = taken.get((clip.corpus, side), 0)
        if count < settings.limit:
            taken[clip.corpus, side] = count + 1
            chosen.append(clip)
    return tuple(sorted(chosen, key=lambda clip: clip.key))


def missing_material(data: Path, *, commercial: bool = False) -> list[str]:
    """Name the corpora and the folders of sounds that a full training uses and `data` does not have.

    Parameters
    ----------
    data : path
    commercial : bool
        Whether only that is used whose licence allows commercial use.

    Returns
    -------
    list of str
        Names as in :data:`blipper.datasets.READERS`, then of ``"noise"``, ``"nonverbal"`` and ``"rir"``.
    """
    missing = read_corpora(data).missing
    folders = {name: data / name for name in ("noise", "nonverbal", "rir")}
    if commercial:
        missing = tuple(corpus for corpus in missing if corpus in COMMERCIAL)
        folders = {"noise": data / COMMERCIAL_NOISE, "rir": folders["rir"]}
    return [*missing, *(name for name, folder in folders.items() if not sound_files(folder))]


def teacher_file(data: Path, settings: TrainSettings) -> Path | None:
    """Return the teacher's weights, or None for a run without one."""
    if settings.distil == 0 and (settings.hints == 0 or settings.hint_weight == 0):
        return None
    return settings.teacher or data / TEACHER


def _teach(
    data: Path,
    clips: Sequence[Clip],
    side: NDArray[np.str_],
    segments: Segments,
    settings: TrainSettings,
    cache: Path,
    progress: Progress,
) -> tuple[Float32 | None, Float32]:
    """Return the teacher's opinions and the principal components of its embeddings, one row a clip."""
    path = teacher_file(data, settings)
    if path is None:
        return None, np.zeros((len(clips), 0), dtype=np.float32)
    train = side == "train"
    opinion = None
    if settings.distil:
        own = settings.teaching()
        material = encode_clips(data, tuple(clips), side, segments, path, own, cache, progress=progress)
        opinion = teacher.opinions(material, own, settings.groups, cache, progress=progress)
    embeddings = encoder.embed(segments, len(clips), path, cache, progress=progress)
    return opinion, teacher.components(embeddings, train, settings.hints)


def _examples(
    clips: Sequence[Clip],
    side: NDArray[np.str_],
    segments: Segments,
    versions: tuple[Frames, ...],
    opinion: Float32 | None,
    hints: Float32,
    settings: TrainSettings,
) -> Examples:
    train = np.flatnonzero(side == "train").tolist()
    labels = np.array([EMOTIONS.index(clips[i].emotion) for i in train])
    emotions = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    emotions = (1 - settings.label_smoothing) * emotions + settings.label_smoothing / len(EMOTIONS)
    aggression = (labels == ANGRY).astype(np.float32)
    if opinion is not None and settings.distil:
        emotions = (1 - settings.distil) * emotions + settings.distil * opinion[train, : len(EMOTIONS)]
        aggression = (1 - settings.distil) * aggression + settings.distil * opinion[train, len(EMOTIONS)]
    by_clip: list[list[int]] = [[] for _ in clips]
    for number, clip in enumerate(segments.clip):
        by_clip[clip].append(number)
    weight = sampling_weights([clips[i].corpus for i in train], [clips[i].emotion for i in train])
    return Examples(
        segments=[np.array(by_clip[i]) for i in train],
        versions=versions,
        emotions=emotions.astype(np.float32),
        aggression=aggression.astype(np.float32),
        hints=hints[train],
        speech=np.ones(len(train), dtype=np.bool_),
        weight=weight,
    )


def _with_negatives(
    examples: Examples,
    data: Path,
    noises: Sequence[Path],
    settings: TrainSettings,
    cache: Path,
    progress: Progress,
) -> Examples:
    """Append noises and nonverbal sounds as examples of what no angry voice is in."""
    files = negative_files(data, "train", commercial=settings.commercial)
    if settings.limit is not None:
        files = files[:: max(1, len(files) // settings.limit)]
    if settings.added is not None:
        files += settings.added.calm
    if not files or not settings.negatives:
        return examples
    sounds = prepare(files, cache, trim=False, progress=progress)
    frames = compute_frames(
        sounds, np.arange(len(sounds)), settings.front, cache, workers=settings.workers, progress=progress
    )
    offset = len(examples.versions[0].length)
    n = len(sounds)

    def joined(version: Frames) -> Frames:
        return Frames(
            np.concatenate([version.values, frames.values]),
            np.concatenate([version.start, frames.start + len(version.values)]),
            np.concatenate([version.length, frames.length]),
        )

    def extended(array: NDArray[Any], fill: float) -> NDArray[Any]:
        return np.concatenate([array, np.full((n, *array.shape[1:]), fill, dtype=array.dtype)])

    return replace(
        examples,
        segments=[*examples.segments, *(np.array([offset + i]) for i in range(n))],
        versions=tuple(joined(version) for version in examples.versions),
        emotions=extended(examples.emotions, 1 / len(EMOTIONS)),
        aggression=extended(examples.aggression, 0.0),
        hints=extended(examples.hints, 0.0),
        speech=extended(examples.speech, False),
        weight=extended(examples.weight, 1.0),
    )
