"""The clip-level vector: known answers on synthetic signals, librosa's figures, real clips, extremes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.lib.stride_tricks import sliding_window_view

from blipper.errors import AudioError, SettingsError
from blipper.features import N_FEATURES, PITCH_CLASSES, SAMPLING_RATE, extract_features, feature_names
from blipper.frames import frames, hann, power_spectra, sample_blocks
from blipper.recording import Provenance, Recording

pytestmark = pytest.mark.filterwarnings("error")


def record(*channels: np.ndarray, sampling_rate: int = SAMPLING_RATE) -> Recording:
    samples = np.array(channels, dtype=np.float32)
    names = tuple(f"channel {i + 1}" for i in range(len(channels)))
    size = samples.nbytes
    provenance = Provenance("test", "0" * 64, size, "array", "float32", sampling_rate, len(channels), "array")
    return Recording(samples, sampling_rate, names, provenance)


def clip(data_dir: Path, stem: str) -> tuple[np.ndarray, int]:
    """Read a RAVDESS clip by its stem, whatever the extension."""
    (path,) = (data_dir / "ravdess" / f"Actor_{stem[-2:]}").glob(f"{stem}.*")
    return soundfile.read(path, dtype="float32")


def sine(frequency: float, seconds: float, amplitude: float = 0.5, sampling_rate: int = SAMPLING_RATE):
    times = np.arange(round(seconds * sampling_rate)) / sampling_rate
    return (amplitude * np.sin(2 * np.pi * frequency * times + 0.1)).astype(np.float32)


def features(*channels: np.ndarray, **options) -> dict[str, float]:
    sampling_rate = options.pop("sampling_rate", SAMPLING_RATE)
    vector = extract_features(record(*channels, sampling_rate=sampling_rate), **options)
    return dict(zip(feature_names(), vector.tolist(), strict=True))


def test_length_type_and_names():
    vector = extract_features(record(sine(440, 1.0)))
    assert vector.dtype == np.float32
    assert vector.shape == (N_FEATURES,) == (384,) == (len(feature_names()),)
    assert len(set(feature_names())) == N_FEATURES
    counts = {
        kind: sum(name.startswith(kind + "_") for name in feature_names())
        for kind in ("mfcc", "chroma", "mel", "contrast", "zcr", "rms", "f0", "voiced")
    }
    assert counts == {
        "mfcc": 80, "chroma": 24, "mel": 256, "contrast": 14, "zcr": 2, "rms": 2, "f0": 5, "voiced": 1,
    }  # fmt: skip


def test_sine_of_440_hz():
    found = features(sine(440, 2.0, amplitude=0.5))
    assert found["f0_mean"] == pytest.approx(440, rel=0.01)
    assert found["f0_std"] < 0.5
    assert found["f0_p05"] <= found["f0_median"] <= found["f0_p95"]
    assert found["voiced_share"] == 1.0
    assert found["rms_mean"] == pytest.approx(0.5 / np.sqrt(2), rel=0.005)
    assert found["zcr_mean"] == pytest.approx(2 * 440 / SAMPLING_RATE, rel=0.02)
    chroma = {name: found[f"chroma_{name}_mean"] for name in ("A", "G", "B", "C", "D", "E", "F")}
    assert max(chroma, key=chroma.__getitem__) == "A"
    assert chroma["A"] == pytest.approx(1.0, abs=1e-6)
    assert max(value for name, value in chroma.items() if name != "A") < 0.05


@pytest.mark.parametrize(("frequency", "note"), [(261.63, "C"), (329.63, "E"), (493.88, "B")])
def test_pitch_class_of_other_notes(frequency, note):
    found = features(sine(frequency, 1.0))
    assert found["f0_mean"] == pytest.approx(frequency, rel=0.01)
    assert found[f"chroma_{note}_mean"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("frequency", [65, 100, 150, 220, 330, 590])
def test_f0_over_its_range_with_harmonics(frequency):
    voice = sum(sine(frequency * k, 1.0, 0.3 / k) for k in range(1, 6))
    assert features(voice)["f0_median"] == pytest.approx(frequency, rel=0.01)


def test_f0_percentiles_follow_a_chirp():
    rate = 100.0  # Hz a second: 100 to 300 Hz in two seconds
    times = np.arange(2 * SAMPLING_RATE) / SAMPLING_RATE
    chirp = 0.5 * np.sin(2 * np.pi * (100 * times + rate / 2 * times**2))
    found = features(chirp)
    assert found["f0_median"] == pytest.approx(200, abs=4)
    # The middles of whole 128 ms frames lie between 0.064 and 1.936 s: 106.4 to 293.6 Hz.
    assert found["f0_p05"] == pytest.approx(106.4 + 0.05 * 187.2, abs=4)
    assert found["f0_p95"] == pytest.approx(106.4 + 0.95 * 187.2, abs=4)


def test_half_voiced():
    found = features(np.concatenate((sine(200, 3.0), np.zeros(3 * SAMPLING_RATE, dtype=np.float32))))
    assert found["voiced_share"] == pytest.approx(0.5, abs=0.02)
    assert found["f0_mean"] == pytest.approx(200, rel=0.01)


def test_mel_band_of_a_sine_stands_out():
    found = features(sine(1000, 1.0))
    means = np.array([found[f"mel_{i:03}_mean"] for i in range(128)])
    from librosa import mel_frequencies

    centres = mel_frequencies(n_mels=130, fmin=0, fmax=8000)[1:-1]
    assert centres[means.argmax()] == pytest.approx(1000, rel=0.03)
    assert means.max() - np.median(means) > 60


def test_ten_times_the_amplitude_is_twenty_decibels():
    quiet, loud = features(sine(300, 1.0, 0.05)), features(sine(300, 1.0, 0.5))
    band = max((f"mel_{i:03}_mean" for i in range(128)), key=loud.__getitem__)
    assert loud[band] - quiet[band] == pytest.approx(20, abs=0.01)
    assert loud["rms_mean"] / quiet["rms_mean"] == pytest.approx(10, rel=1e-4)
    assert loud["f0_mean"] == pytest.approx(quiet["f0_mean"], rel=1e-4)


def test_noise_is_not_voiced(rng):
    found = features(rng.normal(0, 0.1, 5 * SAMPLING_RATE))
    assert found["voiced_share"] < 0.01
    assert found["zcr_mean"] == pytest.approx(0.5, abs=0.01)
    assert found["rms_mean"] == pytest.approx(0.1, rel=0.02)


def test_silence_has_the_documented_values():
    found = features(np.zeros(SAMPLING_RATE))
    assert found.pop("mfcc_00_mean") == pytest.approx(-100 * np.sqrt(128), rel=1e-6)
    for name, value in found.items():
        expected = -100.0 if name.startswith("mel_") and name.endswith("_mean") else 0.0
        assert value == pytest.approx(expected, abs=1e-3), name


@pytest.mark.parametrize("n_samples", [1, 2, 3, 100, 511, 1024, 2047, 2048, 2049])
@pytest.mark.parametrize("value", ["silence", "constant", "sine", "noise"])
def test_short_clips_are_finite_and_without_warning(n_samples, value, rng):
    samples = {
        "silence": np.zeros(n_samples),
        "constant": np.ones(n_samples),
        "sine": sine(440, 1.0)[:n_samples],
        "noise": rng.normal(0, 0.3, n_samples),
    }[value]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vector = extract_features(record(samples))
    assert vector.shape == (N_FEATURES,)
    assert np.isfinite(vector).all()


def test_a_clip_of_a_fifteenth_second_still_gives_pitch_and_level():
    found = features(sine(440, 1 / 15, 0.5))
    assert found["f0_mean"] == pytest.approx(440, rel=0.01)
    assert found["rms_mean"] == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert found["zcr_mean"] == pytest.approx(2 * 440 / SAMPLING_RATE, rel=0.05)


def test_constant_and_clicks_are_not_voiced():
    assert features(np.full(SAMPLING_RATE, 0.5))["voiced_share"] == 0.0
    clicks = np.zeros(SAMPLING_RATE)
    clicks[SAMPLING_RATE // 2] = 1.0
    assert features(clicks)["voiced_share"] == 0.0


def test_same_samples_same_vector(rng):
    noise = rng.normal(0, 0.1, 50_000)
    first, second = extract_features(record(noise)), extract_features(record(noise))
    np.testing.assert_array_equal(first, second)


def test_spectral_parts_equal_librosa(rng):
    import librosa

    samples = (sine(220, 4.0) + rng.normal(0, 0.02, 4 * SAMPLING_RATE)).astype(np.float32)
    found = features(samples)
    power = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512, center=False)) ** 2
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=16_000, n_mels=128), top_db=None)
    expected = {
        "mel_{:03}": mel,
        "mfcc_{:02}": librosa.feature.mfcc(S=mel, n_mfcc=40),
        "contrast_{}": librosa.feature.spectral_contrast(S=np.sqrt(power), sr=16_000),
    }
    for pattern, rows in expected.items():
        for i, row in enumerate(rows):
            name = pattern.format(i)
            assert found[f"{name}_mean"] == pytest.approx(row.mean(), rel=1e-3, abs=2e-3), name
            assert found[f"{name}_std"] == pytest.approx(row.std(), rel=1e-3, abs=2e-3), name
    chroma = librosa.feature.chroma_stft(S=power, sr=16_000, tuning=0.0)
    means = [found[f"chroma_{name}_mean"] for name in PITCH_CLASSES]
    np.testing.assert_allclose(means, chroma.mean(axis=1), atol=1e-3)


def test_pitch_agrees_with_librosa_yin(data_dir):
    import librosa

    from blipper.pitch import F0_MAX, F0_MIN, TROUGH_THRESHOLD, VOICING_THRESHOLD, yin

    samples, rate = clip(data_dir, "03-01-05-02-01-01-02")
    f0, aperiodicity = yin(sliding_window_view(samples, 1024)[::256], rate)
    theirs = librosa.yin(
        samples, fmin=F0_MIN, fmax=F0_MAX, sr=rate, frame_length=1024, hop_length=256,
        center=False, trough_threshold=TROUGH_THRESHOLD,
    )  # fmt: skip
    voiced = np.isfinite(f0)
    assert 0.1 < voiced.mean() < 0.9
    agree = np.abs(f0[voiced] / theirs[: len(f0)][voiced] - 1) < 0.03
    assert agree.mean() > 0.95
    assert aperiodicity[voiced].max() < VOICING_THRESHOLD


def test_block_borders_leave_no_trace(rng):
    samples = rng.normal(0, 0.1, 5000).astype(np.float32)
    recording = record(samples)
    whole = sliding_window_view(samples, 256)[::100]
    for block_length in (1, 7, 100, 255, 256, 257, 3000, 10_000):
        blocks = sample_blocks(recording, 0, 0, len(samples), block_length=block_length)
        np.testing.assert_array_equal(np.concatenate(list(frames(blocks, 256, 100))), whole)


def test_samples_outside_the_recording_are_zero():
    recording = record(np.arange(1, 6, dtype=np.float32))
    found = np.concatenate(list(sample_blocks(recording, 0, -3, 8, block_length=2)))
    np.testing.assert_array_equal(found, [0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0])


def test_power_of_a_full_scale_sine():
    window = hann(512)
    frame = np.cos(2 * np.pi * 32 * np.arange(512) / 512).astype(np.float32)[None]
    power = power_spectra(frame, window)
    assert power[0].argmax() == 32
    assert power[0, 32] == pytest.approx((window.sum() / 2) ** 2, rel=1e-5)


@pytest.mark.parametrize("sampling_rate", [8000, 44_100, 48_000])
def test_other_sampling_rates_are_resampled(sampling_rate):
    for seconds in (0.05, 1.0, 40.0):
        samples = sine(440, seconds, 0.5, sampling_rate)
        found = features(samples, sampling_rate=sampling_rate)
        assert found["f0_mean"] == pytest.approx(440, rel=0.01), seconds
        assert found["rms_mean"] == pytest.approx(0.5 / np.sqrt(2), rel=0.03), seconds
        assert found["chroma_A_mean"] == pytest.approx(1.0, abs=1e-3), seconds


def test_a_sample_or_two_at_a_high_rate():
    for n_samples in (1, 2, 5):
        assert np.isfinite(extract_features(record(np.ones(n_samples), sampling_rate=192_000))).all()


def test_channel_is_chosen():
    left, right = sine(200, 1.0), sine(300, 1.0)
    assert features(left, right, channel=1)["f0_mean"] == pytest.approx(300, rel=0.01)
    assert features(left, right)["f0_mean"] == pytest.approx(200, rel=0.01)
    with pytest.raises(SettingsError, match=r"channel 2 of 'test': it has 2 channel\(s\), so 0 to 1"):
        features(left, right, channel=2)
    with pytest.raises(SettingsError, match="channel -1"):
        features(left, right, channel=-1)


def test_no_samples_is_an_audio_error():
    with pytest.raises(AudioError, match="'test' has no samples"):
        extract_features(record(np.zeros(0)))


def test_path_bytes_and_recording_agree(tmp_path: Path):
    audio = pytest.importorskip("blipper.audio")
    path = tmp_path / "tone.wav"
    soundfile.write(path, sine(440, 1.0), SAMPLING_RATE, subtype="FLOAT")
    expected = extract_features(audio.load(path))
    np.testing.assert_array_equal(extract_features(path), expected)
    np.testing.assert_array_equal(extract_features(str(path)), expected)
    np.testing.assert_array_equal(extract_features(path.read_bytes()), expected)
    np.testing.assert_allclose(expected, extract_features(record(sine(440, 1.0))), atol=1e-3)
    (tmp_path / "text.wav").write_text("this is not audio " * 50)
    with pytest.raises(AudioError, match=r"text\.wav"):
        extract_features(tmp_path / "text.wav")


def test_real_clips_angry_is_louder_and_higher_than_calm(data_dir):
    """RAVDESS: same actors, same sentence; strong anger against strong calm."""
    shifts = []
    for actor in (1, 2, 3, 4, 5, 6):
        found = {}
        for emotion, code in (("calm", "02"), ("angry", "05")):
            samples, rate = clip(data_dir, f"03-01-{code}-02-01-01-{actor:02}")
            found[emotion] = features(samples, sampling_rate=rate)
        assert 60 < found["calm"]["f0_median"] < 400
        shifts.append((
            found["angry"]["rms_mean"] / found["calm"]["rms_mean"],
            found["angry"]["f0_mean"] / found["calm"]["f0_mean"],
        ))  # fmt: skip
    louder, higher = np.median(shifts, axis=0)
    assert louder > 2
    assert higher > 1.15


def test_memory_does_not_grow_with_the_recording(tmp_path: Path, rng):
    import tracemalloc

    tile = rng.normal(0, 0.1, SAMPLING_RATE).astype(np.float32)
    peaks = []
    for minutes in (1, 8):
        n_samples = minutes * 60 * SAMPLING_RATE
        mapped = np.memmap(tmp_path / "samples", dtype=np.float32, mode="w+", shape=(1, n_samples))
        mapped[0] = np.tile(tile, minutes * 60)
        provenance = record(tile).provenance
        recording = Recording(mapped, SAMPLING_RATE, ("mix",), provenance)
        tracemalloc.start()
        extract_features(recording)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 100e6
