"""Scores of words in a whole analysis: set, kept, corrected, written to files, asked for at a terminal."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blipper import analyze
from blipper.cli import app
from blipper.errors import ModelError, SettingsError
from blipper.export import WRITERS
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.words.attach import with_correction
from blipper.words.sentiment import load_readers
from tests.words.tiny_text_model import SENTENCES, save_built_in, save_classifier

SAMPLE = Path(__file__).parents[2] / "ui" / "sample" / "scene.ogg"
SRT = (
    f"1\n00:00:01,000 --> 00:00:02,500\n{SENTENCES[1]}\n\n"
    f"2\n00:00:04,000 --> 00:00:05,000\n{SENTENCES[0]}\n\n"
    "3\n00:00:06,000 --> 00:00:07,000\n=1+1\n"
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the voice models that ship, and a text model."""
    import blipper

    folder = tmp_path_factory.mktemp("models")
    (folder / "mel-cnn").symlink_to(blipper.models_dir() / "mel-cnn")
    save_built_in(folder / "text-small")
    return folder


@pytest.fixture(scope="module")
def toxic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("chosen") / "toxic", ("neutral", "toxic"), seed=3)


@pytest.fixture
def srt(tmp_path: Path) -> str:
    (tmp_path / "call.srt").write_text(SRT)
    return str(tmp_path / "call.srt")


@pytest.fixture(autouse=True)
def installed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(models))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def scored(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    path = tmp_path_factory.mktemp("srt") / "call.srt"
    path.write_text(SRT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLIPPER_MODELS", str(models))
        return analyze(SAMPLE, settings=Settings(transcript=str(path)))


def test_words_are_scored_by_default(scored: Analysis) -> None:
    transcript = scored.tracks[0].transcript
    assert transcript is not None
    scores = [one.aggression for one in transcript.utterances]
    assert scores[0] is not None
    assert scores[2] is None  # digits alone
    assert transcript.text_models[0].name == "text-small"
    assert scored.settings["text_model"] == "built-in"
    assert {"torch", "transformers", "tokenizers", "safetensors"} <= set(scored.versions)
    kept = Analysis.from_dict(json.loads(json.dumps(scored.to_dict())))
    assert kept.tracks[0].transcript == transcript


def test_a_result_from_before_loads(scored: Analysis) -> None:
    values = scored.to_dict()
    del values["settings"]["text_model"]
    del values["tracks"][0]["transcript"]["text_models"]
    old = Analysis.from_dict(values)
    assert old.tracks[0].transcript is not None
    assert old.tracks[0].transcript.text_models == ()
    assert Settings.from_dict(old.settings).text_model == "built-in"


def test_a_correction_is_scored_at_once(scored: Analysis) -> None:
    readers = load_readers("built-in")
    corrected = with_correction(scored, 0, 0, SENTENCES[3], readers=readers).tracks[0].transcript
    before = scored.tracks[0].transcript
    assert corrected is not None
    assert before is not None
    expected = readers.models[0].score([SENTENCES[3]]).aggression
    assert expected is not None
    assert corrected.utterances[0].aggression == pytest.approx(expected[0])
    assert corrected.utterances[0].aggression != pytest.approx(before.utterances[0].aggression)
    assert corrected.utterances[1] == before.utterances[1]
    assert corrected.edited
    bare = with_correction(scored, 0, 0, SENTENCES[3]).tracks[0].transcript
    assert bare is not None
    assert bare.utterances[0].aggression is None


def test_none_and_missing_and_unknown(srt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = analyze(SAMPLE, settings=Settings(transcript=srt, text_model="none")).tracks[0].transcript
    assert bare is not None
    assert bare.text_models == ()
    assert not any(notice.code.startswith("text-") for notice in bare.notices)
    with pytest.raises(ModelError, match="blipper models download nobody/nothing"):
        analyze(SAMPLE, settings=Settings(transcript=srt, text_model="nobody/nothing"))
    with pytest.raises(SettingsError, match="accepted: none, built-in"):
        analyze(SAMPLE, settings=Settings(transcript=srt, text_model="parrot"))
    with pytest.raises(SettingsError, match="the text_model is ''"):
        Settings(text_model="")
    # Nobody looks for models where there is no transcript to read.
    assert analyze(SAMPLE, settings=Settings(text_model="nobody/nothing")).tracks[0].transcript is None
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    (tmp_path / "mel-cnn").symlink_to(Path(__file__).parents[2] / "models" / "mel-cnn")
    missing = analyze(SAMPLE, settings=Settings(transcript=srt)).tracks[0].transcript
    assert missing is not None
    assert [notice.code for notice in missing.notices if notice.code != "engine"] == ["text-missing"]


def test_at_a_terminal(srt: str, toxic: Path, tmp_path: Path) -> None:
    table, target = tmp_path / "out.utterances.csv", tmp_path / "out.json"
    arguments = ["analyze", str(SAMPLE), "--transcript", srt, "--text-model", f"{toxic}+built-in"]
    result = CliRunner().invoke(app, [*arguments, "-o", str(target), "-o", str(table)])
    assert result.exit_code == 0, result.stderr
    assert "Words scored for verbal aggression by toxic (" in result.stdout
    assert "Words scored for sentiment by text-small (" in result.stdout
    stored = json.loads(target.read_text())
    assert stored["settings"]["text_model"] == "toxic+built-in"  # no folder of this machine
    assert str(toxic) not in target.read_text()
    assert [info["name"] for info in stored["tracks"][0]["transcript"]["text_models"]] == [
        "toxic",
        "text-small",
    ]
    first = next(csv.DictReader(io.StringIO(table.read_text("utf-8"))))
    assert (first["aggression_model"], first["sentiment_model"]) == ("toxic", "text-small")

    result = CliRunner().invoke(app, ["transcribe", str(SAMPLE), "--engine", srt])
    assert result.exit_code == 0, result.stderr
    assert "verbal aggression (0 to 1)" in result.stdout
    line = next(line for line in result.stdout.splitlines() if SENTENCES[0] in line)
    assert any(name in line for name in ("negative", "neutral", "positive"))
    result = CliRunner().invoke(app, ["transcribe", str(SAMPLE), "--engine", srt, "--text-model", "none"])
    assert "verbal aggression" not in result.stdout
    result = CliRunner().invoke(app, ["transcribe", str(SAMPLE), "--engine", srt, "--text-model", "parrot"])
    assert result.exit_code == 2
    assert "accepted: none, built-in" in result.stderr.replace("\n", " ")


def test_the_table_of_utterances(scored: Analysis) -> None:
    writer = WRITERS["utterances-csv"]
    rows = list(csv.DictReader(io.StringIO(writer.content(scored).decode("utf-8"))))
    transcript = scored.tracks[0].transcript
    assert transcript is not None
    assert len(rows) == 3
    for row, said in zip(rows, transcript.utterances, strict=True):
        assert float(row["start_s"]) == pytest.approx(said.start, abs=1e-3)
        if said.aggression is None:
            assert row["verbal_aggression"] == row["negative"] == ""
            continue
        assert float(row["verbal_aggression"]) == pytest.approx(said.aggression, abs=1e-4)
        shares = [float(row[name]) for name in ("negative", "neutral", "positive")]
        assert sum(shares) == pytest.approx(1, abs=2e-4)
    assert rows[0]["text"] == SENTENCES[1]
    assert rows[2]["text"] == "'=1+1"  # no formula for a spreadsheet to run
    assert rows[0]["engine"] == "file:srt"
    assert rows[0]["draft"] == "no"
    without = analyze(SAMPLE)
    assert writer.lacks(without) is not None
