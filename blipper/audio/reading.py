"""What the two decoders have in common: the face they show to the loader, and how they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, Protocol

from blipper.audio.limits import Limits
from blipper.audio.signatures import Kind
from blipper.audio.source import Reheaded, Source
from blipper.audio.structure import has_more_streams, is_cut
from blipper.errors import AudioError
from blipper.recording import Float32

#: Frames (samples of all channels) in a block: 1.5 s at 44.1 kHz, 4 MiB at the most channels.
BLOCK_FRAMES: Final = 1 << 16


class Reader(Protocol):
    """A recording that is being decoded.

    Attributes
    ----------
    container, codec : str
    decoder : {"soundfile", "pyav"}
    sampling_rate, n_channels : int
    promised_seconds : float or None
        Length that the file states; None where it states none that can be believed.
    is_broken : bool
        Known once the blocks are through: decoding ended in an error.
    filled_seconds : float
        Silence put where packets were damaged or missing, so that later times stay right.
    n_damaged : int
        Packets in the midst of the recording that could not be decoded.
    n_tracks : int
        Sound tracks in the file; one of them is decoded.
    full_scale : float
        Magnitude from which a sample of this codec counts as full scale.
    """

    container: str
    codec: str
    decoder: Literal["soundfile", "pyav"]
    sampling_rate: int
    n_channels: int
    promised_seconds: float | None
    is_broken: bool
    filled_seconds: float
    n_damaged: int
    n_tracks: int
    full_scale: float

    def blocks(self) -> Iterator[Float32]:
        """Yield blocks of shape (n_frames, n_channels); each is valid until the next is asked for."""

    def close(self) -> None:
        """Let go of the decoder; the source stays open."""


def open_reader(source: Source, kind: Kind, limits: Limits) -> Reader:
    """Start decoding.

    Raises
    ------
    AudioError
        If the decoder cannot make sense of the file, or what its header says is beyond the limits.
    """
    if kind.start > 0:
        source = Reheaded(source, b"", n_replaced=kind.start)  # neither decoder skips every ID3 tag
    # libsndfile reads the first of several Ogg streams behind or beside each other, and drops the rest.
    if kind.decoder == "soundfile" and not (kind.layout == "ogg" and has_more_streams(source)):
        from blipper.audio.soundfile_reader import SoundfileReader

        return SoundfileReader(source, kind, limits)
    from blipper.audio.pyav_reader import PyavReader

    return PyavReader(source, kind, limits)


def undecodable(source: Source, kind: Kind, limits: Limits, reason: str) -> AudioError:
    """Return the error for a file of a known format from which nothing can be decoded."""
    article = "an" if kind.label[0] in "AEIMO" else "a"
    cut = "the file is cut off, and " if is_cut(source, kind) else ""
    reason = reason.strip().rstrip(".").replace("\n", " ")
    return limits.refusal(
        source.display_name,
        f"this is {article} {kind.label} file, but {cut}nothing can be decoded ({reason})",
    )


def check_format(sampling_rate: int, n_channels: int, name: str, limits: Limits) -> None:
    """Raise AudioError if the sampling rate or the number of channels is beyond the limits."""
    if not limits.min_sampling_rate <= sampling_rate <= limits.max_sampling_rate:
        raise limits.refusal(name, f"the sampling rate is {sampling_rate:,} Hz")
    if not 1 <= n_channels <= limits.max_channels:
        raise limits.refusal(name, f"it has {n_channels:,} channels")
