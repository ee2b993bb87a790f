"""One pass over a channel that gathers what all the checks need, in memory that hardly grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.audio.fullscale import FullScaleCounter
from blipper.quality.loudness import LoudnessMeter
from blipper.recording import Float32, Recording

Float64 = NDArray[np.float64]

#: Seconds in a frame whose power is kept: short enough to fall into the pauses between words. Four hours
#: are 720,000 frames, 5.8 MB.
FRAME_SECONDS: Final = 0.02

#: Frames of the spectrum; 64 ms at 16 kHz, so that bins are 15.6 Hz apart.
_SPECTRUM_SECONDS: Final = 0.064

#: Spectra are added up by the level of their frame, in classes of so many dB from FLOOR on.
CLASS_DB: Final = 3.0

#: Level of digital silence, and of all below it, in dBFS.
FLOOR: Final = -120.0

_N_CLASSES: Final = 41

#: 20 s, or 1.3 MB, at a time.
_FRAMES_PER_BLOCK: Final = 1000


@dataclass(frozen=True, eq=False)
class Measurements:
    """What one pass over a channel found.

    Parameters
    ----------
    sampling_rate : int
    frame_seconds : float
        Length of a frame; frame i begins at i times this.
    duration : float
        Seconds.
    clipped_share : float
        Share of the samples in runs at full scale, in [0, 1].
    mean : float
        Mean of all samples.
    levels : numpy.ndarray, shape (n_frames,)
        Power of each frame without its mean, in dBFS, at least `FLOOR`.
    loudness : float or None
        Gated loudness in LUFS; None where nothing passes the gate.
    spectra : numpy.ndarray, shape (41, n_bins)
        Sum of the power spectra of the frames in each class of level.
    n_spectra : numpy.ndarray, shape (41,)
        Frames in each class.
    """

    sampling_rate: int
    frame_seconds: float
    duration: float
    clipped_share: float
    mean: float
    levels: Float64
    loudness: float | None
    spectra: Float64
    n_spectra: NDArray[np.int64]


def measure(recording: Recording, channel: int) -> Measurements:
    """Go through one channel.

    Parameters
    ----------
    recording : Recording
    channel : int

    Returns
    -------
    Measurements
    """
    rate = recording.sampling_rate
    n_frame = round(FRAME_SECONDS * rate)
    spectrum = _SpectrumByLevel(round(_SPECTRUM_SECONDS * rate))
    clipping = FullScaleCounter(1)
    loudness = LoudnessMeter(rate)
    powers: list[Float32] = []
    total = 0.0
    # Whole frames in each block, so that frame i begins at i * n_frame samples.
    for _, block in recording.blocks(_FRAMES_PER_BLOCK * n_frame / rate, channel):
        peak = float(np.abs(block).max())
        clipping.add(block[:, np.newaxis], peak)
        total += float(block.sum(dtype=np.float64))
        loudness.add(block)
        frames = block[: len(block) // n_frame * n_frame].reshape(-1, n_frame)
        powers.append(_power(frames))
        spectrum.add(block)
    share = clipping.shares[0] if recording.clipped_shares is None else recording.clipped_shares[channel]
    power = np.concatenate(powers) if powers else np.zeros(0, dtype=np.float32)
    return Measurements(
        sampling_rate=rate,
        frame_seconds=n_frame / rate,
        duration=recording.duration,
        clipped_share=share,
        mean=total / max(1, recording.n_samples),
        levels=_decibels(power),
        loudness=loudness.integrated(),
        spectra=spectrum.sums,
        n_spectra=spectrum.counts,
    )


class _SpectrumByLevel:
    """Adds up power spectra, apart for each class of level, so that noise can be told from speech later."""

    def __init__(self, n_window: int) -> None:
        self.sums: Float64 = np.zeros((_N_CLASSES, n_window // 2 + 1))
        self.counts: NDArray[np.int64] = np.zeros(_N_CLASSES, dtype=np.int64)
        # Blackman-Harris: side lobes 92 dB down, so that loud lows don't pose as highs.
        import scipy.signal  # half a second, which `import blipper.analysis` need not pay

        self._window = scipy.signal.get_window("blackmanharris", n_window).astype(np.float32)

    def add(self, block: Float32) -> None:
        n_window = len(self._window)
        frames = block[: len(block) // n_window * n_window].reshape(-1, n_window)
        if not len(frames):
            return
        classes = level_class(_decibels(_power(frames)))
        import scipy.fft

        transform = scipy.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * self._window, axis=1)
        power = transform.real**2 + transform.imag**2
        # No matrix product: its threads wait for each other when the machine is busy.
        for index in np.unique(classes):
            chosen = classes == index
            self.sums[index] += power[chosen].sum(axis=0)
            self.counts[index] += np.count_nonzero(chosen)


def level_class(levels: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return the class of each level in dBFS."""
    classes: NDArray[np.int64] = np.clip((levels - FLOOR) / CLASS_DB, 0, _N_CLASSES - 1).astype(np.int64)
    return classes


def _power(frames: Float32) -> Float32:
    """Return each row's power without its mean: an offset or a rumble is not speech."""
    mean_square = np.einsum("ij,ij->i", frames, frames) / np.float32(max(1, frames.shape[1]))
    mean = frames.mean(axis=1) if len(frames) else np.zeros(0, dtype=np.float32)
    return np.asarray(np.maximum(mean_square - mean**2, 0), dtype=np.float32)


def _decibels(power: Float32) -> Float64:
    return 10 * np.log10(np.maximum(power.astype(np.float64), 10 ** (FLOOR / 10)))
