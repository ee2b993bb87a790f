"""The benchmarks measure what they say: their material and yardsticks, on small input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import (
    encoder_sharing,
    engines,
    explanations,
    material,
    memory,
    models,
    report,
    speech_misses,
    speed,
    stages,
    texts,
)
from benchmarks.checkpoints import save_random
from tests.words.tiny_text_model import save_built_in


@pytest.mark.parametrize("kind", list(material.KINDS))
def test_material_is_as_long_as_asked_for_and_repeatable(kind: str, data_dir: Path) -> None:
    samples, description = material.KINDS[kind](20)
    again, _ = material.KINDS[kind](20)
    assert samples.shape == (20 * material.RATE,)
    assert samples.dtype == np.float32
    assert np.array_equal(samples, again)
    assert 0.05 < np.abs(samples).max() <= 1.2
    assert description


def test_without_corpora_the_shipped_sample_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "DATA", tmp_path)
    for assemble in material.KINDS.values():
        samples, description = assemble(300)
        assert samples.shape == (300 * material.RATE,)
        assert "synthetic" in description


def test_tiling_fills_a_file(tmp_path: Path) -> None:
    tone = np.sin(np.arange(material.RATE, dtype=np.float32))
    path = material.write_tiled(tone, tmp_path / "long.flac", 3.5)
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == material.RATE
    assert len(read) == 3.5 * material.RATE
    np.testing.assert_allclose(read[material.RATE : 2 * material.RATE], tone, atol=1e-4)


def test_writing_at_another_rate_with_more_channels(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(np.arange(material.RATE, dtype=np.float32) / 10)
    path = material.write(tone, tmp_path / "a.wav", rate=48_000, channels=2)
    read, rate = soundfile.read(path)
    assert (rate, read.shape) == (48_000, (48_000, 2))
    assert np.array_equal(read[:, 0], read[:, 1])


def test_the_librosa_loop_goes_through_every_window(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 6 * 22_050), 22_050)
    assert speed.librosa_loop(path) == 7  # 3 s windows every 0.5 s in 6 s: 0, 0.5, ... 3


def test_peak_memory_is_that_of_the_command() -> None:
    small = memory.peak_of("-c", "print('ok')")
    large = memory.peak_of("-c", "x = bytearray(200_000_000); x[::4096] = bytes(len(x[::4096])); print('ok')")
    assert small["output"] == "ok\n"
    assert 190 < large["peak_mb"] - small["peak_mb"] < 230
    with pytest.raises(SystemExit, match="exit code 3"):
        memory.peak_of("-c", "import sys; sys.exit(3)")


def test_speech_misses_counts_clips_by_group(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = next((data_dir / "ravdess" / "Actor_01").glob("03-01-05-02-01-01-01.*"))
    samples, rate = soundfile.read(clip, dtype="float32")
    for stem, sound in (("03-01-05-02-01-01-01", samples), ("03-01-05-02-01-02-01", 0 * samples)):
        soundfile.write(tmp_path / f"{stem}.wav", sound, rate)
    speech_misses.main(tmp_path)
    *_, row = capsys.readouterr().out.splitlines()
    *group, n, missed, missed_by_both, spoken, spoken_by_both = row.split()
    assert (group, n, missed, missed_by_both) == (["ravdess", "angry", "strong"], "2", "0.500", "0.500")
    assert 0.1 < float(spoken) <= float(spoken_by_both) < 0.5


def test_timing_and_machine_facts() -> None:
    calls: list[int] = []
    found = report.timed(lambda: calls.append(1), 3)
    assert len(calls) == len(found["all"]) == 3
    assert found["min"] <= found["median"] <= found["max"]
    facts = report.machine()
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["libraries"]["numpy"] == np.__version__


def test_every_model_is_measured_in_a_process_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blipper.voice.models.available_models", lambda: ("mel-cnn", "nowhere"))
    found = models.measure(Path(__file__).parents[2] / "ui" / "sample" / "scene.ogg", 1)
    one = found["mel-cnn"]
    assert one["windows_per_second"] == pytest.approx(one["windows"] / one["voice"]["median"])
    assert one["voice_x_real_time"] > one["whole_x_real_time"] > 1
    assert one["load_s"] > 0
    assert 200 < one["peak_mb"] < 8000
    assert "no voice model named 'nowhere'" in found["nowhere"]["error"]
    models.show(found)
    printed = capsys.readouterr().out
    assert "nowhere: not measured" in printed
    assert "windows/s" in printed


def test_every_way_of_explaining_is_timed_and_judged() -> None:
    timings, name = explanations.explanations(1, "mel-cnn")
    assert name == "mel-cnn"
    assert set(explanations.TARGETS) < set(timings)
    assert all(value["median"] > 0 for value in timings.values())
    timings["SHAP, top class"]["median"] = 3.5
    timings["integrated gradients"]["median"] = 0.2
    assert [line.split()[-1] for line in explanations.verdicts(timings)] == ["reached", "MISSED"]


def test_text_models_are_timed_in_processes_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    monkeypatch.setenv("BLIPPER_TEXT_MODELS", str(tmp_path / "none"))
    assert texts.measure(50, 1) == {}
    texts.show({})
    save_built_in(tmp_path / "text-small")
    found = texts.measure(200, 1)
    assert list(found) == ["built-in"]
    row = found["built-in"]
    assert row["utterances_per_s"] == pytest.approx(200 / row["seconds"]["median"])
    assert row["parameters"] < 100_000
    assert row["peak_mb"] > 50
    texts.show(found)
    said = capsys.readouterr().out
    assert "not installed" in said
    assert "target for the built-in: 300 a second" in said
    lengths = [len(text.split()) for text in texts.utterances(1000)]
    assert min(lengths) == 1
    assert 7 < sum(lengths) / 1000 < 11


def test_a_worker_s_stages_are_counted_in_cpu_time() -> None:
    found = stages.measure([material.SAMPLE])
    assert found["audio_s"] == pytest.approx(80, abs=1)
    spent = found["ms_a_minute"]
    wholes = [name for name in spent if not name.startswith(" ")]
    assert 0 < spent["  network"] < spent["voice"]
    assert 0 < spent["  frame by frame"] < spent["speech detection"]
    whole = 60_000 * found["cpu_s"] / found["audio_s"]
    assert 0.7 * whole < sum(spent[name] for name in wholes) <= 1.01 * whole
    assert found["x_real_time"] == pytest.approx(found["audio_s"] / found["cpu_s"])


def test_engines_are_timed_and_encoding_once_is_compared_with_encoding_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "none"))
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    save_built_in(tmp_path / "text-small")
    monkeypatch.setattr(engines, "TOKENS", 10)
    samples = material.KINDS["reading"](6)[0]
    path = material.write(samples, tmp_path / "short.wav")
    found = engines.measure(path, tmp_path, 6.0, voice=0.5, repeats=1)
    assert [name.split(",")[0] for name in found] == ["PocketSphinx", "Whisper"]
    for row in found.values():
        assert row["x_real_time"] == pytest.approx(6 / row["words_s"], abs=0.01)
        words = row["words_s"] + row["read_s"]
        assert row["share_of_analysis"] == pytest.approx(words / (words + 0.5), abs=1e-3)
        assert row["peak_mb"] > 100
        assert row["utterances"] >= 1
    sphinx, whisper = found.values()
    assert "encoder" not in sphinx
    assert 1 <= whisper["encoder"]["runs"] < whisper["encoder"]["asked"]
    engines.show(found)
    said = capsys.readouterr().out
    assert "of an analysis" in said
    assert "times as long" in said


def test_encodings_of_the_sound_s_own_length_are_whispers_own_where_nothing_is_padded(tmp_path: Path) -> None:
    import torch

    from blipper.words.recognise_whisper import WhisperEngine

    encoder = WhisperEngine(str(save_random(tmp_path / "random.pt"))).model.encoder
    mel = torch.randn(1, 80, 3000)
    with torch.no_grad():
        whole = type(encoder).forward(encoder, mel)
        torch.testing.assert_close(encoder_sharing.own_length(encoder, mel), whole)
        mel[..., 501:] = 0
        short = encoder_sharing.own_length(encoder, mel)
        assert short.shape == (1, 251, whole.shape[2])
        assert not torch.allclose(short, type(encoder).forward(encoder, mel)[:, :251], atol=1e-3)


def test_a_process_s_peak_memory_is_its_own_and_not_its_parent_s() -> None:
    held = bytearray(b"\1") * (600 << 20)
    code = "from benchmarks import report; x = bytearray(b'1') * (100 << 20); print(report.peak_mb())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert len(held) > 2 * 2**20 * float(done.stdout)
    assert float(done.stdout) > 100
