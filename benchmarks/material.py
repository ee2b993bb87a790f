"""Long recordings assembled at run time: corpus clips of many speakers with pauses between them.

Nothing of the corpora is kept: files go to a temporary folder. Without the corpora (``BLIPPER_DATA``, or
``../shared`` beside the checkout) the shipped synthetic sample is repeated instead, and the report says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BLIPPER_DATA", ROOT.parent / "shared"))
RATE = 16_000

Samples = NDArray[np.float32]


def conversation(seconds: float, seed: int = 0) -> tuple[Samples, str]:
    """Assemble a mono recording at 16 kHz.

    Returns
    -------
    samples : numpy.ndarray of float32, shape (n,)
    description : str
        What it is made of.
    """
    rng = np.random.default_rng(seed)
    clips, description = _clips(rng)
    parts: list[Samples] = []
    length, wanted = 0, round(seconds * RATE)
    while length < wanted:
        clip = next(clips)
        # Pauses between turns: from none to 2 s over a faint noise, as rooms have it.
        pause = rng.normal(0, 1e-4, round(rng.uniform(0, 2) * RATE)).astype(np.float32)
        parts += [clip, pause]
        length += len(clip) + len(pause)
    return np.concatenate(parts)[:wanted], description


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


def _clips(rng: np.random.Generator) -> tuple[Iterator[Samples], str]:
    folders = [DATA / "crema-d" / "AudioWAV", *sorted((DATA / "ravdess").glob("Actor_*"))]
    paths = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir())
    if not paths:
        sample, name = _shipped_sample()
        return iter(lambda: sample, None), f"{name} (synthetic), repeated"

    def chosen() -> Iterator[Samples]:
        while True:
            samples, rate = soundfile.read(paths[rng.integers(len(paths))], dtype="float32", always_2d=True)
            yield np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE), dtype=np.float32)

    return chosen(), "random clips of CREMA-D and RAVDESS, pauses of 0 to 2 s"


def _shipped_sample() -> tuple[Samples, str]:
    found = sorted(
        path for path in ROOT.glob("**/sample*") if path.suffix in {".wav", ".flac", ".ogg", ".mp3"}
    )
    if not found:
        raise SystemExit(f"neither corpora in {DATA} (set BLIPPER_DATA) nor a shipped sample below {ROOT}")
    samples, rate = soundfile.read(found[0], dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    return np.asarray(mono, dtype=np.float32), str(found[0].relative_to(ROOT))
