"""Several speakers at once, one a channel: a stereo call, heard while it is spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from blipper.audio.assembly import channel_names
from blipper.live.analyser import LiveAnalyser, light_model
from blipper.live.updates import Update
from blipper.settings import Settings

if TYPE_CHECKING:
    from blipper.voice.models import VoiceModel


class LiveChannels:
    """One :class:`LiveAnalyser` a channel, all with the same model.

    Parameters
    ----------
    sampling_rate : int
        Of the blocks in Hz; 8,000 to 192,000.
    n_channels : int
        1 or more.
    model : str or VoiceModel, optional
        As for :class:`LiveAnalyser`; one for all channels.
    settings : Settings, optional
        Of every channel.

    Raises
    ------
    SettingsError
        If the sampling rate or a setting is outside its domain.
    ModelError
        If the model is missing or damaged.
    """

    def __init__(
        self,
        sampling_rate: int,
        n_channels: int,
        *,
        model: str | VoiceModel | None = None,
        settings: Settings | None = None,
    ) -> None:
        voice = light_model(model)
        self.names = channel_names(n_channels)
        self.analysers = tuple(
            LiveAnalyser(sampling_rate, model=voice, settings=settings) for _ in self.names
        )

    @property
    def threshold(self) -> float:
        """Score from which a stretch is marked."""
        return self.analysers[0].threshold

    @property
    def duration(self) -> float:
        """Seconds that were taken in."""
        return self.analysers[0].duration

    def add(self, block: ArrayLike) -> list[tuple[str, Update]]:
        """Take the next samples of all channels.

        Parameters
        ----------
        block : array of float, shape (n_channels, n)

        Returns
        -------
        list of (str, Update)
            Name of the channel, and what its samples settled; channel after channel.

        Raises
        ------
        AudioError
            If a sample is not finite.
        ValueError
            If the shape is another, or the stream was finished.
        """
        samples = np.asarray(block, dtype=np.float32)
        if samples.ndim != 2 or len(samples) != len(self.names):
            raise ValueError(f"a block of shape {samples.shape}, expected ({len(self.names)}, n)")
        return [
            (name, update)
            for name, analyser, channel in zip(self.names, self.analysers, samples, strict=True)
            for update in analyser.add(channel)
        ]

    def finish(self) -> list[tuple[str, Update]]:
        """Say that the stream has ended; returns what is left, channel after channel."""
        return [
            (name, update)
            for name, analyser in zip(self.names, self.analysers, strict=True)
            for update in analyser.finish()
        ]
