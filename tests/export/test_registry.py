from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from blipper.errors import SettingsError
from blipper.export import WRITERS, suggested_name, write_analysis, writer_for
from blipper.export.csv import events_csv, windows_csv
from blipper.results import Analysis


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_writer_is_complete_and_writes(name: str, analysis: Analysis) -> None:
    writer = WRITERS[name]
    assert writer.name == name
    assert writer.extension.startswith(".")
    assert writer.extension == writer.extension.lower()
    assert "/" in writer.media_type
    assert writer.description
    content = writer.write(analysis)
    assert isinstance(content, str | bytes)
    assert content
    assert writer_for("x" + writer.extension) is writer


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
        ("windows.csv", "csv"),
    ],
)
def test_the_ending_decides(path: str, name: str) -> None:
    assert writer_for(path).name == name


@pytest.mark.parametrize("path", ["a.txt", "a", "json", "a.json.bak", ""])
def test_an_unknown_ending_is_refused_with_those_accepted(path: str) -> None:
    with pytest.raises(SettingsError, match=r"accepted are \.json .*\.csv .*\.windows\.csv"):
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
    assert [suggested_name(call, writer) for writer in WRITERS.values()] == [
        "call.2.json",
        "call.2.csv",
        "call.2.windows.csv",
        "call.2.turns.csv",
        "call.2.talk.csv",
    ]
