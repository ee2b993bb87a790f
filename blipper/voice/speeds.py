"""Hearing the same log-mel frames as if they had been played a little faster or slower.

Who plays a recording at 1.07 of its speed hears it shorter and higher, formants and all: another voice that
says the same in the same mood. On log-mel frames that is a resampling of the time axis and a shift along the
bands, which costs nothing beside computing the frames anew, and gradients go through it.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.recording import Float32

#: Slowest and fastest speed that is heard.
SPEEDS: Final = (0.5, 2.0)
#: Hz; the highest edge of Whisper's mel filters, half its sampling rate.
_TOP: Final = 8000.0
#: Keeps 93 / 0.93 from being rounded down to 99, in double precision or in single.
_NUDGE: Final = 1e-4


def check_speed(speed: float, name: str = "speed") -> float:
    """Return a speed that can be heard.

    Raises
    ------
    ModelError
        If it is outside :data:`SPEEDS`, or no number.
    """
    number = isinstance(speed, (int, float)) and not isinstance(speed, bool)
    if not number or not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise ModelError(f"{name} is {speed!r}, expected {SPEEDS[0]} to {SPEEDS[1]}")
    return float(speed)


def heard_frames(frames: int, speed: float) -> int:
    """Return how many frames so many become at a speed: at least one."""
    return max(1, int(frames / speed + _NUDGE))


def faster(frames: Float32, speed: float) -> Float32:
    """Play log-mel frames at another speed.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (n, mels)
        As :func:`blipper.voice.whisper.log_mel` gives them, n at least 1.
    speed : float
        0.5 to 2; above 1 is faster, so shorter and higher.

    Returns
    -------
    numpy.ndarray of float32, shape (n / speed, mels), at least one frame
        Linear between neighbours in time and in frequency. Bands that the slowed sound cannot reach get the
        lowest value of the input, as resampling leaves them empty.

    Raises
    ------
    ModelError
        If the speed is outside the domain.
    """
    check_speed(speed)
    first, second, part = _places(heard_frames(len(frames), speed), speed, len(frames))
    between = (1 - part) * frames[first] + part * frames[second]
    shift, empty = _bands(frames.shape[1], speed)
    played = between @ shift
    played[:, empty] = frames.min()
    return np.asarray(played, dtype=np.float32)


def faster_in_graph(frames: Any, lengths: Any, speed: float) -> tuple[Any, Any]:
    """Do the same within a network, for padded frames.

    Parameters
    ----------
    frames : tensor of float32, shape (batch, n, mels)
        n is known when the network is built; what lies behind a row's length takes no part.
    lengths : tensor of int32, shape (batch,)
        At least 1.
    speed : float

    Returns
    -------
    frames : tensor of float32, shape (batch, n / speed, mels)
    lengths : tensor of int32, shape (batch,)
    """
    from keras import ops

    n = frames.shape[1]
    new = heard_frames(n, speed)
    first, second, part = _places(new, speed, n)
    last = ops.expand_dims(lengths - 1, 1)
    rows = [
        ops.take_along_axis(frames, ops.expand_dims(ops.minimum(ops.expand_dims(place, 0), last), 2), axis=1)
        for place in (first.astype(np.int32), second.astype(np.int32))
    ]
    shift, empty = _bands(frames.shape[2], speed)
    played = ops.matmul(rows[0] * (1 - part) + rows[1] * part, shift)
    if empty.any():
        inside = ops.expand_dims(ops.less_equal(np.arange(n, dtype=np.int32)[np.newaxis], last), 2)
        lowest = ops.min(ops.where(inside, frames, np.float32(np.inf)), axis=(1, 2), keepdims=True)
        played = ops.where(empty, lowest, played)
    short = ops.cast(ops.floor(ops.cast(lengths, "float32") / np.float32(speed) + _NUDGE), "int32")
    return played, ops.clip(short, 1, new)


def _places(count: int, speed: float, frames: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Float32]:
    """Return which two frames lie around each new one, and how far towards the second, shape (count, 1)."""
    places = np.arange(count) * speed
    first = np.minimum(places.astype(np.int64), frames - 1)
    part = np.minimum(places - first, 1.0).astype(np.float32)
    return first, np.minimum(first + 1, frames - 1), part[:, np.newaxis]


@functools.cache
def _bands(mels: int, speed: float) -> tuple[Float32, NDArray[np.bool_]]:
    """Return the matrix (mels, mels) that shifts bands, from the right, and which (mels,) stay empty."""
    import librosa

    centres = librosa.mel_frequencies(mels + 2, fmin=0.0, fmax=_TOP)[1:-1]
    wanted = np.interp(centres / speed, centres, np.arange(mels))
    lower = np.minimum(wanted.astype(np.int64), mels - 1)
    upper = np.minimum(lower + 1, mels - 1)
    shift = np.zeros((mels, mels), dtype=np.float32)
    np.add.at(shift, (lower, np.arange(mels)), 1 - (wanted - lower))
    np.add.at(shift, (upper, np.arange(mels)), wanted - lower)
    return shift, centres > _TOP * speed
