"""From samples to the log-mel frames that the networks see.

Frames are not centred: frame ``i`` covers the samples ``[i * hop, i * hop + fft)`` and nothing before or
after them. So the frames of a window are a slice of the frames of the stretch around it, computed once, and
never show the network what lies outside the window.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.recording import Float32

#: Frames computed at a time: 512 * 257 bins * 8 bytes = 1 MB, which stays in a core's cache.
_CHUNK = 512

#: From natural logarithms of power to decibels: NumPy takes those several times as fast as to the base of 10.
_DECIBELS = np.float32(10 / np.log(10))


@dataclass(frozen=True)
class FrontEnd:
    """Settings of the log-mel frames.

    Parameters
    ----------
    sampling_rate : int
        Hz.
    fft, hop : int
        Samples in a frame and between frames: 512 = 32 ms, 160 = 10 ms.
    mels : int
        Number of bands (HTK-free, Slaney's scale as in librosa).
    f_min, f_max : float
        Edges of the lowest and highest band, Hz.
    floor : float
        Decibels below a band's own mean power in a window at which its cells are cut off: recordings differ
        in how deep their pauses are.
    scale : float
        Decibels to one unit of the network's input.
    window : float
        Seconds that the network sees at once.
    levelling : float
        Share of each band's own level that is taken away, 0 to 1: 0 keeps the spectrum's long-term shape, 1
        removes it and with it what a microphone or a room does to it.
    depth : float
        Decibels below the loudest band's mean power at which every quieter band's mean is taken to lie: what
        is deeper is empty, as above 3.4 kHz in a telephone call, and must not move the rest.
    """

    sampling_rate: int = 16_000
    fft: int = 512
    hop: int = 160
    mels: int = 64
    f_min: float = 50.0
    f_max: float = 7_600.0
    floor: float = 40.0
    scale: float = 15.0
    window: float = 3.0
    levelling: float = 0.5
    depth: float = 200.0

    @property
    def frames(self) -> int:
        """Frames in a full window: (3 * 16,000 - 512) // 160 + 1 = 297."""
        return self.count(round(self.window * self.sampling_rate))

    def count(self, samples: int) -> int:
        """Return how many frames fit into so many samples; a stretch shorter than a frame still gives one."""
        return max(1, (samples - self.fft) // self.hop + 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrontEnd:
        """Rebuild from :meth:`to_dict`'s output.

        Raises
        ------
        ModelError
            If a setting is unknown or of the wrong kind.
        """
        try:
            built = cls(**values)
        except TypeError as error:
            raise ModelError(f"front-end settings {dict(values)} are not Blipper's: {error}") from error
        for name, default in cls().to_dict().items():
            value = getattr(built, name)
            whole = isinstance(default, int)
            fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
            if not fits or not (value > 0 or (name == "levelling" and value == 0)):
                kind = "whole number" if whole else "number"
                raise ModelError(f"front-end setting {name} is {value!r}, expected a positive {kind}")
        return built


@functools.lru_cache(maxsize=4)
def _filters(front: FrontEnd) -> tuple[Float32, Float32]:
    """Return the analysis window (fft,) and the mel filters (bins, mels)."""
    import librosa

    filters = librosa.filters.mel(
        sr=front.sampling_rate, n_fft=front.fft, n_mels=front.mels, fmin=front.f_min, fmax=front.f_max
    )
    hann = librosa.filters.get_window("hann", front.fft).astype(np.float32)
    return hann, np.ascontiguousarray(filters.T, dtype=np.float32)


def band_edges(front: FrontEnd) -> NDArray[np.float64]:
    """Return where the mel bands lie.

    Parameters
    ----------
    front : FrontEnd

    Returns
    -------
    numpy.ndarray of float64, shape (mels + 2,)
        Hz: band ``i`` is a triangle from ``[i]`` over its centre ``[i + 1]`` to ``[i + 2]``.
    """
    import librosa

    edges: NDArray[np.float64] = librosa.mel_frequencies(
        n_mels=front.mels + 2, fmin=front.f_min, fmax=front.f_max
    )
    return edges


def log_mel(samples: Float32, front: FrontEnd) -> Float32:
    """Compute log-mel frames.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        At ``front.sampling_rate``; padded with zeros to one frame if shorter.
    front : FrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, mels)
        Decibels of mel power, not below -120 dB.
    """
    from scipy import fft as scipy_fft

    hann, filters = _filters(front)
    samples = np.asarray(samples, dtype=np.float32)
    if len(samples) < front.fft:
        samples = np.pad(samples, (0, front.fft - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, front.fft)[:: front.hop]
    out = np.empty((len(frames), front.mels), dtype=np.float32)
    for first in range(0, len(frames), _CHUNK):
        spectrum = scipy_fft.rfft(frames[first : first + _CHUNK] * hann, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        out[first : first + _CHUNK] = _DECIBELS * np.log(np.maximum(power @ filters, np.float32(1e-12)))
    return out


def normalise(frames: NDArray[np.floating[Any]], front: FrontEnd) -> Float32:
    """Make one window's frames independent of its level.

    Parameters
    ----------
    frames : numpy.ndarray, shape (n_frames, mels)
        Decibels.
    front : FrontEnd

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, mels)
        In units of ``front.scale``; a cell at its band's mean power is near ``floor / scale / 2``, one that
        was cut off near the same below zero.
    """
    frames = np.asarray(frames, dtype=np.float32)
    # The mean of the power, not of the decibels: loud cells decide it, so a band's noise floor hardly counts.
    top = frames.max(axis=0)
    bands = top + 10 * np.log10(np.mean(np.exp((frames - top) / _DECIBELS), axis=0, dtype=np.float64))
    bands = np.maximum(bands, bands.max() - front.depth)
    overall = bands.mean()
    reference = (overall + front.levelling * (bands - overall)).astype(np.float32)
    kept = np.maximum(frames, bands.astype(np.float32) - np.float32(front.floor))
    scaled = (kept - reference + np.float32(0.5 * front.floor)) / np.float32(front.scale)
    return np.asarray(scaled, dtype=np.float32)
