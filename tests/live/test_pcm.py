"""Raw samples and WAV through a pipe, in portions of every size."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from blipper.errors import AudioError, SettingsError
from blipper.live.pcm import FORMATS, PcmFormat, PcmStream

SUBTYPES = {"u8": "PCM_U8", "s16le": "PCM_16", "s24le": "PCM_24", "s32le": "PCM_32"}
SUBTYPES |= {"f32le": "FLOAT", "f64le": "DOUBLE"}


def wav(samples: np.ndarray, rate: int, subtype: str, kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples.T, rate, subtype=subtype, format=kind)
    return stream.getvalue()


def read(stream: PcmStream, data: bytes, size: int) -> np.ndarray:
    blocks = [stream.add(data[at : at + size]) for at in range(0, len(data), size)]
    stream.finish()
    return np.concatenate([block for block in blocks if block.size], axis=1)


@pytest.mark.parametrize("size", [1, 7, 4096, 10**6])
@pytest.mark.parametrize("encoding", list(FORMATS))
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_wav_is_what_soundfile_reads(rng: np.random.Generator, encoding: str, size: int, kind: str) -> None:
    samples = rng.uniform(-1, 1, (2, 300))
    data = wav(samples, 44_100, SUBTYPES[encoding], kind)
    stream = PcmStream()
    found = read(stream, data, size)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    assert stream.form == PcmFormat(44_100, encoding, 2)
    np.testing.assert_allclose(found, expected.T, atol=1e-7)


@pytest.mark.parametrize("length", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_pipe_does_not_know_its_length(rng: np.random.Generator, length: int) -> None:
    data = bytearray(wav(rng.uniform(-1, 1, (1, 300)), 16_000, "PCM_16"))
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", length)
    assert read(PcmStream(), bytes(data), 100).shape == (1, 300)


def test_what_follows_the_sound_is_no_sound(rng: np.random.Generator) -> None:
    data = wav(rng.uniform(-1, 1, (1, 300)), 16_000, "PCM_16") + b"LIST" + bytes(100)
    assert read(PcmStream(), data, 64).shape == (1, 300)


def test_raw_samples_need_no_header() -> None:
    stream = PcmStream(PcmFormat(8_000, "s16le", 2))
    data = struct.pack("<4h", 16384, -16384, 32767, 0)
    np.testing.assert_allclose(read(stream, data, 3), [[0.5, 32767 / 32768], [-0.5, 0.0]])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"ID3\x04", "does not begin as a WAV"),
        (b"RIFF\0\0\0\0AVI LIST", "does not begin as a WAV"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "no format before the sound"),
        (b"RIFF\0\0\0\0WAVEfmt \x02\0\0\0\x01\0", "too few bytes"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff", "does not come to an end"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 85, 1, 16000, 0, 0, 0), "format 85"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 4000, 0, 0, 16), "is 4000 Hz"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 0, 16000, 0, 0, 16), "0 channels"),
    ],
)
def test_what_is_no_wav_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(AudioError, match=fault) as caught:
        PcmStream().add(data)
    assert "Accepted is WAV" in str(caught.value)


@pytest.mark.parametrize(("data", "fault"), [(b"", "it is empty"), (b"RIFF\0", "ends within the WAV header")])
def test_a_stream_that_ends_too_early(data: bytes, fault: str) -> None:
    stream = PcmStream()
    stream.add(data)
    with pytest.raises(AudioError, match=fault):
        stream.finish()


@pytest.mark.parametrize(
    ("rate", "encoding", "channels", "fault"),
    [
        (16_000, "mp3", 1, "'mp3', expected one of u8, s16le"),
        (4_000, "s16le", 1, "4000 Hz, expected 8000 to 192000"),
        (16_000, "s16le", 9, "9 channels, expected 1 to 8"),
    ],
)
def test_formats_outside_the_domain(rate: int, encoding: str, channels: int, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        PcmFormat(rate, encoding, channels)
