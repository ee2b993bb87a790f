"""Frame headers of MPEG audio (layers I to III, ISO 11172-3 and 13818-3) and of ADTS (AAC, ISO 13818-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: kbit/s by (MPEG-1?, layer), index 1 to 14.
_BIT_RATES: Final[dict[tuple[bool, int], tuple[int, ...]]] = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

_SAMPLING_RATES: Final = (44_100, 48_000, 32_000)


@dataclass(frozen=True)
class MpegFrame:
    """What a frame header says.

    Parameters
    ----------
    length : int
        Bytes from this header to the next.
    is_adts : bool
        AAC rather than MP1/2/3.
    family : tuple of int
        What stays the same from frame to frame: version, layer, index of the sampling rate.
    """

    length: int
    is_adts: bool
    family: tuple[int, int, int]


def parse_frame(data: bytes, offset: int) -> MpegFrame | None:
    """Return the frame whose header stands at `offset`, or None if none does."""
    header = data[offset : offset + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer_bits = header[1] >> 3 & 3, header[1] >> 1 & 3
    if layer_bits == 0:
        return _parse_adts(header)
    rate_index, bit_rate_index = header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or rate_index == 3 or not 1 <= bit_rate_index <= 14:
        return None
    layer, is_mpeg1 = 4 - layer_bits, version == 3
    # MPEG-2 halves the sampling rates, MPEG-2.5 quarters them.
    sampling_rate = _SAMPLING_RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bit_rate = 1000 * _BIT_RATES[is_mpeg1, layer][bit_rate_index - 1]
    padding = header[2] >> 1 & 1
    if layer == 1:
        length = (12 * bit_rate // sampling_rate + padding) * 4
    else:
        n_samples = 576 if layer == 3 and not is_mpeg1 else 1152
        length = n_samples // 8 * bit_rate // sampling_rate + padding
    return MpegFrame(length, False, (version, layer, rate_index))


def _parse_adts(header: bytes) -> MpegFrame | None:
    rate_index = header[2] >> 2 & 15
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if header[1] & 0xF0 != 0xF0 or rate_index > 12 or length < 8:
        return None
    return MpegFrame(length, True, (header[1] >> 3 & 1, header[2] >> 6, rate_index))


def find_chain(data: bytes, start: int, *, links: int) -> int | None:
    """Return where the first run of frames begins.

    Parameters
    ----------
    data : bytes
    start : int
        Where to begin looking.
    links : int
        Frames of one family that must follow each other; three in a row turn up by chance in about one of
        a thousand million stretches of 64 KiB.

    Returns
    -------
    int or None
    """
    offset = data.find(b"\xff", start)
    while offset >= 0:
        position, family = offset, None
        for _ in range(links):
            frame = parse_frame(data, position)
            if frame is None or (family is not None and frame.family != family):
                break
            position, family = position + frame.length, frame.family
        else:
            return offset
        offset = data.find(b"\xff", offset + 1)
    return None
