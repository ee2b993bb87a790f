"""Whether a file ends before its own structure does, read from the container and not from the sound.

Decoders stop at the end of a cut file without a word. Each container tells in its own way where it ought
to end: a chunk's size, an end-of-stream mark, a frame's length. Only headers are read, never the sound.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blipper.audio.mpeg import find_chain, parse_frame
from blipper.audio.signatures import AMR_WIDE, Kind
from blipper.audio.source import Source

#: Elements walked at one level; real files have a few thousand fragments or clusters an hour.
_MAX_ELEMENTS: Final = 1_000_000

#: Data sizes from here on are what programs write that don't know the length yet (0x7FFFF000, 0xFFFFFFFF).
_PLACEHOLDER: Final = 0x7FFF0000

#: Bytes of the longest format chunk in use: WAVE_FORMAT_EXTENSIBLE has 40, ADPCM tables some more.
_MAX_FORMAT: Final = 1024

_UNKNOWN: Final = -1

#: Bytes of an AMR frame with its header, by mode: eight or nine rates, comfort noise, and no data (RFC 4867).
_AMR_LENGTHS: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
_AMR_WIDE_LENGTHS: Final = (18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1)


@dataclass(frozen=True)
class WavData:
    """Where a WAV file's samples are, as its header tells.

    Parameters
    ----------
    offset : int
        First byte of the samples.
    declared : int or None
        Bytes of samples that the header promises; None where it says that it doesn't know.
    bytes_per_second : int
        As the header tells; 0 where it doesn't.
    big_endian : bool
    fmt : bytes
        Body of the chunk that describes the samples.
    """

    offset: int
    declared: int | None
    bytes_per_second: int
    big_endian: bool
    fmt: bytes


def is_cut(source: Source, kind: Kind) -> bool:
    """Return whether the file ends before its structure does.

    Parameters
    ----------
    source : Source
    kind : Kind

    Returns
    -------
    bool
        False also for FLAC, whose decoder notices.
    """
    if kind.layout == "wav":
        data = find_wav_data(source)
        return data is not None and data.declared is not None and data.offset + data.declared > source.size
    if kind.layout == "aiff":
        return any(end > source.size for _, _, end in _chunks(source, 12, big_endian=True))
    if kind.layout == "ogg":
        return _ogg_is_cut(source)
    if kind.layout == "mpeg":
        return _mpeg_is_cut(source, kind.start)
    if kind.layout == "amr":
        return _amr_is_cut(source)
    if kind.layout == "mp4":
        return any(end > source.size for _, _, end in boxes(source, 0, source.size))
    if kind.layout == "asf":
        return _asf_is_cut(source)
    if kind.layout == "matroska":
        return _matroska_is_cut(source)
    return False


def find_wav_data(source: Source) -> WavData | None:
    """Return where a WAV file's samples are, or None if it has no data chunk."""
    big_endian = source.read_at(0, 4) == b"RIFX"
    long_size, bytes_per_second, fmt = None, 0, b""
    for name, offset, end in _chunks(source, 12, big_endian=big_endian):
        if name == b"ds64":  # RF64 keeps the sizes that do not fit 32 bits here
            sizes = source.read_at(offset, 16)
            long_size = struct.unpack("<8xQ", sizes)[0] if len(sizes) == 16 else None
        elif name == b"fmt ":
            fmt = source.read_at(offset, min(end - offset, _MAX_FORMAT))
            if len(fmt) >= 12:
                bytes_per_second = struct.unpack(">8xI" if big_endian else "<8xI", fmt[:12])[0]
        elif name == b"data":
            declared: int | None = end - offset
            if declared == 0xFFFFFFFF and long_size is not None:
                declared = long_size
            elif end - offset >= _PLACEHOLDER and end > source.size:
                declared = None
            return WavData(offset, declared, bytes_per_second, big_endian, fmt)
    return None


def _chunks(source: Source, start: int, *, big_endian: bool) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte and end of each IFF chunk; the end may lie behind the file's."""
    for _ in range(_MAX_ELEMENTS):
        header = source.read_at(start, 8)
        if len(header) < 8:
            return
        name, size = struct.unpack(">4sI" if big_endian else "<4sI", header)
        yield name, start + 8, start + 8 + size
        start += 8 + size + (size & 1)  # chunks are padded to even sizes


def _ogg_is_cut(source: Source) -> bool:
    # A page is at most 27 + 255 + 255 * 255 = 65,307 bytes.
    tail = source.read_at(max(0, source.size - 65_307), 65_307)
    last = tail.rfind(b"OggS")
    if last < 0 or len(tail) < last + 27:
        return True
    table = tail[last + 27 : last + 27 + tail[last + 26]]
    is_whole = len(table) == tail[last + 26] and len(tail) >= last + 27 + len(table) + sum(table)
    is_end_of_stream = bool(tail[last + 5] & 4)
    return not (is_whole and is_end_of_stream)


def has_more_streams(source: Source) -> bool:
    """Return whether an Ogg file has more than one stream: several tracks, or recordings in a chain."""
    start, n_begins = 0, 0
    for _ in range(_MAX_ELEMENTS):
        header = source.read_at(start, 27 + 255)
        if len(header) < 27 or header[:4] != b"OggS":
            break  # the end, or damage
        n_begins += header[5] >> 1 & 1
        n_segments = header[26]
        start += 27 + n_segments + sum(header[27 : 27 + n_segments])
    return n_begins > 1


def _mpeg_is_cut(source: Source, first: int) -> bool:
    """Return whether the last frame reaches past the end, by following the frames' lengths."""
    start = max(first, source.size - (1 << 15))
    tail = source.read_at(start, 1 << 15)
    if tail[-128:-125] == b"TAG":  # ID3v1
        tail = tail[:-128]
    offset = 0 if start == first and parse_frame(tail, 0) is not None else find_chain(tail, 0, links=3)
    while offset is not None and offset < len(tail):
        frame = parse_frame(tail, offset)
        if frame is None:
            # Fewer bytes than a header that begin like one are a cut header; anything else is a tag.
            return len(tail) - offset < 7 and tail[offset] == 0xFF
        offset += frame.length
    return offset is not None and offset > len(tail)


def _amr_is_cut(source: Source) -> bool:
    """Add up the frames' lengths, which hang on their modes: 3 MB an hour at most."""
    is_wide = source.read_at(0, 9) == AMR_WIDE
    lengths, position = (_AMR_WIDE_LENGTHS, 9) if is_wide else (_AMR_LENGTHS, 6)
    while position < source.size:
        modes = source.read_at(position, 1 << 16)
        offset = 0
        while offset < len(modes):
            offset += lengths[modes[offset] >> 3 & 15]
        position += offset
    return position > source.size


def boxes(source: Source, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, first byte of the body and end of each ISO base media box; the end may lie behind `end`."""
    for _ in range(_MAX_ELEMENTS):
        header = source.read_at(start, 16)
        if start >= end or len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        body = start + 8
        if size == 1 and len(header) == 16:
            size, body = struct.unpack(">8xQ", header)[0], start + 16
        elif size == 0:
            size = end - start  # "to the end"
        if size < body - start:
            return  # damaged; the demuxer will say so
        yield name, body, start + size
        start += size


def _asf_is_cut(source: Source) -> bool:
    start = 0
    while start < source.size:
        header = source.read_at(start, 24)
        if len(header) < 24:
            return True
        size = struct.unpack("<16xQ", header)[0]
        if size < 24:
            return False  # a live recording leaves its data object's size at zero
        start += size
    return start > source.size


def _element(source: Source, start: int) -> tuple[int, int, int] | None:
    """Return id, first byte of the body and size (or `_UNKNOWN`) of the EBML element at `start`."""
    header = source.read_at(start, 12)
    if len(header) < 2 or header[0] == 0:
        return None
    id_length = 9 - header[0].bit_length()
    if id_length > 4 or len(header) <= id_length or header[id_length] == 0:
        return None
    first = header[id_length]
    size_length = 9 - first.bit_length()
    field = header[id_length : id_length + size_length]
    if len(field) < size_length:
        return None
    size = int.from_bytes(field, "big") & ((1 << 7 * size_length) - 1)
    if size == (1 << 7 * size_length) - 1:
        size = _UNKNOWN
    return int.from_bytes(header[:id_length], "big"), start + id_length + size_length, size


def _matroska_is_cut(source: Source) -> bool:
    """Walk the elements; a live recording leaves the sizes of its segment and clusters open."""
    segment, cluster = 0x18538067, 0x1F43B675
    start = 0
    for _ in range(_MAX_ELEMENTS):
        if start >= source.size:
            return start > source.size
        element = _element(source, start)
        if element is None:
            # A header that the file's end cuts off, or damage that the demuxer deals with.
            return source.size - start < 12
        identifier, body, size = element
        if identifier in (segment, cluster) and size == _UNKNOWN:
            start = body  # its children follow, and look like its siblings
        elif size == _UNKNOWN or (identifier == segment and body + size <= source.size):
            return False
        else:
            start = body + size
    return False
