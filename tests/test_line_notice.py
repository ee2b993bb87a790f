"""Recordings as narrow as a telephone line say what the model is known to do there."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import blipper
from blipper.line_notice import RECORDED, TELEPHONE, telephone_notice
from blipper.paths import models_dir
from blipper.training.alarms import CONDITIONS
from blipper.voice.models import load_model
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


def test_a_telephone_line_is_told_the_models_own_figures(line):
    (said,) = [notice.message for notice in line.notices if notice.code == "telephone"]
    speech = json.loads((models_dir() / "mel-cnn" / "metrics.json").read_text())["alarms"]["speech"]
    for condition in ("as recorded", "telephone band"):
        assert f"{speech[condition]['neutral']['per_hour']['value']:.0f} in " in said
    assert "threshold of 0.50" in said


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
    assert telephone_notice(line.model, line.tracks) is not None
    assert telephone_notice(replace(line.model, sha256="0" * 64), line.tracks) is None
    metrics = json.loads(path.read_text())
    metrics["alarms"]["speech"]["telephone band"] = metrics["alarms"]["speech"]["as recorded"]
    for number, text in enumerate((json.dumps(metrics), json.dumps({"model": metrics["model"]}), "{", "[]")):
        shutil.copytree(tmp_path / "mel-cnn", tmp_path / str(number))
        (tmp_path / str(number) / "metrics.json").write_text(text)
        assert telephone_notice(replace(line.model, name=str(number)), line.tracks) is None
        assert len(caplog.messages) == max(0, number - 1)  # damage is logged, once
    assert telephone_notice(replace(line.model, name="nowhere"), line.tracks) is None
