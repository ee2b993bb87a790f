"""Sound files made in memory for tests: every format that Blipper reads, and handmade hostile ones."""

from __future__ import annotations

import io
import struct
import tempfile
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile


def voice_like(seconds: float, rate: int, *, seed: int = 0) -> np.ndarray:
    """Return a buzz whose loudness comes and goes, plus a little noise; peak below 0.6, float32."""
    t = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in (1, 2, 3, 4))
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return (0.2 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 2 * t)) + 0.005 * noise).astype(np.float32)


def soundfile_bytes(samples: np.ndarray, rate: int, format: str, subtype: str) -> bytes:
    """Encode samples of shape (n,) or (n, n_channels) by libsndfile."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", rate, 1 if samples.ndim == 1 else samples.shape[1], format=format, subtype=subtype
    ) as file:
        for start in range(0, len(samples), 4096):  # libsndfile's Vorbis encoder overflows on long writes
            file.write(samples[start : start + 4096])
    return buffer.getvalue()


def pyav_bytes(
    samples: np.ndarray,
    rate: int,
    codec: str,
    container: str,
    *,
    bit_rate: int = 64_000,
    options: dict[str, str] | None = None,
    with_video: bool = False,
) -> bytes:
    """Encode samples of shape (n,) or (n, n_channels) by FFmpeg's libraries; no samples, no sound track."""
    columns = samples.reshape(len(samples), -1) if len(samples) else np.zeros((0, 1))
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[columns.shape[1]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        with av.open(str(path), "w", format=container, options=options or {}) as output:
            video = _video_stream(output) if with_video else None
            audio = output.add_stream(codec, rate=rate, layout=layout) if len(samples) else None
            if audio is not None:
                audio.bit_rate = bit_rate
                resampler = av.AudioResampler(format=audio.format.name, layout=layout, rate=rate)
            if video is not None:
                for index in range(10):
                    picture = np.full((32, 32, 3), 20 * index, dtype=np.uint8)
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    output.mux(video.encode(frame.reformat(format="yuv420p")))
                output.mux(video.encode(None))
            if audio is not None:
                for start in range(0, len(columns), rate):
                    block = np.ascontiguousarray(columns[start : start + rate]).reshape(1, -1)
                    frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
                    frame.rate, frame.pts = rate, start
                    for part in resampler.resample(frame):
                        output.mux(audio.encode(part))
                output.mux(audio.encode(None))
        return path.read_bytes()


def _video_stream(output: av.container.OutputContainer) -> av.VideoStream:
    stream = output.add_stream("mpeg4" if output.format.name != "webm" else "libvpx", rate=10)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuv420p"
    return stream


#: name -> (format, subtype, rate, channels, largest difference from the samples that were written)
BY_SOUNDFILE = {
    "wav-u8": ("WAV", "PCM_U8", 16_000, 1, 0.01),
    "wav-16": ("WAV", "PCM_16", 44_100, 2, 1e-4),
    "wav-24": ("WAV", "PCM_24", 48_000, 2, 1e-6),
    "wav-32": ("WAV", "PCM_32", 96_000, 1, 1e-6),
    "wav-float": ("WAV", "FLOAT", 22_050, 1, 1e-6),
    "wav-double": ("WAV", "DOUBLE", 192_000, 1, 1e-6),
    "wav-alaw": ("WAV", "ALAW", 8_000, 1, 0.03),
    "wav-mulaw": ("WAV", "ULAW", 8_000, 1, 0.03),
    "wavex-16": ("WAVEX", "PCM_16", 16_000, 8, 1e-4),
    "wavex-24": ("WAVEX", "PCM_24", 44_100, 2, 1e-6),
    "rf64": ("RF64", "PCM_16", 16_000, 1, 1e-4),
    "flac-16": ("FLAC", "PCM_16", 44_100, 2, 1e-4),
    "flac-24": ("FLAC", "PCM_24", 16_000, 1, 1e-6),
    "ogg-vorbis": ("OGG", "VORBIS", 44_100, 2, 0.2),
    "ogg-opus": ("OGG", "OPUS", 48_000, 1, 0.2),
    "mp3": ("MP3", "MPEG_LAYER_III", 44_100, 2, 0.2),
    "aiff-16": ("AIFF", "PCM_16", 44_100, 1, 1e-4),
    "aiff-float": ("AIFF", "FLOAT", 16_000, 2, 1e-6),
}

#: name -> (codec, container, rate, channels, options, codec that a Recording names)
BY_PYAV: dict[str, tuple[str, str, int, int, dict[str, str], str]] = {
    "m4a": ("aac", "ipod", 44_100, 2, {}, "aac"),
    "mp4-index-first": ("aac", "mp4", 48_000, 1, {"movflags": "faststart"}, "aac"),
    "mp4-fragments": ("aac", "mp4", 16_000, 1, {"movflags": "frag_keyframe+empty_moov"}, "aac"),
    "mov-pcm": ("pcm_s16le", "mov", 48_000, 2, {}, "pcm_s16le"),
    "m4a-alac": ("alac", "ipod", 16_000, 1, {}, "alac"),
    "aac-adts": ("aac", "adts", 44_100, 1, {}, "aac"),
    "webm-opus": ("libopus", "webm", 48_000, 1, {}, "opus"),
    "webm-live": ("libopus", "webm", 48_000, 1, {"live": "1"}, "opus"),
    "amr": ("libopencore_amrnb", "amr", 8_000, 1, {}, "amr_nb"),
    "wma": ("wmav2", "asf", 44_100, 2, {}, "wmav2"),
    "mp3-no-index": ("libmp3lame", "mp3", 44_100, 1, {"write_xing": "0"}, "MPEG_LAYER_III"),
}

ALL = (*BY_SOUNDFILE, *BY_PYAV)


@cache
def example(name: str, seconds: float = 3.0) -> bytes:
    """Return a file of one of the names in `ALL`; channel i is the first one times 1 - i / 10."""
    rate, n_channels = (BY_SOUNDFILE.get(name) or BY_PYAV[name])[2:4]
    gains = 1 - np.arange(n_channels, dtype=np.float32) / 10
    samples = voice_like(seconds, rate)[:, np.newaxis] * gains
    if name in BY_SOUNDFILE:
        return soundfile_bytes(samples, rate, *BY_SOUNDFILE[name][:2])
    codec, container, _, _, options, _ = BY_PYAV[name]
    return pyav_bytes(
        samples, rate, codec, container, options=options, bit_rate=12_200 if name == "amr" else 64_000
    )


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    register, top, mask = 0, 1 << bits - 1, (1 << bits) - 1
    for byte in data:
        register ^= byte << bits - 8
        for _ in range(8):
            register = (register << 1 ^ (polynomial if register & top else 0)) & mask
    return register


def silent_flac(seconds: float, rate: int = 16_000, *, state_length: bool = True) -> bytes:
    """Return mono silence as FLAC in 15 bytes a frame of 65,535 samples; 24 hours take 320 kB."""
    block, n_samples = 65_535, round(seconds * rate)
    info = struct.pack(">HH", block, block) + bytes(6)
    info += (rate << 44 | 15 << 36 | (n_samples if state_length else 0)).to_bytes(8, "big") + bytes(16)
    parts = [b"fLaC", b"\x80" + len(info).to_bytes(3, "big"), info]
    for number in range(n_samples // block):
        # Sync, fixed block size; size in 16 bits and rate from STREAMINFO; mono, 16 bits; number; size.
        head = b"\xff\xf8\x70\x08" + _utf8(number) + struct.pack(">H", block - 1)
        head += bytes([_crc(head, 0x07, 8)]) + b"\0\0\0"  # one constant subframe: 0
        parts.append(head + _crc(head, 0x8005, 16).to_bytes(2, "big"))
    return b"".join(parts)


def _utf8(number: int) -> bytes:
    return chr(number).encode() if not 0xD800 <= number < 0xE000 else bytes(
        (0xE0 | number >> 12, 0x80 | number >> 6 & 63, 0x80 | number & 63)
    )  # fmt: skip


def opus_bomb(hours: float, *, hide: bool = True) -> bytes:
    """Return Ogg Opus whose packets of 2 bytes last 120 ms each; its last page may hide the length."""
    serial = struct.pack("<I", 7)

    def page(kind: int, granule: int, number: int, packets: list[bytes]) -> bytes:
        head = b"OggS\0" + bytes([kind]) + struct.pack("<q", granule) + serial + struct.pack("<I", number)
        table = bytes([len(packets), *(len(packet) for packet in packets)])
        body = b"".join(packets)
        crc = _ogg_crc(head + bytes(4) + table + body)
        return head + struct.pack("<I", crc) + table + body

    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    pages = [page(2, 0, 0, [head]), page(0, 0, 1, [b"OpusTags" + bytes(8)])]
    # Code 3: six CBR frames of 20 ms, each of no bytes, which the decoder conceals.
    packet, in_page = bytes([0xF8 | 3, 6]), 255
    for number in range(round(hours * 3600 / 0.12 / in_page)):
        pages.append(page(0, (number + 1) * in_page * 5760, number + 2, [packet] * in_page))
    end = 48_000 if hide else (len(pages) - 2) * in_page * 5760
    pages.append(page(4, end, len(pages), [packet]))
    return b"".join(pages)


@cache
def _ogg_table() -> tuple[int, ...]:
    return tuple(_crc(bytes([0, 0, 0, byte][3:]), 0x04C11DB7, 32) for byte in range(256))


def _ogg_crc(data: bytes) -> int:
    table, register = _ogg_table(), 0
    for byte in data:
        register = (register << 8 & 0xFFFFFFFF) ^ table[register >> 24 ^ byte]
    return register


def _box(name: bytes, *body: bytes) -> bytes:
    joined = b"".join(body)
    return struct.pack(">I4s", 8 + len(joined), name) + joined


def _full(name: bytes, *body: bytes, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", flags), *body)


def mp4_claiming(n_samples: int, *, in_fragment: bool = False) -> bytes:
    """Return an MP4 of under 1 kB whose index claims so many samples of AMR, and holds five."""
    n_indexed = 0 if in_fragment else n_samples
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 1 << 30)
    mvhd = _full(
        b"mvhd",
        struct.pack(">IIII", 0, 0, 1000, 100),
        b"\0\1\0\0\1",
        bytes(11),
        matrix,
        bytes(24),
        b"\0\0\0\2",
    )
    tkhd = _full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 100), bytes(16), matrix, bytes(8), flags=7)
    mdhd = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 8000, 800, 0, 0))
    hdlr = _full(b"hdlr", b"\0\0\0\0soun", bytes(13))
    entry = _box(b"samr", bytes(6), b"\0\1", bytes(8), struct.pack(">HHHHI", 1, 16, 0, 0, 8000 << 16),
                 _box(b"damr", b"FFMP\0\x81\xff\0\1"))  # fmt: skip
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, n_indexed, 160)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, max(1, n_indexed), 1)),
        _full(b"stsz", struct.pack(">II", 1, n_indexed)),
        _full(b"stco", struct.pack(">II", 1, 28)),
    )
    where = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
    track = _box(
        b"trak", tkhd, _box(b"mdia", mdhd, hdlr, _box(b"minf", _full(b"smhd", bytes(4)), where, table))
    )
    fragments = _box(b"mvex", _full(b"trex", struct.pack(">IIIII", 1, 1, 160, 1, 0)))
    file = (
        _box(b"ftyp", b"isom", bytes(4), b"isom")
        + _box(b"mdat", b"\x7c" * 5)
        + _box(b"moov", mvhd, track, fragments)
    )
    if in_fragment:
        header = _full(b"tfhd", struct.pack(">I", 1), flags=0x20000)
        run = _full(b"trun", struct.pack(">I", n_samples))
        file += _box(b"moof", _full(b"mfhd", struct.pack(">I", 1)), _box(b"traf", header, run)) + _box(
            b"mdat", b"\x7c" * 5
        )
    return file


def wav_header(rate: int, n_channels: int, data_bytes: int, *, bits: int = 16, tag: int = 1) -> bytes:
    """Return the 44 bytes before a WAV file's samples."""
    frame = n_channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, n_channels, rate, (rate * frame) & 0xFFFFFFFF, frame & 0xFFFF, bits)
    riff = struct.pack("<4sI4s", b"RIFF", min(36 + data_bytes, 0xFFFFFFFF), b"WAVE")
    return riff + struct.pack("<4sI", b"fmt ", 16) + fmt + struct.pack("<4sI", b"data", data_bytes)
