"""Audio in: every format, mixing, limits on memory, notices, and where a recording came from."""

from __future__ import annotations

import hashlib
import io
import itertools
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soxr

from blipper import audio
from blipper.audio.source import safe_name
from blipper.audio.store import scratch_folder
from blipper.errors import Cancelled, SettingsError
from tests.sound_files import (
    ALL,
    BY_PYAV,
    BY_SOUNDFILE,
    example,
    pyav_bytes,
    soundfile_bytes,
    voice_like,
    wav_header,
)

RATE = 16_000


def codes(recording):
    return [notice.code for notice in recording.notices]


def expected_mix(name, seconds=3.0):
    rate, n_channels = (BY_SOUNDFILE.get(name) or BY_PYAV[name])[2:4]
    gain = np.mean(1 - np.arange(n_channels) / 10)
    return soxr.resample(voice_like(seconds, rate) * np.float32(gain), rate, RATE)


def best_lag(one, other):
    """Return by how many samples one signal is later than another, and their correlation there."""
    correlation = scipy.signal.correlate(one, other, mode="full")
    lag = int(correlation.argmax()) - (len(other) - 1)
    return lag, correlation.max() / np.sqrt(np.dot(one, one) * np.dot(other, other))


@pytest.mark.parametrize("name", BY_SOUNDFILE)
def test_what_libsndfile_decodes(name):
    format, subtype, rate, n_channels, tolerance = BY_SOUNDFILE[name]
    data = example(name)
    recording = audio.load(data, name=f"some.{name}.xyz")
    assert recording.sampling_rate == RATE
    assert recording.channel_names == ("mix",)
    assert recording.samples.dtype == np.float32
    provenance = recording.provenance
    assert (provenance.container, provenance.codec) == (format, subtype)
    assert (provenance.sampling_rate, provenance.n_channels) == (rate, n_channels)
    assert provenance.decoder == "soundfile"
    assert provenance.sha256 == hashlib.sha256(data).hexdigest()
    assert provenance.size_bytes == len(data)
    assert recording.notices == ()
    expected = expected_mix(name)
    assert recording.n_samples == len(expected)
    assert np.abs(recording.channel() - expected).max() < tolerance


@pytest.mark.parametrize("name", BY_PYAV)
def test_what_ffmpeg_decodes(name):
    _, _, rate, n_channels, _, codec = BY_PYAV[name]
    recording = audio.load(example(name))
    assert recording.provenance.codec == codec
    assert (recording.provenance.sampling_rate, recording.provenance.n_channels) == (rate, n_channels)
    assert recording.notices == ()
    assert recording.duration == pytest.approx(3.0, abs=0.08)
    lag, correlation = best_lag(recording.channel(), expected_mix(name))
    # AMR codes voices and not buzzes; its wave differs though it sounds alike.
    assert correlation > (0.5 if name == "amr" else 0.97)
    assert abs(lag) < 0.07 * RATE  # what encoders put in front, and not every format says


def test_formats_are_told_by_content_whatever_the_name(tmp_path):
    for wrong, name in (("speech.mp3", "wav-16"), ("speech.wav", "m4a"), ("speech.raw", "flac-16")):
        path = tmp_path / wrong
        path.write_bytes(example(name))
        by_path, by_bytes = audio.load(path), audio.load(example(name))
        assert np.array_equal(by_path.samples, by_bytes.samples)
        assert by_path.provenance.name == wrong
        assert audio.is_recording(path)
    (tmp_path / "notes.wav").write_text("not sound")
    assert not audio.is_recording(tmp_path / "notes.wav")
    assert not audio.is_recording(tmp_path / "nowhere.wav")
    assert not audio.is_recording(tmp_path)


@pytest.mark.parametrize("name", ["wav-16", "m4a", "webm-opus"])
def test_path_bytes_and_file_objects_give_the_same(tmp_path, name):
    data = example(name)
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    reference = audio.load(path)
    with path.open("rb") as file:
        file.seek(100)  # wherever the caller left it
        for source in (str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file):
            recording = audio.load(source)
            assert np.array_equal(recording.samples, reference.samples)
            assert recording.provenance.sha256 == reference.provenance.sha256
        assert not file.closed
        assert audio.load(file).provenance.name == "x.bin"
        assert audio.load(file, name="shown").provenance.name == "shown"


def test_tags_before_the_sound_are_skipped():
    def tag(size):
        length = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
        return b"ID3\x04\x00\x00" + length + bytes(size)

    for name in ("mp3", "flac-16", "aac-adts"):
        plain = audio.load(example(name))
        tagged = audio.load(tag(100_000) + tag(50) + example(name))
        assert tagged.provenance.codec == plain.provenance.codec
        assert tagged.n_samples == pytest.approx(plain.n_samples, abs=RATE // 10)


def test_an_mp3_cut_out_of_a_stream_is_found(rng):
    # Half a frame first, as a recorder that joins a broadcast gets it.
    data = example("mp3-no-index")
    start = data.find(b"\xff\xfb")
    recording = audio.load(data[start + 150 :])
    assert recording.provenance.container == "MP3"
    assert recording.duration == pytest.approx(3.0, abs=0.1)


def test_all_links_of_a_chained_ogg_are_read():
    for name in ("ogg-opus", "ogg-vorbis"):
        recording = audio.load(example(name) * 2)
        assert recording.duration == pytest.approx(6.0, abs=0.05)


def test_amr_with_pauses_keeps_its_times():
    # Phones code a pause as one comfort-noise frame and then frames without data, one byte each.
    data, frame = example("amr"), 32
    middle = 6 + 50 * frame
    pause = bytes([0x44, 0, 0, 0, 0, 0]) + b"\x7c" * 49
    recording = audio.load(data[:middle] + pause + data[middle:])
    assert recording.notices == ()
    assert recording.duration == pytest.approx(4.02, abs=0.01)
    after, plain = recording.read(2.5, 3.9), audio.load(data).read(1.5, 2.9)
    assert np.corrcoef(after, plain)[0, 1] > 0.8


def test_sound_of_a_video_is_read_and_its_pictures_are_not():
    samples = voice_like(2, 48_000)
    for container, codec in (
        ("mp4", "aac"),
        ("mov", "pcm_s16le"),
        ("matroska", "libopus"),
        ("webm", "libopus"),
    ):
        recording = audio.load(pyav_bytes(samples, 48_000, codec, container, with_video=True))
        assert recording.duration == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("n_channels", [6, 8])  # eight planar ones crash PyAV's own conversion
@pytest.mark.parametrize(
    ("codec", "container"), [("aac", "ipod"), ("pcm_s24le", "mov"), ("flac", "matroska")]
)
def test_many_channels_are_mixed_or_kept(n_channels, codec, container):
    samples = np.stack([voice_like(1, 48_000) * (1 - i / 10) for i in range(n_channels)], axis=1)
    data = pyav_bytes(samples, 48_000, codec, container, bit_rate=512_000)
    mixed = audio.load(data)
    assert mixed.n_channels == 1
    apart = audio.load(data, channels="separate")
    assert apart.channel_names == tuple(f"channel {i}" for i in range(1, n_channels + 1))
    assert len(apart.clipped_shares) == n_channels
    assert np.abs(apart.samples.mean(axis=0) - mixed.channel()).max() < 1e-4


def test_resampling_keeps_frequency_level_and_length():
    for rate in (8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000):
        t = np.arange(2 * rate) / rate
        sine = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
        recording = audio.load(soundfile_bytes(sine, rate, "WAV", "FLOAT"))
        assert recording.n_samples == 2 * RATE
        samples = recording.channel()[RATE // 2 : -RATE // 2]
        assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
        spectrum = np.abs(np.fft.rfft(samples))
        assert spectrum.argmax() * RATE / len(samples) == pytest.approx(1000, abs=1)
        # The block-wise filter gives what one call gives.
        whole = soxr.resample(sine, rate, RATE)
        assert np.abs(whole - recording.channel()).max() < 1e-5


def test_other_target_rates():
    data = example("wav-16")
    assert audio.load(data, sampling_rate=44_100).n_samples == 3 * 44_100
    for wrong in (0, -1, 4_000, 200_000):
        with pytest.raises(SettingsError, match="8000 to 192000"):
            audio.load(data, sampling_rate=wrong)


def stereo(left, right, rate=RATE):
    return soundfile_bytes(np.stack([left, right], axis=1), rate, "WAV", "FLOAT")


def test_stereo_is_mixed_or_kept_apart():
    left, right = voice_like(2, RATE), 0.5 * voice_like(2, RATE, seed=1)[::-1]
    data = stereo(left, right)
    mixed = audio.load(data, channels="mix")
    assert mixed.channel_names == ("mix",)
    assert np.allclose(mixed.channel(), (left + right) / 2, atol=1e-6)
    apart = audio.load(data, channels="separate")
    assert apart.channel_names == ("left", "right")
    assert np.allclose(apart.samples, [left, right], atol=1e-6)
    assert mixed.notices == apart.notices == ()
    assert audio.load(example("wav-float"), channels="separate").channel_names == ("mix",)
    with pytest.raises(SettingsError, match="'mix' or 'separate'"):
        audio.load(data, channels="left")


def test_opposite_phase_is_turned_over_and_told(rng):
    left = voice_like(2, RATE)
    recording = audio.load(stereo(left, -left + 0.001 * rng.standard_normal(len(left)).astype(np.float32)))
    assert codes(recording) == ["opposite-phase"]
    message = recording.notices[0].message
    assert "right channel was turned over" in message
    assert "dB quieter" in message
    assert np.abs(recording.channel() - left).max() < 0.01
    # An exact copy upside down leaves nothing at all.
    assert "more than 100 dB" in audio.load(stereo(left, -left)).notices[0].message
    # Kept apart there is nothing to mend.
    assert audio.load(stereo(left, -left), channels="separate").notices == ()


def test_opposite_phase_in_part_leaves_the_louder_channel():
    left = voice_like(10, RATE)
    right = 0.9 * left
    right[: len(right) // 2] *= -1
    recording = audio.load(stereo(left, right))
    assert codes(recording) == ["opposite-phase"]
    assert "louder channel (left)" in recording.notices[0].message
    assert np.abs(recording.channel() - left).max() < 1e-6


def test_unrelated_and_one_sided_channels_are_just_mixed(rng):
    noise = 0.1 * rng.standard_normal((2, 2 * RATE)).astype(np.float32)
    assert audio.load(stereo(*noise)).notices == ()
    assert audio.load(stereo(noise[0], 0 * noise[0])).notices == ()
    assert audio.load(stereo(0 * noise[0], 0 * noise[0])).notices == ()
    # A slight inversion costs little and is left alone.
    assert audio.load(stereo(noise[0], -0.2 * noise[0])).notices == ()


def test_identical_channels_are_told_when_kept_apart():
    left = voice_like(1, RATE)
    assert codes(audio.load(stereo(left, left), channels="separate")) == ["identical-channels"]
    assert audio.load(stereo(left, left)).notices == ()


def test_samples_beyond_full_scale_are_cut_off_and_told():
    samples = voice_like(1, RATE)
    samples[1000:1800] = 2.0
    samples[3000:3100] = -1.5
    recording = audio.load(soundfile_bytes(samples, RATE, "WAV", "FLOAT"))
    assert np.abs(recording.samples).max() == 1.0
    (notice,) = recording.notices
    assert (notice.code, notice.severity) == ("beyond-full-scale", "warning")
    assert "5.6 %" in notice.message  # 900 of 16,000
    assert "6.0 dB" in notice.message
    assert recording.clipped_shares == pytest.approx((900 / RATE,))


def test_clipping_is_counted_before_resampling():
    rate = 44_100
    sine = 1.5 * np.sin(2 * np.pi * 220 * np.arange(rate) / rate)
    clipped = np.clip(sine, -1, 32_767 / 32_768).astype(np.float32)
    share = float(np.mean(np.abs(clipped) >= 0.9995))
    for format, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("WAV", "PCM_U8"), ("WAV", "ULAW")):
        recording = audio.load(soundfile_bytes(clipped, rate, format, subtype))
        assert recording.clipped_shares[0] == pytest.approx(share, rel=0.06)
    assert audio.load(soundfile_bytes(0.6 * clipped, rate, "WAV", "PCM_16")).clipped_shares == (0.0,)


def test_long_recordings_are_kept_on_disk():
    samples = np.stack([voice_like(8, RATE), 0.5 * voice_like(8, RATE, seed=2)], axis=1)
    data = soundfile_bytes(samples, RATE, "WAV", "FLOAT")
    small = audio.Limits(memory_bytes=100_000)
    for channels in ("mix", "separate"):
        in_memory = audio.load(data, channels=channels)
        on_disk = audio.load(data, channels=channels, limits=small)
        assert not isinstance(in_memory.samples, np.memmap)
        assert isinstance(on_disk.samples, np.memmap)
        assert not on_disk.samples.flags.writeable
        assert np.array_equal(on_disk.samples, in_memory.samples)
        assert on_disk.channel(on_disk.n_channels - 1).flags.c_contiguous
        assert np.array_equal(on_disk.read(3.5, 4.5), in_memory.read(3.5, 4.5))
        blocks = np.concatenate([block for _, block in on_disk.blocks(0.7)])
        assert np.array_equal(blocks, in_memory.channel())


def test_the_temporary_file_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    recording = audio.load(example("wav-float"), limits=audio.Limits(memory_bytes=1000))
    assert isinstance(recording.samples, np.memmap)
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_avoid_memory_backed_folders():
    assert scratch_folder({"TMPDIR": "/somewhere"}) is None
    assert scratch_folder({}) == ("/var/tmp" if Path("/var/tmp").is_dir() else None)


def test_progress_runs_up_to_the_end():
    for name in ("wav-16", "mp3", "m4a", "webm-live", "aac-adts"):
        reports: list[tuple[str, float, float]] = []
        recording = audio.load(example(name, 8.0), progress=lambda *now, kept=reports: kept.append(now))
        assert {step for step, _, _ in reports} == {"decode"}
        assert all(0 <= done <= total for _, done, total in reports)
        assert all(one[1] <= other[1] for one, other in itertools.pairwise(reports))
        assert len(reports) > 2
        assert reports[-1][1] == reports[-1][2] == pytest.approx(recording.duration, abs=1e-3)


def test_progress_can_stop_the_work():
    def stop(step, completed, total):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        audio.load(example("wav-16"), progress=stop)


def wav_with_length(data, n_bytes):
    """Overwrite the length of a WAV file's samples in its header."""
    patched = bytearray(data)
    struct.pack_into("<I", patched, patched.find(b"data") + 4, n_bytes)
    return bytes(patched)


@pytest.mark.parametrize("name", ["wav-16", "wav-float", "wavex-24", "wav-u8"])
def test_wav_headers_that_were_never_finished(name):
    data = example(name)
    reference = audio.load(data)
    for n_bytes, expected in ((0, ["duration-mismatch"]), (0xFFFFFFFF, []), (0x7FFFF000, [])):
        recording = audio.load(wav_with_length(data, n_bytes))
        assert np.array_equal(recording.samples, reference.samples)
        assert codes(recording) == expected
        assert recording.provenance.sha256 == hashlib.sha256(wav_with_length(data, n_bytes)).hexdigest()
        assert recording.provenance.container in ("WAV", "WAVEX")


def test_chunks_behind_the_samples_are_not_sound():
    data = example("wav-16")
    behind = b"LIST" + struct.pack("<I", 200_000) + bytes(200_000)
    recording = audio.load(data + behind)
    assert recording.duration == pytest.approx(3.0)
    assert recording.notices == ()


def test_gaps_in_the_timestamps_become_silence():
    # What a browser writes while its microphone is muted: nothing, and later timestamps.
    import av

    samples, buffer = voice_like(3, 48_000), io.BytesIO()
    with av.open(buffer, "w", format="webm") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        for start in range(0, len(samples), 48_000):
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis, start : start + 48_000], "flt", "mono")
            frame.rate, frame.pts = 48_000, start
            for packet in stream.encode(frame):
                if packet.pts * packet.time_base > 1.5:
                    packet.pts += round(2 / packet.time_base)
                    packet.dts = packet.pts
                output.mux(packet)
    recording = audio.load(buffer.getvalue())
    assert codes(recording) == ["gaps-filled"]
    assert "2.0 s" in recording.notices[0].message
    assert recording.duration == pytest.approx(5.0, abs=0.1)
    assert np.abs(recording.read(1.7, 3.4)).max() == 0
    assert np.abs(recording.read(3.7, 4.7)).max() > 0.1


def test_damaged_packets_are_told_and_later_times_stay_right():
    data = bytearray(example("mp4-index-first", 6.0))
    middle = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 2
    data[middle : middle + 2000] = bytes(b ^ 0xA5 for b in data[middle : middle + 2000])
    recording = audio.load(bytes(data))
    assert "damaged" in codes(recording)
    assert recording.duration == pytest.approx(6.0, abs=0.1)


def test_names_are_safe_to_show():
    assert safe_name("/home/me/secret folder/call.wav") == "call.wav"
    assert safe_name("C:\\Users\\me\\call.wav") == "call.wav"
    assert safe_name("ca\x00l\nl\x1b[31m.wav") == "call[31m.wav"
    assert safe_name("invoice\u202egpj.exe") == "invoicegpj.exe"
    assert safe_name("\udcff.wav") == ".wav"
    assert safe_name("می‌خواهم.wav") == "می‌خواهم.wav"
    assert safe_name("...///") == "..."
    assert safe_name("\n") == "recording"
    assert len(safe_name("x" * 1000)) == 200


class TestFromSamples:
    def test_floats_come_through_unchanged(self):
        samples = voice_like(1, RATE)
        recording = audio.from_samples(samples, RATE, name="dir/mine")
        assert np.array_equal(recording.channel(), samples)
        provenance = recording.provenance
        assert (provenance.name, provenance.decoder, provenance.codec) == ("mine", "array", "float32")
        assert provenance.sha256 == hashlib.sha256(samples.tobytes()).hexdigest()
        assert provenance.size_bytes == samples.nbytes

    @pytest.mark.parametrize(
        ("dtype", "low", "high"),
        [("int16", -32_768, 32_767), ("int32", -(2**31), 2**31 - 1), ("uint8", 0, 255), ("int8", -128, 127)],
    )
    def test_integers_are_scaled_by_their_range(self, dtype, low, high):
        recording = audio.from_samples(np.array([low, high, low], dtype), RATE)
        assert recording.channel() == pytest.approx([-1, 1, -1], abs=0.01)

    def test_channels(self):
        samples = np.stack([voice_like(1, 8000), -voice_like(1, 8000)])
        mixed = audio.from_samples(samples, 8000)
        assert codes(mixed) == ["opposite-phase"]
        assert mixed.n_samples == RATE
        assert audio.from_samples(samples, 8000, channels="separate").channel_names == ("left", "right")
        assert audio.from_samples(samples, 8000, target_rate=8000).n_samples == 8000

    def test_what_is_not_an_array_of_samples(self):
        with pytest.raises(ValueError, match="expected"):
            audio.from_samples(np.zeros((2, 2, 2)), RATE)
        with pytest.raises(ValueError, match="transposed"):
            audio.from_samples(np.zeros((RATE, 2)), RATE)
        with pytest.raises(TypeError, match="complex"):
            audio.from_samples(np.zeros(10, complex), RATE)
        with pytest.raises(TypeError, match="bool"):
            audio.from_samples(np.zeros(10, bool), RATE)


def test_limits_must_make_sense():
    with pytest.raises(SettingsError, match="max_seconds is 0"):
        audio.Limits(max_seconds=0)
    with pytest.raises(SettingsError, match="above"):
        audio.Limits(min_sampling_rate=50_000, max_sampling_rate=40_000)


def test_sources_must_be_binary_and_of_a_known_kind():
    with pytest.raises(TypeError, match="binary"):
        audio.load(io.StringIO("text"))
    with pytest.raises(TypeError, match="int"):
        audio.load(3)


def test_four_hours_cost_little_memory(tmp_path):
    """A sparse WAV file of just under 4 hours: decode and read back, in a process of its own."""
    path = tmp_path / "long.wav"
    n_bytes = 2 * 14_390 * RATE
    with path.open("wb") as file:
        file.write(wav_header(RATE, 1, n_bytes))
        file.truncate(44 + n_bytes)
    code = f"""
import resource, sys
from blipper import audio, quality
from tests.sound_files import example
quality.assess(audio.load(example("wav-16")))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
recording = audio.load({str(path)!r})
decoded = peak()
checks = quality.assess(recording).checks
print(recording.duration, decoded - before, peak() - before, checks[1].value)
"""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    duration, decoded, assessed, silence = map(float, done.stdout.split())
    assert duration == 14_390
    assert silence == 100
    assert decoded < 150
    assert assessed < 200


def test_every_example_is_used():
    assert set(ALL) == {*BY_SOUNDFILE, *BY_PYAV}
    assert len(ALL) > 25


@pytest.mark.data
def test_real_clips(data_dir):
    clips = [
        (data_dir / "ravdess/Actor_01/03-01-05-02-01-01-01.opus", "OPUS", 16_000),
        (data_dir / "speech/jfk.flac", "PCM_24", 44_100),
    ]
    for path, codec, rate in clips:
        recording = audio.load(path)
        assert recording.provenance.codec == codec
        assert recording.provenance.sampling_rate == rate
        assert recording.notices == ()
        assert 0.05 < np.abs(recording.samples).max() <= 1
