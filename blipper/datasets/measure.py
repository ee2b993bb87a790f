"""From clips to a :class:`blipper.datasets.summary.Summary`: decode each once, count and measure."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from blipper import __version__
from blipper.audio import load
from blipper.datasets.find import read_corpora
from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import (
    COMMAND,
    SCHEMA,
    Bins,
    Cell,
    LeftOut,
    SentenceCount,
    SoundFormat,
    SpeakerCount,
    Spread,
    Summary,
    Terms,
)
from blipper.datasets.table import Clip, Corpora
from blipper.errors import AudioError, DatasetError
from blipper.progress import Progress, silent
from blipper.quality.loudness import LoudnessMeter
from blipper.voice.labels import EMOTIONS

#: Where a spread is sampled.
QUANTILES: Final = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

DURATION_BINS: Final = Bins(0.0, 0.25, 40)
LOUDNESS_BINS: Final = Bins(-70.0, 2.0, 35)

#: More files than any collection of these corpora has; a folder with more was named by mistake.
MAX_FILES: Final = 250_000

#: Files found between two reports.
_REPORT: Final = 500


class Measured(NamedTuple):
    """What one clip's sound gives: seconds, LUFS or None where it is silent, format, and a digest of it."""

    duration: float
    loudness: float | None
    format: str
    digest: bytes


def summarize_folder(folder: str | Path, *, progress: Progress = silent) -> Summary:
    """Find the corpora below a folder, decode every clip and summarise them.

    Parameters
    ----------
    folder : str or path
    progress : Progress
        Told ``("find", files, MAX_FILES)`` and ``("measure", clips, clips in all)``.

    Returns
    -------
    Summary
        Files that cannot be decoded are left out with the reason.

    Raises
    ------
    DatasetError
        If the folder does not exist, cannot be read, holds more than :data:`MAX_FILES` files, or no clip
        of any corpus that can be decoded.
    """
    root = Path(folder)
    if "\0" in str(root):
        raise DatasetError(f"{str(root)!r}: cannot be the path of a folder; it has a null character in it")
    try:
        _check_size(root, progress)
        corpora = read_corpora(root)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error.strerror or error}: {error.filename})") from error
    return summarize(corpora, root, progress=progress)


def summarize(corpora: Corpora, root: Path, *, progress: Progress = silent) -> Summary:
    """Decode every clip of a table and summarise them; see :func:`summarize_folder`.

    Parameters
    ----------
    corpora : Corpora
    root : path
        Left-out files are named relative to it.
    progress : Progress
        Told clips as step ``"measure"``.
    """
    clips: list[Clip] = []
    sounds: list[Measured] = []
    left_out = [
        LeftOut(item.corpus, _relative(item.path, root), item.reason.replace(f"{root}{os.sep}", ""))
        for item in corpora.excluded
    ]
    for number, clip in enumerate(corpora.clips):
        progress("measure", number, len(corpora))
        try:
            sounds.append(measure(clip.path))
        except AudioError as error:
            reason = str(error).replace(f"{root}{os.sep}", "").removeprefix(f"{clip.path.name}: ")
            left_out.append(LeftOut(clip.corpus, _relative(clip.path, root), reason))
        else:
            clips.append(clip)
    progress("measure", len(corpora), len(corpora))
    if not clips:
        raise DatasetError(
            f"{root}: none of its {len(corpora)} clips can be read as sound; the first: {left_out[-1].reason}"
        )
    found = {clip.corpus for clip in clips}
    left_out.sort(key=lambda item: (item.corpus, item.file))
    return Summary(
        schema=SCHEMA,
        made_by=f"{COMMAND} (Blipper {__version__})",
        cells=_cells(clips),
        speakers=tuple(
            SpeakerCount(corpus, speaker, sex, counts)
            for (corpus, speaker, sex), counts in _by_emotion(
                (c.corpus, c.speaker, c.sex, c.emotion) for c in clips
            )
        ),
        sentences=tuple(
            SentenceCount(corpus, sentence, counts)
            for (corpus, sentence), counts in _by_emotion(
                (c.corpus, sentence_code(c), c.emotion) for c in clips
            )
        ),
        duration=_spreads(clips, [sound.duration for sound in sounds], DURATION_BINS),
        duration_bins=DURATION_BINS,
        loudness=_spreads(clips, [sound.loudness for sound in sounds], LOUDNESS_BINS),
        loudness_bins=LOUDNESS_BINS,
        formats=_formats(clips, sounds),
        left_out=tuple(left_out),
        identical=_identical(clips, sounds),
        missing=tuple(name for name in SOURCES if name not in found),
        terms=tuple(
            Terms(s.name, s.licence, s.commercial, s.url, s.reference)
            for s in SOURCES.values()
            if s.name in found
        ),
    )


def measure(path: Path) -> Measured:
    """Decode one clip and measure it.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    recording = load(path)
    meter = LoudnessMeter(recording.sampling_rate)
    digest = hashlib.sha256()
    for _, block in recording.blocks(60.0):
        meter.add(block)
        digest.update(block.tobytes())
    source = recording.provenance
    stored = f"{source.container} {source.codec}, {source.sampling_rate} Hz, {source.n_channels} channel"
    return Measured(
        recording.duration,
        meter.integrated(),
        stored + ("s" if source.n_channels > 1 else ""),
        digest.digest(),
    )


def sentence_code(clip: Clip) -> str:
    """Return a clip's sentence as its file name has it: ``"01"``, ``"DFA"``, ``"back"``, ``"a01"``."""
    stem = clip.key.partition("/")[2]
    if clip.corpus == "ravdess":
        return stem.split("-")[4]
    return clip.sentence if clip.corpus == "savee" else stem.split("_")[1]


def _check_size(root: Path, progress: Progress) -> None:
    """Count files, so that a search that would take hours is refused and any search can be cancelled."""
    count = 0
    progress("find", 0, MAX_FILES)
    seen: set[str] = set()
    for place, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # links are followed as list_files follows them, but in no circle
            folders.clear()
            continue
        seen.add(real)
        before, count = count, count + len(files)
        if count // _REPORT > before // _REPORT:
            progress("find", min(count, MAX_FILES), MAX_FILES)
        if count > MAX_FILES:
            raise DatasetError(
                f"{root}: more than {MAX_FILES:,} files; name the folder that the corpora lie in, not one "
                "far above it"
            )


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _cells(clips: Iterable[Clip]) -> tuple[Cell, ...]:
    counts = Counter((c.corpus, EMOTIONS.index(c.emotion), c.sex, c.intensity) for c in clips)
    return tuple(
        Cell(corpus, EMOTIONS[emotion], sex, intensity, n)
        for (corpus, emotion, sex, intensity), n in sorted(counts.items())
    )


def _by_emotion(keys: Iterable[tuple[str, ...]]) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Count keys whose last part is an emotion; return the rest of each with its counts by emotion."""
    counts: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * len(EMOTIONS))
    for *what, emotion in keys:
        counts[tuple(what)][EMOTIONS.index(emotion)] += 1
    return [(what, tuple(counts[what])) for what in sorted(counts)]


def _spreads(clips: list[Clip], values: Iterable[float | None], bins: Bins) -> tuple[Spread, ...]:
    groups: dict[tuple[str, int], list[float | None]] = defaultdict(list)
    for clip, value in zip(clips, values, strict=True):
        groups[clip.corpus, -1].append(value)
        groups[clip.corpus, EMOTIONS.index(clip.emotion)].append(value)
    return tuple(
        _spread(corpus, EMOTIONS[emotion] if emotion >= 0 else "", groups[corpus, emotion], bins)
        for corpus, emotion in sorted(groups)
    )


def _spread(corpus: str, emotion: str, values: list[float | None], bins: Bins) -> Spread:
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    quantiles = np.quantile(known, QUANTILES).round(3).tolist() if len(known) else ()
    mean = round(float(known.mean()), 5) if len(known) else None
    histogram: tuple[int, ...] = ()
    if not emotion:
        places = np.clip(np.floor((known - bins.start) / bins.step), 0, bins.count - 1).astype(int)
        histogram = tuple(np.bincount(places, minlength=bins.count).tolist())
    return Spread(corpus, emotion, len(known), len(values) - len(known), tuple(quantiles), mean, histogram)


def _formats(clips: list[Clip], sounds: list[Measured]) -> tuple[SoundFormat, ...]:
    pairs = zip(clips, sounds, strict=True)
    counts: Mapping[tuple[str, str], int] = Counter((clip.corpus, sound.format) for clip, sound in pairs)
    return tuple(SoundFormat(*what, counts[what]) for what in sorted(counts))


def _identical(clips: list[Clip], sounds: list[Measured]) -> tuple[tuple[str, ...], ...]:
    by_digest: dict[bytes, list[str]] = defaultdict(list)
    for clip, sound in zip(clips, sounds, strict=True):
        by_digest[sound.digest].append(clip.key)
    return tuple(sorted(tuple(sorted(keys)) for keys in by_digest.values() if len(keys) > 1))
