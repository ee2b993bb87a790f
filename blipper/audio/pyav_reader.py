"""M4A/AAC, MP4, WebM, AMR and WMA, decoded by FFmpeg's libraries through PyAV.

Files come from strangers, so FFmpeg gets as little as it needs: the open file and no way to open another
(no network, no playlists, no concat scripts), the one container format that the file's bytes announced,
and sound decoders alone, so that a video track is never decoded, not even to guess its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NoReturn

import av
import av.error
import av.stream
import numpy as np

from blipper.audio.limits import Limits
from blipper.audio.mp4_index import check_index, has_index
from blipper.audio.reading import BLOCK_FRAMES, check_format, undecodable
from blipper.audio.signatures import Kind
from blipper.audio.source import Source
from blipper.recording import Float32

_DECODERS: Final = (
    "aac,alac,mp3float,mp2float,opus,vorbis,flac,speex,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,"
    "wmav1,wmav2,wmapro,wmalossless,wmavoice,ac3,eac3,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,"
    "pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
)

_OPTIONS: Final = {
    "codec_whitelist": _DECODERS,
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,amr,aac,mp3,ogg",
    "protocol_whitelist": "none",
}

#: Containers whose timestamps say when a packet sounds; in the others they are guessed from the bit rate.
_TIMED: Final = ("mp4", "matroska", "asf")

#: Timestamps wobble by some milliseconds; a larger jump is a stretch in which nothing was recorded.
_MIN_GAP: Final = 0.1

#: A larger jump is taken for a broken clock and not filled.
_MAX_GAP: Final = 600.0

#: FFmpeg's sample formats: type, and factor and offset to [-1, 1].
_SAMPLE_TYPES: Final = {
    "u8": (np.uint8, 1 / 128, -1.0),
    "s16": (np.int16, 2.0**-15, 0.0),
    "s32": (np.int32, 2.0**-31, 0.0),
    "s64": (np.int64, 2.0**-63, 0.0),
    "flt": (np.float32, 1.0, 0.0),
    "dbl": (np.float64, 1.0, 0.0),
}


def _open_nothing(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    """Refuse to open a second file, whatever the first one asks for."""
    raise PermissionError(f"a recording may not open other files: {url!r}")


class PyavReader:
    """See :class:`blipper.audio.reading.Reader`."""

    decoder: Literal["soundfile", "pyav"] = "pyav"

    def __init__(self, source: Source, kind: Kind, limits: Limits) -> None:
        self._source, self._kind, self._limits = source, kind, limits
        self.container = kind.label
        self.full_scale = 1.0
        self.is_broken = False
        self.filled_seconds = 0.0
        self.n_damaged = 0
        self._n_lost = 0
        self._lost_seconds = 0.0
        check_index(source, kind, limits)
        source.seek(0)
        try:
            self._container: Any = av.open(
                source,
                format=kind.demuxer,
                options=_OPTIONS,
                metadata_errors="ignore",
                io_open=_open_nothing,
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise self._undecodable(self._why(error)) from error
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        """Choose the track and decode its first frame, which tells the format more truly than headers do."""
        name = self._source.display_name
        tracks = self._container.streams.audio
        self.n_tracks = len(tracks)
        if not tracks:
            what = (
                "a video without sound" if self._container.streams.video else "a file without a sound track"
            )
            raise self._limits.refusal(name, f"this is {what} ({self.container})")
        stream = self._container.streams.best("audio") or tracks[0]
        if stream.codec_context is None or stream.codec_context.name not in _DECODERS.split(","):
            codec = "an unknown codec" if stream.codec_context is None else stream.codec_context.name
            raise self._limits.refusal(name, f"the sound is coded as {codec}, which Blipper does not read")
        for other in self._container.streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all
        self._stream = stream
        self.codec = stream.codec_context.codec.canonical_name
        context = stream.codec_context
        if context.sample_rate and context.channels:
            # Refuse before decoding, as a first frame of a thousand channels costs memory already.
            check_format(context.sample_rate, context.channels, name, self._limits)
        self.promised_seconds = self._promise()
        self._context = _better_decoder(context)
        self._frames = self._decode()
        first: Any = next(self._frames, None)
        if first is None:
            raise self._undecodable("no packet of it decodes" if self.is_broken else "it holds no sound data")
        self._first = first
        self.sampling_rate = first.sample_rate
        self.n_channels = first.layout.nb_channels
        check_format(self.sampling_rate, self.n_channels, name, self._limits)

    def _promise(self) -> float | None:
        if self._kind.demuxer in ("aac", "amr", "mp3", "ogg"):
            return None  # an estimate from the bit rate, or the last timestamp
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return self._container.duration / av.time_base if self._container.duration else None

    def blocks(self) -> Iterator[Float32]:
        """Yield blocks of shape (n_frames, n_channels), until the end or what cannot be decoded."""
        fifo = av.AudioFifo()
        format_name, done = self._first.format.name, 0
        origin = (self._container.start_time or 0) / av.time_base
        frame = self._first
        while frame is not None:
            shape = (frame.sample_rate, frame.layout.nb_channels, frame.format.name)
            if shape != (self.sampling_rate, self.n_channels, format_name):
                self.is_broken = True  # another recording behind this one, or damage
                break
            gap = self._gap_before(frame, done / self.sampling_rate + origin)
            if gap > 0:
                yield from _drain(fifo, self.n_channels)
                n_missing = round(gap * self.sampling_rate)
                self.filled_seconds += gap
                done += n_missing
                yield from _silence(n_missing, self.n_channels)
            frame.pts = None  # or the FIFO insists on timestamps without gaps
            fifo.write(frame)
            done += frame.samples
            if fifo.samples >= BLOCK_FRAMES:
                yield from _drain(fifo, self.n_channels)
            frame = next(self._frames, None)
        yield from _drain(fifo, self.n_channels)

    def close(self) -> None:
        """Let go of the decoder; the source stays open."""
        self._container.close()

    def _decode(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self.is_broken = True
                return
            if packet is None:
                # Damaged packets with nothing behind them are the break itself.
                self.is_broken |= self._n_lost > 0
                return
            try:
                frames = self._context.decode(packet)
            except av.error.FFmpegError:
                known = packet.duration and packet.time_base
                self._lost_seconds += float(packet.duration * packet.time_base) if known else 0.02
                self._n_lost += 1
                continue
            yield from (frame for frame in frames if frame.samples > 0)

    def _gap_before(self, frame: Any, expected: float) -> float:
        """Return the seconds of silence to put before a frame so that it sounds at its own time."""
        lost, self._lost_seconds = self._lost_seconds, 0.0
        self.n_damaged += self._n_lost
        self._n_lost = 0
        if self._kind.demuxer in _TIMED and frame.time is not None:
            jump = float(frame.time) - expected
            return jump if _MIN_GAP < jump < _MAX_GAP else 0.0
        return min(lost, _MAX_GAP)

    def _why(self, error: Exception) -> str:
        if self._kind.layout == "mp4" and not has_index(self._source):
            return "its index, which recorders write last, is missing"
        return getattr(error, "strerror", None) or str(error)

    def _undecodable(self, reason: str) -> Exception:
        return undecodable(self._source, self._kind, self._limits, reason)


def _better_decoder(context: Any) -> Any:
    """Return the decoder to use: FFmpeg's own for AMR knows no pauses (DTX), with which phones record."""
    name = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}.get(context.name)
    if name is None or name not in av.codecs_available:
        return context
    better: Any = av.CodecContext.create(name, "r")
    better.sample_rate, better.layout = context.sample_rate, context.layout
    return better


def _drain(fifo: Any, n_channels: int) -> Iterator[Float32]:
    frame = fifo.read()
    if frame is None:
        return
    # Not frame.to_ndarray(): on eight planar channels PyAV 18 finds a ninth plane, and crashes reading it.
    dtype, factor, offset = _SAMPLE_TYPES[frame.format.name.rstrip("p")]
    if frame.format.is_planar:
        planes = frame.planes[:n_channels]
        data = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes], axis=1)
    else:
        data = np.frombuffer(frame.planes[0], dtype, frame.samples * n_channels).reshape(-1, n_channels)
    with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as such
        samples = data.astype(np.float32)
    yield samples if factor == 1 else samples * np.float32(factor) + np.float32(offset)


def _silence(n_frames: int, n_channels: int) -> Iterator[Float32]:
    for start in range(0, n_frames, BLOCK_FRAMES):
        yield np.zeros((min(BLOCK_FRAMES, n_frames - start), n_channels), dtype=np.float32)
