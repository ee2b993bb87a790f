"""The six checks: a figure, a verdict, and in plain English what it means for trust in the scores."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.quality.measure import CLASS_DB, FLOOR, Measurements, level_class
from blipper.quality.noise import HIGHEST, LOWEST, signal_to_noise, split_frames
from blipper.results import Check, Span

Verdict = Literal["good", "fair", "poor", "unknown"]

#: Frames below this level are silence where no speech detector has spoken; dBFS. A quiet room in a decent
#: recording lies around -60.
_SILENT: Final = -60.0

#: Bands of the long-term spectrum; Hz.
_BAND: Final = 125.0

#: A band counts as carried if it lies at most so far under the strongest one; dB. The highs of a wide-band
#: voice are 30 to 45 dB down, what a telephone cuts off is 60 dB down or more.
_BAND_RANGE: Final = 55.0

#: And if the speech stands out there from the noise by so much; dB.
_ABOVE_NOISE: Final = 3.0

#: From here on a recording is wide-band; telephones end at 3.4 to 4 kHz, "HD voice" at 7 kHz.
_WIDE: Final = 5000.0
_TELEPHONE: Final = 2800.0


def clipping_check(found: Measurements) -> Check:
    """Return how much of the wave is cut off at full scale, in %."""
    percent = 100 * found.clipped_share
    if found.duration == 0:
        return _check("clipping", None, "unknown", "There are no samples.")
    verdict = _grade(percent, 0.01, 1.0)
    message = {
        "good": "The recorder had room to spare: no audible clipping.",
        "fair": "Some peaks are cut off. Loud passages are a little distorted, and may score somewhat high.",
        "poor": "Much of the loud speech is cut off. The distortion sounds like strain in the voice: high "
        "scores here deserve doubt.",
    }[verdict]
    return _check("clipping", percent, verdict, message)


def silence_check(found: Measurements, speech: tuple[Span, ...] | None) -> Check:
    """Return the share of time without speech, or without sound where speech is not known, in %."""
    if found.duration == 0:
        return _check("silence", None, "unknown", "There are no samples.")
    if speech is None:
        share = float(np.mean(found.levels < _SILENT)) if len(found.levels) else 0.0
        sounding, what = (1 - share) * found.duration, "sound"
    else:
        sounding, what = min(found.duration, sum(span.duration for span in speech)), "speech"
        share = 1 - sounding / found.duration
    if sounding == 0:
        nothing = "The recording is silent" if what == "sound" else "Nobody was found speaking"
        return _check("silence", 100.0, "poor", f"{nothing}, so there is nothing to score.")
    verdict = _grade(100 * share, 80.0, 98.0)
    message = {
        "good": f"There is enough {what} to score.",
        "fair": f"Most of the recording is without {what}; the scores rest on the rest.",
        "poor": f"Hardly any of the recording has {what} ({sounding:.1f} s), so the scores rest on little.",
    }[verdict]
    return _check("silence", 100 * share, verdict, message)


def level_check(found: Measurements) -> Check:
    """Return the integrated loudness in LUFS."""
    level = found.loudness
    if level is None:
        return _check("level", None, "unknown", "Nothing is loud enough to be measured.")
    if level > -8:
        return _check(
            "level", level, "fair", "Very loud: expect clipping or a compressor, which flattens emphasis."
        )
    verdict = _grade(-level, 40.0, 52.0)
    message = {
        "good": "Loud enough.",
        "fair": "Quiet: soft speech may drown in noise and be missed.",
        "poor": "Very quiet: much of the speech may be missed, and noise weighs on the scores.",
    }[verdict]
    return _check("level", level, verdict, message)


def snr_check(found: Measurements, speech: tuple[Span, ...] | None) -> Check:
    """Return the estimated ratio of speech to noise in dB."""
    split = split_frames(found, speech)
    if split is None:
        why = (
            "Nobody was found speaking, so there is nothing to compare with the noise."
            if speech == ()
            else "Speech and noise cannot be told apart by their levels."
        )
        return _check("snr", None, "unknown", why)
    ratio = signal_to_noise(found, split)
    verdict = _grade(-ratio, -20.0, -10.0)
    message = {
        "good": "The speech stands clear of the noise.",
        "fair": "Audible noise: scores of soft or distant speech are less sure.",
        "poor": "Loud noise or music beside the speech: scores may follow the noise, not the voice.",
    }[verdict]
    if split.basis == "levels":
        message += " (Estimated from the levels of loud and soft passages.)"
    if not LOWEST < ratio < HIGHEST:
        message = ("At least this much. " if ratio >= HIGHEST else "At most this much. ") + message
    return _check("snr", ratio, verdict, message)


def bandwidth_check(found: Measurements, speech: tuple[Span, ...] | None, most: float) -> Check:
    """Return the frequency up to which the speech reaches, in Hz; at most what its sampling rate can carry.

    Peaks that were clipped at 8 kHz overshoot when they are resampled, are clipped again, and so give sound
    above 4 kHz that is none of the voice's.
    """
    top = speech_bandwidth(found, speech)
    if top is None:
        return _check("bandwidth", None, "unknown", "There is no sound whose spectrum could be measured.")
    top = min(top, most)
    verdict = _grade(-top, -_WIDE, -_TELEPHONE)
    message = {
        "good": "Wide-band, as the models were trained.",
        "fair": "Telephone quality: hiss and sharpness of the voice are missing, so scores are less sure.",
        "poor": "Muffled, narrower than a telephone: much of what makes a voice sound angry is missing.",
    }[verdict]
    return _check("bandwidth", top, verdict, message)


def dc_check(found: Measurements) -> Check:
    """Return how far the wave's middle is from zero, in % of full scale."""
    if found.duration == 0:
        return _check("dc-offset", None, "unknown", "There are no samples.")
    percent = 100 * found.mean
    verdict = _grade(abs(percent), 1.0, 5.0)
    message = {
        "good": "The wave is centred.",
        "fair": "The wave is off centre: a fault of the recorder that costs a little headroom.",
        "poor": "The wave is far off centre: a fault of the recorder. Peaks may be cut off on one side.",
    }[verdict]
    return _check("dc-offset", percent, verdict, message)


def speech_bandwidth(found: Measurements, speech: tuple[Span, ...] | None) -> float | None:
    """Return the upper edge of the speech's long-term spectrum in Hz, or None without sound.

    The power of the loud frames, less that of the quiet ones, in bands of 125 Hz; the edge is that of the
    highest band which is both within 55 dB of the strongest one and 3 dB above the noise.
    """
    split = split_frames(found, speech)
    least = FLOOR + CLASS_DB
    if split is None:
        loud, quiet = np.ones(len(found.n_spectra), dtype=bool), np.zeros(len(found.n_spectra), dtype=bool)
    else:
        noise = float(np.percentile(found.levels[split.noise], 50))
        middle = max(least, (noise + float(np.percentile(found.levels[split.speech], 50))) / 2)
        classes = np.arange(len(found.n_spectra))
        loud = classes > level_class(np.array(middle))
        quiet = classes <= level_class(np.array(noise))
    loud &= np.arange(len(loud)) > 0  # class 0 is digital silence
    if not found.n_spectra[loud].sum():
        return None
    n_bins = found.spectra.shape[1]
    bin_width = found.sampling_rate / 2 / (n_bins - 1)
    n_band = max(1, round(_BAND / bin_width))
    n_bands = (n_bins - 1) // n_band

    def bands(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        mean = found.spectra[chosen].sum(axis=0) / max(1, int(found.n_spectra[chosen].sum()))
        return np.asarray(mean[1 : 1 + n_bands * n_band].reshape(n_bands, n_band).mean(axis=1))

    voice, noise_bands = bands(loud), bands(quiet)
    carried = (voice > voice.max() * 10 ** (-_BAND_RANGE / 10)) & (
        voice > noise_bands * 10 ** (_ABOVE_NOISE / 10)
    )
    highest = int(np.flatnonzero(carried).max(initial=0))
    if highest == n_bands - 1:
        return found.sampling_rate / 2
    # The window smears an edge over half a band, so the middle of the band is nearer to it than its top.
    return float((1 + (highest + 0.5) * n_band) * bin_width)


def _grade(value: float, fair: float, poor: float) -> Literal["good", "fair", "poor"]:
    """Return the verdict on a figure that is worse the larger it is; the bounds belong to the worse side."""
    return "poor" if value >= poor else "fair" if value >= fair else "good"


_LABELS: Final = {
    "clipping": ("Clipping", "%"),
    "silence": ("Silence", "%"),
    "level": ("Loudness", "LUFS"),
    "snr": ("Speech over noise", "dB"),
    "bandwidth": ("Bandwidth", "Hz"),
    "dc-offset": ("DC offset", "%"),
}


def _check(name: str, value: float | None, verdict: Verdict, message: str) -> Check:
    label, unit = _LABELS[name]
    return Check(name, label, value, unit, verdict, message)
