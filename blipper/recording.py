"""A decoded recording, and what is known of where it came from.

Samples are ``float32`` in [-1, 1] at :attr:`Recording.sampling_rate`, shape ``(n_channels, n_samples)``.
Long recordings are backed by an unlinked temporary file (a read-only ``numpy.memmap``), so reading them
in blocks keeps memory flat; code that wants all samples of one channel uses :meth:`Recording.channel`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Notice:
    """Something a reader of the result has to know.

    Parameters
    ----------
    code : str
        Stable name in kebab case, such as ``"truncated"``.
    message : str
        One or two plain English sentences for the analyst.
    severity : {"info", "warning"}
        Whether it touches how far the scores can be trusted.
    """

    code: str
    message: str
    severity: Literal["info", "warning"] = "warning"


@dataclass(frozen=True)
class Provenance:
    """Where a recording came from, as found in its bytes and never by its extension.

    Parameters
    ----------
    name : str
        File name for display, without folders.
    sha256 : str
        Hexadecimal SHA-256 of the encoded bytes.
    size_bytes : int
        Size of the encoded bytes.
    container, codec : str
        As the decoder names them, for example ``"WAV"`` and ``"PCM_16"``.
    sampling_rate : int
        Original sampling rate in Hz.
    n_channels : int
        Original number of channels.
    decoder : {"soundfile", "pyav", "array"}
        What decoded it; ``"array"`` for samples handed over by a caller.
    """

    name: str
    sha256: str
    size_bytes: int
    container: str
    codec: str
    sampling_rate: int
    n_channels: int
    decoder: Literal["soundfile", "pyav", "array"]


@dataclass(frozen=True, eq=False)
class Recording:
    """A decoded recording.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n_channels, n_samples)
        In [-1, 1]; may be a read-only memory map.
    sampling_rate : int
        In Hz; 16,000 for everything that ``blipper.audio.load`` returns by default.
    channel_names : tuple of str
        One a row of `samples`: ``("mix",)``, or ``("left", "right")``, or ``("channel 1", ...)``.
    provenance : Provenance
    notices : tuple of Notice
        What went differently while decoding: truncated, clipped to [-1, 1], opposite phase, ...
    clipped_shares : tuple of float or None
        Share of each channel's samples in runs at full scale, in [0, 1], counted before resampling, which
        rounds clipped tops off; of the worst channel for a mix. None where nobody counted.
    """

    samples: Float32
    sampling_rate: int
    channel_names: tuple[str, ...]
    provenance: Provenance
    notices: tuple[Notice, ...] = ()
    clipped_shares: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Check the shapes that everything downstream relies on."""
        if self.samples.ndim != 2 or self.samples.shape[0] != len(self.channel_names):
            raise ValueError(
                f"samples of shape {self.samples.shape} do not fit {len(self.channel_names)} channel "
                "names; expected (n_channels, n_samples)"
            )
        if self.samples.dtype != np.float32:
            raise ValueError(f"samples are {self.samples.dtype}, expected float32")

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """Number of samples in each channel."""
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sampling_rate

    def channel(self, index: int = 0) -> Float32:
        """Return one channel, shape (n_samples,); a view, so a memory map stays one."""
        samples: Float32 = self.samples[index]
        return samples

    def read(self, start: float, end: float, channel: int = 0) -> Float32:
        """Copy the samples of one channel between two times.

        Parameters
        ----------
        start, end : float
            Seconds, half-open; clipped to the recording.
        channel : int

        Returns
        -------
        numpy.ndarray of float32, shape (n,)
        """
        first = max(0, round(start * self.sampling_rate))
        last = min(self.n_samples, round(end * self.sampling_rate))
        block = np.array(self.samples[channel, first : max(first, last)])
        release_pages(self.samples)
        return block

    def blocks(self, seconds: float, channel: int = 0) -> Iterator[tuple[float, Float32]]:
        """Go through one channel in blocks, with memory that does not grow.

        Parameters
        ----------
        seconds : float
            Length of a block; the last one may be shorter.
        channel : int

        Yields
        ------
        start : float
            Where the block begins, in seconds.
        block : numpy.ndarray of float32, shape (n,)
        """
        step = max(1, round(seconds * self.sampling_rate))
        for first in range(0, self.n_samples, step):
            yield first / self.sampling_rate, np.array(self.samples[channel, first : first + step])
            release_pages(self.samples)


def release_pages(samples: Float32) -> None:
    """Give a memory map's resident pages back to the system; do nothing for an ordinary array.

    Without this a long recording that was read once counts in full as this process's memory.
    """
    base: object = samples
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    mapping = getattr(base, "_mmap", None)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        mapping.madvise(mmap.MADV_DONTNEED)
