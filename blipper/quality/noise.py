"""Telling speech from noise by their levels, and from that the signal-to-noise ratio.

Where the speech detector's spans are given, noise is what sounds outside them. Otherwise, and where hardly
anything lies outside, the frames' levels tell, as in the quick method of NIST's Speech Quality Assurance
package (stnr), which takes a low and a high percentile of the levels for the noise and for the speech.
Here the powers on either side are averaged, so that both ways estimate one thing: the mean power of speech
alone over the mean power of noise. Speech frames hold noise as well, so it is taken off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.quality.measure import FLOOR, Measurements
from blipper.results import Span

Mask = NDArray[np.bool_]

#: Seconds beside a span that belong to neither: a word's breath and echo.
_GUARD: Final = 0.1

#: Seconds of noise, and of speech, that it takes to say anything.
_ENOUGH: Final = 0.3

#: Percentiles of the levels taken for noise and speech.
_LOW, _HIGH = 5, 95

#: Levels within so many dB are all of one kind: a tone, a hum, or unbroken noise.
_MIN_RANGE: Final = 3.0

#: Ratios beyond these say no more than that it is very noisy or very clean.
LOWEST, HIGHEST = -10.0, 60.0


@dataclass(frozen=True)
class Split:
    """Which frames are speech and which noise; the rest is neither.

    Parameters
    ----------
    speech, noise : numpy.ndarray of bool, shape (n_frames,)
    basis : {"spans", "levels"}
    """

    speech: Mask
    noise: Mask
    basis: Literal["spans", "levels"]


def split_frames(found: Measurements, speech: tuple[Span, ...] | None) -> Split | None:
    """Tell speech frames from noise frames.

    Returns
    -------
    Split or None
        None where they cannot be told apart.
    """
    if speech:
        split = _by_spans(found, speech)
        if _is_enough(found, split):
            return split
    elif speech is not None:
        return None  # nobody speaks
    return _by_levels(found)


def signal_to_noise(found: Measurements, split: Split) -> float:
    """Return the ratio of speech to noise in dB, within `LOWEST` and `HIGHEST`."""
    power = 10 ** (found.levels / 10)
    # The median lets a word that the detector missed pass; of steady noise it is the mean.
    noise = float(np.median(power[split.noise]))
    ratio = float(power[split.speech].mean()) / noise - 1
    return min(HIGHEST, max(LOWEST, 10 * math.log10(ratio))) if ratio > 0 else LOWEST


def _by_spans(found: Measurements, speech: tuple[Span, ...]) -> Split:
    inside = np.zeros(len(found.levels), dtype=bool)
    near = np.zeros(len(found.levels), dtype=bool)
    for span in speech:
        inside[_frames(found, span.start, span.end)] = True
        near[_frames(found, span.start - _GUARD, span.end + _GUARD)] = True
    # Digital silence (a gate, a mute button) is no noise that the speech could stand out from.
    return Split(inside, ~near & (found.levels > FLOOR + 1), "spans")


def _by_levels(found: Measurements) -> Split | None:
    sounding = found.levels[found.levels > FLOOR + 1]
    if len(sounding) * found.frame_seconds < _ENOUGH:
        return None
    low, high = np.percentile(sounding, (_LOW, _HIGH))
    if high - low < _MIN_RANGE:
        return None
    quiet = (found.levels > FLOOR + 1) & (found.levels <= low + 0.2 * (high - low))
    return Split(found.levels >= (low + high) / 2, quiet, "levels")


def _is_enough(found: Measurements, split: Split) -> bool:
    least = _ENOUGH / found.frame_seconds
    return bool(split.speech.sum() >= least and split.noise.sum() >= least)


def _frames(found: Measurements, start: float, end: float) -> slice:
    return slice(max(0, round(start / found.frame_seconds)), max(0, round(end / found.frame_seconds)))
