"""Long recordings assembled at run time from the corpora, or without them from the shipped sample.

Nothing of the corpora is kept: files go to a temporary folder. Without the corpora (``BLIPPER_DATA``, or
``../shared`` beside the checkout) the shipped synthetic sample is repeated instead, and the report says so.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BLIPPER_DATA", ROOT.parent / "shared"))
SAMPLE = ROOT / "ui" / "sample" / "scene.ogg"
RATE = 16_000

Samples = NDArray[np.float32]


def talk(seconds: float, seed: int = 0) -> tuple[Samples, str]:
    """Assemble short turns of many speakers: random acted clips, some in close succession, then a pause.

    Returns
    -------
    samples : numpy.ndarray of float32, shape (n,)
        Mono at 16 kHz.
    description : str
        What it is made of.
    """
    rng = np.random.default_rng(seed)
    folders = [DATA / "crema-d" / "AudioWAV", *sorted((DATA / "ravdess").glob("Actor_*"))]
    paths = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())
    if not paths:
        return _sample(seconds)

    def turns() -> Iterator[Samples]:
        while True:
            for _ in range(rng.integers(3, 7)):
                yield _trimmed(_read(paths[rng.integers(len(paths))]))
                yield _room(rng, rng.uniform(0.05, 0.25))
            yield _room(rng, rng.uniform(0.3, 1.5))

    return _fill(turns(), seconds), "short turns: random clips of CREMA-D and RAVDESS, trimmed"


def reading(seconds: float, seed: int = 0) -> tuple[Samples, str]:
    """Assemble speech almost without a pause: the most work that a recording can be.

    Parameters and results are those of :func:`talk`.
    """
    rng = np.random.default_rng(seed)
    paths = sorted((DATA / "speech").glob("*.flac"))
    if not paths:
        return _sample(seconds)
    clips = [_trimmed(_read(path)) for path in paths]

    def sentences() -> Iterator[Samples]:
        while True:
            yield clips[rng.integers(len(clips))]
            yield _room(rng, 0.1)

    return _fill(sentences(), seconds), "reading without a pause: speech/ repeated"


#: Both kinds of recording.
KINDS: dict[str, Callable[[float], tuple[Samples, str]]] = {"reading": reading, "talk": talk}


def write(samples: Samples, path: Path, *, rate: int = RATE, channels: int = 1, **format_: str) -> Path:
    """Write 16 kHz mono samples to a file at another rate and with more (equal) channels, in blocks."""
    resampled = samples if rate == RATE else soxr.resample(samples, RATE, rate)
    with soundfile.SoundFile(path, "w", rate, channels, **format_) as file:
        for first in range(0, len(resampled), 60 * rate):
            block = np.clip(resampled[first : first + 60 * rate], -1, 1)
            file.write(np.repeat(block[:, None], channels, axis=1))
    return path


def write_tiled(samples: Samples, path: Path, seconds: float, **format_: str) -> Path:
    """Repeat samples in a file until it is as long as wanted."""
    left = round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1, **format_) as file:
        while left > 0:
            file.write(samples[:left])
            left -= len(samples)
    return path


def _fill(parts: Iterator[Samples], seconds: float) -> Samples:
    wanted, taken, length = round(seconds * RATE), [], 0
    while length < wanted:
        taken.append(next(parts))
        length += len(taken[-1])
    return np.concatenate(taken)[:wanted]


def _room(rng: np.random.Generator, seconds: float) -> Samples:
    """Return the faint noise of a quiet room."""
    return rng.normal(0, 1e-4, round(seconds * RATE)).astype(np.float32)


def _read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE), dtype=np.float32)


def _trimmed(samples: Samples) -> Samples:
    """Cut off what lies 40 dB below the loudest 20 ms at either end: clips begin and end in silence."""
    frame = RATE // 50
    power = np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)).mean(axis=1)
    loud = np.flatnonzero(power > 1e-4 * power.max(initial=0))
    return samples[loud[0] * frame : (loud[-1] + 1) * frame] if len(loud) else samples


def _sample(seconds: float) -> tuple[Samples, str]:
    sample = _read(SAMPLE)
    description = f"{SAMPLE.relative_to(ROOT)} (synthetic) repeated, as there are no corpora in {DATA}"
    return _fill(itertools.repeat(sample), seconds), description
