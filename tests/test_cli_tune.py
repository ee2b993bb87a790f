"""``blipper tune``, and ``blipper train`` with what it chose, as a shell sees them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from blipper.cli import app
from blipper.errors import DatasetError
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.settings import TrainSettings
from blipper.training.tune_report import Trial, Tuned

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def tuned(settings: Any) -> Tuned:
    """A study of two finished trials, the second of them better."""

    def trial(number: int, score: float, dropout: float) -> Trial:
        figures = {"score": score, "angry_roc_auc": score + 0.1}
        return Trial(number, "finished", score, {"dropout": dropout}, figures, (0.5, 0.6), 3.0)

    own = {"at first": {"dropout": 0.4}, "epochs": 8, "seed": 0}
    trials = (trial(0, 0.71, 0.4), trial(1, 0.72, 0.3))
    return Tuned("whisper-cnn", settings.fold, (("savee", "KL"),), own, ("dropout",), trials)


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (("--fold", "99"), 2, "fold is 99, expected 1 to"),
        (("--epochs", "0"), 2, "epochs is 0, expected 1 to 1000"),
        (("--trials", "0"), 2, "trials is 0, expected 1 to"),
        (("--search", "dropout, depth"), 2, "'depth' cannot be tuned: expected some of learning_rate"),
        (("--model", "mel-cnn", "--no-teacher", "--search", "distil"), 2, "'distil' cannot be tuned"),
        (("--model", "text"), 2, "Invalid value for '--model'"),
    ],
)
def test_tune_names_what_is_wrong(
    run: Run, tmp_path: Path, options: tuple[str, ...], code: int, named: str
) -> None:
    result = run("tune", tmp_path, "--output", tmp_path / "out", "--cache", tmp_path / "cache", *options)
    assert (result.exit_code, named in result.stderr) == (code, True), result.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "cache").exists()


def test_a_file_is_no_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("here already")
    result = run("tune", tmp_path, "--output", tmp_path / "out")
    assert result.exit_code == 2 and "is a file; a folder is needed" in result.stderr


def test_without_optuna_it_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    result = run("tune", tmp_path, "--output", tmp_path / "out")
    assert result.exit_code == 2 and "pip install -r requirements.txt" in result.stderr


def test_what_is_asked_for_and_what_is_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def remember(data: Path, output: Path, *, settings: Any, after_trial: Any, **rest: Any) -> Tuned:
        asked.update(rest, data=data, output=output, settings=settings)
        after_trial(tuned(settings))
        asked["progress"]("tune", 1, 2)
        return tuned(settings)

    monkeypatch.setattr("blipper.training.tune.tune", remember)
    given = ("tune", tmp_path, "-o", tmp_path / "a b", "--trials", 9, "--seed", 3, "--fold", 2, "--epochs", 4)
    result = run(*given, "--search", "dropout, mixup")
    assert result.exit_code == 0, result.stderr
    assert asked["settings"] == HeadTrainSettings(seed=3, fold=2, epochs=4)
    assert (asked["trials"], asked["only"]) == (9, ["dropout", "mixup"])
    assert "Trying settings: 50 %, best 0.720 (trial 1)" in result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "2 trials finished, 0 ended early, judged by fold 2's 1 validation speakers."
    assert [line.split() for line in lines[2:5]] == [
        ["trial", "score", "angry_roc_auc"],
        ["1", "0.720", "0.820"],
        ["0", "(as", "it", "was)", "0.710", "0.810"],
    ]
    assert f"--settings '{tmp_path / 'a b' / 'settings.json'}' --output DIR" in lines[-1]
    assert json.loads(run(*given, "--json").stdout)["best"] == 1
    run(*given, "--model", "mel-cnn", "--no-teacher")
    assert asked["settings"] == TrainSettings(seed=3, fold=2, epochs=4, distil=0.0, hints=0)


def test_an_interrupt_says_what_is_kept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any, **named: Any) -> Tuned:
        raise KeyboardInterrupt

    monkeypatch.setattr("blipper.training.tune.tune", interrupted)
    result = run("tune", tmp_path, "--output", tmp_path / "out")
    assert result.exit_code == 130 and "the same command goes on" in result.stderr


def test_train_with_chosen_settings(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[HeadTrainSettings] = []

    def remember(data: Path, output: Path, *, settings: HeadTrainSettings, **rest: object) -> None:
        asked.append(settings)
        raise DatasetError("enough")

    monkeypatch.setattr("blipper.training.train_whisper.train_whisper", remember)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(tuned(HeadTrainSettings()).chosen()), encoding="utf-8")
    given = ("train", tmp_path, "--model", "whisper-cnn", "--settings", path, "-o", tmp_path / "x")
    plain = run(*given, "--seed", 5)
    assert asked[-1] == HeadTrainSettings(name="x", seed=5, dropout=0.3, epochs=8)
    assert "chosen by" not in plain.stderr
    other = run(*given, "--fold", 2, "--epochs", 3)
    assert asked[-1] == HeadTrainSettings(name="x", fold=2, dropout=0.3, epochs=3)
    assert "chosen by the validation speakers of fold 1, 14 of whom test here" in other.stderr
    refused = run("train", tmp_path, "--settings", path, "-o", tmp_path / "x")
    assert refused.exit_code == 2 and "is for 'whisper-cnn', not for 'mel-cnn'" in refused.stderr
