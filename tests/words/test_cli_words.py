"""``blipper transcribe`` and ``blipper analyze --transcript``."""

from __future__ import annotations

import json
from pathlib import Path

import pysubs2
import pytest
from typer.testing import CliRunner

from blipper.cli import app

SAMPLE = str(Path(__file__).parents[2] / "ui" / "sample" / "scene.ogg")
SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\nWhere <b>is</b> my [red]parcel\n\n"
    "2\n00:00:04,000 --> 00:00:05,000\nGone.\n"
)


@pytest.fixture
def srt(tmp_path: Path) -> str:
    (tmp_path / "call.srt").write_text(SRT)
    return str(tmp_path / "call.srt")


def test_transcribe_writes_text_and_files(tmp_path: Path, srt: str) -> None:
    vtt, txt = tmp_path / "out.vtt", tmp_path / "out.txt"
    result = CliRunner().invoke(app, ["transcribe", SAMPLE, "--engine", srt, "-o", str(vtt), "-o", str(txt)])
    assert result.exit_code == 0, result.stderr
    assert "Transcript by file:srt: 2 utterances." in result.stdout
    assert "Where is my [red]parcel" in result.stdout
    assert [event.plaintext for event in pysubs2.load(str(vtt))] == ["Where is my [red]parcel", "Gone."]
    assert "Gone." in txt.read_text()


def test_transcribe_as_json(srt: str) -> None:
    result = CliRunner().invoke(app, ["transcribe", SAMPLE, "--engine", srt, "--json"])
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["channels"]["mix"]["engine"] == "file:srt"
    assert document["channels"]["mix"]["utterances"][1]["text"] == "Gone."


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--engine", "parrot"], 2, "'parrot'"),
        (["--engine", "none"], 2, "writes nothing"),
        (["--engine", "pocketsphinx", "--language", "de"], 2, "English only"),
        (["-o", "out.csv"], 2, "accepted endings are .srt"),
        (["-o", "no/such/folder/out.srt"], 2, "none that exists"),
    ],
)
def test_transcribe_refuses(arguments: list[str], code: int, complaint: str) -> None:
    result = CliRunner().invoke(app, ["transcribe", SAMPLE, *arguments])
    assert result.exit_code == code
    assert complaint in result.stderr.replace("\n", " ")
    assert result.stdout == ""


def test_a_broken_transcript_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.srt").write_text("1\n0:1 --> x\nhello\n")
    result = CliRunner().invoke(app, ["transcribe", SAMPLE, "--engine", str(tmp_path / "bad.srt")])
    assert result.exit_code == 1
    assert "line 2" in result.stderr


def test_analyze_with_a_transcript(tmp_path: Path, srt: str) -> None:
    target = tmp_path / "out.json"
    result = CliRunner().invoke(app, ["analyze", SAMPLE, "--transcript", srt, "-o", str(target)])
    assert result.exit_code == 0, result.stderr
    assert "Transcript by file:srt: 2 utterances." in result.stdout
    stored = json.loads(target.read_text())
    assert stored["tracks"][0]["transcript"]["utterances"][0]["text"] == "Where is my [red]parcel"
    refused = CliRunner().invoke(app, ["analyze", SAMPLE, "--transcript", "parrot"])
    assert refused.exit_code == 2
