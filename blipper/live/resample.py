"""Resampling of a stream that waits for a few milliseconds only.

soxr, which the offline road uses, works in blocks: at 8 kHz it keeps up to 115 ms back, at 48 kHz 37 ms. The
same kind of filter, applied as samples come, keeps back half its length.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32

#: As of soxr's "HQ": what lies below this share of the lower Nyquist frequency passes.
_PASS: Final = 0.913
#: Attenuation of what lies above that frequency, in dB.
_STOP: Final = 110.0
#: Ratios of larger whole numbers would need too long a filter.
_LARGEST: Final = 640


class Resampler(Protocol):
    """What the live analyser needs; ``soxr.ResampleStream`` has it as well."""

    def resample_chunk(self, x: Float32, last: bool = False) -> Float32:
        """Take samples, return those that they settle."""


class PolyphaseStream:
    """A polyphase filter with a Kaiser window over one channel (Crochiere & Rabiner 1983, chapter 4).

    Parameters
    ----------
    rate, target : int
        Hz. In lowest terms neither may be above 640.

    Raises
    ------
    ValueError
        If one is.
    """

    def __init__(self, rate: int, target: int) -> None:
        from scipy.signal import firwin, kaiser_beta, kaiserord

        common = math.gcd(rate, target)
        self._up, self._down = target // common, rate // common
        slower = max(self._up, self._down)
        if slower > _LARGEST:
            raise ValueError(f"{rate} to {target} Hz is {self._up}:{self._down}, expected 640 at most")
        n_taps, _ = kaiserord(_STOP, (1 - _PASS) / slower)
        # A whole number of output samples, so that the filter's middle falls on one.
        half = -(-n_taps // (2 * self._down)) * self._down
        window = ("kaiser", kaiser_beta(_STOP))
        self._taps = self._up * firwin(2 * half + 1, (1 + _PASS) / 2 / slower, window=window)
        self._half: int = half
        #: The kept samples, the number of the first of them, and how many came and went in all.
        self._kept: NDArray[np.float64] = np.zeros(0)
        self._first = self._n_in = self._n_out = 0

    @property
    def delay(self) -> float:
        """Input samples that are kept back, at most."""
        return float(self._half / self._up + 1)

    def resample_chunk(self, x: Float32, last: bool = False) -> Float32:
        """Take samples, return those that they settle.

        Parameters
        ----------
        x : numpy.ndarray of float32, shape (n,)
        last : bool
            Whether the stream ends here; what was kept back is returned as well.

        Returns
        -------
        numpy.ndarray of float32, shape (m,)
            The same however the stream is cut, to rounding.
        """
        from scipy.signal import upfirdn

        self._n_in += len(x)
        self._kept = np.concatenate((self._kept, x.astype(np.float64)))
        if last:
            until = -(-self._n_in * self._up // self._down)
        else:
            until = max(self._n_out, ((self._n_in - 1) * self._up - self._half) // self._down + 1)
        if until <= self._n_out:
            return np.zeros(0, dtype=np.float32)
        whole = upfirdn(self._taps, self._kept, self._up, self._down)
        offset = self._half // self._down - self._first * self._up // self._down
        out = whole[self._n_out + offset : until + offset]
        out = np.pad(out, (0, until - self._n_out - len(out)))  # silence after the last sample
        self._n_out = until
        # Begin again at a multiple of `down`, where an output sample lies on an input sample.
        needed = -(-(until * self._down - self._half) // self._up)
        drop = max(0, needed // self._down * self._down - self._first)
        self._kept = self._kept[drop:].copy()
        self._first += drop
        return np.asarray(out, dtype=np.float32)


def make_resampler(rate: int, target: int) -> Resampler | None:
    """Return what turns a stream of one rate into the other; None where they are equal.

    Rates of an odd ratio (44,101 Hz) are left to soxr, which answers up to 0.1 s later.
    """
    if rate == target:
        return None
    common = math.gcd(rate, target)
    if max(rate, target) // common <= _LARGEST:
        return PolyphaseStream(rate, target)
    import soxr

    stream: Resampler = soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
    return stream
