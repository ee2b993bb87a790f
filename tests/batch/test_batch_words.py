"""Batches with words: written and read by models that are loaded once, and that make a result what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import blipper
from benchmarks.checkpoints import save_speaking, spoken
from blipper import batch
from blipper.batch import process, words
from blipper.batch.state import BatchLimits
from blipper.cli import app
from blipper.errors import ModelError, SettingsError
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.words import transcribe, weights
from tests.words.tiny_text_model import SENTENCES, save_built_in, save_classifier

pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a voice model that ships and a text model."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "mel-cnn").symlink_to(blipper.models_dir() / "mel-cnn")
    save_built_in(folder / "text-small")
    monkeypatch.setenv("BLIPPER_MODELS", str(folder))
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "none"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return folder


@pytest.fixture
def speaking(tmp_path: Path) -> Path:
    """A Whisper that says one of the tiny text model's sentences whatever it hears."""
    return save_speaking(tmp_path / "says.pt", spoken((0.0, f" {SENTENCES[1]}", 3.0)))


def results(output: Path) -> list[Analysis]:
    rows = batch.read_rows(output)
    return [Analysis.from_dict(json.loads((output / str(row.result)).read_text("utf-8"))) for row in rows]


def test_words_are_written_read_and_marked_anew_only_by_the_same_models(
    light: None,
    calls: Path,
    tmp_path: Path,
    models: Path,
    speaking: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in sorted(path for path in calls.rglob("*") if path.is_file())[2:]:
        path.unlink()
    out = tmp_path / "out"
    asked = Settings(transcript=f"whisper:{speaking}")

    def run(settings: Settings = asked) -> tuple[int, int, int]:
        summary = batch.run(calls, out, workers=1, settings=settings)
        assert summary.failures == ()
        return summary.state.analyzed, summary.state.remarked, summary.state.unchanged

    assert run() == (2, 0, 0)
    for found in results(out):
        (track,) = found.tracks
        assert track.transcript is not None
        assert track.transcript.engine == "whisper:says"
        assert track.transcript.text_models[0].name == "text-small"
        assert track.transcript.utterances
        assert all(one.aggression is not None for one in track.transcript.utterances)
        assert track.fused is not None
        assert found.settings["transcript"] == "says.pt"
        assert str(tmp_path) not in json.dumps(found.settings)
    assert run() == (0, 0, 2)

    with monkeypatch.context() as patch:  # what does not change the words needs no worker
        patch.setattr(process, "WORKER", "tests.batch.no_such_worker")
        assert run(Settings(transcript=f"whisper:{speaking}", threshold=0.3, balance=0.8)) == (0, 2, 0)
        assert {found.settings["balance"] for found in results(out)} == {0.8}
        assert run() == (0, 2, 0)

    # Whoever writes or reads the words becomes another: once by a run, else by the digest that decides it.
    seen = {words.digest(asked)}
    save_speaking(speaking, spoken((0.0, f" {SENTENCES[0]}", 3.0)))
    seen.add(words.digest(asked))
    save_built_in(models / "text-small", seed=5)
    seen.add(words.digest(asked))
    chosen = save_classifier(tmp_path / "toxic", ("neutral", "toxic"), seed=3)
    other = Settings(transcript=f"whisper:{speaking}", text_model=str(chosen))
    assert run(other) == (2, 0, 0)
    assert {found.tracks[0].transcript.text_models[0].name for found in results(out)} == {"toxic"}
    assert run(other) == (0, 0, 2)
    seen.add(words.digest(other))
    save_classifier(chosen, ("neutral", "toxic"), seed=4)
    seen.add(words.digest(other))
    assert len(seen) == 5
    assert run(Settings()) == (2, 0, 0)
    assert all(found.tracks[0].transcript is None for found in results(out))


def test_words_take_no_part_where_there_are_none(models: Path) -> None:
    assert words.digest(Settings()) is None
    assert words.decided(Settings()) == Settings()
    assert BatchLimits.usual("none") == BatchLimits()
    assert BatchLimits.usual("whisper:small").memory > BatchLimits.usual("whisper:tiny").memory > 3 << 30
    assert BatchLimits.usual("pocketsphinx").seconds == 86_400


def test_auto_is_decided_once(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.decided(Settings(transcript="auto")).transcript == "pocketsphinx"
    draft = words.digest(Settings(transcript="pocketsphinx"))
    monkeypatch.setattr(transcribe.weights, "installed", lambda: ("base", "tiny.en"))
    assert words.decided(Settings(transcript="auto", language="de")).transcript == "whisper:base"
    assert words.decided(Settings(transcript="whisper")).transcript == "whisper:tiny.en"
    monkeypatch.setattr(weights, "find_weights", lambda name: Path(name))
    assert words.digest(Settings(transcript="whisper:base")) != draft


def test_weights_that_are_not_there_are_fetched_before_any_work(
    models: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(name: str, **options: Any) -> Path:
        asked.append(name)
        options["progress"]("download", 1, 2)
        raise ModelError("cannot be downloaded")

    monkeypatch.setattr(weights, "download", refuse)
    monkeypatch.setattr(process, "WORKER", "tests.batch.no_such_worker")
    told: list[str] = []
    with pytest.raises(ModelError, match="cannot be downloaded"):
        batch.run(
            calls,
            tmp_path / "out",
            settings=Settings(transcript="whisper:tiny"),
            progress=lambda step, *_: told.append(step),
        )
    assert asked == ["tiny"]
    assert told == ["download"]


def test_a_worker_with_other_models_for_words_is_of_no_use(
    light: None,
    calls: Path,
    tmp_path: Path,
    models: Path,
    speaking: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(words, "digest", lambda settings, progress=None: "0" * 64)
    with pytest.raises(ModelError, match="are not those of the machine that started the batch"):
        batch.run(calls, tmp_path / "out", workers=1, settings=Settings(transcript=f"whisper:{speaking}"))


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--transcript", "nobody"], "no such engine and no such file"),
        (["--transcript", "FILE"], "is a file, which belongs to one recording; a batch takes none, auto"),
        (["--transcript", "pocketsphinx", "--text-model", "no model"], "'no model' is none; accepted"),
        (["--transcript", "auto", "--balance", "2"], "balance is 2"),
    ],
)
def test_what_is_refused(arguments: list[str], fault: str, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nHello.\n")
    arguments = [str(tmp_path / "a.srt") if one == "FILE" else one for one in arguments]
    result = CliRunner().invoke(
        app, ["batch", str(tmp_path), "--output", str(tmp_path / "out"), *arguments], env={"COLUMNS": "300"}
    )
    assert result.exit_code == 2
    assert fault in " ".join(result.stderr.split())
    with pytest.raises(SettingsError, match="is a file"):
        words.decided(Settings(transcript=str(tmp_path / "a.srt")))


def test_options_reach_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    from blipper.batch import running

    seen: dict[str, Any] = {}

    def run(paths: Any, output: Any, **options: Any) -> Any:
        seen.update(options)
        raise SettingsError("enough")

    monkeypatch.setattr(running, "run", run)
    chosen = ["--transcript", "auto", "--text-model", "none", "--language", "en", "--balance", "0.7"]
    chosen += ["--surroundings", "1.5", "--min-duration", "3"]
    CliRunner().invoke(
        app, ["batch", str(tmp_path), "--output", str(tmp_path / "out"), *chosen, "--time-limit", "9"]
    )
    assert seen["settings"] == Settings(
        transcript="pocketsphinx",
        text_model="none",
        language="en",
        balance=0.7,
        surroundings=1.5,
        min_duration=3.0,
    )
    assert seen["limits"] == BatchLimits(memory=3 << 30, seconds=9)
