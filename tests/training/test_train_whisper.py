"""The whole road to a whisper-cnn on a few clips, and what its parts must hold to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from blipper.errors import DatasetError, ModelError, SettingsError
from blipper.training import head_data, head_fit, levers
from blipper.training.adapt import adapters_of, heard_by
from blipper.training.card_heads import describe_training
from blipper.training.folds import settings_from
from blipper.training.head_settings import Adapting, HeadTrainSettings
from blipper.training.levers import LEVERS, Lever, run_levers, table
from blipper.training.predictions import read_predictions
from blipper.training.scoring import score_file
from blipper.training.settings import TEACHER
from blipper.training.train_whisper import encoder_file, train_whisper
from blipper.voice.adapters import adapter_shapes
from blipper.voice.heads import HeadSettings
from blipper.voice.models import load_model
from blipper.voice.whisper import build_encoder
from blipper.voice.whisper_files import read_file
from blipper.voice.windows import Margins
from tests.conftest import needed
from tests.training.small_corpus import write_corpora


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on a few clips."""
    root = tmp_path_factory.mktemp("whisper")
    shutil.copy(needed(data_dir / TEACHER), root / "encoder.safetensors")
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
@pytest.mark.parametrize("first", [0, 2])
def test_an_adapted_encoder_is_shipped_as_it_was_measured(
    trained: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    name = f"adapted-{first}"
    encoder = trained / "encoder.safetensors"
    settings = HeadTrainSettings.smoke(
        name=name, cache=trained / "cache", encoder=encoder, limit=4,
        network=HeadSettings(channels=8, dilations=(1,), squeeze=4, embedding=16),
        adapting=Adapting(rank=2, first=first, epochs=2, batch=8, learning_rate=5e-3), average=0.0,
    )  # fmt: skip

    class Stopped(Exception):
        pass

    def stop(step: str, done: float, total: float) -> None:
        if step == "adapt" and done > 1.5:
            raise Stopped

    interrupted = first == 2
    if interrupted:
        with pytest.raises(Stopped):
            train_whisper(data_dir, trained / "none", settings=settings, alarms=False, progress=stop)
        assert not (trained / "none").exists()
    seen: list[float] = []
    result = train_whisper(
        data_dir, trained / "models" / name, settings=settings, alarms=False,
        progress=lambda step, done, total: seen.append(done) if step == "adapt" else None,
    )  # fmt: skip
    assert (min(seen) > 1) == interrupted  # then the first epoch was on file
    assert [epoch["epoch"] for epoch in result.metrics["training"]["adapting"]] == [1, 2]
    monkeypatch.setenv("BLIPPER_WHISPER", str(trained))
    model = load_model(name, trained / "models")
    plain = read_file(encoder)
    adapters = {
        name: tensor
        for name, tensor in load_file(result.folder / "weights.safetensors").items()
        if name.startswith("adapters/")
    }
    assert {name: tensor.shape for name, tensor in adapters.items()} == adapter_shapes(2, first)
    assert np.abs(adapters[f"adapters/block{first}_query/b"]).max() > 0, "the adapters never learned"
    kernel = {v.name: v for v in model.encoder.get_layer("block2_mlp_0").weights}["kernel"].numpy()
    product = adapters["adapters/block2_mlp_0/a"] @ adapters["adapters/block2_mlp_0/b"]
    original = plain["encoder.blocks.2.mlp.0.weight"].astype(np.float32).T
    np.testing.assert_allclose(kernel, original + product, atol=1e-6)
    # What is written of the test clips is what the loaded encoder hears in them.
    material = head_data.read_head_material(data_dir, encoder, settings, trained / "cache")
    rows = material.side("test")
    again = heard_by(material, encoder, adapters, rows)
    emotions, _ = model.calibration.apply(head_fit.score_head(model.network, [again], rows))
    written = {row.key: row for row in read_predictions(result.folder / "test-predictions.csv")}
    for row, chances in zip(rows, emotions, strict=True):
        np.testing.assert_allclose(written[material.clips[row].key].emotions, chances, atol=2e-3)
    card = " ".join((result.folder / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert "low-rank adapters (rank 2)" in card
    kept = settings_from(result.metrics["settings"])
    assert isinstance(kept, HeadTrainSettings) and kept.adapting == settings.adapting
    with pytest.raises(SettingsError, match="adapters go with one member"):
        HeadTrainSettings.smoke(adapting=Adapting())
    with pytest.raises(SettingsError, match="perceptrons learn in them"):
        HeadTrainSettings.smoke(judge_epochs=0)


def test_fresh_adapters_leave_the_encoder_as_it_was() -> None:
    rng = np.random.default_rng(0)
    plain, adapted = build_encoder(), build_encoder(first=2, rank=4)
    frames = rng.normal(size=(2, 40, 80)).astype(np.float32)
    lengths = np.array([40, 30], dtype=np.int32)
    before = [np.asarray(out) for out in plain([frames, lengths])]
    for layer in adapted.layers:
        if layer.name in {other.name for other in plain.layers} and layer.weights:
            layer.set_weights(plain.get_layer(layer.name).get_weights())
    variables = adapters_of(adapted, 2)
    assert {name: tuple(v.shape) for name, v in variables.items()} == adapter_shapes(4, 2)
    assert len(adapted.trainable_variables) == len(variables)
    below = np.stack(before[:2], axis=2)
    for was, now in zip(before, adapted([below, (lengths + 1) // 2]), strict=True):
        for row, n in enumerate((lengths + 1) // 2):
            np.testing.assert_allclose(np.asarray(now)[row, :n], was[row, :n], atol=1e-5)


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


@pytest.mark.data
def test_clips_are_heard_at_other_speeds_too(trained: Path, data_dir: Path) -> None:
    settings = HeadTrainSettings.smoke(name="tried", limit=4, speeds=(0.8, 1.25))
    encoder = trained / "encoder.safetensors"
    material = head_data.read_head_material(data_dir, encoder, settings, trained / "cache")
    own, _, slow, fast = (version.length for version in material.versions)
    np.testing.assert_allclose(slow[own < 75], own[own < 75] / 0.8, atol=1.5)  # 6 s: none is cut at 8 s
    np.testing.assert_allclose(fast, own / 1.25, atol=1.5)


@pytest.mark.data
def test_what_hears_clips_at_several_speeds_is_shipped_as_it_was_measured(
    trained: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = trained / "encoder.safetensors"
    settings = HeadTrainSettings.smoke(
        name="hasty", cache=trained / "cache", encoder=encoder, limit=4, speeds=(0.8,), heard_at=(0.8, 1.25)
    )
    train_whisper(data_dir, trained / "models" / "hasty", settings=settings, alarms=False)
    monkeypatch.setenv("BLIPPER_WHISPER", str(trained))
    model = load_model("hasty", trained / "models")
    assert model.config["front_end"]["speeds"] == [0.8, 1.25]
    card = " ".join((trained / "models" / "hasty" / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert "in 1 augmented version, and as played at 0.8 of its speed; pooled vectors are mixed." in card
    assert "In use every window is heard at 0.8, 1.25 of its speed as well, the logits averaged." in card
    rows = {row.key: row for row in read_predictions(trained / "models" / "hasty" / "test-predictions.csv")}
    material = head_data.read_head_material(data_dir, encoder, settings, trained / "cache")
    plain = replace(model.listening, speeds=())
    tried = 0
    for i in material.side("test"):
        pieces = np.flatnonzero(material.segments.clip == i)
        sound = np.concatenate([material.segments.read(int(piece)) for piece in pieces])
        seconds = len(sound) / 16_000
        if seconds > 2.9:
            continue
        emotions, aggression = model.score_windows(sound, 16_000, [0.0], [seconds])
        row = rows[material.clips[i].key]
        assert aggression[0] == pytest.approx(row.aggression, abs=5e-3)
        np.testing.assert_allclose(emotions[0], row.emotions, atol=5e-3)
        tried += 1
    assert tried >= 8
    monkeypatch.setattr(model, "listening", plain)
    assert model.score_windows(sound, 16_000, [0.0], [seconds])[1][0] != aggression[0]
    with pytest.raises(SettingsError, match="heard_at has 1"):
        replace(settings, heard_at=(1,))
    with pytest.raises(SettingsError, match="the sound's own speed alone"):
        HeadTrainSettings(heard_at=(0.9,), adapting=Adapting())
    with pytest.raises(SettingsError, match="the blocks' outputs alone"):
        HeadTrainSettings(network=HeadSettings(inner=(2,)), adapting=Adapting())


@pytest.mark.data
def test_what_hears_margins_is_shipped_as_it_was_measured(
    trained: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, margins = trained / "encoder.safetensors", Margins(0.3, 0.19)
    settings = HeadTrainSettings.smoke(
        name="wide", cache=trained / "cache", encoder=encoder, limit=4, margins=margins
    )
    train_whisper(data_dir, trained / "models" / "wide", settings=settings, alarms=False)
    monkeypatch.setenv("BLIPPER_WHISPER", str(trained))
    model = load_model("wide", trained / "models")
    assert model.margins == margins
    card = " ".join((trained / "models" / "wide" / "MODEL_CARD.md").read_text(encoding="utf-8").split())
    assert "heard with 0.3 s of what is before them and 0.19 s of what is after them" in card
    material = head_data.read_head_material(data_dir, encoder, settings, trained / "cache")
    plain = head_data.read_head_material(
        data_dir, encoder, replace(settings, margins=Margins()), trained / "cache"
    )
    wide, closely = material.versions[0].length, plain.versions[0].length
    assert (wide >= closely).all()
    assert 2 < np.mean(wide - closely) < 7  # 0.49 s are 6 frames of 80 ms; some clips have less around them
    rows = {row.key: row for row in read_predictions(trained / "models" / "wide" / "test-predictions.csv")}
    tried = 0
    for i in material.side("test"):
        clip = material.clips[i]
        if np.count_nonzero(material.segments.clip == i) > 1 or rows[clip.key].seconds > 3.4:
            continue
        _, emotions, aggression, _ = score_file(model, clip.path)
        assert len(aggression) == 1
        assert aggression[0] == pytest.approx(rows[clip.key].aggression, abs=5e-3)
        np.testing.assert_allclose(emotions[0], rows[clip.key].emotions, atol=5e-3)
        tried += 1
    assert tried >= 8
    assert HeadTrainSettings.from_dict(json.loads(json.dumps(settings.to_dict()))).margins == margins


def test_the_card_names_what_is_heard_without_attention() -> None:
    settings = HeadTrainSettings(network=HeadSettings(plain_from=1, inner=(1, 3))).to_dict()
    training = {"epochs": 8, "windows_an_epoch": 64}
    told = " ".join(describe_training({"training": training, "settings": settings}).split())
    assert (
        "beside plain means and deviations of every block from number 2 on and plain means of the inner "
        "layers of blocks 2, 4. Each training clip was put through the encoder as it is and in 1 augmented "
        "version; pooled vectors are mixed."
    ) in told


def test_settings_without_other_speeds_are_those_of_before_there_were_any() -> None:
    described = HeadTrainSettings().to_dict()
    assert not {"speeds", "heard_at", "margins"} & set(described)
    assert not {"inner", "plain_from", "perceptrons"} & set(described["network"])
    settings = HeadTrainSettings(speeds=(0.9, 1.1), heard_at=(0.95,))
    described = json.loads(json.dumps(settings.to_dict()))
    assert HeadTrainSettings.from_dict(described) == settings
    for bad in (1.0, 0.4, 2.5):
        with pytest.raises(SettingsError, match=f"speeds has {bad}"):
            HeadTrainSettings(speeds=(0.9, bad))


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
