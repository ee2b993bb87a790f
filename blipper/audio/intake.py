"""What happens to each decoded block: checked, clipped, mixed, resampled, stored; limits apply meanwhile."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import soxr

from blipper.audio.fullscale import FullScaleCounter
from blipper.audio.limits import Limits, clock
from blipper.audio.mixdown import PhaseMeter
from blipper.audio.store import SampleStore
from blipper.recording import Float32

_ITEM_BYTES: Final = 4


class Intake:
    """Takes blocks at the original rate and yields the samples of a Recording.

    Use it as a context manager, so that a temporary file is let go of whatever happens.

    Parameters
    ----------
    name : str
        The recording's name, for refusals.
    sampling_rate, n_channels : int
        Of the blocks to come.
    target_rate : int
        Sampling rate of the result.
    weights : numpy.ndarray of float32, shape (n_channels,), or None
        How to mix the channels to one; None keeps them apart.
    full_scale : float
        Magnitude at which the codec clips.
    limits : Limits
    """

    def __init__(
        self,
        name: str,
        sampling_rate: int,
        n_channels: int,
        *,
        target_rate: int,
        weights: Float32 | None,
        full_scale: float,
        limits: Limits,
    ) -> None:
        self.n_frames = 0
        self.n_beyond = 0
        self.peak = 0.0
        self.clipping = FullScaleCounter(n_channels, full_scale)
        self.phase = PhaseMeter(n_channels) if n_channels > 1 else None
        self._name = name
        self._sampling_rate = sampling_rate
        self.n_channels = n_channels
        self._weights = weights
        self._limits = limits
        kept = n_channels if weights is None else 1
        # One sample more than the exact number, as resampling rounds up.
        by_time = math.ceil(limits.max_seconds * target_rate) + 1
        self._capacity = min(by_time, limits.max_decoded_bytes // (_ITEM_BYTES * kept))
        self._store = SampleStore(kept, self._capacity, limits.memory_bytes)
        self._resampler = (
            soxr.ResampleStream(sampling_rate, target_rate, kept, dtype="float32", quality="HQ")
            if sampling_rate != target_rate
            else None
        )

    def __enter__(self) -> Intake:
        """Return the intake."""
        return self

    def __exit__(self, *details: object) -> None:
        """Let go of the temporary file; a memory map of it stays valid."""
        self._store.close()

    @property
    def seconds(self) -> float:
        """Length of what has been taken in."""
        return self.n_frames / self._sampling_rate

    def add(self, block: Float32) -> None:
        """Take a block of shape (n_frames, n_channels); the caller may reuse it afterwards.

        Raises
        ------
        AudioError
            If a sample is not a finite number, or a limit is reached.
        """
        if (self.n_frames + len(block)) / self._sampling_rate > self._limits.max_seconds:
            limit = clock(self._limits.max_seconds)
            raise self._limits.refusal(self._name, f"the recording is longer than {limit}; split it")
        with np.errstate(invalid="ignore"):
            low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            self._refuse_not_finite(block)
        peak = max(-low, high)
        self.clipping.add(block, peak)
        if peak > 1:
            self.peak = max(self.peak, peak)
            self.n_beyond += int(np.count_nonzero(np.abs(block) > 1))
            block = np.clip(block, -1, 1)
        if self.phase is not None:
            self.phase.add(block)
        self.n_frames += len(block)
        kept = block if self._weights is None else (block @ self._weights)[:, np.newaxis]
        self._keep(kept if self._resampler is None else self._resampler.resample_chunk(kept))

    def finish(self) -> Float32:
        """Return the samples, shape (n_channels or 1, n_samples)."""
        if self._resampler is not None and self.n_frames:
            kept = self.n_channels if self._weights is None else 1
            self._keep(self._resampler.resample_chunk(np.zeros((0, kept), dtype=np.float32), last=True))
        return self._store.finish()

    def _keep(self, block: Float32) -> None:
        if self._store.n_samples + len(block) > self._capacity:
            size = f"{self._limits.max_decoded_bytes / 2**20:,.0f} MiB"
            advice = "mix its channels or split it" if self._weights is None else "split it"
            raise self._limits.refusal(self._name, f"the decoded samples take more than {size}; {advice}")
        # A filter rings over the edges of a clipped wave by some percent.
        self._store.append(np.clip(block, -1, 1) if self._resampler is not None else block)

    def _refuse_not_finite(self, block: Float32) -> None:
        frame = int(np.argmin(np.isfinite(block).all(axis=1)))
        value = "not a number (NaN)" if np.isnan(block[frame]).any() else "infinite"
        at = clock((self.n_frames + frame) / self._sampling_rate)
        raise self._limits.refusal(self._name, f"a sample at {at} is {value}; samples must be finite numbers")
