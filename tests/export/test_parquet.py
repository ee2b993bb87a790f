"""Parquet files read back with pyarrow and pandas."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from blipper.export.csv import EVENT_COLUMNS, WINDOW_COLUMNS
from blipper.export.parquet import events_parquet, windows_parquet
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS


def test_events_unrounded(analysis: Analysis) -> None:
    event = dataclasses.replace(analysis.events[0], peak=1 / 3)
    table = pd.read_parquet(io.BytesIO(events_parquet(dataclasses.replace(analysis, events=(event,)))))
    assert tuple(table.columns) == EVENT_COLUMNS
    (row,) = table.to_dict("records")
    shares = ("voice_share", "words_share", "carried_by", "case")  # no scored words
    assert all(pd.isna(row.pop(name)) for name in shares)
    assert row == {
        "file": 'Gespräch, "2".wav',
        "channel": "left",
        "speaker": "Agent",
        "start_s": 1.0,
        "end_s": 2.0,
        "duration_s": 1.0,
        "peak_time_s": 1.25,
        "peak_score": 1 / 3,
        "mean_score": 0.85,
        "leading_emotion": "angry",
        "model": "mel-cnn",
        "threshold": 0.5,
    }


def test_windows_exactly(analysis: Analysis) -> None:
    table = pd.read_parquet(io.BytesIO(windows_parquet(analysis)))
    assert tuple(table.columns) == WINDOW_COLUMNS
    windows = analysis.tracks[0].windows
    np.testing.assert_array_equal(table[list(EMOTIONS)], windows.emotions)
    np.testing.assert_array_equal(table["aggression"], windows.aggression)
    assert set(table["channel"]) == {"left"}


def test_types_and_metadata(analysis: Analysis) -> None:
    file = pq.ParquetFile(io.BytesIO(windows_parquet(analysis)))
    assert {str(file.schema_arrow.field(name).type) for name in ("start_s", "angry")} == {"double"}
    described = json.loads(file.schema_arrow.metadata[b"blipper"])
    whole = analysis.to_dict()
    assert described == {key: whole[key] for key in described}
    assert set(described) >= {"provenance", "model", "settings", "versions", "notices", "schema_version"}


def test_nothing_found_is_a_table_with_types_and_no_rows(analysis: Analysis) -> None:
    empty = dataclasses.replace(analysis, events=(), tracks=analysis.tracks[1:])
    for document, columns in (
        (events_parquet(empty), EVENT_COLUMNS),
        (windows_parquet(empty), WINDOW_COLUMNS),
    ):
        table = pq.read_table(io.BytesIO(document))
        assert tuple(table.column_names) == columns
        assert table.num_rows == 0
        assert "null" not in {str(field.type) for field in table.schema}


def test_odd_names_survive(analysis: Analysis) -> None:
    for name, read in (("=cmd()\n\u202e.wav", "=cmd()\n\u202e.wav"), ("caf\udce9.wav", "caf\\udce9.wav")):
        renamed = dataclasses.replace(
            analysis, provenance=dataclasses.replace(analysis.provenance, name=name)
        )
        assert set(pd.read_parquet(io.BytesIO(events_parquet(renamed)))["file"]) == {read}
