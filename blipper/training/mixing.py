"""Clips put together into longer recordings: trimmed, levelled by speaker, with noise, room or telephone.

Corpora differ in loudness, in the silence around a clip and in their noise floor; any of them could give
away which corpus speaks. So clips are cut to where they sound, and each speaker gets one gain that brings the
median of their clips to :data:`LEVEL`: a loud, angry clip stays louder than the same speaker's calm one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from blipper.datasets import Clip
from blipper.recording import Float32
from blipper.training.prepare import SAMPLING_RATE, read_mono

#: Level of a speaker's median clip, in dBFS (root mean square over where it sounds).
LEVEL: Final = -26.0
#: Faint hiss under every recording, in dBFS, since no microphone hears digital silence.
FLOOR: Final = -75.0
#: A frame sounds if it is within this many dB of the clip's loudest.
_RANGE: Final = 35.0
#: Frames for levels: 20 ms.
_FRAME: Final = SAMPLING_RATE // 50
#: Clips of a speaker that decide the gain, spread evenly.
_SAMPLED: Final = 30


def active(samples: Float32) -> np.ndarray:
    """Return which 20 ms frames sound, shape (n_frames,), bool; all of them in pure silence."""
    count = max(1, len(samples) // _FRAME)
    padded = np.zeros(count * _FRAME, dtype=np.float64)
    padded[: min(len(samples), len(padded))] = samples[: len(padded)]
    power = (padded.reshape(count, _FRAME) ** 2).mean(axis=1)
    return np.asarray(power >= power.max() * 10 ** (-_RANGE / 10))


def trim(samples: Float32) -> Float32:
    """Cut silence off both ends."""
    sounding = np.flatnonzero(active(samples))
    return samples[sounding[0] * _FRAME : (sounding[-1] + 1) * _FRAME]


def level(samples: Float32) -> float:
    """Return the level over the frames that sound, in dBFS."""
    frames = active(samples)
    part = samples[: len(frames) * _FRAME]
    if len(part) == len(frames) * _FRAME:
        part = part.reshape(len(frames), _FRAME)[frames]
    return float(10 * np.log10(np.mean(part.astype(np.float64) ** 2) + 1e-12))


class Voices:
    """Clips as they are put together: trimmed and levelled, read when they are first asked for.

    Parameters
    ----------
    clips : sequence of Clip
        All that may be asked for; a speaker's gain follows from these.
    """

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._by_speaker: dict[tuple[str, str], list[Clip]] = {}
        for clip in clips:
            self._by_speaker.setdefault((clip.corpus, clip.speaker), []).append(clip)
        self._gain: dict[tuple[str, str], float] = {}

    @property
    def speakers(self) -> tuple[tuple[str, str], ...]:
        """Corpus and name of every speaker, sorted."""
        return tuple(sorted(self._by_speaker))

    def of(self, speaker: tuple[str, str]) -> Sequence[Clip]:
        """Return a speaker's clips."""
        return self._by_speaker[speaker]

    def read(self, clip: Clip) -> Float32:
        """Return a clip at 16 kHz, trimmed and levelled, shape (n,)."""
        speaker = (clip.corpus, clip.speaker)
        if speaker not in self._gain:
            own = self._by_speaker[speaker]
            chosen = own[:: max(1, len(own) // _SAMPLED)]
            loud = float(np.median([level(read_mono(one.path)) for one in chosen]))
            self._gain[speaker] = 10 ** ((LEVEL - loud) / 20)
        return trim(read_mono(clip.path)) * np.float32(self._gain[speaker])


def add_noise(samples: Float32, noise: Float32, snr: float, rng: np.random.Generator) -> Float32:
    """Lay a noise under a recording, `snr` dB below the speech's own level.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
    noise : numpy.ndarray of float32, shape (m,)
        Repeated from a place drawn by chance.
    snr : float
        dB, speech over noise, both over the frames that sound.
    rng : numpy.random.Generator
    """
    shifted = np.roll(noise, int(rng.integers(len(noise))))
    laid = np.resize(shifted, len(samples))
    gain = 10 ** ((level(samples) - snr - level(noise)) / 20)
    return np.asarray(samples + laid * np.float32(gain), dtype=np.float32)


def add_floor(samples: Float32, rng: np.random.Generator) -> Float32:
    """Add the faint hiss of :data:`FLOOR`."""
    hiss = rng.standard_normal(len(samples)).astype(np.float32) * np.float32(10 ** (FLOOR / 20))
    return np.asarray(samples + hiss, dtype=np.float32)


def telephone(samples: Float32) -> Float32:
    """Pass a recording through a telephone's band, 300 to 3400 Hz, in 8-bit mu-law (ITU-T G.712, G.711)."""
    from scipy.signal import butter, sosfilt

    sections = butter(4, [300, 3400], "bandpass", fs=SAMPLING_RATE, output="sos")
    band = np.clip(sosfilt(sections, samples), -1, 1)
    squeezed = np.sign(band) * np.log1p(255 * np.abs(band)) / np.log1p(255)
    stepped = np.round(squeezed * 127) / 127
    widened = np.sign(stepped) * np.expm1(np.abs(stepped) * np.log1p(255)) / 255
    return np.asarray(widened, dtype=np.float32)


def in_room(samples: Float32, impulse: Float32, share: float) -> Float32:
    """Put a recording into a room.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
    impulse : numpy.ndarray of float32, shape (m,)
        The room's impulse response, cut to begin at its peak and scaled to unit energy here.
    share : float
        Of the sound that comes by way of the room, 0 to 1.
    """
    from scipy.signal import oaconvolve

    impulse = impulse[int(np.abs(impulse).argmax()) :][:SAMPLING_RATE]
    impulse = impulse / np.float32(np.sqrt(np.sum(impulse**2)) + 1e-9)
    wet = oaconvolve(samples, impulse)[: len(samples)]
    return np.asarray((1 - share) * samples + share * wet, dtype=np.float32)


def within_scale(samples: Float32) -> Float32:
    """Turn a recording down as a whole where it would clip."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples if peak <= 0.99 else np.asarray(samples * np.float32(0.99 / peak), dtype=np.float32)
