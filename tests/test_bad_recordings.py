"""Nothing but bad inputs: each is refused by name, or decoded up to where it breaks and told so."""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from blipper import audio
from blipper.errors import AudioError
from tests.sound_files import (
    ALL,
    BY_SOUNDFILE,
    example,
    mp4_claiming,
    opus_bomb,
    pyav_bytes,
    silent_flac,
    soundfile_bytes,
    voice_like,
    wav_header,
)

RATE = 16_000
ROOT = Path(__file__).resolve().parent.parent


def refused(source, fault, **settings):
    """Check that a source is refused, and that the message names it, the fault and what is accepted."""
    settings.setdefault("name", "call 7.wav")
    with pytest.raises(AudioError) as caught:
        audio.load(source, **settings)
    message = str(caught.value)
    assert message.startswith("call 7.wav: ")
    assert re.search(fault, message), message
    assert "Accepted: WAV, FLAC, OGG Vorbis, Opus, MP3, AIFF, M4A/AAC, MP4, WebM, AMR or WMA" in message
    assert "kHz" in message
    assert "channels" in message
    assert "\n" not in message
    return message


def test_empty_file(tmp_path):
    refused(b"", "empty")
    path = tmp_path / "call 7.wav"
    path.touch()
    refused(path, "empty", name=None)


@pytest.mark.parametrize(
    "text",
    [
        b"hello",
        b"Duty free goods were mooved and skipped. " * 40,
        "häuser, über, größer ".encode() * 5000,  # cut in the middle of a character
        "sound?".encode("utf-16"),
        b"<html><body>404 not found</body></html>",
        b'{"audio": null}\r\n',
    ],
)
def test_text(text):
    refused(text, "text, not sound")


@pytest.mark.parametrize("size", [1, 7, 44, 1000, 200_000])
def test_random_bytes(size):
    for seed in range(20):
        refused(np.random.default_rng(seed).bytes(size), "none of the accepted formats|text")


def test_zeros_and_ones():
    refused(bytes(100_000), "none of the accepted formats")
    refused(b"\xff" * 100_000, "none of the accepted formats")


def test_playlists_and_scripts_are_never_followed(tmp_path, monkeypatch):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(example("wav-16"))
    monkeypatch.chdir(tmp_path)
    scripts = {
        "HLS playlist": f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat script": f"ffconcat version 1.0\nfile {secret.name}\n",
        "text, not sound": f"[playlist]\nFile1={secret}\n",
        "text, not": f'<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>',
    }
    for fault, script in scripts.items():
        for lead in ("", "\ufeff", "\n \n"):
            path = tmp_path / "call 7.wav"
            path.write_text(lead + script, encoding="utf-8")
            refused(path, fault, name=None)


def test_archives():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("call.wav", example("wav-16"))
        archive.writestr("bomb", bytes(10_000_000))
    refused(buffer.getvalue(), "ZIP archive; unpack it")
    refused(gzip.compress(bytes(10_000_000)), "gzip archive; unpack it")
    refused(b"PK\x05\x06" + bytes(18), "empty ZIP")
    for magic in (b"BZh91AY", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd", b"Rar!\x1a\x07"):
        refused(magic + bytes(100), "archive")


def test_other_kinds_of_file():
    for start, fault in (
        (b"%PDF-1.7\n\xb5\xb5", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "picture"),
        (b"MThd\0\0\0\x06", "MIDI"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI video"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "none of the accepted"),
        (b"\x7fELF\x02\x01", "program"),
    ):
        refused(start + bytes(200), fault)


def test_a_video_without_sound():
    nothing = np.zeros(0, dtype=np.float32)
    for container in ("mp4", "mov", "webm", "matroska"):
        refused(pyav_bytes(nothing, RATE, "aac", container, with_video=True), "video without sound")


def test_missing_path_folder_and_pipe(tmp_path):
    path = tmp_path / "call 7.wav"
    message = refused(path, "no such file", name=None)
    assert str(path) in message
    path.mkdir()
    refused(path, "folder", name=None)
    refused("\0", "cannot be opened")
    refused(f"/{'x' * 5000}", "cannot be opened|no such file")
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        refused(pipe, "not a regular file")  # and does not wait for a writer
        refused("/dev/zero", "not a regular file")


def test_file_objects_that_fail(tmp_path):
    file = io.BytesIO(example("wav-16"))
    file.close()
    refused(file, "cannot be read")

    class Failing(io.BytesIO):
        """Fails in the middle, as a network drive does."""

        def read(self, size=-1):
            if self.tell() > 200_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    for name in ("wav-16", "mov-pcm", "wav-24"):
        with pytest.raises(AudioError, match=r"reading the file failed|cannot be|nothing can be decoded"):
            audio.load(Failing(example(name)), name="x")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [4, 12, 16, 44, 60, 100, 300])
def test_header_only(name, size):
    data = example(name)[:size]
    try:
        recording = audio.load(data, name="call 7.wav")
    except AudioError as error:
        assert "call 7.wav: " in str(error)
    else:
        assert recording.duration < 0.25
        assert [notice.code for notice in recording.notices] == ["truncated"]


def test_header_and_no_sound():
    refused(wav_header(RATE, 1, 0), "WAV file, but nothing can be decoded .*no sound behind it")
    refused(wav_header(RATE, 1, 32_000), "WAV file, but the file is cut off")
    refused(silent_flac(0), "FLAC file, but .*nothing can be decoded")
    refused(b"#!AMR\n", "AMR file, but nothing can be decoded")
    with pytest.raises(AudioError, match="array: the array is empty"):
        audio.from_samples([], RATE)


#: Their index is written last, so that nothing before it can be found without it.
INDEX_LAST = ("m4a", "m4a-alac", "mov-pcm")


@pytest.mark.parametrize("name", ALL)
def test_truncated(name):
    data = example(name)
    cut = data[: len(data) * 6 // 10]
    if name in INDEX_LAST:
        refused(cut, "the file is cut off, and nothing can be decoded .*index")
        return
    recording = audio.load(cut)
    notice = recording.notices[0]
    assert notice.code == "truncated"
    assert notice.severity == "warning"
    assert f"{recording.duration:.1f} s could be decoded" in notice.message
    # Variable bit rates, and the large pages of Ogg, move the break.
    assert 0.8 < recording.duration < 2.6
    reference = audio.load(data)
    n = round((recording.duration - 0.3) * RATE)
    assert np.abs(recording.channel()[:n] - reference.channel()[:n]).max() < 0.01


@pytest.mark.parametrize("name", ALL)
def test_truncated_anywhere(name):
    data = example(name)
    whole = audio.load(data).duration
    for size in np.linspace(400, len(data) - 3, 15).astype(int):
        try:
            recording = audio.load(data[:size], name="x")
        except AudioError:
            continue
        assert recording.duration <= whole + 0.1
        # Nobody can tell that AMR, which is frames and nothing else, was cut between two of them.
        between_frames = name == "amr" and (size - 6) % 32 == 0
        if recording.duration < whole - 0.3 and not between_frames:
            assert "truncated" in [notice.code for notice in recording.notices]


@pytest.mark.parametrize(
    ("value", "fault"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite"), (1e300, "infinite")]
)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_samples_that_are_not_finite(value, fault, n_channels):
    samples = np.repeat(voice_like(3, RATE)[:, np.newaxis].astype(np.float64), n_channels, axis=1)
    samples[RATE * 3 // 2, -1] = value
    fault = f"a sample at 1.5 s is .*{fault}"
    refused(soundfile_bytes(samples, RATE, "WAV", "DOUBLE"), fault)
    refused(soundfile_bytes(samples, RATE, "AIFF", "DOUBLE"), fault)
    if abs(value) != 1e300:
        refused(soundfile_bytes(samples.astype(np.float32), RATE, "WAV", "FLOAT"), fault, channels="separate")
    with pytest.raises(AudioError, match=f"array: {fault}"):
        audio.from_samples(samples.T, RATE)


@pytest.mark.parametrize("rate", [0, 1, 100, 7_999, 192_001, 1_000_000, 2_000_000_000, 4_294_967_295])
def test_absurd_sampling_rate(rate):
    refused(
        wav_header(rate, 1, 62_000) + bytes(62_000), r"sampling rate is [\d,-]+ Hz|nothing can be decoded"
    )
    with pytest.raises(AudioError, match="sampling rate is"):
        audio.from_samples(np.zeros(100), rate)


@pytest.mark.parametrize("rate", [8_000, 192_000])
def test_sampling_rates_at_the_limits_are_accepted(rate):
    assert audio.load(wav_header(rate, 1, 2 * rate) + bytes(2 * rate)).duration == 1


def test_absurd_sampling_rate_in_other_formats():
    for format in ("FLAC", "AIFF"):
        refused(soundfile_bytes(np.zeros(1000), 4_000, format, "PCM_16"), "sampling rate is 4,000 Hz")
    refused(pyav_bytes(voice_like(1, 7_350), 7_350, "aac", "adts"), "sampling rate is 7,350 Hz")


@pytest.mark.parametrize("n_channels", [9, 255, 65_535])
def test_too_many_channels(n_channels):
    data = wav_header(RATE, n_channels, 20 * n_channels) + bytes(20 * n_channels)
    refused(data, f"{n_channels:,} channels|nothing can be decoded")
    with pytest.raises(AudioError, match=f"{n_channels:,} channels"):
        audio.from_samples(np.zeros((n_channels, 1000)), RATE)


@pytest.mark.parametrize(
    "name", ["wav-16", "flac-16", "mp3", "ogg-opus", "m4a", "webm-opus", "webm-live", "amr"]
)
def test_too_long(name):
    limits = audio.Limits(max_seconds=2)
    message = refused(example(name), "longer than 2.0 s", limits=limits)
    assert "up to 2.0 s" in message
    with pytest.raises(AudioError, match=r"longer than 2.0 s"):
        audio.from_samples(np.zeros(3 * RATE), RATE, limits=limits)


def test_too_long_by_default():
    refused(silent_flac(24 * 3600), "header states 24 h, longer than 4 h")


def test_too_many_bytes_decoded():
    limits = audio.Limits(max_decoded_bytes=5 * RATE * 4)
    data = soundfile_bytes(np.zeros((3 * RATE, 2)), RATE, "FLAC", "PCM_16")
    assert audio.load(data, limits=limits).duration == 3
    refused(
        data, "decoded samples take more than 0 MiB; mix its channels", limits=limits, channels="separate"
    )


def test_a_full_disk_is_told(monkeypatch):
    def full(*arguments, **settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(AudioError, match=r"no room .*No space left.*TMPDIR"):
        audio.load(example("wav-16"), limits=audio.Limits(memory_bytes=1000))


def test_lying_lengths():
    # AIFF and FLAC that promise more than they hold, WAV chunk sizes that wrap around.
    data = bytearray(example("flac-16"))
    assert audio.load(bytes(data)).notices == ()
    refused(silent_flac(5 * 3600)[:2000], "header states 5 h")
    for size in (0xFFFFFFF0, 0x80000000, 0x7FFFFFFF):
        header = bytearray(wav_header(RATE, 1, 3200) + bytes(3200))
        struct.pack_into("<I", header, 16, size)  # the format chunk's
        refused(bytes(header), "nothing can be decoded")


#: What each bomb claims, what it is, and the fault that must be named (none if it is small after all).
BOMBS = {
    "1 Hz": ("wav_header(1, 1, 62_000) + bytes(62_000)", "sampling rate is 1 Hz"),
    "24 h, stated": ("silent_flac(24 * 3600)", "states 24 h"),
    "24 h, not stated": ("silent_flac(24 * 3600, state_length=False)", "longer than 4 h"),
    "5 h of Opus": ("opus_bomb(5, hide=False)", "longer than 4 h"),
    "5 h of Opus, hidden": ("opus_bomb(5)", None),
    "50 million samples": ("mp4_claiming(50_000_000)", "50,000,000 samples"),
    "the same in a fragment": ("mp4_claiming(50_000_000, in_fragment=True)", "50,000,000 samples"),
    "100,000 frames a byte": ("wav_header(192_000, 8, 600_000_000) + bytes(62_000)", None),
}


def test_bombs_cost_little_memory():
    """Each is refused, or turns out harmless, within 200 MB; in a process of their own."""
    code = f"""
import resource
from blipper import audio
from blipper.errors import AudioError
from tests.sound_files import *
for name in ("wav-16", "m4a", "ogg-opus"):
    audio.load(example(name))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for bomb, (make, fault) in {BOMBS!r}.items():
    data = eval(make)
    try:
        duration = audio.load(data).duration
    except AudioError as error:
        assert fault and fault in str(error), (bomb, str(error))
    else:
        assert fault is None and duration < 10, (bomb, duration)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{{grown:.0f}} {{bomb}}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    grown = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in done.stdout.splitlines()}
    assert set(grown) == set(BOMBS)
    assert max(grown.values()) < 200, grown


def test_the_handmade_files_are_bad_only_in_what_they_claim():
    assert audio.load(mp4_claiming(5)).duration == pytest.approx(0.1)
    assert audio.load(silent_flac(60)).duration == pytest.approx(60, abs=4.1)
    assert audio.load(opus_bomb(0.05, hide=False)).duration == pytest.approx(180, abs=31)


def damage(data, rng):
    """Return the data with bytes changed, cut off, taken out or doubled; more often in its head."""
    changed = bytearray(data)
    reach = len(changed) if rng.random() < 0.5 else min(len(changed), 300)
    for position in rng.integers(0, reach, rng.integers(1, 6)):
        changed[position] = rng.integers(256)
    place, length = int(rng.integers(len(changed))), int(rng.integers(1, 60))
    match rng.integers(4):
        case 0:
            del changed[place:]
        case 1:
            del changed[place : place + length]
        case 2:
            changed[place:place] = changed[place : place + length]
    return bytes(changed)


@pytest.mark.parametrize("name", ALL)
def test_damaged_files_are_refused_or_valid(name):
    """Thirty seeded kinds of damage a format: only an AudioError or a sound Recording may come out."""
    data = example(name, 1.0)
    rng = np.random.default_rng(ALL.index(name))
    limits = audio.Limits(max_seconds=600)
    n_decoded = 0
    for case in range(30):
        channels = "separate" if case % 3 == 0 else "mix"
        try:
            recording = audio.load(damage(data, rng), name="x", limits=limits, channels=channels)
        except AudioError as error:
            assert str(error).startswith("x: ")
            continue
        n_decoded += 1
        assert recording.n_samples > 0
        assert recording.duration <= 600
        assert np.isfinite(recording.samples).all()
        assert np.abs(recording.samples).max() <= 1
        assert 8_000 <= recording.provenance.sampling_rate <= 192_000
    if name in BY_SOUNDFILE and name.startswith("wav"):
        assert n_decoded > 10  # or the test shows nothing
