"""Speech rate without words: syllables a second, counted by their nuclei.

The method is that of de Jong and Wempe (2009), "Praat script to detect syllable nuclei and measure speech
rate automatically", Behavior Research Methods 41(2): a syllable is a peak of intensity that stands out from
the dips beside it, is not far below the loudest, and is voiced. It counts some syllables too few in fast,
slurred speech, and is for comparing speech with other speech of one recording rather than for counting.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from blipper.errors import SettingsError
from blipper.pitch import frame_length_for, yin
from blipper.recording import Float32

#: Seconds between two values of the intensity.
HOP: Final = 0.01
#: Seconds of the Hann window over which intensity is taken: as long as Praat's at a lowest pitch of 50 Hz.
WINDOW: Final = 0.064
#: A nucleus lies at most so many decibels below the loud parts (the 99th percentile), as in the paper.
BELOW: Final = 25.0
#: And so many decibels above the dips on both sides, as in the paper.
DIP: Final = 2.0


def syllable_nuclei(samples: Float32, sampling_rate: int) -> np.ndarray:
    """Find the nuclei of syllables.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        Mono, in [-1, 1]; some seconds of speech.
    sampling_rate : int
        Hz, at least 8000.

    Returns
    -------
    numpy.ndarray of float64, shape (n_nuclei,)
        Seconds from ``samples[0]``, in order.

    Raises
    ------
    SettingsError
        If the sampling rate is too low.
    """
    from scipy.signal import find_peaks

    if sampling_rate < 8000:
        raise SettingsError(f"sampling rate {sampling_rate} Hz: expected at least 8000 Hz")
    length, hop = frame_length_for(sampling_rate), round(HOP * sampling_rate)
    # Half a frame of silence around, so that a nucleus at the very edge has a dip before it.
    padded = np.pad(np.asarray(samples, dtype=np.float32), length)
    rows = np.ascontiguousarray(sliding_window_view(padded, length)[::hop])
    width = round(WINDOW * sampling_rate)
    window = np.hanning(min(width, length)) ** 2
    first = (length - len(window)) // 2
    power = np.square(rows[:, first : first + len(window)], dtype=np.float64) @ (window / window.sum())
    level = 10 * np.log10(power + 1e-10)
    loud = float(np.quantile(level, 0.99))
    # SciPy's prominence is the height above the higher of the two dips: the paper's condition on both sides.
    # It passes over equal heights, so the slightest slope makes the last of several the highest.
    level += 1e-6 * np.arange(len(level))
    peaks, _ = find_peaks(level, height=loud - BELOW, prominence=DIP)
    if not len(peaks) or loud < -60:
        return np.zeros(0)
    f0, _ = yin(rows, sampling_rate, hop=HOP)
    voiced = peaks[np.isfinite(f0[peaks])]
    times: np.ndarray = (voiced * hop + length / 2 - length) / sampling_rate
    return times


def syllable_rate(samples: Float32, sampling_rate: int) -> float:
    """Return syllables a second; 0 where there is no voice.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        Mono speech without long pauses.
    sampling_rate : int
        Hz, at least 8000.

    Returns
    -------
    float
    """
    seconds = len(samples) / sampling_rate
    return len(syllable_nuclei(samples, sampling_rate)) / seconds if seconds > 0 else 0.0
