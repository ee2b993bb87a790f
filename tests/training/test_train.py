"""The whole road in small: real clips, real training, metrics written; repeatable and resumable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper.errors import Cancelled, DatasetError, ModelError, SettingsError
from blipper.training import corpus, evaluate, features, head_data
from blipper.training.card import render
from blipper.training.corpus import missing_material
from blipper.training.fit import learning_rate
from blipper.training.folds import settings_from
from blipper.training.prepare import prepare
from blipper.training.sounds import noise_files
from blipper.training.train import METRICS, PREDICTIONS, TrainResult, TrainSettings, train
from blipper.voice.models import load_folder

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, float, float]]:
    return []


@pytest.fixture(scope="module")
def result(
    data_dir: Path,
    cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, float, float]],
) -> TrainResult:
    settings = TrainSettings.smoke(cache=cache / "first", limit=6)
    output = tmp_path_factory.mktemp("models") / "mel-cnn"
    return train(data_dir, output, settings=settings, progress=lambda *report: steps.append(report))


def without_times(metrics: dict[str, Any]) -> dict[str, Any]:
    metrics = json.loads(json.dumps(metrics))
    del metrics["training"]["seconds"]
    for epoch in metrics["training"]["history"]:
        del epoch["seconds"]
    return metrics


def test_a_complete_folder(result: TrainResult, steps: list[tuple[str, float, float]]) -> None:
    names = sorted(path.name for path in result.folder.iterdir())
    assert names == ["MODEL_CARD.md", "config.json", METRICS, PREDICTIONS, "weights.safetensors"]
    assert json.loads((result.folder / METRICS).read_text()) == result.metrics
    assert result.metrics["training"]["epochs"] == 2
    assert {step for step, *_ in steps} == {"prepare", "features", "train", "evaluate", "false alarms"}
    assert all(0 <= completed <= total for _, completed, total in steps)
    model = load_folder(result.folder)
    assert model.info.sha256 == result.metrics["model"]["sha256"]


def test_figures_come_from_the_predictions(result: TrainResult) -> None:
    scored = evaluate.read_predictions(result.folder / PREDICTIONS)
    assert {row.corpus for row in scored} == {"ravdess", "crema-d", "tess", "savee"}
    assert {row.speaker for row in scored if row.corpus == "tess"} == {"OAF"}
    again = evaluate.evaluate(scored, result.metrics["model"]["threshold"], seed=0, resamples=20)
    assert again == result.metrics["test"]


def test_the_card_says_what_was_missing(result: TrainResult) -> None:
    config = json.loads((result.folder / "config.json").read_text())
    full = " ".join(render(result.metrics, config).split())
    assert "room, noise" in full
    assert "coughs, laughs" in full
    assert "Missing in this run" not in full
    training = {**result.metrics["training"], "missing": ["savee", "noise", "nonverbal", "rir"]}
    corpora = {k: v for k, v in result.metrics["test"]["corpora"].items() if k != "savee"}
    test = {**result.metrics["test"], "corpora": corpora}
    less = " ".join(render({**result.metrics, "training": training, "test": test}, config).split())
    assert "room" not in less.split("augmented")[1].split(")")[0]
    assert "coughs, laughs" not in less
    assert "No sound without a voice took part" in less
    assert "savee, noise, nonverbal, rir" in less
    assert "RAVDESS and CREMA-D together" in less


def test_missing_material_is_named(tmp_path: Path) -> None:
    clip = tmp_path / "OAF_angry" / "OAF_back_angry.wav"
    clip.parent.mkdir()
    clip.write_bytes(b"named like TESS")
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "hum.wav").write_bytes(b"sound")
    assert missing_material(tmp_path) == ["ravdess", "crema-d", "savee", "nonverbal", "rir"]


def test_for_commercial_use_nothing_else_is_learned_from(
    data_dir: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def noted(paths: list[Path], *given: Any, **how: Any) -> Any:
        read.extend(paths)
        return prepare(paths, *given, **how)

    for module in (corpus, head_data):
        monkeypatch.setattr(module, "prepare", noted)
    surroundings: list[Path] = []

    def heard(sounds: Any, numbers: Any, front: Any, version: int, seed: int, *given: Any) -> Any:
        surroundings.extend([*given[1], *given[2]])
        return compute(sounds, numbers, front, version, seed, *given)

    compute = features._compute
    monkeypatch.setattr(features, "_compute", heard)
    settings = TrainSettings.smoke(
        cache=cache / "open", epochs=1, limit=4, commercial=True, distil=0.5,
        teacher_epochs=1,
    )  # fmt: skip
    found = train(data_dir, tmp_path / "mel-cnn-open", settings=settings).metrics
    clips = found["split"]["clips"]
    assert set(clips["train"]) == set(clips["validation"]) == {"crema-d"}
    assert set(clips["test"]) == set(found["test"]["corpora"]) == {"ravdess", "crema-d", "savee", "tess"}
    sounds = {path.relative_to(data_dir).parts[:2] for path in read if path.is_relative_to(data_dir)}
    learned = {path for path in sounds if path[0] in ("noise", "nonverbal", "rir")}
    assert learned == {("noise", "household")}
    noises = {path.relative_to(data_dir).parts[:2] for path in surroundings}
    assert {path[0] for path in noises} == {"noise", "rir"}
    assert ("noise", "household") in noises
    assert not any(path[1] in ("nonspeech", "urban") for path in noises)
    teaching = settings.teaching()
    assert (teaching.versions, teaching.negatives) == (0, 0.0)
    assert found["training"]["missing"] == []
    assert found["settings"]["commercial"] is True
    assert settings_from(found["settings"]).commercial
    config = json.loads((tmp_path / "mel-cnn-open" / "config.json").read_text(encoding="utf-8"))
    assert config["commercial"] is True
    card = " ".join((tmp_path / "mel-cnn-open" / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert "only from what allows commercial use: CREMA-D" in card
    assert "no commercial use" not in card
    assert "coughs" not in card.split("## Training")[0]
    assert "| RAVDESS | CC BY-NC-SA 4.0 | 0 (0) | 0 (0) | 4 (" in card
    with pytest.raises(SettingsError, match="'crema-d' cannot be left out"):
        TrainSettings(commercial=True, hold_out="crema-d")


def test_what_is_missing_for_commercial_use(tmp_path: Path) -> None:
    clip = tmp_path / "OAF_angry" / "OAF_back_angry.wav"
    clip.parent.mkdir()
    clip.write_bytes(b"named like TESS")
    assert missing_material(tmp_path, commercial=True) == ["crema-d", "noise", "rir"]
    for folder in ("nonspeech", "household"):
        (tmp_path / "noise" / folder).mkdir(parents=True)
        for i in range(40):
            (tmp_path / "noise" / folder / f"{i}.wav").write_bytes(b"sound")
    assert missing_material(tmp_path, commercial=True) == ["crema-d", "rir"]
    sides = [noise_files(tmp_path, side, commercial=True) for side in ("train", "test")]
    assert all(path.parent.name == "household" for side in sides for path in side)
    assert len(sides[0]) + len(sides[1]) == 40
    assert sides[1]
    assert len(noise_files(tmp_path, "train")) > len(sides[0])


def test_the_card_names_the_figures(result: TrainResult) -> None:
    card = (result.folder / "MODEL_CARD.md").read_text()
    for name in ("ravdess", "crema-d", "tess", "savee"):
        value = result.metrics["test"]["corpora"][name]["uar"]["value"]
        assert f"{value:.3f}" in card
    assert result.metrics["model"]["sha256"] in card
    assert "no commercial use" in card


def test_interrupted_and_taken_up_again_it_is_the_same(
    result: TrainResult, data_dir: Path, cache: Path, tmp_path: Path
) -> None:
    def stop(step: str, completed: float, total: float) -> None:
        if step == "train" and completed > 1.2:  # in the middle of the second epoch
            raise Cancelled("enough")

    settings = TrainSettings.smoke(cache=cache / "second", limit=6)
    with pytest.raises(Cancelled):
        train(data_dir, tmp_path / "mel-cnn", settings=settings, progress=stop)
    assert not (tmp_path / "mel-cnn").exists()
    trained: list[float] = []

    def note(step: str, completed: float, total: float) -> None:
        if step == "train":
            trained.append(completed)

    again = train(data_dir, tmp_path / "mel-cnn", settings=settings, progress=note)
    assert min(trained) > 1  # the first epoch was not run again
    assert without_times(again.metrics) == without_times(result.metrics)


def test_with_a_teacher(data_dir: Path, cache: Path, tmp_path: Path) -> None:
    settings = TrainSettings.smoke(
        cache=cache / "first", epochs=1, limit=4, distil=0.5, hints=4, teacher_epochs=1
    )
    found = train(data_dir, tmp_path / "taught", settings=settings).metrics
    assert found["training"]["teacher"] == "whisper-cnn on Whisper's tiny.en encoder"
    card = (tmp_path / "taught" / "MODEL_CARD.md").read_text()
    assert "50% of each target is the opinion of a teacher (whisper-cnn on Whisper's" in " ".join(
        card.split()
    )
    assert np.isfinite(found["training"]["history"][0]["loss"])


def test_a_missing_teacher_is_named_before_the_work(data_dir: Path, tmp_path: Path) -> None:
    settings = TrainSettings.smoke(
        cache=tmp_path / "cache", distil=0.5, teacher=tmp_path / "none.safetensors"
    )
    with pytest.raises(ModelError, match=r"none\.safetensors: the teacher's weights are missing.*distil=0"):
        train(data_dir, tmp_path / "x", settings=settings)
    assert not (tmp_path / "cache").exists()


def test_no_corpora(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(DatasetError, match="no known corpus here"):
        train(tmp_path / "data", tmp_path / "x", settings=TrainSettings.smoke(cache=tmp_path / "cache"))


def test_a_side_without_speakers(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "tess").symlink_to(data_dir / "tess")
    with pytest.raises(DatasetError, match="no validation clip"):
        train(data_dir / "tess", tmp_path / "x", settings=TrainSettings.smoke(cache=tmp_path / "cache"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected 1 to 1000"),
        ({"fold": 9}, "fold is 9, expected 1 to 6"),
        ({"distil": 1.5}, r"distil is 1\.5, expected 0 to 1"),
        ({"limit": 0}, "limit is 0, expected 1 or more"),
        ({"name": "../x"}, r"model name '\.\./x'"),
        ({"name": ""}, "model name ''"),
    ],
)
def test_settings_outside_their_domain(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        TrainSettings(**changes)


def test_learning_rate_rises_and_falls() -> None:
    rates = [learning_rate(part, 1.0) for part in np.linspace(0, 1, 101)]
    top = int(np.argmax(rates))
    assert rates[0] == pytest.approx(0.05)
    assert rates[top] == pytest.approx(1, abs=0.01)
    assert top <= 5
    assert all(a > b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(0.01)
