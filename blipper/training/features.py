"""Log-mel frames of every segment, clean and in several augmented versions, computed once and cached."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.training.augment import AugmentSettings, Surroundings, augment
from blipper.training.prepare import Segments
from blipper.voice.frontend import FrontEnd, log_mel

Float16 = NDArray[np.float16]

#: Segments computed by one worker in one go.
_CHUNK = 500


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of segments, one after another.

    Parameters
    ----------
    values : numpy.ndarray of float16, shape (n_frames, mels)
        Decibels.
    start, length : numpy.ndarray of int, shape (n_segments,)
        Where each segment lies in `values`; length 0 for a segment that was not computed.
    """

    values: Float16
    start: NDArray[np.int64]
    length: NDArray[np.int64]

    def read(self, segment: int, first: int, length: int) -> Float16:
        """Return `length` frames of a segment from its frame `first` on."""
        begin = self.start[segment] + first
        return self.values[begin : begin + length]


def compute_frames(
    segments: Segments,
    chosen: NDArray[np.int64],
    front: FrontEnd,
    cache: Path,
    *,
    version: int = 0,
    seed: int = 0,
    settings: AugmentSettings | None = None,
    noises: Sequence[Path] = (),
    rooms: Sequence[Path] = (),
    workers: int = 1,
    progress: Progress = silent,
) -> Frames:
    """Compute the frames of some segments, or read them from the cache.

    Parameters
    ----------
    segments : Segments
    chosen : numpy.ndarray of int, shape (n,)
        Which of them.
    front : FrontEnd
    cache : path
    version : int
        0 for the sound as it is; each other number is another augmented version.
    seed : int
        Together with `version` and the segment's number it decides the augmentation.
    settings : AugmentSettings, optional
    noises, rooms : sequence of path
        Surroundings for augmentation.
    workers : int
        Processes.
    progress : Progress
        Told segments, as step ``"features"``.

    Returns
    -------
    Frames
    """
    settings = settings or AugmentSettings()
    # Normalisation comes later and does not change what is cached.
    kept = {
        key: value for key, value in front.to_dict().items() if key not in ("levelling", "floor", "scale")
    }
    described = [segments.digest, chosen.tolist(), kept, version]
    if version:
        described += [seed, repr(settings), [str(p) for p in noises], [str(p) for p in rooms]]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    file = cache / f"frames-{name}.npz"
    if not file.exists():
        parts = [chosen[i : i + _CHUNK] for i in range(0, len(chosen), _CHUNK)]
        jobs = [
            ([segments.read(int(i)) for i in part], part, front, version, seed, settings, noises, rooms)
            for part in parts
        ]
        results: list[tuple[Float16, NDArray[np.int64]]] = [None] * len(jobs)  # type: ignore[list-item]
        if workers == 1:
            for i, job in enumerate(jobs):
                progress("features", i * _CHUNK, len(chosen))
                results[i] = _compute(*job)
        else:
            context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
            with ProcessPoolExecutor(workers, mp_context=context) as pool:
                futures = {pool.submit(_compute, *job): i for i, job in enumerate(jobs)}
                for done, future in enumerate(as_completed(futures)):
                    progress("features", done * _CHUNK, len(chosen))
                    results[futures[future]] = future.result()
        partial = file.with_suffix(".partial.npz")
        values = np.concatenate([frames for frames, _ in results])
        np.savez(partial, values=values, length=np.concatenate([lengths for _, lengths in results]))
        partial.replace(file)
    with np.load(file) as arrays:
        values, computed = arrays["values"], arrays["length"].astype(np.int64)
    start = np.zeros(len(segments), dtype=np.int64)
    length = np.zeros(len(segments), dtype=np.int64)
    start[chosen] = np.cumsum(computed) - computed
    length[chosen] = computed
    progress("features", len(chosen), len(chosen))
    return Frames(values, start, length)


def _compute(
    sounds: Sequence[NDArray[np.float32]],
    numbers: NDArray[np.int64],
    front: FrontEnd,
    version: int,
    seed: int,
    settings: AugmentSettings,
    noises: Sequence[Path],
    rooms: Sequence[Path],
) -> tuple[Float16, NDArray[np.int64]]:
    surroundings = Surroundings.read(noises, rooms) if version else Surroundings()
    found = []
    for sound, number in zip(sounds, numbers, strict=True):
        if version:
            rng = np.random.default_rng((seed, version, int(number)))
            sound = augment(sound, surroundings, settings, rng)
        found.append(log_mel(sound, front).astype(np.float16))
    return np.concatenate(found), np.array([len(frames) for frames in found])
