"""WAV files whose header does not tell how long they are, and how to read them to their end all the same."""

from __future__ import annotations

import struct
from typing import Final

from blipper.audio.source import Reheaded, Source
from blipper.audio.structure import WavData, find_wav_data

#: Sizes are 32-bit numbers in a WAV file, and libsndfile reads no further than that.
_MAX_SIZE: Final = 0xFFFFFFFF


def mend_length(source: Source) -> tuple[float | None, Source]:
    """Make a WAV file readable to its end.

    A recorder that loses power leaves the length at zero, a program that writes into a pipe leaves a
    placeholder, and one that writes more than 4 GiB leaves the length modulo 2**32. Such a file is shown
    to the decoder with the header of an RF64 file, whose sizes have 64 bits.

    Parameters
    ----------
    source : Source
        A WAV or RF64 file.

    Returns
    -------
    stated_seconds : float or None
        Length by the file's own header if that is wrong: for one of these reasons, or because the file is
        cut off.
    readable : Source
        What to decode.
    """
    data = find_wav_data(source)
    if data is None or data.big_endian:
        return None, source
    behind = data.offset + (_MAX_SIZE if data.declared is None else data.declared)
    unread = source.size - behind
    if data.declared is None:
        return None, _as_rf64(source, data) if unread > 0 else source
    stated = data.declared / data.bytes_per_second if data.bytes_per_second else 0.0
    if unread < 0:
        return stated, source
    name = source.read_at(behind + (data.declared & 1), 4)
    follows_chunk = len(name) == 4 and all(32 <= byte < 127 for byte in name)
    if unread <= max(data.bytes_per_second, 8) or follows_chunk:
        return None, source
    return stated, _as_rf64(source, data)


def _as_rf64(source: Source, data: WavData) -> Source:
    n_bytes = source.size - data.offset
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, n_bytes + 36, n_bytes, 0, 0)
    fmt = struct.pack("<4sI", b"fmt ", len(data.fmt)) + data.fmt
    riff = struct.pack("<4sI4s", b"RF64", _MAX_SIZE, b"WAVE")
    return Reheaded(
        source, riff + sizes + fmt + struct.pack("<4sI", b"data", _MAX_SIZE), n_replaced=data.offset
    )
