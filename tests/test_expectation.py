"""What is said of a result's threshold is what was measured there, of these weights, in this way."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import blipper
from blipper.expectation import expectation
from blipper.marking import with_min_duration, with_threshold
from blipper.paths import models_dir
from blipper.reports import analysis_text
from blipper.results import Analysis, Check
from blipper.settings import Settings
from blipper.voice.models import load_model
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def result() -> Analysis:
    return blipper.analyze(ROOT / "ui" / "sample" / "scene.ogg", model=load_model("mel-cnn"))


@pytest.fixture
def scenes() -> dict[str, Any]:
    metrics = json.loads((models_dir() / "mel-cnn" / "metrics.json").read_text(encoding="utf-8"))
    return dict(metrics["scenes"])


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the metrics of a copy of the model, to change them."""
    shutil.copytree(models_dir() / "mel-cnn", tmp_path / "mel-cnn")
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    return tmp_path / "mel-cnn" / "metrics.json"


@pytest.mark.parametrize(
    ("threshold", "measured_at"), [(0.05, "0.05"), (0.62, "0.60"), (0.64, "0.65"), (0.95, "0.95")]
)
def test_the_nearest_threshold_that_was_measured_is_named(
    result: Analysis, scenes: dict[str, Any], threshold: float, measured_at: str
) -> None:
    known = expectation(with_threshold(result, threshold))
    assert known is not None
    entry = scenes["thresholds"][measured_at]
    assert known.threshold == float(measured_at)
    assert known.found == entry["recall"]["value"]
    assert known.alarms == entry["false_alarms_per_hour"]["value"]
    low, high = (100 * bound for bound in entry["recall"]["interval"])
    assert (
        f"At {measured_at} mel-cnn found {100 * known.found:.0f} % of the angry stretches" in known.sentence
    )
    assert f"(95 %: {low:.0f} to {high:.0f})" in known.sentence
    assert "in 2 hours of conversations" in known.sentence


def test_the_model_s_own_threshold_is_the_one_of_its_figures(
    result: Analysis, scenes: dict[str, Any]
) -> None:
    known = expectation(result)
    assert known is not None
    assert (known.threshold, known.found) == (result.model.threshold, scenes["recall"]["value"])
    text = analysis_text(result, known)
    assert known.sentence in text
    assert known.sentence not in analysis_text(result)


def test_where_nothing_was_raised_no_interval_pretends_to_be_sure(result: Analysis) -> None:
    known = expectation(result)
    assert known is not None
    silent = dataclasses.replace(known, alarms=0.0, alarms_range=(0.0, 0.0))
    assert "and raised no false alarm in 2 hours" in silent.sentence


def test_another_shortest_event_was_measured_at_the_own_threshold_alone(
    result: Analysis, scenes: dict[str, Any]
) -> None:
    known = expectation(with_min_duration(result, 3.0))
    assert known is not None
    assert known.alarms == scenes["shortest"]["3"]["false_alarms_per_hour"]["value"]
    assert "At 0.50, with events of at least 3 s, mel-cnn found" in known.sentence
    assert expectation(with_min_duration(with_threshold(result, 0.6), 3.0)) is None
    assert expectation(with_min_duration(result, 2.5)) is None


def test_nothing_is_said_of_a_result_that_was_made_otherwise(result: Analysis) -> None:
    usual = Settings().to_dict()
    for name in ("surroundings", "rise", "bridge", "release", "smoothing", "hop"):
        changed = {**result.settings, name: 0.3}
        assert usual[name] != 0.3
        assert expectation(dataclasses.replace(result, settings=changed)) is None
    before = {name: value for name, value in result.settings.items() if name != "rise"}
    assert expectation(dataclasses.replace(result, settings=before)) is None
    (track,) = result.tracks
    narrow = Check(name="bandwidth", label="", value=3400.0, unit="Hz", verdict="poor", message="")
    line = dataclasses.replace(track, quality=dataclasses.replace(track.quality, checks=(narrow,)))
    assert expectation(dataclasses.replace(result, tracks=(line,))) is None


def test_nothing_is_said_of_other_weights_or_of_a_model_that_was_not_measured(
    result: Analysis, measured: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert expectation(result) is not None
    whole = json.loads(measured.read_text(encoding="utf-8"))
    for other in (
        {**whole, "model": {**whole["model"], "sha256": "0" * 64}},
        {name: part for name, part in whole.items() if name != "scenes"},
    ):
        measured.write_text(json.dumps(other), encoding="utf-8")
        assert expectation(result) is None
    assert not caplog.records
    del whole["scenes"]["thresholds"]["0.60"]["recall"]
    measured.write_text(json.dumps(whole), encoding="utf-8")
    assert expectation(result) is None
    assert "its conversations cannot be read" in caplog.text
    measured.unlink()
    assert expectation(result) is None
