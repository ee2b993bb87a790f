"""Which format a file is in, by its content alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from blipper.audio.limits import Limits
from blipper.audio.mpeg import MpegFrame, find_chain, parse_frame
from blipper.audio.source import Source

#: Bytes looked at; an MP3 stream cut out of a broadcast starts within its first few kilobytes.
_HEAD: Final = 1 << 16

#: ID3v2 tags in a row that are skipped; more than a few only exist to waste time.
_MAX_TAGS: Final = 8

_MATROSKA: Final = b"\x1aE\xdf\xa3"
#: Boxes that a QuickTime file of the time before "ftyp" may begin with.
_OLD_QUICKTIME: Final = (b"moov", b"mdat", b"wide", b"free", b"skip")
_ASF: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


@dataclass(frozen=True)
class Kind:
    """A format that Blipper reads.

    Parameters
    ----------
    label : str
        Name for people.
    layout : str
        Key of the container's layout, for :mod:`blipper.audio.structure`.
    decoder : {"soundfile", "pyav"}
    demuxer : str
        FFmpeg's name of the container format; empty where only libsndfile is asked.
    start : int
        Offset of the first byte behind any ID3 tags.
    """

    label: str
    layout: Literal["wav", "flac", "ogg", "mpeg", "aiff", "mp4", "matroska", "asf", "amr"]
    decoder: Literal["soundfile", "pyav"]
    demuxer: str = ""
    start: int = 0


#: What people drop in by mistake: first bytes, and what it is.
_REFUSED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PK\x03\x04", "a ZIP archive; unpack it and choose the recording inside"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive; unpack it and choose the recording inside"),
    (b"BZh", "a bzip2 archive; unpack it and choose the recording inside"),
    (b"\xfd7zXZ\x00", "an xz archive; unpack it and choose the recording inside"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it and choose the recording inside"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it and choose the recording inside"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it and choose the recording inside"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"FLV\x01", "a Flash video; convert it to MP4"),
    (b".snd", "an AU file; convert it to WAV"),
    (b"caff", "a CAF file; convert it to WAV or M4A"),
    (b"wvpk", "a WavPack file; convert it to WAV or FLAC"),
    (b"MAC ", "a Monkey's Audio file; convert it to WAV or FLAC"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

#: Ogg codecs that libsndfile reads, by the first bytes of their identification header.
_OGG_CODECS: Final = ((b"\x01vorbis", "OGG Vorbis"), (b"OpusHead", "Opus"), (b"\x7fFLAC", "Ogg FLAC"))

AMR_WIDE: Final = b"#!AMR-WB\n"
_AMR_NARROW: Final = b"#!AMR\n"


def identify(source: Source, limits: Limits) -> Kind:
    """Return the format of a recording from its first bytes.

    Parameters
    ----------
    source : Source
    limits : Limits
        For the wording of refusals.

    Returns
    -------
    Kind

    Raises
    ------
    AudioError
        If the content is none of the accepted formats; the message says what it looks like instead.
    """
    start, head = _skip_tags(source)
    kind = _container(head, start, source) or _mpeg(head, start, source.size)
    if kind is not None:
        return kind
    raise limits.refusal(source.display_name, f"the content is {_describe(head)}")


def _skip_tags(source: Source) -> tuple[int, bytes]:
    start = 0
    head = source.read_at(0, _HEAD)
    for _ in range(_MAX_TAGS):
        if head[:3] != b"ID3" or len(head) < 10 or any(byte & 0x80 for byte in head[6:10]):
            break
        # A "syncsafe" size: seven bits a byte. Flag 0x10 announces a footer of ten bytes.
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        start += 10 + size + (10 if head[5] & 0x10 else 0)
        head = source.read_at(start, _HEAD)
    return start, head


def _container(head: bytes, start: int, source: Source) -> Kind | None:
    form, subform = head[:4], head[8:12]
    if form in (b"RIFF", b"RIFX", b"RF64") and subform == b"WAVE":
        return Kind("WAV", "wav", "soundfile")
    if form == b"FORM" and subform in (b"AIFF", b"AIFC"):
        return Kind("AIFF", "aiff", "soundfile")
    if form == b"fLaC":
        return Kind("FLAC", "flac", "soundfile", start=start)
    if form == b"OggS":
        return _ogg(head)
    if head[4:8] == b"ftyp" or (head[4:8] in _OLD_QUICKTIME and _fits(head, source.size)):
        return Kind("M4A/MP4", "mp4", "pyav", "mp4")
    if form == _MATROSKA:
        return Kind("WebM/Matroska", "matroska", "pyav", "matroska")
    if head.startswith(_ASF):
        return Kind("WMA/ASF", "asf", "pyav", "asf")
    if head.startswith((_AMR_NARROW, AMR_WIDE)):
        return Kind("AMR", "amr", "pyav", "amr")
    return None


def _fits(head: bytes, size: int) -> bool:
    """Return whether the first box's size is possible, so that the words "Duty free" are no movie."""
    box = int.from_bytes(head[:4], "big")
    return box in (0, 1) or 8 <= box <= size


def _ogg(head: bytes) -> Kind:
    # The first page holds the first stream's identification header alone, behind a table of n segments.
    first = head[27 + head[26] :][:8] if len(head) > 27 else b""
    for magic, label in _OGG_CODECS:
        if first.startswith(magic):
            return Kind(label, "ogg", "soundfile", "ogg")
    return Kind("Ogg", "ogg", "pyav", "ogg")


def _mpeg(head: bytes, start: int, size: int) -> Kind | None:
    offset = find_chain(head, 0, links=3)
    first = parse_frame(head, 0)
    if offset is None and first is not None and (start > 0 or _is_short(head, first, size - start)):
        offset = 0
    frame = None if offset is None else parse_frame(head, offset)
    return None if frame is None else _mpeg_kind(frame, start, plain=offset == 0)


def _is_short(head: bytes, frame: MpegFrame, size: int) -> bool:
    """Return whether the file is one or two frames, the last perhaps cut off."""
    if frame.length >= size:
        return frame.length == size
    second = parse_frame(head, frame.length)
    return second is not None and second.family == frame.family and frame.length + second.length >= size


def _mpeg_kind(frame: MpegFrame, start: int, *, plain: bool) -> Kind:
    if frame.is_adts:
        return Kind("AAC", "mpeg", "pyav", "aac", start)
    # libsndfile wants a frame at the very start; FFmpeg looks for one.
    return Kind("MP3", "mpeg", "soundfile" if plain else "pyav", "mp3", start)


def _describe(head: bytes) -> str:
    """Return what the content looks like, for a refusal."""
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "an AVI video; convert it to MP4"
    for magic, description in _REFUSED:
        if head.startswith(magic):
            return description
    text = _as_text(head)
    if text is None:
        return "none of the accepted formats, whatever the name says"
    opening = text.lstrip("\ufeff \t\r\n")
    if opening.startswith("#EXTM3U"):
        return "an HLS playlist (a text file that points to other files); choose the recording itself"
    if opening.startswith("ffconcat"):
        return "an ffconcat script (a text file that points to other files); choose the recording itself"
    return "text, not sound"


def _as_text(head: bytes) -> str | None:
    """Return the head decoded, or None if it is not text."""
    try:
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = head[: len(head) & ~1].decode("utf-16")
        else:
            # The window may cut the last character in two: at most three of its bytes are left over.
            text = head.decode("utf-8", "strict") if len(head) < _HEAD else _cut_utf8(head)
    except UnicodeDecodeError:
        return None
    return None if any(ord(c) < 32 and c not in "\t\n\r\f\x1b" for c in text) else text


def _cut_utf8(head: bytes) -> str:
    for spare in range(4):
        try:
            return head[: len(head) - spare].decode("utf-8")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:
                raise
    return head.decode("utf-8")
