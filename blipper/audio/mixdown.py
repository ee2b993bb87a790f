"""Mixing channels to one, and noticing when they cancel each other.

Two channels in opposite phase (a miswired cable, a "stereo widener") sound normal on two loudspeakers and
vanish in the sum. The measure is the mix's energy against that of uncorrelated channels: 1 for unrelated
sound, 2 for the same sound on both, 0 for the same sound upside down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32, Notice

Float64 = NDArray[np.float64]

#: A mix this far (6 dB) under what unrelated channels would give is one that cancels.
_CANCELLED: Final = 0.25

#: Mean power below which a block says nothing (-60 dBFS).
_ACTIVE: Final = 1e-6

#: Share of the active blocks that cancel from which something has to be done about it.
_TOO_MANY: Final = 0.2

#: Share of the active blocks that may cancel in the mix with one channel turned over.
_FEW: Final = 0.02


@dataclass(frozen=True)
class Remedy:
    """What to mix instead of the plain mean, and the notice that says so."""

    weights: Float32
    notice: Notice


class PhaseMeter:
    """Adds up energies, block after block.

    Parameters
    ----------
    n_channels : int
        Two or more.
    """

    def __init__(self, n_channels: int) -> None:
        self._n_channels = n_channels
        self._channels: Float64 = np.zeros(n_channels)
        self._ones = np.ones(n_channels, dtype=np.float32)
        self._mix = 0.0
        self._difference = 0.0
        self._n_active = 0
        self._n_cancelled = 0
        self._n_cancelled_flipped = 0

    def add(self, block: Float32) -> None:
        """Take a block of shape (n_frames, n_channels)."""
        # Channels apart in memory: everything over so short an axis takes several times as long.
        apart = np.ascontiguousarray(block.T)
        channels = np.array([np.dot(channel, channel) for channel in apart], dtype=np.float64)
        summed = self._ones @ apart
        mix = float(np.dot(summed, summed)) / self._n_channels**2
        self._channels += channels
        self._mix += mix
        energy = float(channels.sum())
        if self._n_channels == 2:
            difference = apart[0] - apart[1]
            self._difference += float(np.dot(difference, difference))
        if energy <= _ACTIVE * len(block) * self._n_channels:
            return
        unrelated = energy / self._n_channels**2
        self._n_active += 1
        self._n_cancelled += mix < _CANCELLED * unrelated
        # In stereo the mix and the one with a channel turned over share the energy between them.
        self._n_cancelled_flipped += 2 * unrelated - mix < _CANCELLED * unrelated

    @property
    def is_identical(self) -> bool:
        """Whether two channels carry one and the same sound (their difference is 50 dB down)."""
        energy = float(self._channels.sum())
        return self._n_channels == 2 and self._n_active > 0 and self._difference < 1e-5 * energy

    def remedy(self, names: tuple[str, ...]) -> Remedy | None:
        """Return what to mix instead of the plain mean, or None where that is sound.

        Parameters
        ----------
        names : tuple of str
            The channels' names, for the notice.
        """
        energy = float(self._channels.sum())
        unrelated = energy / self._n_channels**2
        cancels = self._mix < _CANCELLED * unrelated or self._n_cancelled > _TOO_MANY * self._n_active
        if self._n_active == 0 or not cancels:
            return None
        mean = energy / self._n_channels
        loss = 10 * math.log10(mean / self._mix) if self._mix > 1e-10 * mean else 100.0
        fault = (
            f"The channels are in opposite phase and cancel each other: mixed as they are, they come out "
            f"{'more than ' if loss >= 99 else ''}{loss:.0f} dB quieter."
        )
        weights = np.zeros(self._n_channels, dtype=np.float32)
        if self._n_channels == 2 and self._n_cancelled_flipped <= _FEW * self._n_active:
            weights[:] = 0.5, -0.5
            done = f"The {names[1]} channel was turned over before mixing."
        else:
            loudest = int(self._channels.argmax())
            weights[loudest] = 1.0
            done = f"Only the louder channel ({names[loudest]}) was analysed."
        return Remedy(weights, Notice("opposite-phase", f"{fault} {done}"))
