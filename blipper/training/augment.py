"""Augmentation: what happens to a voice between a mouth and a recording.

At waveform level (pitch, tempo, room, noise, equaliser, telephone band, overload), computed once per version
of a training clip; at spectrogram level (dynamic range, a telephone's bands, masking, band tilt, mixing two
clips), computed anew in every batch.
Only training clips are ever augmented, after the split.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32
from blipper.training.prepare import SAMPLING_RATE, read_mono

#: Impulse responses are cut to this many seconds.
_ROOM: Final = 1.0


@dataclass(frozen=True)
class AugmentSettings:
    """How often and how much; probabilities are for each version of each clip, independent of each other.

    Parameters
    ----------
    pitch, tempo, room, noise, equaliser, telephone, overload : float
        Probability of each.
    semitones : float
        Largest change of pitch.
    slowest, fastest : float
        Range of the change of tempo.
    snr : tuple of float
        Range of the signal-to-noise ratio in dB.
    """

    pitch: float = 0.5
    tempo: float = 0.5
    room: float = 0.3
    noise: float = 0.5
    equaliser: float = 0.4
    telephone: float = 0.1
    overload: float = 0.05
    semitones: float = 2.5
    slowest: float = 0.85
    fastest: float = 1.2
    snr: tuple[float, float] = (5.0, 30.0)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Noises and rooms that training clips are put into.

    Parameters
    ----------
    noises, rooms : tuple of numpy.ndarray of float32
        At 16 kHz.
    """

    noises: tuple[Float32, ...] = field(default=())
    rooms: tuple[Float32, ...] = field(default=())

    @classmethod
    def read(cls, noises: Sequence[Path], rooms: Sequence[Path]) -> Surroundings:
        """Read sound files; the caller sees to it that none of them is kept for testing."""
        impulses = []
        for path in rooms:
            impulse = read_mono(path)
            impulse = impulse[int(np.abs(impulse).argmax()) :][: round(_ROOM * SAMPLING_RATE)]
            impulses.append(impulse / np.float32(np.sqrt(np.sum(impulse**2)) + 1e-9))
        return cls(tuple(read_mono(path) for path in noises), tuple(impulses))


def augment(
    samples: Float32, surroundings: Surroundings, settings: AugmentSettings, rng: np.random.Generator
) -> Float32:
    """Make one version of a clip.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        At 16 kHz.
    surroundings : Surroundings
    settings : AugmentSettings
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (m,)
        ``m`` differs from ``n`` where the tempo does.
    """
    from scipy.signal import butter, fftconvolve, sosfilt

    n = len(samples)
    semitones = rng.uniform(-settings.semitones, settings.semitones) if rng.random() < settings.pitch else 0.0
    rate = rng.uniform(settings.slowest, settings.fastest) if rng.random() < settings.tempo else 1.0
    samples = _pitch_and_tempo(samples, semitones, rate)
    n = len(samples)
    if surroundings.rooms and rng.random() < settings.room:
        room = surroundings.rooms[rng.integers(len(surroundings.rooms))]
        share = np.float32(rng.uniform(0.3, 1.0))
        samples = (1 - share) * samples + share * fftconvolve(samples, room)[:n].astype(np.float32)
    if rng.random() < settings.noise:
        noise = _noise(n, surroundings.noises, rng)
        samples = samples + _at_snr(samples, noise, rng.uniform(*settings.snr))
    if rng.random() < settings.equaliser:
        samples = _equalise(samples, rng)
    if rng.random() < settings.telephone:
        band = [rng.uniform(200, 400), rng.uniform(3000, 3800)]
        sections = butter(4, band, "bandpass", fs=SAMPLING_RATE, output="sos")
        samples = sosfilt(sections, samples).astype(np.float32)
    if rng.random() < settings.overload:
        limit = np.float32(np.quantile(np.abs(samples), rng.uniform(0.95, 0.995)) + 1e-6)
        samples = np.clip(samples, -limit, limit)
    return np.ascontiguousarray(samples, dtype=np.float32)


def _pitch_and_tempo(samples: Float32, semitones: float, rate: float) -> Float32:
    import audiomentations

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own defaults
        if semitones:
            shift = audiomentations.PitchShift(semitones, semitones, p=1.0)
            samples = shift(samples, SAMPLING_RATE)
        if rate != 1.0:
            stretch = audiomentations.TimeStretch(rate, rate, leave_length_unchanged=False, p=1.0)
            samples = stretch(samples, SAMPLING_RATE)
    return samples


def _noise(n: int, noises: Sequence[Float32], rng: np.random.Generator) -> Float32:
    """Cut a stretch out of a recorded noise, or make one with a random spectral slope."""
    if noises and rng.random() < 0.7:
        noise = noises[int(rng.integers(len(noises)))]
        if len(noise) < n:
            noise = np.tile(noise, -(-n // max(1, len(noise))))
        first = rng.integers(len(noise) - n + 1)
        return noise[first : first + n]
    spectrum = np.fft.rfft(rng.standard_normal(n))
    slope = np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0.0, 1.0)
    return np.asarray(np.fft.irfft(spectrum * slope, n), dtype=np.float32)


def _at_snr(samples: Float32, noise: Float32, snr: float) -> Float32:
    """Scale a noise to lie `snr` dB below a signal."""
    power = float(np.mean(samples.astype(np.float64) ** 2))
    loud = float(np.mean(noise.astype(np.float64) ** 2))
    return noise * np.float32(np.sqrt(power / (loud + 1e-12) * 10 ** (-snr / 10)))


def _equalise(samples: Float32, rng: np.random.Generator) -> Float32:
    """Tilt and bend the spectrum smoothly by up to 6 dB, as microphones differ."""
    spectrum = np.fft.rfft(samples)
    place = np.linspace(0, 1, len(spectrum)) ** 0.5
    knots = rng.uniform(-6, 6, size=6)
    gain = np.interp(place, np.linspace(0, 1, len(knots)), knots)
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(samples)).astype(np.float32)


def mask(frames: Float32, lengths: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Hide stretches of time and bands of frequency (SpecAugment, Park et al. 2019), in place.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (batch, frames, mels)
        Normalised, so that 0 is a window's mean.
    lengths : numpy.ndarray of int, shape (batch,)
    rng : numpy.random.Generator
    """
    mels = frames.shape[2]
    for row, length in enumerate(lengths):
        for _ in range(2):
            width = int(rng.integers(0, max(1, min(40, length // 5))))
            first = int(rng.integers(0, max(1, length - width)))
            frames[row, first : first + width] = 0
            height = int(rng.integers(0, mels // 6))
            low = int(rng.integers(0, mels - height))
            frames[row, :, low : low + height] = 0


def stretch_range(frames: Float32, rng: np.random.Generator, strength: float) -> Float32:
    """Stretch or squeeze the dynamic range of one window, each band below its own peak.

    How far a recording's pauses and decays lie below its peaks is the room's and the microphone's doing, but
    where one corpus teaches, a network takes it for loud speech.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (frames, mels)
        Decibels.
    rng : numpy.random.Generator
    strength : float
        Standard deviation of the factor's logarithm; 0 leaves everything as it is.

    Returns
    -------
    numpy.ndarray of float32, shape (frames, mels)
    """
    if not strength:
        return frames
    top: Float32 = frames.max(axis=0)
    return top + np.float32(np.exp(rng.normal(0, strength))) * (frames - top)


def narrow_band(frames: Float32, bands: NDArray[np.float64], rng: np.random.Generator) -> Float32:
    """Take away what a telephone does not carry, more or less deeply: below some 300 and above some 3,400 Hz.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (frames, mels)
        Decibels.
    bands : numpy.ndarray of float64, shape (mels,)
        Centre of each band in Hz.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, shape (frames, mels)
    """
    loss = np.where(bands > rng.uniform(3_200, 4_000), rng.uniform(30, 90), 0.0)
    loss += np.where(bands < rng.uniform(100, 350), rng.uniform(0, 40), 0.0)
    return np.asarray(frames - loss, dtype=np.float32)


def tilt(frames: Float32, rng: np.random.Generator, strength: float = 0.25) -> Float32:
    """Add a random straight line over the bands, in units of the network's input.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (batch, frames, mels)
    rng : numpy.random.Generator
    strength : float
        Standard deviation at the outermost bands.
    """
    slope = rng.normal(0, strength, size=(len(frames), 1, 1)).astype(np.float32)
    return frames + slope * np.linspace(-1, 1, frames.shape[2], dtype=np.float32)
