"""A second look at loud sound in which the speech detector hears nobody: an octave lower it hears shouts.

Silero VAD learned from people who talk. Somebody who shouts at the top of the voice has a pitch and formants
so high that it takes the shout for no speech, while the same samples played at half their speed, and so an
octave lower, are speech to it. ``python -m benchmarks.speech_misses`` counts the clips in which nobody is
heard, with and without the second look. Its constants were chosen on speakers outside fold 1's test side.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper import silero
from blipper.hysteresis import find_runs
from blipper.recording import Float32

#: Frames whose probability of speech is lower than this are unheard...
UNHEARD: Final = 0.5
#: ...and looked at again if their root mean square reaches this: -40 dB of full scale. Shouts are loud.
LOUD: Final = 0.01
#: The look begins after so many loud and unheard frames in a row (0.1 s, which a span's padding makes up
#: for), so that the first look's delay at the start of ordinary words costs nothing.
PATIENCE: Final = 3
#: It goes on for so many frames (0.26 s) after the last one, since a new look begins without memory.
HANG: Final = 8

#: Taps of the filter that doubles the number of samples; it lags by half of them, 0.5 ms.
_TAPS: Final = 31
#: Samples before a frame that its half-speed version needs: the network's own context and the filter's.
_BEFORE: Final = silero.CONTEXT // 2 + _TAPS // 2 + 1


class SecondLook:
    """Looks at loud frames without speech again, for sound that comes in blocks."""

    def __init__(self) -> None:
        self._memory: silero.Memory | None = None
        self._in_a_row = 0
        self._since = HANG + 1

    def improve(self, found: Float32, samples: Float32) -> None:
        """Raise, in place, the probability of speech in frames in which somebody shouts.

        Parameters
        ----------
        found : numpy.ndarray of float32, shape (n_frames,)
            Probabilities of the first look; each ends as the larger one of both.
        samples : numpy.ndarray of float32, shape ((1 + n_frames) * 512,)
            At 16 kHz in [-1, 1], with the frame that precedes them.
        """
        frames = samples.reshape(-1, silero.FRAME)[1:]
        loud = np.einsum("ij,ij->i", frames, frames) >= LOUD**2 * silero.FRAME
        wanted = self._wanted(loud & (found < UNHEARD))
        for first, last in find_runs(wanted.astype(np.float32), 0.5, 0.5):
            if first > 0 or self._memory is None:
                self._memory = silero.Memory()
            start = (1 + first) * silero.FRAME - _BEFORE
            heard = self._memory.hear(half_speed(samples[start : (1 + last) * silero.FRAME]))
            np.maximum(found[first:last], heard.reshape(-1, 2).max(axis=1), out=found[first:last])
        if len(wanted) and not wanted[-1]:
            self._memory = None

    def _wanted(self, loud_unheard: NDArray[np.bool_]) -> NDArray[np.bool_]:
        wanted = np.zeros(len(loud_unheard), dtype=bool)
        for i, here in enumerate(loud_unheard.tolist()):
            self._in_a_row = self._in_a_row + 1 if here else 0
            again = here and (self._since <= HANG or self._in_a_row > PATIENCE)
            self._since = 0 if again else self._since + 1
            wanted[i] = self._since <= HANG
        return wanted


def half_speed(samples: Float32) -> Float32:
    """Return the network's frames of sound played at half its speed.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (48 + n_frames * 512,)
        At 16 kHz, with the 48 samples that precede the frames.

    Returns
    -------
    numpy.ndarray of float32, shape (2 * n_frames, 576)
        Two for each, with context, as :func:`blipper.silero.encode` takes them.
    """
    from scipy import signal

    slow = signal.upfirdn(_low_pass(), samples, up=2)[2 * (_TAPS // 2 + 1) : 2 * len(samples)]
    every = np.lib.stride_tricks.sliding_window_view(slow.astype(np.float32), silero.CONTEXT + silero.FRAME)
    return np.ascontiguousarray(every[:: silero.FRAME])


@functools.cache
def _low_pass() -> Float32:
    from scipy import signal

    return np.asarray(2 * signal.firwin(_TAPS, 0.5), dtype=np.float32)
