"""Hear only what mattered: the sound with everything else lowered.

The explanation is laid over the sound's spectrum as a gain between 1, where a cell helped the score in the
direction in which it went, and a floor elsewhere; the inverse transform keeps the original phase. What is
heard is the original's own sound and nothing made up, though lowering cells leaves a little of the hollow
ring of masked spectra.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.explain.attribution import Attribution
from blipper.recording import Float32

#: Seconds: frame and hop of the spectrum that is masked.
_FRAME, _HOP = 0.032, 0.008
#: Decibels by which the rest is lowered.
FLOOR: Final = -30.0
#: Share of the contributions that is kept.
SHARE: Final = 0.6

Side = Literal["for", "against"]


def only_what_mattered(
    samples: Float32,
    sampling_rate: int,
    attribution: Attribution,
    *,
    origin: float = 0.0,
    share: float = SHARE,
    floor: float = FLOOR,
    side: Side = "for",
) -> Float32:
    """Lower everything in a sound but what moved its score.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        The stretch that was explained.
    sampling_rate : int
        Hz.
    attribution : Attribution
    origin : float
        Seconds from the recording's start to ``samples[0]``.
    share : float
        How much of the contributions on that side stays, the strongest cells first; above 0 and up to 1.
    floor : float
        Decibels by which the rest is lowered, -80 to 0.
    side : {"for", "against"}
        Keep what raised the target's log-odds, or what lowered it.

    Returns
    -------
    numpy.ndarray of float32, shape (n,)

    Raises
    ------
    SettingsError
        If a number is outside its domain.
    """
    import librosa

    if not 0 < share <= 1:
        raise SettingsError(f"a share of {share}: expected above 0 and up to 1")
    if not -80 <= floor <= 0:
        raise SettingsError(f"the rest lowered to {floor} dB: expected -80 to 0 dB")
    kept = mask(attribution, share=share, side=side)
    n_fft, hop = round(_FRAME * sampling_rate), round(_HOP * sampling_rate)
    samples = np.asarray(samples, dtype=np.float32)
    padded = np.pad(samples, (0, max(0, n_fft - len(samples))))
    spectrum = librosa.stft(padded, n_fft=n_fft, hop_length=hop)
    times = origin + np.arange(spectrum.shape[1]) * hop / sampling_rate
    frequencies = np.arange(spectrum.shape[0]) * sampling_rate / n_fft
    # A frame of the network's begins at its time; its middle is half a frame later.
    rows = np.interp(times, attribution.times + _FRAME / 2, np.arange(len(kept)))
    below = np.clip(rows.astype(int), 0, max(0, len(kept) - 2))
    weight = np.clip(rows - below, 0, 1)[:, np.newaxis]
    over_time = kept[below] * (1 - weight) + kept[np.minimum(below + 1, len(kept) - 1)] * weight
    bands = np.interp(frequencies, attribution.bands, np.arange(len(attribution.bands)))
    lower = np.clip(bands.astype(int), 0, kept.shape[1] - 2)
    part = np.clip(bands - lower, 0, 1)
    gains = over_time[:, lower] * (1 - part) + over_time[:, lower + 1] * part
    quiet = 10 ** (floor / 20)
    masked = spectrum * (quiet + (1 - quiet) * gains.T).astype(np.float32)
    heard: Float32 = librosa.istft(masked, n_fft=n_fft, hop_length=hop, length=len(padded))
    return heard[: len(samples)].astype(np.float32)


def mask(attribution: Attribution, *, share: float = SHARE, side: Side = "for") -> NDArray[np.floating[Any]]:
    """Choose the cells that carry a share of what moved the score.

    Parameters
    ----------
    attribution : Attribution
    share : float
        In (0, 1].
    side : {"for", "against"}

    Returns
    -------
    numpy.ndarray, shape (n_frames, n_bands)
        In [0, 1]: 1 in the chosen cells, falling off smoothly over some 30 ms and a band around them; zero
        everywhere where nothing points that way.
    """
    from scipy.ndimage import gaussian_filter

    sign = 1.0 if side == "for" else -1.0
    strength = np.clip(gaussian_filter(sign * attribution.values, (1.5, 0.7)), 0, None)
    if strength.max() <= 0:
        return np.zeros_like(strength)
    ordered = np.sort(strength.ravel())[::-1]
    sums = np.cumsum(ordered)
    enough = min(int(np.searchsorted(sums, share * sums[-1])), len(ordered) - 1)
    chosen = (strength >= max(ordered[enough], 1e-300)).astype(np.float64)
    # Widened first and smoothed then, so that a chosen cell itself stays near 1.
    spread = gaussian_filter(chosen, (1.5, 0.7))
    softened: NDArray[np.floating[Any]] = np.clip(np.maximum(chosen, 2 * spread), 0, 1)
    return softened
