"""The classic clip-level feature vector of a recording.

:func:`extract_features` turns a recording of any length into one vector of :data:`N_FEATURES` = 384 numbers,
which is what most published classifiers of speech emotion start from. It is for use with one's own models,
for comparing recordings and for export; Blipper's own voice model has a finer input.

What goes in
    A path (anything :func:`blipper.audio.load` reads) or a :class:`~blipper.recording.Recording`; one
    channel of it at 16 kHz. A recording at another rate is resampled (soxr, in blocks). Frames of 2048
    samples (128 ms) start every 512 (32 ms); only whole frames count, and a clip shorter than one frame is
    centred in one frame of zeros.

What comes out
    ``float32`` of shape (384,), in the order of :func:`feature_names`. "Mean" and "std" (population standard
    deviation) are over frames:

    ===========================  ======  ============================================================
    names                        number  value of a frame
    ===========================  ======  ============================================================
    mfcc_00 ... mfcc_39          40 x 2  orthonormal DCT-II of the 128 mel levels
    chroma_C ... chroma_B        12 x 2  share of each pitch class, the strongest 1; A = 440 Hz
    mel_000 ... mel_127          128 x 2 level in dB of 128 mel bands, 0 to 8000 Hz (Slaney), at least
                                         -100 dB; relative to a power of 1 of the Hann-windowed spectrum
    contrast_0 ... contrast_6    7 x 2   peak less valley in dB of seven octave bands from 0, 200,
                                         400, ... 6400 Hz (Jiang et al., 2002)
    zcr                          1 x 2   sign changes per sample, 0 to 1
    rms                          1 x 2   root of the mean square, 0 to 1
    f0_mean, f0_std, f0_p05,     6       F0 in Hz over voiced frames (YIN, 60 to 600 Hz, see
    f0_median, f0_p95,                   :mod:`blipper.pitch`): mean, deviation, percentiles; and the
    voiced_share                         share of frames that are voiced
    ===========================  ======  ============================================================

    Every number is finite. Where no frame is voiced the six F0 numbers are 0. Digital silence gives -100 for
    each mel mean, so ``mfcc_00_mean`` is ``-100 * sqrt(128)``, and 0 for everything else.

    On whole frames the spectral parts equal librosa's (``center=False``, ``top_db=None``, ``tuning=0``).

How
    The same samples always give the same vector. Memory does not grow with the recording but for four bytes a
    voiced frame (under 2 MB in four hours).

Needs
    numpy, scipy and librosa (its mel and chroma filters); soxr for rates other than 16 kHz.

Example
-------
>>> from blipper.features import extract_features, feature_names
>>> vector = extract_features("call.wav")  # doctest: +SKIP
>>> dict(zip(feature_names(), vector))["f0_mean"]  # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from blipper.errors import AudioError, SettingsError
from blipper.frames import BLOCK_LENGTH, frames, hann, power_spectra, sample_blocks
from blipper.pitch import frame_length_for, yin
from blipper.recording import Float32, Recording

SAMPLING_RATE = 16_000
FRAME_LENGTH = 2048
HOP_LENGTH = 512
N_MFCC = 40
N_MELS = 128
N_CONTRAST = 7
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: The power that stands for silence: -100 dB.
POWER_FLOOR = 1e-10

#: 2 * (40 MFCC + 12 chroma + 128 mel + 7 contrast + ZCR + RMS) + 6 of F0.
N_FEATURES = 2 * (N_MFCC + 12 + N_MELS + N_CONTRAST + 2) + 6


@cache
def feature_names() -> tuple[str, ...]:
    """Return the names of the 384 features, in the order of :func:`extract_features`."""
    groups = (
        [f"mfcc_{i:02}" for i in range(N_MFCC)],
        [f"chroma_{name}" for name in PITCH_CLASSES],
        [f"mel_{i:03}" for i in range(N_MELS)],
        [f"contrast_{i}" for i in range(N_CONTRAST)],
        ["zcr"],
        ["rms"],
    )
    names = [f"{name}_{statistic}" for group in groups for statistic in ("mean", "std") for name in group]
    names += ["f0_mean", "f0_std", "f0_p05", "f0_median", "f0_p95", "voiced_share"]
    return tuple(names)


def extract_features(
    source: str | os.PathLike[str] | bytes | BinaryIO | Recording, *, channel: int = 0
) -> Float32:
    """Return the clip-level feature vector of a recording.

    Parameters
    ----------
    source : path, bytes, binary file object or Recording
        All but a Recording go through :func:`blipper.audio.load` (stereo is mixed down).
    channel : int
        Which channel of a Recording that has several.

    Returns
    -------
    numpy.ndarray of float32, shape (384,)
        Finite, in the order of :func:`feature_names`; see the module's docstring for each value.

    Raises
    ------
    AudioError
        If the source cannot be read, or has no samples.
    SettingsError
        If the recording has no such channel.
    """
    if isinstance(source, Recording):
        recording = source
    else:
        from blipper.audio import load

        recording = load(source)
    if not 0 <= channel < recording.n_channels:
        raise SettingsError(
            f"channel {channel} of {recording.provenance.name!r}: it has {recording.n_channels} "
            f"channel(s), so 0 to {recording.n_channels - 1} are accepted"
        )
    if recording.n_samples == 0:
        raise AudioError(f"{recording.provenance.name!r} has no samples; at least one is needed")

    moments = _Moments()
    voiced: list[Float32] = []
    for batch, n_valid in _batches(recording, channel):
        moments.add(_frame_features(batch, n_valid))
        voiced.append(_pitch(batch))
    mean, deviation = moments.mean, moments.deviation
    parts = []
    first = 0
    for size in (N_MFCC, 12, N_MELS, N_CONTRAST, 1, 1):
        parts += [mean[first : first + size], deviation[first : first + size]]
        first += size
    parts.append(_pitch_statistics(np.concatenate(voiced), moments.count))
    return np.concatenate(parts).astype(np.float32)


def _batches(recording: Recording, channel: int) -> Iterator[tuple[Float32, int]]:
    """Yield batches of frames at 16 kHz, with how many samples of each frame are the recording's."""
    blocks: Iterable[Float32] = _at_16_khz(recording, channel)
    if recording.duration * SAMPLING_RATE < 2 * FRAME_LENGTH:  # it may be shorter than one frame
        samples = np.concatenate(list(blocks))
        missing = FRAME_LENGTH - len(samples)
        if missing > 0:
            frame = np.pad(samples, (missing // 2, missing - missing // 2))
            yield frame[None, :], max(1, len(samples))
            return
        blocks = [samples]
    for batch in frames(blocks, FRAME_LENGTH, HOP_LENGTH):
        yield batch, FRAME_LENGTH


def _at_16_khz(recording: Recording, channel: int) -> Iterator[Float32]:
    """Yield one channel in blocks, resampled where it is not at 16 kHz yet."""
    blocks = sample_blocks(recording, channel, 0, recording.n_samples)
    if recording.sampling_rate == SAMPLING_RATE:
        yield from blocks
        return
    import soxr

    if recording.n_samples <= BLOCK_LENGTH:
        yield soxr.resample(next(blocks), recording.sampling_rate, SAMPLING_RATE)
        return
    stream = soxr.ResampleStream(recording.sampling_rate, SAMPLING_RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _frame_features(batch: Float32, n_valid: int) -> Float32:
    """Return every feature but F0 of each frame, shape (n_frames, 40 + 12 + 128 + 7 + 2)."""
    from scipy.fft import dct

    mel_filters, chroma_filters = _filters()
    power = power_spectra(batch, hann(FRAME_LENGTH))
    mel = decibels(power @ mel_filters.T)
    mfcc = dct(mel, type=2, norm="ortho", axis=1)[:, :N_MFCC]
    chroma = normalised(power @ chroma_filters.T)

    negative = batch < 0
    changes = np.count_nonzero(negative[:, 1:] != negative[:, :-1], axis=1)
    zcr = (changes / max(1, n_valid - 1))[:, None]
    rms = np.sqrt(np.square(batch, dtype=np.float64).sum(axis=1, keepdims=True) / n_valid)
    return np.hstack((mfcc, chroma, mel, spectral_contrast(power), zcr, rms)).astype(np.float32)


@cache
def _filters() -> tuple[Float32, Float32]:
    """Return the mel filters (128, 1025) and the chroma filters (12, 1025)."""
    import librosa

    mel = librosa.filters.mel(sr=SAMPLING_RATE, n_fft=FRAME_LENGTH, n_mels=N_MELS)
    chroma = librosa.filters.chroma(sr=SAMPLING_RATE, n_fft=FRAME_LENGTH, tuning=0.0)
    return mel.astype(np.float32), chroma.astype(np.float32)


def decibels(power: Float32) -> Float32:
    """Return ``10 * log10(power)``, at least -100 dB."""
    levels: Float32 = np.float32(10.0) * np.log10(np.maximum(power, np.float32(POWER_FLOOR)))
    return levels


def normalised(chroma: Float32) -> Float32:
    """Return chroma whose strongest pitch class is 1 in every row; rows of silence stay 0."""
    peak = chroma.max(axis=1, keepdims=True)
    shares: Float32 = np.divide(chroma, peak, out=np.zeros_like(chroma), where=peak > POWER_FLOOR)
    return shares


def spectral_contrast(power: Float32) -> Float32:
    """Return how far the peaks of seven octave bands stand above their valleys.

    Parameters
    ----------
    power : numpy.ndarray of float32, shape (n_frames, 1025)

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, 7)
        ``10 * log10`` of the mean of the highest 2 % of magnitudes over that of the lowest 2 %, in the bands
        below 200 Hz, 200 to 400 Hz, ... and 6400 to 8000 Hz.

    Notes
    -----
    Jiang et al. (2002), "Music type classification by spectral contrast feature", with librosa's bands.
    """
    magnitude = np.sqrt(power)
    contrast = np.empty((len(power), N_CONTRAST), dtype=np.float32)
    for band, (first, last) in enumerate(_contrast_bins()):
        count = max(1, round(0.02 * (last - first)))
        # The top band keeps its last bin; in the others it already belongs to the next octave.
        stop = last if band == N_CONTRAST - 1 else last - 1
        count = min(count, stop - first)
        part = np.partition(magnitude[:, first:stop], (count - 1, stop - first - count), axis=1)
        peak = decibels(part[:, -count:].mean(axis=1))
        contrast[:, band] = peak - decibels(part[:, :count].mean(axis=1))
    return contrast


@cache
def _contrast_bins() -> tuple[tuple[int, int], ...]:
    """Return the bins of each octave band, half-open; neighbours share a bin at their border."""
    frequencies = np.arange(FRAME_LENGTH // 2 + 1) * SAMPLING_RATE / FRAME_LENGTH
    edges = [0.0, *(200.0 * 2.0**k for k in range(N_CONTRAST))]
    bins = []
    for band in range(N_CONTRAST):
        inside = np.flatnonzero((frequencies >= edges[band]) & (frequencies <= edges[band + 1]))
        first = int(inside[0]) - (band > 0)
        bins.append((first, int(inside[-1]) + 1))
    return tuple(bins)


def _pitch(batch: Float32) -> Float32:
    """Return F0 of the voiced frames among these, measured in the middle 64 ms of each."""
    length = frame_length_for(SAMPLING_RATE)
    first = (FRAME_LENGTH - length) // 2
    f0, _ = yin(batch[:, first : first + length], SAMPLING_RATE, hop=HOP_LENGTH / SAMPLING_RATE)
    return f0[np.isfinite(f0)]


def _pitch_statistics(f0: Float32, n_frames: int) -> NDArray[np.float64]:
    """Return mean, deviation, 5th, 50th and 95th percentile of F0 and the voiced share; zeros for none."""
    if len(f0) == 0:
        return np.zeros(6)
    values = f0.astype(np.float64)
    low, median, high = np.percentile(values, (5, 50, 95))
    return np.array([values.mean(), values.std(), low, median, high, len(f0) / n_frames])


class _Moments:
    """Mean and deviation of rows that arrive in batches (Chan, Golub and LeVeque, 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(N_FEATURES // 2 - 3)
        self._squares: NDArray[np.float64] = np.zeros(N_FEATURES // 2 - 3)

    def add(self, rows: Float32) -> None:
        """Take in a batch, shape (n_rows, n_columns)."""
        values = rows.astype(np.float64)
        mean = values.mean(axis=0)
        total = self.count + len(values)
        shift = mean - self.mean
        self._squares += np.square(values - mean).sum(axis=0)
        self._squares += shift**2 * (self.count * len(values) / total)
        self.mean = self.mean + shift * (len(values) / total)
        self.count = total

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Population standard deviation of each column."""
        return np.asarray(np.sqrt(self._squares / self.count))
