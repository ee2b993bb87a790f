"""``blipper library``, ``train --with-library`` and ``evaluate --on-library``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile as sf
from typer.testing import CliRunner

from blipper import audio
from blipper import library as lib
from blipper.cli import app
from blipper.cli_library import learned_from_library, library_text, with_verdicts
from blipper.errors import LibraryError, SettingsError
from blipper.library import Database, place
from blipper.library.dataset import side_of
from blipper.paths import models_dir
from blipper.training.card import render
from blipper.training.folds import settings_from
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.settings import TEACHER, TrainSettings
from blipper.voice.models import available_models
from tests.conftest import needed
from tests.library.making import SCORES, analysis, sound, track


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def library(home: Path) -> Database:
    place.choose(place.Choices(on=True))
    return lib.open_library()


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ("library", "list"),
        ("library", "export", "somewhere", "--as", "Ana"),
        ("library", "delete", "--everything", "--as", "Ana"),
        ("library", "audit"),
        ("evaluate", "--on-library"),
    ],
)
def test_while_it_is_off_nothing_is_opened(home: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert "the library is off; turn it on in the app" in " ".join(result.stderr.split())
    assert not home.exists()


def test_list_export_delete_and_audit(library: Database, tmp_path: Path) -> None:
    made = analysis("one\x1b[31m.wav")
    saved = lib.save(library, made, analyst="Ana", sound=lib.encode_sound(sound(made)), tags=["t"])
    lib.save(library, analysis("two.wav", track(SCORES, 3)), analyst="Ana")
    lib.judge(library, saved.recording_id, target="event", start=2, end=5, verdict="right", analyst="Ana")
    result = run("library", "list")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert len(result.stdout.splitlines()) == 2
    [row] = json.loads(run("library", "list", "--name", "ONE", "--json").stdout)
    assert (row["id"], row["sound_kept"], row["verdicts"]) == (saved.recording_id, ["mix"], {"right": 1})
    assert run("library", "export", str(tmp_path / "out"), "--as", "Ana").exit_code == 0
    assert (tmp_path / "out" / "db.yaml").is_file()
    again = run("library", "export", str(tmp_path / "out"), "--as", "Ana")
    assert again.exit_code == 1
    assert "is there already" in " ".join(again.stderr.split())
    assert run("library", "delete", saved.recording_id, "--only-sound", "--as", "Ana").exit_code == 0
    assert lib.read_item(library, saved.recording_id).audio == frozenset()
    assert run("library", "delete", "--as", "Ana").exit_code == 2
    assert run("library", "delete", "--everything", "--only-sound", "--as", "Ana").exit_code == 2
    assert run("library", "delete", "unknown", "--as", "Ana").exit_code == 1
    assert run("library", "delete", saved.recording_id, "--as", "Ana").exit_code == 0
    assert run("library", "delete", "--everything", "--as", "Ana").exit_code == 0
    assert lib.count(library) == 0
    entries = json.loads(run("library", "audit", "--json").stdout)
    assert [entry["action"] for entry in entries] == [
        "delete everything", "delete recording", "delete sound", "export",
    ]  # fmt: skip
    assert "delete everything" in run("library", "audit").stdout


def test_evaluate_on_library(library: Database) -> None:
    from blipper.voice.models import load_model

    model = load_model("mel-cnn").info
    for name, answer in (("a.wav", "right"), ("b.wav", "wrong"), ("c.wav", "right")):
        seed = ord(name[0])
        saved = lib.save(library, analysis(name, track(SCORES, seed), model=model), analyst="Ana")
        lib.judge(
            library, saved.recording_id, target="event", start=2, end=5, verdict=answer, analyst="Ana",
            analysis_id=saved.analysis_id,
        )  # fmt: skip
    result = run("evaluate", "--on-library")
    assert result.exit_code == 0, result.output
    for words in (
        "mel-cnn on all recordings of the library: 3 judged stretches",
        "66.7% (20.8% to 93.9%), of 3",
    ):
        assert words in " ".join(result.stdout.split())
    found = json.loads(run("library", "evaluate", "--model", "mel-cnn", "--json").stdout)
    assert found["precision"]["of"] == 3
    assert library_text(found) == result.stdout
    missing = run("evaluate")
    assert missing.exit_code == 2
    assert "DATA is missing" in " ".join(missing.stderr.split())


def test_no_cache_beside_the_library(library: Database, tmp_path: Path) -> None:
    settings = TrainSettings.smoke(cache=tmp_path)
    with pytest.raises(SettingsError, match="would outlive a deletion"), with_verdicts(settings, True):
        pass
    with with_verdicts(settings, False) as same:
        assert same is settings


@pytest.mark.data
@pytest.mark.parametrize("kind", ["mel-cnn", "whisper-cnn"])
def test_training_with_verdicts(
    library: Database, home: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Real clips as recordings; a real, small training; then the model is measured on what was held out."""
    from blipper.training.recipes import train_by

    smoke: TrainSettings | HeadTrainSettings = TrainSettings.smoke(limit=4, epochs=1)
    if kind == "whisper-cnn":
        monkeypatch.setenv("BLIPPER_WHISPER", str(needed(data_dir / TEACHER)))
        smoke = HeadTrainSettings.smoke(limit=4, epochs=1, judge_epochs=1, name="mine")
    clips = sorted((data_dir / "ravdess" / "Actor_05").glob("03-01-0[135]-01-0*"))[:12]
    for clip in clips:
        recording = audio.load(clip)
        scores = [0.6] * max(2, int(recording.duration * 2))
        made = analysis("x.wav", track(scores), content=clip.name)
        saved = lib.save(library, made, analyst="Ana", sound=lib.encode_sound(recording))
        emotion = clip.name.split("-")[2]
        answer, named = {"05": ("right", None), "03": ("other emotion", "happy")}.get(
            emotion, ("wrong", None)
        )
        lib.judge(
            library, saved.recording_id, target="event", start=0, end=len(scores) / 2, verdict=answer,
            emotion=named, analyst="Ana", analysis_id=saved.analysis_id,
        )  # fmt: skip
    with with_verdicts(smoke, True) as settings:
        assert settings.added is not None
        result = train_by(data_dir, tmp_path / "models" / "mine", settings=settings)
        assert (home / "training" / "cache").is_dir()
    assert not (home / "training").exists(), "no copy of the sound is left"
    with pytest.raises(SettingsError, match="which folds cannot repeat"):
        settings_from(result.metrics["settings"])
    counts = result.metrics["settings"]["added"]
    assert counts["train"] >= 1
    assert counts["calm"] >= 1
    sides = result.metrics["split"]["clips"]
    assert sides["train"]["library"] == counts["train"]
    assert sides["validation"].get("library", 0) == counts["validation"]
    assert "library" not in sides["test"]
    speakers = result.metrics["split"]["speakers"]
    assert not set(speakers["train"]["library"]) & set(speakers["validation"].get("library", []))
    items = {item.id: item for item in lib.search(library)}
    assert {side_of(items[name].sha256) for name in speakers["train"]["library"]} == {"train"}
    card = (result.folder / "MODEL_CARD.md").read_text()
    assert f"recordings: {counts['train']} stretches" in " ".join(card.split())
    assert "learned from analysts" in card
    assert "learned from analysts" not in render(
        {**result.metrics, "settings": {k: v for k, v in result.metrics["settings"].items() if k != "added"}},
        json.loads((result.folder / "config.json").read_text()),
    )
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path / "models"))
    assert learned_from_library(result.metrics["model"]["sha256"])
    shown = run("evaluate", "--on-library", "--model", "mine", "--json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert found["data"] == "held-out recordings of the library"
    assert found["stretches"] == counts["held_out"] > 0
    assert sf.info(clips[0]).samplerate == 16_000


def test_the_shipped_models_learned_from_no_library() -> None:
    assert {"mel-cnn", "whisper-cnn"} <= set(available_models())
    for name in available_models():
        metrics = json.loads((models_dir() / name / "metrics.json").read_text())
        assert not learned_from_library(metrics["model"]["sha256"])


def test_a_model_whose_origin_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    assert not learned_from_library("ab")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "metrics.json").write_text("{}")
    with pytest.raises(
        LibraryError, match=r"metrics\.json: cannot be read, so what its model learned from is unknown"
    ):
        learned_from_library("ab")
