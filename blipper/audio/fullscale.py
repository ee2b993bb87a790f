"""Samples that stand at full scale, where the microphone or the recorder had no room left."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32

#: A 16-bit recorder clips at 32,767 / 32,768 = 0.99997; this leaves room for dither and rounding.
TOLERANCE: Final = 0.9995

#: One sample at full scale is a peak; from two in a row on it is a flat top.
MIN_RUN: Final = 2


class FullScaleCounter:
    """Counts the samples that belong to runs at full scale, block after block, each channel by itself.

    Parameters
    ----------
    n_channels : int
    full_scale : float
        Magnitude at which the codec clips; 1 for all but 8-bit ones.
    """

    def __init__(self, n_channels: int, full_scale: float = 1.0) -> None:
        self.counts: NDArray[np.int64] = np.zeros(n_channels, dtype=np.int64)
        self.n_samples = 0
        self._threshold = np.float32(full_scale * TOLERANCE)
        # Of each channel's last sample: whether it is at full scale, and whether it was counted.
        self._last_high = np.zeros(n_channels, dtype=bool)
        self._last_counted = np.zeros(n_channels, dtype=bool)

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of each channel's samples that are clipped, in [0, 1]."""
        return tuple(float(count) / max(1, self.n_samples) for count in self.counts)

    def add(self, block: Float32, peak: float) -> None:
        """Take a block.

        Parameters
        ----------
        block : numpy.ndarray, shape (n_frames, n_channels)
        peak : float
            The block's largest magnitude, by which nearly all blocks can be passed over.
        """
        self.n_samples += len(block)
        if peak < self._threshold:
            self._last_high[:] = self._last_counted[:] = False
            return
        high = np.abs(block) >= self._threshold
        before = np.vstack((self._last_high, high[:-1]))
        after = np.vstack((high[1:], np.zeros_like(self._last_high)))
        in_run = high & (before | after)
        self.counts += in_run.sum(axis=0)
        # The block before could not know that its last sample's run goes on here.
        self.counts += high[0] & self._last_high & ~self._last_counted
        self._last_high, self._last_counted = high[-1], in_run[-1]
