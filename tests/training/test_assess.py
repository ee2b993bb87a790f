"""Folds and what the command writes: resumable, of the right speakers, every figure from the predictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from blipper.cli import app
from blipper.errors import DatasetError, ModelError, SettingsError
from blipper.training import assess as assessing
from blipper.training.assess import Parts, assess, read_metrics
from blipper.training.evaluate import evaluate
from blipper.training.folds import (
    counted_once,
    merge,
    of_fold,
    parse_corpora,
    parse_folds,
    run_fold,
    settings_from,
)
from blipper.training.predictions import Scored, read_predictions, write_predictions
from blipper.training.settings import TrainSettings
from blipper.training.splits import FOLDS, make_split
from tests.evaluated import RESAMPLES, THRESHOLD, clips_of, made_up, make_folder


class Trainer:
    """Stands in for hours of training: leaves made-up scores of the fold's own test speakers."""

    def __init__(self) -> None:
        self.ran: list[int | str] = []

    def __call__(self, data: Path, output: Path, *, settings: TrainSettings, progress: Any) -> None:
        fold = settings.hold_out or settings.fold
        self.ran.append(fold)
        output.mkdir(parents=True)
        write_predictions(output / "test-predictions.csv", clips_of(fold))
        (output / "metrics.json").write_text("{}")


@pytest.mark.parametrize(
    ("text", "folds"), [("1-6", (1, 2, 3, 4, 5, 6)), ("2", (2,)), ("1,3-4", (1, 3, 4)), ("2,2", (2,))]
)
def test_folds_as_people_write_them(text: str, folds: tuple[int, ...]) -> None:
    assert parse_folds(text) == folds


@pytest.mark.parametrize("text", ["", "x", "0", "7", "1-", "3-2", "1-9"])
def test_no_such_folds(text: str) -> None:
    if text == "1-":  # an open range is read as its first number alone
        assert parse_folds(text) == (1,)
        return
    with pytest.raises(SettingsError, match="expected"):
        parse_folds(text)


def test_corpora_to_leave_out() -> None:
    assert parse_corpora("all") == tuple(FOLDS)
    assert parse_corpora("savee, tess") == ("savee", "tess")
    with pytest.raises(SettingsError, match="'iemocap' cannot be left out"):
        parse_corpora("savee,iemocap")


def test_a_finished_fold_is_not_trained_again(tmp_path: Path) -> None:
    trainer = Trainer()
    settings = TrainSettings.smoke(cache=tmp_path)
    for _ in range(2):
        rows = run_fold(tmp_path, 3, settings, trainer=trainer)
        assert {row.fold for row in rows} == {"3"}
        left_out = run_fold(tmp_path, "savee", settings, trainer=trainer)
        assert {row.corpus for row in left_out} == {"savee"}
    assert trainer.ran == [3, "savee"]
    run_fold(tmp_path, 3, replace(settings, seed=1), trainer=trainer)  # other settings, another fold
    assert trainer.ran == [3, "savee", 3]


def test_scores_of_somebody_else_are_refused() -> None:
    with pytest.raises(DatasetError, match="fold 2 does not hold out speaker"):
        of_fold(clips_of(1), 2)
    with pytest.raises(DatasetError, match="fold 'x' in"):
        counted_once([replace(row, fold="x") for row in clips_of(1)])


def test_a_clip_counts_once_over_all_folds() -> None:
    rows: tuple[Scored, ...] = ()
    for fold in range(1, 7):
        rows = merge(rows, of_fold(clips_of(fold), fold))
    once = counted_once(rows)
    assert len({row.key for row in once}) == len(once)
    assert {row.key for row in once} == {row.key for row in rows}
    assert {row.fold for row in once if row.corpus == "tess"} == {"1", "2"}
    for row in once:
        assert (row.corpus, row.speaker) in make_split(int(row.fold)).test
    again = merge(rows, of_fold([replace(row, aggression=0.5) for row in clips_of(2)], 2))
    assert len(again) == len(rows)  # a fold scored anew takes the place of the old one
    assert {row.aggression for row in again if row.fold == "2"} == {0.5}


def test_settings_come_back_from_the_metrics() -> None:
    settings = TrainSettings.smoke(seed=7)
    again = settings_from(json.loads(json.dumps(settings.to_dict())), cache=None)
    assert again == replace(settings, workers=again.workers)
    with pytest.raises(SettingsError, match="so its folds cannot be trained here"):
        settings_from({"layers": 3})


def test_models_from_before_a_setting_was_there_are_repeated_without_it() -> None:
    old = TrainSettings().to_dict()
    for name in ("contrast", "narrow"):
        del old[name]
    del old["front"]["depth"]
    again = settings_from(old)
    assert again.contrast == again.narrow == 0
    assert again.front.depth == 200  # no band lies that deep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "models" / "first")


def test_figures_follow_from_the_files(folder: Path, tmp_path: Path) -> None:
    rows = merge(of_fold(clips_of(1), 1), of_fold(clips_of(2), 2))
    write_predictions(folder / "fold-predictions.csv", rows)
    write_predictions(folder / "left-out-predictions.csv", of_fold(clips_of("ravdess"), "ravdess"))
    found = assess(tmp_path, folder, Parts())
    assert found == read_metrics(folder)
    assert found["test"] == evaluate(made_up(), THRESHOLD, resamples=RESAMPLES)
    crossed = found["cross_validation"]
    assert crossed["folds"] == [1, 2]
    assert crossed["test"]["corpora"]["tess"]["speakers"] == 2
    assert crossed["test"]["corpora"]["crema-d"]["speakers"] == 36
    left_out = found["left_out"]["ravdess"]
    assert len(left_out["own"]["classes"]) == 8
    assert len(left_out["common"]["classes"]) == 6
    assert left_out["own"]["speakers"] == 24
    sexes = found["groups"]["crema-d"]["sex"]
    assert set(sexes) == {"female", "male"}
    assert sexes["male"]["accuracy"]["gap"] == pytest.approx(-sexes["female"]["accuracy"]["gap"])
    assert not list(folder.glob(".*partial"))


def test_folds_are_kept_one_by_one(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer()
    monkeypatch.setattr(assessing, "run_fold", lambda *a, **k: run_fold(*a, **k, trainer=trainer))
    change = read_metrics(folder)
    change["settings"] |= TrainSettings.smoke(resamples=RESAMPLES).to_dict()
    assessing.write_metrics(folder, change | {"split": {"fold": 4}})
    found = assess(tmp_path, folder, Parts(folds=(2,), left_out=("tess",)), cache=tmp_path / "cache")
    found = assess(tmp_path, folder, Parts(folds=(2, 3)), cache=tmp_path / "cache")
    assert trainer.ran == [2, "tess", 3]
    assert found["cross_validation"]["folds"] == [2, 3]
    assert {row.fold for row in read_predictions(folder / "fold-predictions.csv")} == {"2", "3"}


@pytest.mark.data
def test_the_shipped_weights_are_scored_on_their_own_test_speakers(tmp_path: Path, data_dir: Path) -> None:
    folder = make_folder(tmp_path / "first")
    found = assess(data_dir, folder, Parts(shipped=True), limit=5)
    rows = read_predictions(folder / "test-predictions.csv")
    assert len(rows) == 20
    assert {(row.corpus, row.speaker) for row in rows} <= make_split(1).test
    assert all(row.seconds and len(row.raw) == 9 and row.fold == "1" for row in rows)
    assert found["test"]["all"]["clips"] > 10
    assert "before" in found["test"]["all"]["calibration"]["aggression"]


def test_the_command(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(folder.parent))
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--model", "first"])
    assert done.exit_code == 0, done.output
    assert "six common emotions" in done.stdout
    written = read_metrics(folder)["test"]["common"]["accuracy"]["value"]
    assert f"{written:.3f}" in done.stdout
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--model", "first", "--json"])
    assert json.loads(done.stdout) == read_metrics(folder)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--model", "none"], 1, "no voice model named 'none'; available: first"),
        (["--model", "first", "--folds", "9"], 2, "folds '9': expected 1 to 6"),
        (["--model", "first", "--leave-out", "x"], 2, "'x' cannot be left out"),
        (["--model", "first", "--folds", "2"], 2, "does not hold the settings of `blipper train`"),
        (["--model", "first", "--shipped"], 1, "no known corpus here"),
        (["--model", "first", "--scenes", "--clips", "20"], 2, "--clips 20 is for --explanations"),
    ],
)
def test_the_command_says_what_is_wrong(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, message: str
) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(folder.parent))
    before = (folder / "metrics.json").read_text()
    done = CliRunner().invoke(app, ["evaluate", str(tmp_path), *options])
    assert done.exit_code == code
    assert message in " ".join(done.stderr.split())
    assert (folder / "metrics.json").read_text() == before


def test_damaged_metrics_are_named(folder: Path, tmp_path: Path) -> None:
    (folder / "metrics.json").write_text("[")
    with pytest.raises(ModelError, match="cannot be read as a model's figures"):
        assess(tmp_path, folder, Parts())


@pytest.mark.data
def test_scenes_alarms_and_threshold_of_the_shipped_weights(tmp_path: Path, data_dir: Path) -> None:
    folder = make_folder(tmp_path / "first")
    found = assess(data_dir, folder, Parts(threshold=True, scenes=True, alarms=True), limit=2)
    config = json.loads((folder / "config.json").read_text())
    assert config["threshold"] == found["model"]["threshold"] == found["validation"]["threshold"] >= 0.5
    assert "false alarms" not in config["threshold_rule"]
    assert "at most 1 event an hour" in config["threshold_rule"]
    assert found["validation"]["false_alarms"]["per_hour"] <= 1
    # A telephone line's threshold follows the same rule, and is what false alarms are counted with there.
    narrow = found["validation"]["threshold_telephone"]
    assert 0.95 >= config["threshold_telephone"] == narrow >= config["threshold"]
    assert found["validation"]["false_alarms_telephone"]["per_hour"] <= 1
    speech = found["alarms"]["speech"]
    assert speech["telephone band"]["threshold"] == narrow
    assert {speech[name]["threshold"] for name in speech if name != "telephone band"} == {config["threshold"]}
    assert found["scenes"]["recordings"] == 2
    assert found["scenes"]["threshold"] == config["threshold"]
    assert set(found["alarms"]["speech"]["noise at 0 dB"]) == {"threshold", "neutral", "happy", "angry"}
    assert found["alarms"]["sounds"]["screaming"]["files"] == 2
    speakers = {f"{corpus}/{speaker}" for corpus, speaker in make_split(1).test}
    assert set(found["scenes"]["speakers"]) <= speakers
    assert read_metrics(folder) == found
