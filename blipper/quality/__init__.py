"""How good a recording's sound is: six named checks, each with what it means for trust in the scores.

A channel is read once, in blocks, so that a recording of four hours needs no more memory than a short one.
Levels are dB relative to full scale (a square wave of amplitude 1 has 0 dBFS), loudness is LUFS.
"""

from __future__ import annotations

from blipper.quality.checks import (
    bandwidth_check,
    clipping_check,
    dc_check,
    level_check,
    silence_check,
    snr_check,
)
from blipper.quality.measure import measure
from blipper.recording import Recording
from blipper.results import Quality, Span

__all__ = ["assess"]


def assess(recording: Recording, channel: int = 0, speech: tuple[Span, ...] | None = None) -> Quality:
    """Check the sound of one channel.

    Parameters
    ----------
    recording : Recording
    channel : int
        Index of the channel.
    speech : tuple of Span, optional
        Where somebody speaks, from :func:`blipper.speech.detect_speech`. With it the silence is the time
        in which nobody speaks, and the noise is what sounds there; without it both are told by level.

    Returns
    -------
    Quality
        The checks ``"clipping"``, ``"silence"``, ``"level"``, ``"snr"``, ``"bandwidth"`` and
        ``"dc-offset"``, in this order. What cannot be measured has the value None and the verdict
        ``"unknown"``.

    Raises
    ------
    IndexError
        If there is no such channel.
    """
    if not 0 <= channel < recording.n_channels:
        raise IndexError(f"channel {channel}, expected 0 to {recording.n_channels - 1}")
    found = measure(recording, channel)
    return Quality(
        (
            clipping_check(found),
            silence_check(found, speech),
            level_check(found),
            snr_check(found, speech),
            bandwidth_check(found, speech, recording.provenance.sampling_rate / 2),
            dc_check(found),
        )
    )
