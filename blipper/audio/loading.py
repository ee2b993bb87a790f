"""From any source to a Recording: identify, decode in blocks, and tell what went differently."""

from __future__ import annotations

from contextlib import closing

from blipper.audio.assembly import TARGET_RATE, Channels, Request
from blipper.audio.limits import Limits, clock
from blipper.audio.mixdown import Remedy
from blipper.audio.notices import decoding_notices
from blipper.audio.reading import Reader, open_reader, undecodable
from blipper.audio.signatures import Kind, identify
from blipper.audio.source import AudioSource, Source, open_source
from blipper.audio.structure import is_cut
from blipper.errors import AudioError
from blipper.progress import Progress, silent
from blipper.recording import Provenance, Recording


def load(
    source: AudioSource,
    *,
    name: str | None = None,
    channels: Channels = "mix",
    sampling_rate: int = TARGET_RATE,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> Recording:
    """Decode a recording.

    The type is decided by content, never by extension: WAV (PCM of 8 to 32 bit, float, A-law, mu-law), FLAC,
    OGG Vorbis, Opus, MP3, AIFF, M4A/AAC, MP4, WebM, AMR and WMA. A file that breaks off is decoded up to the
    break, and a notice says so.

    Parameters
    ----------
    source : path, bytes or binary file object
        Read in blocks. A file object must be seekable; it is read from its start and stays open.
    name : str, optional
        Name for display; by default the path's or the file object's, without folders.
    channels : {"mix", "separate"}
        One mix of all channels, or each by itself (a call's two sides, say). Where channels in opposite phase
        would cancel each other in the mix, it is made otherwise and a notice says how.
    sampling_rate : int
        Of the result in Hz; within the limits.
    limits : Limits, optional
        By default ``Limits()``: 4 hours, 1 GiB decoded, 8 to 192 kHz, 1 to 8 channels.
    progress : callable
        Told ``("decode", seconds done, seconds in all)``.

    Returns
    -------
    Recording
        Samples of shape (n_channels, n_samples) in [-1, 1]; a read-only memory map of an unlinked temporary
        file from ``limits.memory_bytes`` on.

    Raises
    ------
    AudioError
        If the source cannot be read, is none of the accepted formats, holds no sound or samples that are not
        finite, or goes beyond the limits. The message names the file, the fault and what is accepted.
    SettingsError
        If `channels` or `sampling_rate` is outside its domain.
    """
    limits = limits or Limits()
    request = Request(channels, sampling_rate, limits)
    with open_source(source, name, limits) as opened:
        kind = identify(opened, limits)
        outcome = _decode(opened, kind, request, progress, None)
        while isinstance(outcome, Remedy):
            # Rare, so the file is decoded twice rather than every stereo file kept in both mixes.
            outcome = _decode(opened, kind, request, progress, outcome)
    return outcome


def is_recording(path: AudioSource) -> bool:
    """Return whether a file's first bytes are those of an accepted format; nothing is decoded.

    Parameters
    ----------
    path : path, bytes or binary file object

    Returns
    -------
    bool
        False also for what is no file or cannot be read.
    """
    limits = Limits()
    try:
        with open_source(path, None, limits) as source:
            identify(source, limits)
    except AudioError:
        return False
    return True


def _decode(
    source: Source, kind: Kind, request: Request, progress: Progress, remedy: Remedy | None
) -> Recording | Remedy:
    """Decode the source once; return the recording, or what to mix instead if its channels cancel."""
    name, limits = source.display_name, request.limits
    with closing(open_reader(source, kind, limits)) as reader:
        promised = reader.promised_seconds
        if promised is not None and promised > limits.max_seconds:
            longest = clock(limits.max_seconds)
            raise limits.refusal(
                name, f"the header states {clock(promised)}, longer than {longest}; split it"
            )
        with request.intake(
            name, reader.sampling_rate, reader.n_channels, remedy, reader.full_scale
        ) as intake:
            for block in reader.blocks():
                intake.add(block)
                _report(progress, intake.seconds, promised, source)
            if source.failure is not None:
                raise AudioError(f"{name}: reading the file failed ({source.failure})") from source.failure
            if intake.n_frames == 0:
                raise undecodable(source, kind, limits, "it has a header and no sound behind it")
            progress("decode", intake.seconds, intake.seconds)
            if remedy is None and (found := request.remedy(intake)) is not None:
                return found
            notices = decoding_notices(reader, intake.seconds, is_cut=is_cut(source, kind))
            return request.recording(intake, _provenance(source, reader), notices, remedy)


def _provenance(source: Source, reader: Reader) -> Provenance:
    try:
        sha256 = source.sha256()
    except OSError as error:  # a decoder that reads the file itself takes a bad spot for its end
        raise AudioError(f"{source.display_name}: reading the file failed ({error})") from error
    return Provenance(
        name=source.display_name,
        sha256=sha256,
        size_bytes=source.size,
        container=reader.container,
        codec=reader.codec,
        sampling_rate=reader.sampling_rate,
        n_channels=reader.n_channels,
        decoder=reader.decoder,
    )


def _report(progress: Progress, done: float, promised: float | None, source: Source) -> None:
    """Report seconds; where the file does not state its length, guess from how much of it has been read."""
    if promised is None:
        read = min(1.0, source.tell() / source.size)
        promised = done / read if read > 0 else done
    progress("decode", done, max(done, promised))
