"""From decoded blocks to a Recording: what files and arrays have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from blipper.audio.intake import Intake
from blipper.audio.limits import Limits
from blipper.audio.mixdown import Remedy
from blipper.audio.notices import sample_notices
from blipper.errors import SettingsError
from blipper.recording import Float32, Notice, Provenance, Recording

Channels = Literal["mix", "separate"]

#: The rate of the voice models and of Silero VAD.
TARGET_RATE: Final = 16_000


@dataclass(frozen=True)
class Request:
    """What a caller wants.

    Parameters
    ----------
    channels : {"mix", "separate"}
    sampling_rate : int
        Of the result in Hz.
    limits : Limits

    Raises
    ------
    SettingsError
        If `channels` or `sampling_rate` is outside its domain.
    """

    channels: Channels
    sampling_rate: int
    limits: Limits

    def __post_init__(self) -> None:
        """Check the domains."""
        if self.channels not in get_args(Channels):
            raise SettingsError(f"channels is {self.channels!r}, expected 'mix' or 'separate'")
        lowest, highest = self.limits.min_sampling_rate, self.limits.max_sampling_rate
        if not lowest <= self.sampling_rate <= highest:
            raise SettingsError(f"sampling rate {self.sampling_rate!r}, expected {lowest} to {highest} Hz")

    def intake(
        self, name: str, sampling_rate: int, n_channels: int, remedy: Remedy | None, full_scale: float = 1.0
    ) -> Intake:
        """Return what takes in the blocks of a recording of this rate and number of channels."""
        weights: Float32 | None = None
        if self.channels == "mix" and n_channels > 1:
            weights = np.full(n_channels, 1 / n_channels, np.float32) if remedy is None else remedy.weights
        return Intake(
            name,
            sampling_rate,
            n_channels,
            target_rate=self.sampling_rate,
            weights=weights,
            full_scale=full_scale,
            limits=self.limits,
        )

    def remedy(self, intake: Intake) -> Remedy | None:
        """Return what to mix instead, if the channels that were mixed as they are cancel each other."""
        if self.channels == "separate" or intake.phase is None:
            return None
        return intake.phase.remedy(channel_names(intake.n_channels))

    def recording(
        self,
        intake: Intake,
        provenance: Provenance,
        notices: tuple[Notice, ...] = (),
        remedy: Remedy | None = None,
    ) -> Recording:
        """Return the recording whose blocks have all been taken in."""
        names = ("mix",) if self.channels == "mix" else channel_names(intake.n_channels)
        shares = intake.clipping.shares
        notices += sample_notices(intake, kept_apart=len(names) > 1)
        return Recording(
            samples=intake.finish(),
            sampling_rate=self.sampling_rate,
            channel_names=names,
            provenance=provenance,
            notices=notices if remedy is None else (*notices, remedy.notice),
            clipped_shares=shares if len(names) == len(shares) else (max(shares),),
        )


def channel_names(n_channels: int) -> tuple[str, ...]:
    """Name channels that are kept apart: ``"left"``, ``"right"``, or by number; one is ``"mix"``."""
    if n_channels == 1:
        return ("mix",)
    return ("left", "right") if n_channels == 2 else tuple(f"channel {i + 1}" for i in range(n_channels))
