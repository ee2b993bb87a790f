"""What the player plays and draws: FLAC made from the decoded samples, and the lanes' numbers.

The browser never gets the uploaded bytes: it could not play many of them, and a hostile file should not
reach a second decoder. FLAC at 16 kHz is lossless for the 16 bit kept here, plays in every current
browser, and encodes thousands of times faster than real time.

The lanes travel as one binary block (:func:`pack`): a header of JSON behind its own length, then the arrays,
each aligned to 4 bytes, little-endian.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Track

#: At most this many columns of the waveform: 10 a second of 4 hours, 100 a second up to 24 minutes.
MAX_PEAKS = 144_000
#: Columns a second where the recording is short: finer than any screen shows.
PEAKS_PER_SECOND = 100
_BLOCK_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class Playback:
    """One channel as the player wants it.

    Parameters
    ----------
    audio : bytes
        FLAC, 16 bit, mono, at the recording's sampling rate.
    lanes : bytes
        What :func:`pack` made of the waveform's envelope, the curve and the emotions.
    """

    audio: bytes
    lanes: bytes


def prepare(recording: Recording, track: Track, channel: int, progress: Progress = silent) -> Playback:
    """Make one channel ready for the player, in blocks.

    Parameters
    ----------
    recording : Recording
    track : Track
        The analysis of that channel.
    channel : int
        Row of the recording's samples.
    progress : Progress
        Told about ``"player"`` in seconds of audio.
    """
    curve = track.curve
    rate = min(float(PEAKS_PER_SECOND), MAX_PEAKS / max(recording.duration, 1e-9))
    n_peaks = max(1, round(recording.duration * rate))
    edges = np.linspace(0, recording.n_samples, n_peaks + 1).round().astype(np.int64)
    high = np.zeros(n_peaks, np.float32)
    low = np.zeros(n_peaks, np.float32)
    with tempfile.TemporaryFile() as file:
        with sf.SoundFile(
            file, "w", recording.sampling_rate, 1, subtype="PCM_16", format="FLAC", compression_level=0.5
        ) as flac:
            first = 0
            for start, block in recording.blocks(_BLOCK_SECONDS, channel):
                progress("player", start, recording.duration)
                flac.write(np.clip(block, -1.0, 1.0))
                _envelope(block, first, edges, high, low)
                first += len(block)
        file.seek(0)
        audio = file.read()
    peak = float(max(high.max(), -low.min(), 1e-9))
    lanes = pack(
        {"step": curve.step, "duration": recording.duration, "speech": _speech(track)},
        {
            "high": _bytes(high / peak),
            "low": _bytes(-low / peak),
            "aggression": curve.aggression.astype("<f4"),
            "emotions": _bytes(curve.emotions),
        },
    )
    return Playback(audio, lanes)


def pack(header: dict[str, object], arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """Pack a header and arrays into one block.

    Parameters
    ----------
    header : dict
        JSON values; ``arrays`` is added to it: ``{name: {"offset", "length", "type"}}`` with offsets from the
        end of the header and ``type`` ``"u1"`` or ``"f4"``.
    arrays : dict of str to numpy.ndarray
        uint8 or little-endian float32, flattened in C order.

    Returns
    -------
    bytes
        4 bytes with the header's length, the header (padded with spaces to a multiple of 4), the arrays
        (each padded with zeros to a multiple of 4).
    """
    index: dict[str, dict[str, object]] = {}
    body = bytearray()
    for name, array in arrays.items():
        index[name] = {"offset": len(body), "length": array.size, "type": array.dtype.str[1:]}
        body += array.tobytes()
        body += b"\0" * (-len(body) % 4)
    head = json.dumps({**header, "arrays": index}).encode()
    head += b" " * (-len(head) % 4)
    return len(head).to_bytes(4, "little") + head + bytes(body)


def _envelope(
    block: NDArray[np.float32],
    first: int,
    edges: NDArray[np.int64],
    high: NDArray[np.float32],
    low: NDArray[np.float32],
) -> None:
    """Raise `high` and lower `low` by the block whose first sample is number `first`."""
    if len(block) == 0:
        return
    column = int(np.searchsorted(edges, first, side="right")) - 1
    last = int(np.searchsorted(edges, first + len(block), side="left"))
    starts = np.maximum(edges[column:last] - first, 0)
    keep = np.flatnonzero(np.diff(np.append(starts, len(block))) > 0)
    rows = column + keep
    high[rows] = np.maximum(high[rows], np.maximum.reduceat(block, starts[keep]))
    low[rows] = np.minimum(low[rows], np.minimum.reduceat(block, starts[keep]))


def _bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return values of [0, 1] as 0..255; NaN becomes 0 (the aggression curve says where it was)."""
    return (np.clip(np.nan_to_num(values), 0.0, 1.0) * 255).round().astype(np.uint8)


def _speech(track: Track) -> list[list[float]]:
    return [[round(span.start, 3), round(span.end, 3)] for span in track.speech]
