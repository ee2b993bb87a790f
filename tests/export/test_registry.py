from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from blipper import cli
from blipper.errors import ExportError, SettingsError
from blipper.export import WRITERS, suggested_name, write_analysis, writer_for
from blipper.export.csv import events_csv, windows_csv
from blipper.results import Analysis
from blipper.words.transcript import Transcript


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_writer_is_complete_and_writes(name: str, analysis: Analysis) -> None:
    writer = WRITERS[name]
    assert writer.name == name
    assert writer.extension.startswith(".")
    assert writer.extension == writer.extension.lower()
    assert "/" in writer.media_type
    assert writer.description
    assert writer_for("x" + writer.extension) is writer


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_writer_writes_what_there_is(name: str, analysis: Analysis, talk: Analysis) -> None:
    writer = WRITERS[name]
    assert writer.lacks(talk) is None
    content = writer.write(talk)
    assert isinstance(content, str | bytes)
    assert content
    if writer.lacks(analysis) is None:
        assert writer.write(analysis)


def test_without_a_transcript_nothing_pretends_to_hold_one(analysis: Analysis, tmp_path: Path) -> None:
    lacking = {name for name, writer in WRITERS.items() if writer.lacks(analysis)}
    assert lacking == {"srt", "vtt", "txt", "audacity-transcript", "utterances-csv"}
    for name in lacking:
        target = tmp_path / ("call" + WRITERS[name].extension)
        with pytest.raises(ExportError, match=r"call\..*no transcript.*--transcript"):
            write_analysis(analysis, target)
    assert list(tmp_path.iterdir()) == []


def test_a_transcript_without_words_can_be_written(analysis: Analysis, tmp_path: Path) -> None:
    heard = dataclasses.replace(
        analysis,
        tracks=tuple(
            dataclasses.replace(track, transcript=Transcript("whisper:tiny.en", None, ()))
            for track in analysis.tracks
        ),
    )
    write_analysis(heard, tmp_path / "call.srt")
    assert (tmp_path / "call.srt").read_bytes() == b""


def test_file_names_that_are_not_text_can_be_written(talk: Analysis, tmp_path: Path) -> None:
    odd = dataclasses.replace(
        talk, provenance=dataclasses.replace(talk.provenance, name="caf\udce9 \n <b>.wav")
    )
    for number, writer in enumerate(WRITERS.values()):
        write_analysis(odd, tmp_path / f"{number}{writer.extension}")
        if "parquet" not in writer.name:
            (tmp_path / f"{number}{writer.extension}").read_text("utf-8")


def test_extensions_are_unique() -> None:
    assert len({writer.extension for writer in WRITERS.values()}) == len(WRITERS)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.json", "json"),
        ("folder.csv/a.JSON", "json"),
        ("a.csv", "csv"),
        ("a.windows.csv", "windows-csv"),
        ("A.Windows.CSV", "windows-csv"),
        ("a.turns.csv", "turns-csv"),
        ("a.talk.csv", "talk-csv"),
        ("a.interruptions.csv", "interruptions-csv"),
        ("windows.csv", "csv"),
        ("a.curve.csv", "curve-csv"),
        ("a.curve.parquet", "curve-parquet"),
        ("a.parquet", "parquet"),
        ("a.windows.parquet", "windows-parquet"),
        ("a.srt", "srt"),
        ("a.events.srt", "events-srt"),
        ("a.txt", "txt"),
        ("a.labels.txt", "audacity"),
        ("a.transcript.labels.txt", "audacity-transcript"),
        ("a.TextGrid", "textgrid"),
        ("a.label-studio.json", "label-studio"),
    ],
)
def test_the_ending_decides(path: str, name: str) -> None:
    assert writer_for(path).name == name


@pytest.mark.parametrize("path", ["a.xlsx", "a", "json", "a.json.bak", ""])
def test_an_unknown_ending_is_refused_with_those_accepted(path: str) -> None:
    with pytest.raises(SettingsError, match=r"accepted are \.json, .*\.csv, .*\.windows\.csv,"):
        writer_for(path)


def test_write_analysis(tmp_path: Path, analysis: Analysis) -> None:
    assert write_analysis(analysis, tmp_path / "a.json") is WRITERS["json"]
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == analysis.to_dict()
    write_analysis(analysis, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes().decode() == events_csv(analysis)
    write_analysis(analysis, tmp_path / "a.windows.csv")
    assert (tmp_path / "a.windows.csv").read_bytes().decode() == windows_csv(analysis)


def test_a_refused_ending_writes_nothing(tmp_path: Path, analysis: Analysis) -> None:
    with pytest.raises(SettingsError):
        write_analysis(analysis, tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_suggested_names(analysis: Analysis) -> None:
    call = dataclasses.replace(
        analysis, provenance=dataclasses.replace(analysis.provenance, name="call.2.wav")
    )
    names = [suggested_name(call, writer) for writer in WRITERS.values()]
    assert names[:4] == ["call.2.json", "call.2.html", "call.2.csv", "call.2.windows.csv"]
    assert len(set(names)) == len(WRITERS)
    assert all(writer_for(name).extension == name.removeprefix("call.2") for name in names)


def test_the_command_lines_help_names_every_ending() -> None:
    command = get_command(cli.app).commands["analyze"]  # type: ignore[attr-defined]
    (output,) = (option for option in command.params if option.name == "output")
    endings = set(re.findall(r"\.[a-z.-]*[a-z]", output.help))
    assert endings >= {writer.extension for writer in WRITERS.values()}
