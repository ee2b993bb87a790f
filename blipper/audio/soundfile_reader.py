"""WAV, FLAC, OGG Vorbis, Opus, MP3 and AIFF, decoded by libsndfile."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
import soundfile

from blipper.audio.limits import Limits
from blipper.audio.reading import BLOCK_FRAMES, check_format, undecodable
from blipper.audio.signatures import Kind
from blipper.audio.source import Source
from blipper.audio.wav_length import mend_length
from blipper.errors import AudioError
from blipper.recording import Float32

#: The largest magnitude that a codec can hold where that is clearly below one.
_FULL_SCALE: Final = {
    "PCM_U8": 127 / 128,
    "PCM_S8": 127 / 128,
    "ULAW": 32_124 / 32_768,
    "ALAW": 32_256 / 32_768,
}

#: libsndfile's SF_COUNT_MAX, and anything near it, stands for "not known".
_UNKNOWN_FRAMES: Final = 1 << 60


class _Stream(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read once from front to back.

    soundfile seeks to where it already is after each block of a seekable file. That costs time in every
    compressed format and resets some decoders, so this one says that it cannot seek.
    """

    def seekable(self) -> bool:
        return False


class SoundfileReader:
    """See :class:`blipper.audio.reading.Reader`."""

    decoder: Literal["soundfile", "pyav"] = "soundfile"

    def __init__(self, source: Source, kind: Kind, limits: Limits) -> None:
        stated_seconds, readable = mend_length(source) if kind.layout == "wav" else (None, source)
        readable.seek(0)
        # MP3 is read some hundred bytes at a time: a call back into Python for each is a tenth of the work.
        self._descriptor = source.reopened() if readable is source else None
        try:
            self._file = _Stream(readable if self._descriptor is None else self._descriptor, closefd=False)
        except soundfile.SoundFileError as error:
            self._close_descriptor()
            reason = getattr(error, "error_string", str(error))
            raise undecodable(source, kind, limits, reason) from error
        self._source, self._kind, self._limits = source, kind, limits
        self.container = self._file.format if readable is source else "WAV"
        self.codec = self._file.subtype
        self.sampling_rate = self._file.samplerate
        self.n_channels = self._file.channels
        self.full_scale = _FULL_SCALE.get(self.codec, 1.0)
        self.is_broken = False
        self.filled_seconds = 0.0
        self.n_damaged = 0
        self.n_tracks = 1
        try:
            check_format(self.sampling_rate, self.n_channels, source.display_name, limits)
        except AudioError:
            self.close()
            raise
        frames = self._file.frames
        self.promised_seconds = frames / self.sampling_rate if 0 < frames < _UNKNOWN_FRAMES else None
        if stated_seconds is not None:
            self.promised_seconds = stated_seconds

    def blocks(self) -> Iterator[Float32]:
        """Yield blocks of shape (n_frames, n_channels), until the end or the first error."""
        buffer = np.empty((BLOCK_FRAMES, self.n_channels), dtype=np.float32)
        while not self.is_broken:
            # On an error soundfile does not say how many frames came before it; the marks do.
            buffer.fill(np.nan)
            try:
                n_frames = len(self._file.read(out=buffer))
            except soundfile.SoundFileError:
                self.is_broken = True
                n_frames = int(np.count_nonzero(~np.isnan(buffer[:, -1])))
            if n_frames == 0:
                return
            yield buffer[:n_frames]

    def close(self) -> None:
        """Let go of the decoder; the source stays open."""
        self._file.close()
        self._close_descriptor()

    def _close_descriptor(self) -> None:
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.close(descriptor)
        except OSError as error:
            # libsndfile 1.2.0, which Debian 12 has, closes what it cannot open, whatever it is told.
            if error.errno != errno.EBADF:
                raise
