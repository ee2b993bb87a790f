"""From any source to a Recording: identify, decode in blocks, and tell what went differently."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.audio.intake import Intake
from blipper.audio.limits import Limits, clock
from blipper.audio.mixdown import Remedy
from blipper.audio.notices import decoding_notices, sample_notices
from blipper.audio.reading import BLOCK_FRAMES, Reader, check_format, open_reader, undecodable
from blipper.audio.signatures import Kind, identify
from blipper.audio.source import AudioSource, Source, open_source, safe_name
from blipper.audio.structure import is_cut
from blipper.errors import AudioError, SettingsError
from blipper.progress import Progress, silent
from blipper.recording import Float32, Provenance, Recording

Channels = Literal["mix", "separate"]

#: The rate of the voice models and of Silero VAD.
TARGET_RATE: Final = 16_000


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
    _check_settings(channels, sampling_rate, limits)
    with open_source(source, name, limits) as opened:
        kind = identify(opened, limits)
        recording, remedy = _decode(opened, kind, channels, sampling_rate, limits, progress, None)
        if remedy is not None:
            # Rare, so the file is decoded twice rather than every stereo file kept in both mixes.
            del recording
            recording, _ = _decode(opened, kind, channels, sampling_rate, limits, progress, remedy)
    return recording


def is_recording(path: str | os.PathLike[str]) -> bool:
    """Return whether a file's first bytes are those of an accepted format; nothing is decoded.

    Parameters
    ----------
    path : path

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


def from_samples(
    samples: ArrayLike,
    sampling_rate: int,
    *,
    name: str = "array",
    channels: Channels = "mix",
    target_rate: int = TARGET_RATE,
    limits: Limits | None = None,
) -> Recording:
    """Make a recording from an array.

    Parameters
    ----------
    samples : array, shape (n_samples,) or (n_channels, n_samples)
        Floats in [-1, 1], or integers, which are scaled by their type's range (unsigned ones are centred).
    sampling_rate : int
        Of `samples` in Hz.
    name : str
        Name for display.
    channels : {"mix", "separate"}
        As for :func:`load`.
    target_rate : int
        Sampling rate of the result in Hz.
    limits : Limits, optional

    Returns
    -------
    Recording
        Its provenance has the SHA-256 of the given array's bytes (C order, little endian).

    Raises
    ------
    AudioError
        If the array is empty or has samples that are not finite, or goes beyond the limits.
    SettingsError
        If `channels` or `target_rate` is outside its domain.
    TypeError, ValueError
        If the array's type or shape is not as described.
    """
    limits = limits or Limits()
    _check_settings(channels, target_rate, limits)
    name = safe_name(name, "array")
    array = np.atleast_2d(np.asarray(samples))
    if array.ndim != 2:
        raise ValueError(
            f"samples of shape {np.shape(samples)}, expected (n_samples,) or (n_channels, n_samples)"
        )
    if array.dtype.kind not in "fiu":
        raise TypeError(f"samples are {array.dtype}, expected floats or integers")
    if array.shape[1] == 0:
        raise limits.refusal(name, "the array is empty")
    check_format(sampling_rate, array.shape[0], name, limits)
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    provenance = Provenance(
        name=name,
        sha256=hashlib.sha256(plain.data).hexdigest(),
        size_bytes=plain.nbytes,
        container="array",
        codec=array.dtype.name,
        sampling_rate=int(sampling_rate),
        n_channels=array.shape[0],
        decoder="array",
    )
    remedy: Remedy | None = None
    while True:
        intake = _intake(name, sampling_rate, array.shape[0], channels, target_rate, 1.0, limits, remedy)
        with intake:
            for block in _array_blocks(array):
                intake.add(block)
            tried, remedy = remedy, _remedy(intake, channels, remedy)
            if remedy is None:
                return _recording(intake, provenance, channels, target_rate, (), tried)


def _check_settings(channels: str, sampling_rate: int, limits: Limits) -> None:
    if channels not in get_args(Channels):
        raise SettingsError(f"channels is {channels!r}, expected 'mix' or 'separate'")
    if not limits.min_sampling_rate <= sampling_rate <= limits.max_sampling_rate:
        raise SettingsError(
            f"sampling rate {sampling_rate!r}, expected {limits.min_sampling_rate} to "
            f"{limits.max_sampling_rate} Hz"
        )


def _decode(
    source: Source,
    kind: Kind,
    channels: Channels,
    target_rate: int,
    limits: Limits,
    progress: Progress,
    remedy: Remedy | None,
) -> tuple[Recording, Remedy | None]:
    """Decode the source once; return the recording, and what to mix instead if its channels cancel."""
    name = source.display_name
    with closing(open_reader(source, kind, limits)) as reader:
        promised = reader.promised_seconds
        if promised is not None and promised > limits.max_seconds:
            raise limits.refusal(
                name,
                f"the header states {clock(promised)}, longer than {clock(limits.max_seconds)}; split it",
            )
        intake = _intake(
            name,
            reader.sampling_rate,
            reader.n_channels,
            channels,
            target_rate,
            reader.full_scale,
            limits,
            remedy,
        )
        with intake:
            for block in reader.blocks():
                intake.add(block)
                _report(progress, intake.seconds, promised, source)
            if source.failure is not None:
                raise AudioError(f"{name}: reading the file failed ({source.failure})") from source.failure
            if intake.n_frames == 0:
                raise undecodable(source, kind, limits, "it has a header and no sound behind it")
            progress("decode", intake.seconds, intake.seconds)
            found = _remedy(intake, channels, remedy)
            notices = decoding_notices(reader, intake.seconds, is_cut=is_cut(source, kind))
            return _recording(
                intake, _provenance(source, reader), channels, target_rate, notices, remedy
            ), found


def _intake(
    name: str,
    sampling_rate: int,
    n_channels: int,
    channels: Channels,
    target_rate: int,
    full_scale: float,
    limits: Limits,
    remedy: Remedy | None,
) -> Intake:
    weights: Float32 | None = None
    if channels == "mix" and n_channels > 1:
        weights = np.full(n_channels, 1 / n_channels, np.float32) if remedy is None else remedy.weights
    return Intake(
        name,
        sampling_rate,
        n_channels,
        target_rate=target_rate,
        weights=weights,
        full_scale=full_scale,
        limits=limits,
    )


def _remedy(intake: Intake, channels: Channels, tried: Remedy | None) -> Remedy | None:
    if channels == "separate" or intake.phase is None or tried is not None:
        return None
    return intake.phase.remedy(channel_names(len(intake.clipping.counts)))


def channel_names(n_channels: int) -> tuple[str, ...]:
    """Return the names of channels that are kept apart."""
    if n_channels == 1:
        return ("mix",)
    return ("left", "right") if n_channels == 2 else tuple(f"channel {i + 1}" for i in range(n_channels))


def _recording(
    intake: Intake,
    provenance: Provenance,
    channels: Channels,
    target_rate: int,
    notices: tuple[Any, ...],
    remedy: Remedy | None,
) -> Recording:
    names = ("mix",) if channels == "mix" else channel_names(provenance.n_channels)
    shares = intake.clipping.shares
    return Recording(
        samples=intake.finish(),
        sampling_rate=target_rate,
        channel_names=names,
        provenance=provenance,
        notices=notices
        + sample_notices(intake, kept_apart=len(names) > 1)
        + (() if remedy is None else (remedy.notice,)),
        clipped_shares=shares if len(names) == len(shares) else (max(shares),),
    )


def _provenance(source: Source, reader: Reader) -> Provenance:
    return Provenance(
        name=source.display_name,
        sha256=source.sha256(),
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


def _array_blocks(array: NDArray[Any]) -> Iterator[Float32]:
    """Yield blocks of shape (n_frames, n_channels) in [-1, 1]."""
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    factor = 1.0 if kind == "f" else 2.0 ** (1 - bits)
    for start in range(0, array.shape[1], BLOCK_FRAMES):
        block = array[:, start : start + BLOCK_FRAMES].T
        with np.errstate(over="ignore"):  # a double beyond float32 becomes infinite, and is refused as such
            scaled = block * factor - 1.0 if kind == "u" else block * factor
            yield np.ascontiguousarray(scaled, dtype=np.float32)
