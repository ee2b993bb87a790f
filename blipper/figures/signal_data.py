"""What the signal views show, measured from a recording at the resolution of a screen.

A stretch of a recording becomes at most :data:`MAX_COLUMNS` columns, however long it is: every sample counts
(short frames are averaged into a column, the waveform keeps its extremes; F0 alone is sampled, and that only
in stretches beyond 17 minutes, all channels of a figure together), but the arrays stay small enough to draw.
Spectra are computed once and shared by all views that need them. Channels that are drawn in one figure share
what that may cost, see :class:`Signal`. Levels are dBFS: a full-scale sine reaches 0 dBFS in a spectrum, and
-3 dBFS as an RMS level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from blipper.errors import SettingsError
from blipper.frames import BLOCK_LENGTH, frames, hann, power_spectra, sample_blocks
from blipper.pitch import frame_length_for, yin
from blipper.recording import Float32, Recording

#: Columns of a spectrogram and points of a line: more than a screen has pixels for.
MAX_COLUMNS = 1500

#: The waveform's envelope has this many minima and maxima at most.
MAX_ENVELOPE = 2000

#: Samples that go through the FFT at most (10 minutes have 9.6 million): beyond it frames overlap less.
MAX_TRANSFORMED = 40_000_000

#: Frames in which F0 is looked for at most: one every 37.5 ms of 10 minutes. Beyond 17 minutes there are gaps
#: between these frames of 64 ms.
MAX_PITCH_FRAMES = 16_000

#: Signals that may share a figure's columns and frames at most.
MAX_SHARE = 32

#: Below this power (-120 dBFS) everything is silence.
POWER_FLOOR = np.float32(1e-12)

FFT_SIZES = (256, 512, 1024, 2048, 4096, 8192)


@dataclass(frozen=True)
class Framing:
    """Which stretch is looked at, and through what windows.

    Parameters
    ----------
    n_fft : int
        Length of a frame in samples, one of 256, 512, ... 8192.
    hop_length : int
        Samples from one frame to the next, 16 to `n_fft`. Long stretches are looked at with a longer one:
        see :attr:`Signal.hop_length`.
    start : float
        Where the stretch begins, in seconds.
    length : float, optional
        How long it is, in seconds; to the recording's end unless given.
    channel : int
    """

    n_fft: int = 1024
    hop_length: int = 256
    start: float = 0.0
    length: float | None = None
    channel: int = 0

    def __post_init__(self) -> None:
        """Check the domains."""
        if self.n_fft not in FFT_SIZES:
            raise SettingsError(f"the FFT size is {self.n_fft}, expected one of {FFT_SIZES}")
        if not 16 <= self.hop_length <= self.n_fft:
            raise SettingsError(
                f"the hop is {self.hop_length} samples, expected 16 to the FFT size of {self.n_fft}"
            )
        if not (math.isfinite(self.start) and self.start >= 0):
            raise SettingsError(f"the stretch starts at {self.start} s, expected 0 s or later")
        if self.length is not None and not (math.isfinite(self.length) and self.length > 0):
            raise SettingsError(f"the stretch is {self.length} s long, expected more than 0 s")


@dataclass(frozen=True, eq=False)
class Signal:
    """A stretch of a recording; its measurements are made when first asked for, and kept.

    Parameters
    ----------
    recording : Recording
    framing : Framing
    share : int
        How many signals one figure shows: each gets this part of the columns, points and frames that a
        figure may have.

    Raises
    ------
    SettingsError
        If the recording has no such channel, or ends before the stretch starts, or the share is none.
    """

    recording: Recording
    framing: Framing = field(default_factory=Framing)
    share: int = 1

    def __post_init__(self) -> None:
        """Check that the recording has such a stretch."""
        if not 1 <= self.share <= MAX_SHARE:
            raise SettingsError(f"{self.share} signals share a figure, expected 1 to {MAX_SHARE}")
        if not 0 <= self.framing.channel < self.recording.n_channels:
            raise SettingsError(
                f"channel {self.framing.channel} does not exist, "
                f"expected 0 to {self.recording.n_channels - 1}"
            )
        if self.n_samples < 1:
            raise SettingsError(
                f"the stretch starts at {self.framing.start} s, but {self.recording.provenance.name!r} "
                f"lasts {self.recording.duration:.3f} s"
            )

    @property
    def sampling_rate(self) -> int:
        """In Hz."""
        return self.recording.sampling_rate

    @property
    def first(self) -> int:
        """Index of the stretch's first sample."""
        return round(self.framing.start * self.sampling_rate)

    @property
    def n_samples(self) -> int:
        """Samples in the stretch."""
        last = self.recording.n_samples
        if self.framing.length is not None:
            last = min(last, self.first + max(1, round(self.framing.length * self.sampling_rate)))
        return last - self.first

    @property
    def start(self) -> float:
        """Where the stretch begins, in seconds."""
        return self.first / self.sampling_rate

    @property
    def end(self) -> float:
        """Where the stretch ends, in seconds."""
        return (self.first + self.n_samples) / self.sampling_rate

    @property
    def hop_length(self) -> int:
        """The hop in use, in samples: the one asked for, or a longer one in a long stretch; never a gap."""
        affordable = math.ceil(self.n_samples * self.framing.n_fft * self.share / MAX_TRANSFORMED)
        return min(self.framing.n_fft, max(self.framing.hop_length, affordable))

    @property
    def max_columns(self) -> int:
        """Columns of a spectrogram and points of a line at most."""
        return MAX_COLUMNS // self.share

    @property
    def frames_per_column(self) -> int:
        """How many frames are averaged (as power) into one column of a spectrogram."""
        return math.ceil(math.ceil(self.n_samples / self.hop_length) / self.max_columns)

    @property
    def column_step(self) -> float:
        """Seconds from one column of a spectrogram to the next."""
        return self.hop_length * self.frames_per_column / self.sampling_rate

    @cached_property
    def envelope(self) -> tuple[float, Float32, Float32]:
        """The waveform: step in seconds, lowest and highest sample of each step, shape (n,) each.

        A stretch of up to :data:`MAX_ENVELOPE` samples, divided by the share, has one sample a step.
        """
        width = math.ceil(self.n_samples / (MAX_ENVELOPE // self.share))
        parts = [(part.min(axis=1), part.max(axis=1)) for part in self._cells(width)]
        low, high = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return width / self.sampling_rate, low, high

    @cached_property
    def level(self) -> tuple[float, Float32]:
        """The energy: step in seconds, and RMS level in dBFS of each step, at least -120, shape (n,)."""
        width = max(round(0.01 * self.sampling_rate), math.ceil(self.n_samples / self.max_columns))
        parts = [np.square(part).mean(axis=1, dtype=np.float64) for part in self._cells(width)]
        return width / self.sampling_rate, decibels(np.concatenate(parts).astype(np.float32))

    @cached_property
    def power(self) -> Float32:
        """Mean power spectra, shape (n_columns, 1 + n_fft // 2); a full-scale sine on a bin gives 1."""
        n_fft, hop, group = self.framing.n_fft, self.hop_length, self.frames_per_column
        n_frames = math.ceil(self.n_samples / hop)
        n_columns = math.ceil(n_frames / group)
        power = np.zeros((n_columns, 1 + n_fft // 2), dtype=np.float32)
        window = hann(n_fft)
        done = 0
        for batch in frames(self._around(n_fft, hop, n_frames), n_fft, hop):
            columns = np.arange(done, done + len(batch)) // group
            borders = np.flatnonzero(np.diff(columns, prepend=-1))
            power[columns[borders]] += np.add.reduceat(power_spectra(batch, window), borders, axis=0)
            done += len(batch)
        counts = np.full(n_columns, group)
        counts[-1] = n_frames - group * (n_columns - 1)
        power /= (counts * (window.sum() / 2) ** 2)[:, None].astype(np.float32)
        return power

    @cached_property
    def pitch(self) -> tuple[float, Float32]:
        """F0: step in seconds, and the median of each step's voiced frames in Hz, NaN without; shape (n,)."""
        length = frame_length_for(self.sampling_rate)
        hop = max(
            round(0.01 * self.sampling_rate), math.ceil(self.n_samples / (MAX_PITCH_FRAMES // self.share))
        )
        n_frames = math.ceil(self.n_samples / hop)
        if hop > length:  # sampled with gaps: F0 of a stretch of hours is an overview
            f0 = self._sparse_pitch(length, hop, n_frames)
        else:
            batches = frames(self._around(length, hop, n_frames), length, hop)
            step = hop / self.sampling_rate
            f0 = np.concatenate([yin(batch, self.sampling_rate, hop=step)[0] for batch in batches])
        group = math.ceil(n_frames / self.max_columns)
        f0 = np.pad(f0, (0, -len(f0) % group), constant_values=np.nan).reshape(-1, group)
        medians = np.full(len(f0), np.nan, dtype=np.float32)
        voiced = np.isfinite(f0).any(axis=1)
        medians[voiced] = np.nanmedian(f0[voiced], axis=1)
        return hop * group / self.sampling_rate, medians

    def _around(self, frame_length: int, hop: int, n_frames: int) -> Iterator[Float32]:
        """Yield the samples for frames whose middles are the middles of successive hops."""
        first = self.first + hop // 2 - frame_length // 2
        last = first + (n_frames - 1) * hop + frame_length
        return sample_blocks(self.recording, self.framing.channel, first, last)

    def _sparse_pitch(self, length: int, hop: int, n_frames: int) -> Float32:
        """Return F0 of frames that do not touch one another, shape (n_frames,)."""
        first = self.first + hop // 2 - length // 2
        batch = np.empty((n_frames, length), dtype=np.float32)
        for i in range(n_frames):
            begin = first + i * hop
            (batch[i],) = sample_blocks(self.recording, self.framing.channel, begin, begin + length)
        return np.concatenate(
            [yin(batch[i : i + 512], self.sampling_rate)[0] for i in range(0, n_frames, 512)]
        )

    def _cells(self, width: int) -> Iterator[Float32]:
        """Yield the stretch as rows of `width` samples, the last and shorter row apart."""
        block_length = max(1, BLOCK_LENGTH // width) * width
        last = self.first + self.n_samples
        channel = self.framing.channel
        for block in sample_blocks(self.recording, channel, self.first, last, block_length=block_length):
            whole = len(block) // width * width
            if whole:
                yield block[:whole].reshape(-1, width)
            if whole < len(block):
                yield block[None, whole:]


def decibels(power: Float32) -> Float32:
    """Return ``10 * log10(power)``, at least -120 dB."""
    levels: Float32 = np.float32(10.0) * np.log10(np.maximum(power, POWER_FLOOR))
    return levels
