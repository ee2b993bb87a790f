"""The whole road to a whisper-cnn on a few clips, and what its parts must hold to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper.errors import DatasetError, ModelError, SettingsError
from blipper.training import head_data, head_fit, levers
from blipper.training.folds import settings_from
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.levers import LEVERS, Lever, run_levers, table
from blipper.training.predictions import read_predictions
from blipper.training.settings import TEACHER
from blipper.training.train_whisper import encoder_file, train_whisper
from blipper.voice.models import load_model
from tests.training.small_corpus import write_corpora


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on a few clips."""
    root = tmp_path_factory.mktemp("whisper")
    if not (data_dir / TEACHER).is_file():
        pytest.skip(f"needs {data_dir / TEACHER}")
    shutil.copy(data_dir / TEACHER, root / "encoder.safetensors")
    settings = HeadTrainSettings.smoke(
        name="tried", cache=root / "cache", encoder=root / "encoder.safetensors", limit=4
    )
    train_whisper(data_dir, root / "models" / "tried", settings=settings)
    return root


@pytest.mark.data
def test_a_trained_folder_is_whole_and_goes_on_where_it_was(
    trained: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trained / "models" / "tried"
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["training"]["epochs"] == 2 and len(metrics["training"]["history"]) == 4
    assert metrics["split"]["clips"]["test"].keys() == {"crema-d", "ravdess", "savee", "tess"}
    rows = read_predictions(folder / "test-predictions.csv")
    assert len(rows) == 16 == sum(metrics["split"]["clips"]["test"].values())
    assert "Whisper tiny.en" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert metrics["false_alarms"]["neutral speech"]["files"] >= 1

    monkeypatch.setenv("BLIPPER_WHISPER", str(trained))
    model = load_model("tried", trained / "models")
    assert model.info.threshold == metrics["model"]["threshold"]

    settings = settings_from(metrics["settings"], cache=trained / "cache")
    assert isinstance(settings, HeadTrainSettings) and settings.name == "tried"
    epochs: list[float] = []
    again = train_whisper(
        data_dir,
        trained / "again",
        settings=replace(settings, encoder=trained / "encoder.safetensors", workers=1),
        alarms=False,
        progress=lambda step, done, total: epochs.append(done) if step == "train" else None,
    )
    assert not epochs  # both members were on file
    # What follows the checkpoints is repeated from the same seed, and comes out the same.
    assert again.metrics["model"]["sha256"] == metrics["model"]["sha256"]


@pytest.mark.data
def test_examples_are_cut_and_drawn_from_training_speakers_alone(trained: Path, data_dir: Path) -> None:
    settings = HeadTrainSettings.smoke(name="tried", limit=4, votes=0.5, own_classes=True, masking=0.5)
    encoder = trained / "encoder.safetensors"
    material = head_data.read_head_material(data_dir, encoder, settings, trained / "cache")
    assert material.weight[material.sides != "train"].sum() == 0
    assert np.allclose(material.targets.sum(axis=1), 1, atol=1e-5)
    calm = head_data.EMOTIONS.index("calm")
    corpora = np.array([clip.corpus for clip in material.clips])
    assert (material.targets[corpora == "crema-d", calm] == 0).all()
    assert (material.own[np.arange(len(corpora)), material.labels] == 1).all()
    rng = np.random.default_rng(0)
    for batch in head_data.head_batches(material, settings, rng):
        assert batch.blocks.shape[1] <= 38 and batch.lengths.max() == batch.blocks.shape[1]
        assert (batch.part >= 0.5).all() and len(batch.speech) == settings.batch
    rows = material.side("validation")
    figures = head_fit.head_figures(np.eye(9, dtype=np.float32)[material.labels[rows]], material, rows)
    assert figures["accuracy_common"] == 1 and figures["uar_crema-d"] == 1


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"models download tiny\.en"):
        encoder_file(tmp_path, HeadTrainSettings())
    with pytest.raises(SettingsError, match="judge_epochs is -1"):
        HeadTrainSettings(judge_epochs=-1)
    with pytest.raises(SettingsError, match="balance is 'some'"):
        HeadTrainSettings(balance="some")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match=r"no voice_votes\.csv"):
        head_data.read_votes(tmp_path)
    (tmp_path / "voice_votes.csv").write_text("FileName,A\nx,1\n")
    with pytest.raises(DatasetError, match="expected FileName"):
        head_data.read_votes(tmp_path)


def test_every_lever_differs_from_the_base_and_the_table_shows_it() -> None:
    described = [json.dumps(lever.settings(1).to_dict(), sort_keys=True) for lever in LEVERS]
    assert len(set(described)) == len(LEVERS)
    run = {"lever": "no mixup", "fold": 2, "validation": {"accuracy_common": 0.71234, "score": 0.7}}
    assert "| no mixup | 2 | 0.712 | - |" in table([run])


def test_members_are_judged_together_and_a_run_on_file_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora = write_corpora(tmp_path / "corpora")
    encoder, record = corpora / "whisper-tiny-en-encoder.safetensors", tmp_path / "runs.json"
    small = {"epochs": 1, "versions": 0, "batch": 8, "average": 0.5}
    network = {"channels": 8, "dilations": (1,), "squeeze": 4, "embedding": 16}
    tried = (
        Lever("one", {**small, "network": network}),
        Lever("two", {**small, "network": {**network, "members": 2}}),
    )
    judged: list[int] = []
    score = levers.score_head

    def note(heads: list[head_fit.Head], *rest: object) -> np.ndarray:
        judged.append(len(heads))
        return score(heads, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(levers, "score_head", note)
    runs = run_levers(corpora, encoder, record, tmp_path / "cache", levers=tried)
    assert [run["lever"] for run in runs] == ["one", "two"] and judged == [2]
    assert set(runs[0]["validation"]) == set(runs[1]["validation"])
    assert run_levers(corpora, encoder, record, tmp_path / "cache", levers=tried) == runs and judged == [2]
