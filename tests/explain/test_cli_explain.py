"""``blipper explain`` and ``blipper explain-setup``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from blipper import audio, models_dir
from blipper.analysis import analyze
from blipper.cli import app
from blipper.errors import SettingsError
from blipper.explain.choice import choose
from blipper.results import Analysis

SAMPLE = Path(__file__).resolve().parents[2] / "ui" / "sample" / "scene.ogg"


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def sample() -> Analysis:
    return analyze(str(SAMPLE))


def test_a_moment_as_json(sample, tmp_path):
    cells = tmp_path / "cells.csv"
    result = run("explain", SAMPLE, "--at", 38.5, "--json", "--output", cells)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["windows"][0]["start"] <= 38.5 <= found["windows"][0]["end"]
    track = sample.tracks[0].windows
    row = int(np.abs((track.start + track.end) / 2 - 38.5).argmin())
    assert found["score"] == pytest.approx(track.aggression[row], abs=1e-4)
    assert found["total"] == pytest.approx(
        found["log_odds"] - found["compared_with"]["log_odds"], abs=found["completeness_error"] + 1e-6
    )
    assert sum(found["band_profile"]) == pytest.approx(found["total"], abs=1e-3)
    assert found["certainty"] in ("good", "fair", "poor")
    named = found["named_features"]
    assert named["base_log_odds"] + sum(group["log_odds"] for group in named["groups"]) == pytest.approx(
        np.log(named["companion_score"] / (1 - named["companion_score"])), abs=1e-3
    )
    assert named["companion"]["uar"] > 0
    total = sum(float(line.split(",")[2]) for line in cells.read_text().splitlines()[1:])
    assert total == pytest.approx(found["total"], abs=0.02)


def test_for_people_it_is_the_strongest_moment(sample):
    result = run("explain", SAMPLE, "--target", "angry")
    assert result.exit_code == 0, result.stderr
    track = sample.tracks[0].windows
    strongest = int(track.aggression.argmax())
    assert f"{track.start[strongest]:.2f} to {track.end[strongest]:.2f} s" in result.stdout
    assert '"angry"' in result.stdout
    assert "not what somebody feels" in result.stdout
    assert "not the model that scores" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "1", "--event", "1"], "choose one"),
        (["--target", "rage"], "expected one of neutral"),
        (["--at", "900"], "expected 0 to"),
        (["--output", "no/such/x.csv"], "there is no folder"),
    ],
)
def test_what_does_not_fit(arguments, message):
    result = run("explain", SAMPLE, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.replace("\n", " ")


def test_choosing_windows(sample):
    first = choose(sample, event=1)
    event = sample.events[0]
    assert first.channel == event.channel
    assert all(event.start <= (w.start + w.end) / 2 < event.end for w in first.windows)
    with pytest.raises(SettingsError, match="event 99: expected 1 to"):
        choose(sample, event=99)
    with pytest.raises(SettingsError, match="channel 3: expected 1 to 1"):
        choose(sample, channel=2)


def test_silence_has_nothing_to_explain():
    quiet = analyze(audio.from_samples(np.zeros((1, 32_000), np.float32), 16_000))
    with pytest.raises(SettingsError, match="nobody was heard"):
        choose(quiet)


@pytest.mark.data
def test_the_setup_repeats_the_shipped_background(data_dir, tmp_path, monkeypatch):
    import shutil

    from blipper import models_dir
    from blipper.explain.background import read_background

    shipped = models_dir() / "mel-cnn"
    shutil.copytree(shipped, tmp_path / "mel-cnn")
    (tmp_path / "mel-cnn" / "background.safetensors").unlink()
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    result = run("explain-setup", data_dir, "--model", "mel-cnn")
    assert result.exit_code == 0, result.stderr
    made = read_background(tmp_path / "mel-cnn" / "background.safetensors")
    kept = read_background(shipped / "background.safetensors")
    assert made.clips == kept.clips
    for one, other in zip(made.windows, kept.windows, strict=True):
        np.testing.assert_allclose(one, other, atol=0.03)


@pytest.fixture
def with_text_model(tmp_path, monkeypatch) -> Path:
    """Put a tiny text model into the built-in one's place, and write a transcript of the sample."""
    from blipper import models_dir
    from tests.words.tiny_text_model import save_built_in

    models = tmp_path / "models"
    models.mkdir()
    for model in models_dir().iterdir():
        if model.name != "text-small":
            (models / model.name).symlink_to(model, target_is_directory=True)
    save_built_in(models / "text-small")
    monkeypatch.setenv("BLIPPER_MODELS", str(models))
    srt = tmp_path / "scene.srt"
    srt.write_text("1\n00:00:37,000 --> 00:00:41,000\nYou are a useless liar, sorry\n", encoding="utf-8")
    return srt


def test_with_a_transcript_the_score_is_taken_apart_into_voice_and_words(with_text_model):
    result = run("explain", SAMPLE, "--at", 38.6, "--transcript", with_text_model, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    parts = found["decomposition"]
    assert parts["fused"]
    assert parts["time"] - 0.25 <= 38.6 < parts["time"] + 0.25
    odds = parts["prior"] + parts["voice"] + parts["words"]
    assert np.log(parts["score"] / (1 - parts["score"])) == pytest.approx(odds, abs=1e-9)
    shares = [share["share"] for share in parts["word_shares"]]
    assert sum(shares) + parts["words_rest"] == pytest.approx(parts["words"], abs=1e-9)
    words = found["words"]
    assert [word["text"] for word in words["words"]] == ["You", "are", "a", "useless", "liar,", "sorry"]
    assert words["words"][0]["start"] == pytest.approx(37.0)
    for target in ("aggression", "negative", "neutral", "positive"):
        ends = words["scores"][target]
        total = ends["base_log_odds"] + sum(word["shares"][target] for word in words["words"])
        assert total == pytest.approx(ends["log_odds"], abs=1e-4)
    assert found["fused_sentence"].startswith(f"The score at {parts['time']:.1f} s is {parts['score']:.2f}")


def test_without_one_the_voice_is_all_there_is(with_text_model):
    told = run("explain", SAMPLE, "--at", 38.6, "--transcript", with_text_model)
    assert told.exit_code == 0, told.stderr
    assert "taken apart (log-odds)" in told.stdout
    assert "an utterance of no words" in told.stdout
    none = run("explain", SAMPLE, "--at", 38.6, "--json")
    found = json.loads(none.stdout)
    assert found["words"] is None
    assert found["decomposition"]["fused"] is False
    assert found["decomposition"]["words"] == 0


def test_the_companion_needs_corpora_and_nothing_is_written_without(tmp_path):
    from blipper.explain.features import COMPANION

    before = COMPANION.read_bytes()
    result = run("explain-setup", tmp_path, "--companion")
    assert result.exit_code != 0
    assert str(tmp_path) in result.stderr.replace("\n", "")
    assert COMPANION.read_bytes() == before


@pytest.mark.parametrize(("options", "expected"), [(["--clips", 10], 10), ([], 240)])
def test_explanations_are_measured_on_as_many_clips_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[object], expected: int
) -> None:
    known = json.loads((models_dir() / "mel-cnn" / "explanations.json").read_text(encoding="utf-8"))
    shutil.copytree(models_dir() / "mel-cnn", tmp_path / "mel-cnn")
    (tmp_path / "mel-cnn" / "explanations.json").unlink()
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    monkeypatch.setattr(
        "blipper.training.explaining.measure_explanations",
        lambda _model, _data, *, clips, cache, progress: {**known, "clips": clips},
    )
    done = run("evaluate", tmp_path, "--model", "mel-cnn", "--explanations", *options)
    assert done.exit_code == 0, done.stderr
    found = json.loads((tmp_path / "mel-cnn" / "explanations.json").read_text(encoding="utf-8"))
    assert found["clips"] == expected
