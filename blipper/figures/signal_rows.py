"""The rows of the heat maps: a signal's spectra by linear, logarithmic and mel frequency, as MFCC and chroma.

Levels are dBFS, at least -120; shapes are ``(n_rows, n_columns)`` with the lowest row first.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from blipper.figures.signal_data import FFT_SIZES, POWER_FLOOR, Signal, decibels
from blipper.recording import Float32

#: Rows of the linear spectrogram at most; finer spectra keep the strongest bin of each row.
MAX_ROWS = 300


def linear_rows(signal: Signal) -> tuple[float, Float32]:
    """Return the step between rows in Hz and the levels in dBFS, shape (n_rows, n_columns).

    Row ``i`` is centred on ``(i + 0.5) * step`` less half a bin, with at most :data:`MAX_ROWS` rows.
    """
    n_bins = signal.power.shape[1]
    group = math.ceil(n_bins / MAX_ROWS)
    strongest = np.maximum.reduceat(signal.power, np.arange(0, n_bins, group), axis=1)
    return group * signal.sampling_rate / signal.framing.n_fft, decibels(strongest).T


def log_rows(signal: Signal, *, per_octave: int = 24, lowest: float = 50.0) -> tuple[Float32, Float32]:
    """Return the rows' centres in Hz, shape (n_rows,), and levels in dBFS, shape (n_rows, n_columns).

    A row wider than the FFT's bins shows its strongest bin, a narrower one what lies between two bins.
    """
    nyquist = signal.sampling_rate / 2
    n_rows = max(1, int(per_octave * math.log2(nyquist / lowest)))
    borders = nyquist * 2.0 ** (np.arange(-n_rows, 1) / per_octave)
    bins = borders * signal.framing.n_fft / signal.sampling_rate
    centres = np.sqrt(bins[1:] * bins[:-1])
    below = np.minimum(centres.astype(int), signal.power.shape[1] - 2)
    weight = (centres - below).astype(np.float32)
    rows = signal.power[:, below] * (1 - weight) + signal.power[:, below + 1] * weight
    first, last = np.ceil(bins[:-1]).astype(int), np.ceil(bins[1:]).astype(int)
    for row in np.flatnonzero(last > first):
        rows[:, row] = np.maximum(rows[:, row], signal.power[:, first[row] : last[row]].max(axis=1))
    return np.sqrt(borders[1:] * borders[:-1]).astype(np.float32), decibels(rows).T


def mel_rows(signal: Signal, n_mels: int) -> tuple[Float32, Float32]:
    """Return the bands' centres in Hz, shape (n_mels,), and levels in dBFS, shape (n_mels, n_columns)."""
    centres, filters = _mel_filters(signal.sampling_rate, signal.framing.n_fft, n_mels)
    return centres, decibels(signal.power @ filters.T).T


def mfcc_rows(signal: Signal, n_mels: int, n_mfcc: int) -> Float32:
    """Return the MFCC 1 to `n_mfcc` of the columns, shape (n_mfcc, n_columns); 0, the level, is left out."""
    from scipy.fft import dct

    _, levels = mel_rows(signal, n_mels)
    coefficients: Float32 = dct(levels, type=2, norm="ortho", axis=0)[1 : n_mfcc + 1]
    return coefficients


def chroma_rows(signal: Signal) -> Float32:
    """Return the share of each pitch class, C to B, the strongest 1, shape (12, n_columns)."""
    filters = _chroma_filters(signal.sampling_rate, signal.framing.n_fft)
    chroma = filters @ signal.power.T
    peak = chroma.max(axis=0, keepdims=True)
    shares: Float32 = np.divide(chroma, peak, out=np.zeros_like(chroma), where=peak > POWER_FLOOR)
    return shares


@lru_cache(maxsize=8)
def _mel_filters(sampling_rate: int, n_fft: int, n_mels: int) -> tuple[Float32, Float32]:
    """Return the bands' centres and triangular filters (n_mels, 1 + n_fft // 2) that sum power.

    They are made for a finer spectrum and applied to the coarse one by linear interpolation, so narrow
    bands between two bins are not empty. A Hann window spreads a sine's power over 1.5 bins.
    """
    import librosa

    finest = FFT_SIZES[-1]
    fine = librosa.filters.mel(sr=sampling_rate, n_fft=finest, n_mels=n_mels, norm=None)
    ratio = finest // n_fft
    position = np.arange(1 + finest // 2) / ratio
    below = np.minimum(position.astype(int), n_fft // 2 - 1)
    weight = position - below
    filters = np.zeros((1 + n_fft // 2, n_mels))
    np.add.at(filters, below, (1 - weight)[:, None] * fine.T)
    np.add.at(filters, below + 1, weight[:, None] * fine.T)
    centres = librosa.mel_frequencies(n_mels=n_mels + 2, fmin=0.0, fmax=sampling_rate / 2)[1:-1]
    return centres.astype(np.float32), (filters.T / (1.5 * ratio)).astype(np.float32)


@lru_cache(maxsize=8)
def _chroma_filters(sampling_rate: int, n_fft: int) -> Float32:
    """Return the chroma filters, shape (12, 1 + n_fft // 2)."""
    import librosa

    filters: Float32 = librosa.filters.chroma(sr=sampling_rate, n_fft=n_fft, tuning=0.0)
    return filters.astype(np.float32)
