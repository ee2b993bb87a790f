"""Integrated loudness after ITU-R BS.1770-4 (EBU R 128), of one channel, block after block.

`pyloudnorm`, which most people use, needs the whole signal at once, several times over as float64; four
hours would take gigabytes. The filter's coefficients at any sampling rate are those of B. De Man, "Evaluation
of implementations of the EBU R128 loudness measurement", AES Convention e-Brief 493, 2018.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32

Float64 = NDArray[np.float64]

#: The gate's blocks are 400 ms long and start every 100 ms.
_STEP_SECONDS: Final = 0.1
_STEPS_PER_BLOCK: Final = 4

#: Blocks below this are silence; LUFS.
_ABSOLUTE_GATE: Final = -70.0

#: Blocks this much below the mean of the others are pauses; LU.
_RELATIVE_GATE: Final = -10.0

#: Makes a 997 Hz sine at 0 dBFS peak read -3.01 LUFS.
_OFFSET: Final = -0.691


def k_weighting(sampling_rate: int) -> Float64:
    """Return the K-weighting filter as second-order sections, shape (2, 6).

    Parameters
    ----------
    sampling_rate : int
        In Hz; above 3.4 kHz.
    """
    # A shelf that lifts the highs as the head does, and a high-pass as the ear's lower end.
    gain, quality, frequency = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = math.tan(math.pi * frequency / sampling_rate)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    scale = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / scale,
        2 * (k * k - high) / scale,
        (high - band * k / quality + k * k) / scale,
        1.0,
        2 * (k * k - 1) / scale,
        (1 - k / quality + k * k) / scale,
    ]
    quality, frequency = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * frequency / sampling_rate)
    scale = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / scale, (1 - k / quality + k * k) / scale]
    return np.array([shelf, high_pass])


class LoudnessMeter:
    """Adds up K-weighted energies in steps of 100 ms.

    Parameters
    ----------
    sampling_rate : int
        In Hz.
    """

    def __init__(self, sampling_rate: int) -> None:
        self._sections = k_weighting(sampling_rate)
        self._state: Float64 = np.zeros((2, 2))
        self._n_step = round(_STEP_SECONDS * sampling_rate)
        self._rest: Float64 = np.zeros(0)
        self._steps: list[Float64] = []

    def add(self, block: Float32) -> None:
        """Take the next samples, shape (n,)."""
        import scipy.signal  # half a second, which `import blipper.analysis` need not pay

        filtered, self._state = scipy.signal.sosfilt(self._sections, block.astype(np.float64), zi=self._state)
        filtered = np.concatenate((self._rest, filtered))
        n_whole = len(filtered) // self._n_step * self._n_step
        steps = filtered[:n_whole].reshape(-1, self._n_step)
        self._steps.append(np.einsum("ij,ij->i", steps, steps) / self._n_step)
        self._rest = filtered[n_whole:]

    def integrated(self) -> float | None:
        """Return the gated loudness in LUFS, or None where all is below -70 LUFS.

        A signal of less than 400 ms counts as one block.
        """
        steps = np.concatenate(self._steps) if self._steps else np.zeros(0)
        if len(steps) >= _STEPS_PER_BLOCK:
            blocks = np.convolve(steps, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), mode="valid")
        else:
            n_samples = len(steps) * self._n_step + len(self._rest)
            energy = float(steps.sum()) * self._n_step + float(np.dot(self._rest, self._rest))
            blocks = np.array([energy / max(1, n_samples)])
        blocks = blocks[blocks > _power(_ABSOLUTE_GATE)]
        if not len(blocks):
            return None
        blocks = blocks[blocks > blocks.mean() * 10 ** (_RELATIVE_GATE / 10)]
        return _OFFSET + 10 * math.log10(float(blocks.mean()))


def _power(loudness: float) -> float:
    return float(10 ** ((loudness - _OFFSET) / 10))
