"""The aggression curve as a table, CSV and Parquet: cell by cell, with what voice and words gave.

One row for every cell of the grid in which somebody speaks, channel after channel. ``score`` is the one that
counts; ``voice``, ``words`` and ``fused`` are the scores it comes from. The shares are natural log-odds:
``prior + voice_share + words_share`` are those of ``fused``. Where no words have a score, only ``score`` and
``voice`` have values.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from blipper.csv_cells import score, seconds, table, text
from blipper.export.parquet import names, typed_file
from blipper.export.writer import Writer
from blipper.results import Analysis, Float, Track

#: Times, then numbers, after the file's and the channel's names.
TIMES: Final = ("start_s", "end_s")
NUMBERS: Final = ("score", "voice", "words", "fused", "voice_share", "words_share", "prior")
CURVE_COLUMNS: Final = ("file", "channel", *TIMES, *NUMBERS)


def curve_csv(analysis: Analysis) -> str:
    """Return the curve as CSV, in the form of :mod:`blipper.export.csv`."""
    file = text(analysis.provenance.name)
    rows = (
        (file, text(track.name), *map(seconds, row[:2]), *map(score, row[2:]))
        for track in analysis.tracks
        for row in _rows(track, analysis.duration).tolist()
    )
    return table(CURVE_COLUMNS, rows)


def curve_parquet(analysis: Analysis) -> bytes:
    """Return the curve as Parquet, in the form of :mod:`blipper.export.parquet`."""
    import pyarrow as pa

    parts = [_rows(track, analysis.duration) for track in analysis.tracks]
    rows = np.concatenate(parts)
    channels = [
        track.name for track, part in zip(analysis.tracks, parts, strict=True) for _ in range(len(part))
    ]
    numbers = {
        name: pa.array(rows[:, index], pa.float64(), from_pandas=True)  # NaN becomes null
        for index, name in enumerate((*TIMES, *NUMBERS))
    }
    columns = {"file": names([analysis.provenance.name] * len(rows)), "channel": names(channels), **numbers}
    return typed_file(columns, analysis)


def _rows(track: Track, duration: float) -> Float:
    """Return the rows' numbers, shape (n, 9); NaN where there is no value."""
    curve, fused = track.curve, track.fused
    none = np.full_like(curve.aggression, np.nan, dtype=np.float64)
    half = curve.step / 2
    parts = (
        (none, none, none, none, none)
        if fused is None
        else (fused.words_score, fused.aggression, fused.voice, fused.words, np.full_like(none, fused.prior))
    )
    rows: Float = np.column_stack(
        [
            *(curve.times - half, np.minimum(curve.times + half, duration)),
            *(track.scored.aggression, curve.aggression, *parts),
        ]
    )
    return rows[~np.isnan(curve.aggression)]


CSV = Writer(
    name="curve-csv",
    extension=".curve.csv",
    media_type="text/csv; charset=utf-8",
    description="the aggression curve as a table, with what voice and words gave",
    write=curve_csv,
)

PARQUET = Writer(
    name="curve-parquet",
    extension=".curve.parquet",
    media_type="application/vnd.apache.parquet",
    description="the aggression curve as a typed table, with model and settings in its metadata",
    write=curve_parquet,
)
