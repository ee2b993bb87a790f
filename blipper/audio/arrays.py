"""From an array of samples to a Recording."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.audio.assembly import TARGET_RATE, Channels, Request
from blipper.audio.limits import Limits
from blipper.audio.mixdown import Remedy
from blipper.audio.reading import BLOCK_FRAMES, check_format
from blipper.audio.source import safe_name
from blipper.recording import Float32, Provenance, Recording


def from_samples(
    samples: ArrayLike,
    sampling_rate: int,
    *,
    name: str = "array",
    channels: Channels = "mix",
    target_rate: int = TARGET_RATE,
    limits: Limits | None = None,
) -> Recording:
    """Make a recording from an array.

    Parameters
    ----------
    samples : array, shape (n_samples,) or (n_channels, n_samples)
        Floats in [-1, 1], or integers, which are scaled by their type's range (unsigned ones are centred).
    sampling_rate : int
        Of `samples` in Hz.
    name : str
        Name for display.
    channels : {"mix", "separate"}
        As for :func:`load`.
    target_rate : int
        Sampling rate of the result in Hz.
    limits : Limits, optional

    Returns
    -------
    Recording
        Its provenance has the SHA-256 of the given array's bytes (C order, little endian).

    Raises
    ------
    AudioError
        If the array is empty or has samples that are not finite, or goes beyond the limits.
    SettingsError
        If `channels` or `target_rate` is outside its domain.
    TypeError, ValueError
        If the array's type or shape is not as described.
    """
    limits = limits or Limits()
    request = Request(channels, target_rate, limits)
    name = safe_name(name, "array")
    array = np.atleast_2d(np.asarray(samples))
    if array.ndim != 2:
        raise ValueError(
            f"samples of shape {np.shape(samples)}, expected (n_samples,) or (n_channels, n_samples)"
        )
    if array.dtype.kind not in "fiu":
        raise TypeError(f"samples are {array.dtype}, expected floats or integers")
    if array.shape[1] == 0:
        raise limits.refusal(name, "the array is empty")
    if array.shape[0] > limits.max_channels >= array.shape[1]:
        raise ValueError(f"samples of shape {array.shape} look transposed, expected (n_channels, n_samples)")
    check_format(sampling_rate, array.shape[0], name, limits)
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    provenance = Provenance(
        name=name,
        sha256=hashlib.sha256(plain.data).hexdigest(),
        size_bytes=plain.nbytes,
        container="array",
        codec=array.dtype.name,
        sampling_rate=int(sampling_rate),
        n_channels=array.shape[0],
        decoder="array",
    )
    remedy: Remedy | None = None
    while True:
        with request.intake(name, sampling_rate, len(array), remedy) as intake:
            for block in _array_blocks(array):
                intake.add(block)
            if remedy is None and (remedy := request.remedy(intake)) is not None:
                continue
            return request.recording(intake, provenance, remedy=remedy)


def _array_blocks(array: NDArray[Any]) -> Iterator[Float32]:
    """Yield blocks of shape (n_frames, n_channels) in [-1, 1]."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    factor = 1.0 if kind == "f" else 2.0 ** (1 - bits)
    for start in range(0, array.shape[1], BLOCK_FRAMES):
        block = array[:, start : start + BLOCK_FRAMES].T
        with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as such
            scaled = block * factor - 1.0 if kind == "u" else block * factor
            yield np.ascontiguousarray(scaled, dtype=np.float32)
