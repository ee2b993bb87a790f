"""Short-time analysis: a recording as overlapping frames, and the power spectra of frames.

Everything streams: samples come in blocks and frames leave in batches, so memory does not grow with the
recording. Samples are ``float32`` in [-1, 1]; a batch of frames has shape ``(n_frames, frame_length)``,
a batch of spectra ``(n_frames, 1 + n_fft // 2)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from blipper.recording import Float32, Recording, release_pages

#: Samples in a block: 16 s at 16 kHz, so a batch of 2048-sample frames every 512 takes 4 MiB.
BLOCK_LENGTH = 1 << 18


def sample_blocks(
    recording: Recording, channel: int, first: int, last: int, *, block_length: int = BLOCK_LENGTH
) -> Iterator[Float32]:
    """Go through the samples ``first`` to ``last`` of one channel, with zeros outside the recording.

    Parameters
    ----------
    recording : Recording
    channel : int
    first, last : int
        Sample indices, half-open; ``first`` may be negative and ``last`` beyond the end.
    block_length : int
        Samples in every block but the last.

    Yields
    ------
    numpy.ndarray of float32, shape (n,)
    """
    samples = recording.channel(channel)
    for start in range(first, last, block_length):
        stop = min(last, start + block_length)
        inside = samples[max(0, start) : max(0, min(stop, len(samples)))]
        block = np.zeros(stop - start, dtype=np.float32)
        offset = max(0, -start)
        block[offset : offset + len(inside)] = inside
        release_pages(recording.samples)
        yield block


def frames(blocks: Iterable[Float32], frame_length: int, hop_length: int) -> Iterator[Float32]:
    """Cut a stream of samples into overlapping frames; an incomplete last frame is dropped.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32, shape (n,)
        Consecutive samples, in blocks of any length.
    frame_length, hop_length : int
        In samples; ``0 < hop_length <= frame_length``.

    Yields
    ------
    numpy.ndarray of float32, shape (n_frames, frame_length)
        A read-only view; the batches follow one another without gap, each with at least one frame.
    """
    rest = np.zeros(0, dtype=np.float32)
    for block in blocks:
        rest = np.concatenate((rest, block))
        if len(rest) < frame_length:
            continue
        batch = sliding_window_view(rest, frame_length)[::hop_length]
        yield batch
        rest = rest[len(batch) * hop_length :]


def hann(length: int) -> Float32:
    """Return a periodic Hann window, shape (length,)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return np.asarray(window, dtype=np.float32)


def power_spectra(batch: Float32, window: Float32) -> Float32:
    """Return the squared magnitude spectra of windowed frames.

    Parameters
    ----------
    batch : numpy.ndarray of float32, shape (n_frames, n_fft)
    window : numpy.ndarray of float32, shape (n_fft,)

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames, 1 + n_fft // 2)
        ``|X|**2``, not scaled: a full-scale sine on a bin gives ``(window.sum() / 2) ** 2``.
    """
    from scipy.fft import rfft

    spectra = rfft(batch * window, axis=1)
    power: Float32 = spectra.real**2 + spectra.imag**2
    return power
