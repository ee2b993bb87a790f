"""What Blipper accepts, all in one place, and how a refusal is worded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from blipper.errors import AudioError, SettingsError

#: Formats as people know them, for messages.
ACCEPTED: Final = "WAV, FLAC, OGG Vorbis, Opus, MP3, AIFF, M4A/AAC, MP4, WebM, AMR or WMA"


@dataclass(frozen=True)
class Limits:
    """Bounds on a recording, enforced while it is being decoded.

    Parameters
    ----------
    max_seconds : float
        Longest recording.
    max_decoded_bytes : int
        Most bytes of decoded ``float32`` samples, at the target rate and over all channels that are kept.
        Four hours of one channel at 16 kHz are 4 h * 3600 s * 16000 Hz * 4 B = 0.86 GiB; two channels kept
        apart reach 1 GiB after 2 h 19 min.
    min_sampling_rate, max_sampling_rate : int
        In Hz, both included.
    max_channels : int
        Most channels in the file, whether they are mixed or not.
    memory_bytes : int
        Decoded samples beyond this size go to an unlinked temporary file. 64 MiB are 17 minutes of one
        channel at 16 kHz.

    Raises
    ------
    SettingsError
        If a bound is not positive, or the sampling rates are the wrong way round.
    """

    max_seconds: float = 4 * 3600.0
    max_decoded_bytes: int = 1 << 30
    min_sampling_rate: int = 8_000
    max_sampling_rate: int = 192_000
    max_channels: int = 8
    memory_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        """Check that the bounds make sense."""
        for name, value in vars(self).items():
            if not value > 0:
                raise SettingsError(f"{name} is {value}, expected a positive number")
        if self.min_sampling_rate > self.max_sampling_rate:
            raise SettingsError(
                f"min_sampling_rate {self.min_sampling_rate} is above max_sampling_rate "
                f"{self.max_sampling_rate}"
            )

    def describe(self) -> str:
        """Return what is accepted, as one sentence for people."""
        return (
            f"Accepted: {ACCEPTED}, {kilohertz(self.min_sampling_rate)} to "
            f"{kilohertz(self.max_sampling_rate)} kHz, 1 to {self.max_channels} channels, up to "
            f"{clock(self.max_seconds)}."
        )

    def refusal(self, name: str, fault: str) -> AudioError:
        """Return the error for a recording that is not accepted.

        Parameters
        ----------
        name : str
            The file's name for display.
        fault : str
            What is wrong with it: one or more sentences without the last full stop.
        """
        return AudioError(f"{name}: {fault}. {self.describe()}")


def kilohertz(sampling_rate: float) -> str:
    """Return a sampling rate in kHz without needless digits, such as ``"44.1"``."""
    return f"{sampling_rate / 1000:g}"


def clock(seconds: float) -> str:
    """Return a time for people: ``"9.5 s"``, ``"3 min 12 s"``, ``"4 h"``, ``"2 h 05 min"``."""
    if seconds < 60:
        # Rounding 59.96 must not yield "60.0 s".
        return f"{min(seconds, 59.9):.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes % 60 else f"{minutes // 60} h"
