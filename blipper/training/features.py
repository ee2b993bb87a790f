"""Log-mel frames of every segment, clean and in several augmented versions, computed once and cached."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """Return the frames of some segments; those of all are computed once, and cached.

    So folds share them: who teaches decides what is read, not what is computed.

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
        key: value
        for key, value in front.to_dict().items()
        if key not in ("levelling", "floor", "scale", "depth")
    }
    described = [segments.fingerprint, kept, version]
    if version:
        described += [seed, repr(settings), [str(p) for p in noises], [str(p) for p in rooms]]
    name = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    file, counted = cache / f"frames-{name}.npy", cache / f"frames-{name}-lengths.npy"
    if not (file.exists() and counted.exists()):
        surroundings = (version, seed, settings, noises, rooms)
        results = _compute_all(segments, front, surroundings, workers, progress)
        lengths = np.concatenate([lengths for _, lengths in results])
        for path, array in ((file, np.concatenate([frames for frames, _ in results])), (counted, lengths)):
            partial = path.with_suffix(".partial.npy")
            np.save(partial, array)
            partial.replace(path)
    computed = np.load(counted).astype(np.int64)
    begin = np.cumsum(computed) - computed
    stored = np.load(file, mmap_mode="r")
    start = np.zeros(len(segments), dtype=np.int64)
    length = np.zeros(len(segments), dtype=np.int64)
    length[chosen] = computed[chosen]
    start[chosen] = np.cumsum(computed[chosen]) - computed[chosen]
    values = np.empty((int(length.sum()), stored.shape[1]), dtype=np.float16)
    for segment in chosen:
        own = stored[begin[segment] : begin[segment] + length[segment]]
        values[start[segment] : start[segment] + length[segment]] = own
    progress("features", len(segments), len(segments))
    return Frames(values, start, length)


def _compute_all(
    segments: Segments, front: FrontEnd, surroundings: Any, workers: int, progress: Progress
) -> list[tuple[Float16, NDArray[np.int64]]]:
    numbers = np.arange(len(segments))
    parts = [numbers[i : i + _CHUNK] for i in range(0, len(numbers), _CHUNK)]
    results: list[tuple[Float16, NDArray[np.int64]]] = [None] * len(parts)  # type: ignore[list-item]

    def job(part: NDArray[np.int64]) -> tuple[Any, ...]:
        return ([segments.read(int(i)) for i in part], part, front, *surroundings)

    if workers == 1:
        for i, part in enumerate(parts):
            progress("features", i * _CHUNK, len(segments))
            results[i] = _compute(*job(part))
        return results
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(_compute, *job(part)): i for i, part in enumerate(parts)}
        for done, future in enumerate(as_completed(futures)):
            progress("features", done * _CHUNK, len(segments))
            results[futures[future]] = future.result()
    return results


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
