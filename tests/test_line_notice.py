"""Recordings as narrow as a telephone line say what the model is known to do there."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import blipper
from blipper.errors import ModelError
from blipper.line_notice import RECORDED, TELEPHONE, telephone_notice
from blipper.live import LiveAnalyser
from blipper.marking import with_threshold
from blipper.paths import models_dir
from blipper.results import ModelInfo
from blipper.settings import Settings
from blipper.training.alarms import CONDITIONS
from blipper.voice.models import VoiceModel, load_folder, load_model
from tests.conftest import ROOT
from tests.helpers import RATE, read_16k


@pytest.fixture(scope="module")
def model():
    return load_model("mel-cnn")


@pytest.fixture(scope="module")
def line(model):
    """Analyse half a minute of the sample, through a telephone's band."""
    from scipy import signal

    samples = read_16k(ROOT / "ui" / "sample" / "scene.ogg")[: 30 * RATE]
    passed = signal.sosfilt(signal.butter(8, [300, 3400], "bandpass", fs=RATE, output="sos"), samples)
    return blipper.analyze(
        blipper.audio.from_samples(passed[np.newaxis].astype(np.float32), RATE), model=model
    )


def codes(analysis):
    return [notice.code for notice in analysis.notices]


def own_threshold(name):
    return json.loads((models_dir() / name / "config.json").read_text())["threshold_telephone"]


def test_a_telephone_line_has_its_own_threshold_and_is_told_so(line, model):
    own = own_threshold("mel-cnn")
    assert line.model.threshold == line.threshold == own > model.info.threshold
    assert all(event.peak >= own for event in line.events)
    (said,) = [notice.message for notice in line.notices if notice.code == "telephone"]
    metrics = json.loads((models_dir() / "mel-cnn" / "metrics.json").read_text())
    speech = metrics["alarms"]["speech"]["telephone band"]
    assert speech["threshold"] == metrics["validation"]["threshold_telephone"] == own
    assert f"is {own:.2f} instead of {model.info.threshold:.2f}" in said
    assert f"has {speech['neutral']['per_hour']['value']:.0f} false alarms" in said
    assert f"{100 * speech['angry']['share']['value']:.0f} % of their angry clips" in said


@pytest.mark.parametrize("name", ["mel-cnn", "mel-cnn-open", "whisper-cnn"])
def test_what_ships_was_measured_with_the_threshold_that_it_takes(name):
    metrics = json.loads((models_dir() / name / "metrics.json").read_text())
    assert metrics["alarms"]["speech"]["telephone band"]["threshold"] == own_threshold(name)
    chosen = metrics["validation"]["false_alarms_telephone"]
    assert chosen["per_hour"] <= 1
    assert chosen["clips"] == metrics["validation"]["false_alarms"]["clips"]


def test_a_threshold_that_is_set_stays(line, model):
    lower = with_threshold(line, 0.3)
    assert lower.threshold == 0.3
    assert lower.model.threshold == line.model.threshold


def test_other_recordings_have_the_usual_threshold(model):
    analysis = blipper.analyze(ROOT / "ui" / "sample" / "scene.ogg", model=model)
    assert analysis.threshold == model.info.threshold


@pytest.mark.parametrize(
    ("own", "expected"), [(None, 0.5), (0.7, 0.7), (0.3, 0.5)], ids=["none", "higher", "lower"]
)
def test_a_lines_threshold_is_no_lower_than_the_usual_one(own, expected):
    config = {**load_model("mel-cnn").config, "threshold_telephone": own}
    made = VoiceModel.__new__(VoiceModel)
    made.info, made.config = ModelInfo("made", "0" * 64, 0.5), config
    assert made.threshold_on(telephone=True) == expected
    assert made.threshold_on(telephone=False) == 0.5


@pytest.mark.parametrize("wrong", [1.5, 0, "0.7", True])
def test_a_wrong_threshold_for_lines_is_refused_when_the_model_is_loaded(tmp_path, wrong):
    folder = shutil.copytree(models_dir() / "mel-cnn", tmp_path / "mel-cnn")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"threshold_telephone": wrong}))
    with pytest.raises(ModelError, match="threshold_telephone"):
        load_folder(folder)


def test_a_live_telephone_line_begins_with_its_own_threshold(model):
    assert LiveAnalyser(8_000, model=model).threshold == own_threshold("mel-cnn")
    assert LiveAnalyser(16_000, model=model).threshold == model.info.threshold
    chosen = LiveAnalyser(8_000, model=model, settings=Settings(threshold=0.4))
    assert chosen.threshold == 0.4


def test_a_model_without_one_says_what_it_does_there(line, model):
    usual = replace(line.model, threshold=model.info.threshold)
    said = telephone_notice(usual, line.tracks)
    speech = json.loads((models_dir() / "mel-cnn" / "metrics.json").read_text())["alarms"]["speech"]
    more = speech["telephone band"]["neutral"]["per_hour"]["value"]
    if more > speech["as recorded"]["neutral"]["per_hour"]["value"]:
        assert f"{more:.0f} in an hour" in said.message
    else:
        assert said is None


def test_a_wide_band_recording_is_not(model):
    analysis = blipper.analyze(ROOT / "ui" / "sample" / "scene.ogg", model=model)
    assert "telephone" not in codes(analysis)


def test_silence_is_not(line):
    assert telephone_notice(line.model, [replace(line.tracks[0], speech=())]) is None


def test_the_conditions_are_those_that_are_measured():
    assert {RECORDED, TELEPHONE} <= set(CONDITIONS)


def test_a_model_that_was_not_measured_or_is_no_worse_is_silent(line, monkeypatch, tmp_path, caplog):
    shutil.copytree(models_dir() / "mel-cnn", tmp_path / "mel-cnn")
    path = tmp_path / "mel-cnn" / "metrics.json"
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    metrics = json.loads(path.read_text())
    speech = metrics["alarms"]["speech"]
    speech["telephone band"]["neutral"]["per_hour"]["value"] = 333.0
    path.write_text(json.dumps(metrics))
    assert "333 in an hour" in telephone_notice(line.model, line.tracks).message
    assert telephone_notice(replace(line.model, sha256="0" * 64), line.tracks) is None
    # With a threshold of its own it is told, measured or not, but no figure of other weights or thresholds.
    for other in (replace(line.model, sha256="0" * 64), replace(line.model, threshold=0.9)):
        said = telephone_notice(other, line.tracks, 0.5).message
        assert "instead of 0.50" in said
        assert "false alarms" not in said
    speech["telephone band"] = speech["as recorded"]
    for number, text in enumerate((json.dumps(metrics), json.dumps({"model": metrics["model"]}), "{", "[]")):
        shutil.copytree(tmp_path / "mel-cnn", tmp_path / str(number))
        (tmp_path / str(number) / "metrics.json").write_text(text)
        assert telephone_notice(replace(line.model, name=str(number)), line.tracks) is None
        assert len(caplog.messages) == max(0, number - 1)  # damage is logged, once
    assert telephone_notice(replace(line.model, name="nowhere"), line.tracks) is None
