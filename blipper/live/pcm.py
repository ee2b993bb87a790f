"""Raw PCM and WAV as they come through a pipe: bytes in any portions in, blocks of samples out.

A pipe cannot be rewound and often does not know its length: programs write 0 or the largest number into a WAV
header then. So only the header's format is believed, and sound is read until the stream ends.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.audio.limits import Limits
from blipper.errors import AudioError, SettingsError
from blipper.recording import Float32

#: Raw formats by the names that sox, arecord and ffmpeg share, with the bytes of a sample.
FORMATS: Final = {"u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4, "f64le": 8}

#: A header with more bytes than this before the sound is none.
_LONGEST_HEADER: Final = 1 << 20
#: Lengths of the sound from which on, like 0, they mean that it is not known.
_UNKNOWN: Final = 0x7FFF0000
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_BY_WAV: Final = {
    (_PCM, 8): "u8",
    (_PCM, 16): "s16le",
    (_PCM, 24): "s24le",
    (_PCM, 32): "s32le",
    (_FLOAT, 32): "f32le",
    (_FLOAT, 64): "f64le",
}


@dataclass(frozen=True)
class PcmFormat:
    """How raw samples are written.

    Parameters
    ----------
    sampling_rate : int
        Hz; 8,000 to 192,000.
    encoding : str
        One of :data:`FORMATS`.
    n_channels : int
        1 to 8, interleaved.
    """

    sampling_rate: int
    encoding: str = "s16le"
    n_channels: int = 1

    def __post_init__(self) -> None:
        """Check the domains."""
        limits = Limits()
        if self.encoding not in FORMATS:
            raise SettingsError(f"the format is {self.encoding!r}, expected one of {', '.join(FORMATS)}")
        if not limits.min_sampling_rate <= self.sampling_rate <= limits.max_sampling_rate:
            raise SettingsError(
                f"the sampling rate is {self.sampling_rate} Hz, expected {limits.min_sampling_rate} to "
                f"{limits.max_sampling_rate} Hz"
            )
        if not 1 <= self.n_channels <= limits.max_channels:
            raise SettingsError(f"there are {self.n_channels} channels, expected 1 to {limits.max_channels}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return FORMATS[self.encoding] * self.n_channels


class PcmStream:
    """Cuts a stream of bytes into samples.

    Parameters
    ----------
    form : PcmFormat, optional
        How raw samples are written; without it the stream begins with a WAV header.
    name : str
        For messages.
    """

    def __init__(self, form: PcmFormat | None = None, name: str = "standard input") -> None:
        self.form = form
        self._name = name
        self._rest = b""
        self._left: int | None = None  # bytes of sound still to come; None where the length is not known

    def add(self, data: bytes) -> Float32:
        """Take the next bytes.

        Returns
        -------
        numpy.ndarray of float32, shape (n_channels, n)
            In [-1, 1]; of no samples while the header is not complete.

        Raises
        ------
        AudioError
            If the stream begins with no header of a WAV file that can be read.
        """
        data = self._rest + data
        if self.form is None:
            found = self._header(data)
            if found is None:
                self._rest = data
                return np.zeros((1, 0), dtype=np.float32)
            self.form, self._left, start = found
            data = data[start:]
        if self._left is not None:
            data = data[: self._left]
        n_bytes = len(data) // self.form.frame_bytes * self.form.frame_bytes
        self._rest = data[n_bytes:]
        if self._left is not None:
            self._left -= n_bytes
        return decode(data[:n_bytes], self.form)

    def finish(self) -> None:
        """Say that the stream has ended.

        Raises
        ------
        AudioError
            If it ended before there was any format.
        """
        if self.form is None:
            found = "it is empty" if not self._rest else "it ends within the WAV header"
            raise self._refusal(found)

    def _header(self, data: bytes) -> tuple[PcmFormat, int | None, int] | None:
        """Return the format, the sound's bytes and where it begins; None while the header is not whole."""
        if not b"RIFF".startswith(data[:4]) or (len(data) >= 12 and data[8:12] != b"WAVE"):
            raise self._refusal("it does not begin as a WAV file does")
        form: PcmFormat | None = None
        at = 12
        while len(data) >= at + 8:
            kind, size = struct.unpack_from("<4sI", data, at)
            body = at + 8
            if kind == b"data":
                if form is None:
                    raise self._refusal("its WAV header has no format before the sound")
                return form, size if 0 < size < _UNKNOWN else None, body
            if size > _LONGEST_HEADER or body > _LONGEST_HEADER:
                raise self._refusal("its WAV header does not come to an end")
            if len(data) < body + size:
                return None
            if kind == b"fmt ":
                form = self._format(data[body : body + size])
            at = body + size + size % 2
        return None

    def _format(self, body: bytes) -> PcmFormat:
        if len(body) < 16:
            raise self._refusal("its WAV header has a format of too few bytes")
        tag, n_channels, rate = struct.unpack_from("<HHI", body)
        bits: int = struct.unpack_from("<H", body, 14)[0]
        if tag == _EXTENSIBLE and len(body) >= 26:
            tag = struct.unpack_from("<H", body, 24)[0]
        encoding = _BY_WAV.get((tag, bits))
        if encoding is None:
            raise self._refusal(f"its WAV format {tag} with {bits} bits is not read live")
        try:
            return PcmFormat(rate, encoding, n_channels)
        except SettingsError as error:
            raise self._refusal(str(error)) from error

    def _refusal(self, fault: str) -> AudioError:
        return AudioError(
            f"{self._name}: {fault}. Accepted is WAV (PCM or float), or raw samples with their --rate and "
            f"--format ({', '.join(FORMATS)})."
        )


def decode(data: bytes, form: PcmFormat) -> Float32:
    """Turn bytes into samples.

    Parameters
    ----------
    data : bytes
        Whole frames.
    form : PcmFormat

    Returns
    -------
    numpy.ndarray of float32, shape (n_channels, n)
    """
    if form.encoding == "s24le":
        wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
        wide[:, 1:] = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        flat = wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
    elif form.encoding == "u8":
        flat = (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 128) / 128
    elif form.encoding.startswith("f"):
        flat = np.frombuffer(data, dtype=f"<f{FORMATS[form.encoding]}").astype(np.float32)
    else:
        whole = np.frombuffer(data, dtype=f"<i{FORMATS[form.encoding]}")
        flat = whole.astype(np.float32) / np.float32(2 ** (8 * FORMATS[form.encoding] - 1))
    return np.ascontiguousarray(flat.reshape(-1, form.n_channels).T)
