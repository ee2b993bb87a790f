"""Tables opened by DuckDB, whose readers of Parquet and CSV share no code with those that wrote them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper.export import WRITERS, write_analysis
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS

duckdb = pytest.importorskip("duckdb", reason="needs duckdb (pip install duckdb)")

#: Of a spreadsheet's formula, quotes, a line end and letters of two directions.
ODD = '=1+1, "ja"\nשלום;\t<b>.wav'


def read(path: Path) -> list[dict[str, Any]]:
    """Read a table in DuckDB; nothing in a CSV is guessed at but the types of columns."""
    reader = (
        "read_parquet(?)"
        if path.suffix == ".parquet"
        else "read_csv(?, delim=',', quote='\"', escape='\"', header=true, strict_mode=true)"
    )
    with duckdb.connect() as db:
        answer = db.execute(f"SELECT * FROM {reader}", [str(path)])
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@pytest.fixture
def odd(analysis: Analysis) -> Analysis:
    renamed = dataclasses.replace(analysis.provenance, name=ODD)
    return dataclasses.replace(analysis, provenance=renamed)


def test_parquet_and_csv_say_the_same_of_events(odd: Analysis, tmp_path: Path) -> None:
    for ending in (".parquet", ".csv"):
        write_analysis(odd, tmp_path / f"call{ending}")
    [packed], [plain] = (read(tmp_path / f"call{ending}") for ending in (".parquet", ".csv"))
    assert list(packed) == list(plain)
    assert packed["file"] == ODD
    assert plain["file"] == "'" + ODD  # so that no spreadsheet runs it
    for name in ("start_s", "end_s", "duration_s", "peak_time_s", "peak_score", "mean_score", "threshold"):
        assert packed[name] == pytest.approx(plain[name], abs=5e-5)
    for name in ("channel", "speaker", "leading_emotion", "model"):
        assert packed[name] == plain[name]


def test_windows_to_the_last_bit(odd: Analysis, tmp_path: Path) -> None:
    write_analysis(odd, tmp_path / "call.windows.parquet")
    rows = read(tmp_path / "call.windows.parquet")
    windows = odd.tracks[0].windows
    np.testing.assert_array_equal([row["start_s"] for row in rows], windows.start)
    np.testing.assert_array_equal(
        np.array([[row[name] for name in EMOTIONS] for row in rows], np.float32), windows.emotions
    )


@pytest.mark.parametrize("name", [name for name in WRITERS if name.endswith(("csv", "parquet"))])
def test_every_table_opens(name: str, talk: Analysis, analysis: Analysis, tmp_path: Path) -> None:
    writer = WRITERS[name]
    said = dataclasses.replace(
        talk,
        tracks=tuple(
            dataclasses.replace(track, turns=own.turns)
            for track, own in zip(talk.tracks, analysis.tracks, strict=True)
        ),
    )
    path = tmp_path / f"call{writer.extension}"
    write_analysis(said, path)
    rows = read(path)
    assert bool(rows) == (name != "interruptions-csv")  # nobody interrupts there
    if name == "csv":
        assert len(rows) == len(said.events)
