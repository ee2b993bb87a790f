"""Tables as Parquet: events, and windows, with their types and with what it takes to repeat them.

The columns are those of the CSV tables (:mod:`blipper.export.csv`), but nothing is rounded: times and scores
are float64, names dictionary-encoded text. The file's metadata has a key ``blipper`` with a JSON object: the
recording's provenance and duration, model, threshold, settings, versions and notices. Names are kept as they
are, since no spreadsheet takes a Parquet cell for a formula.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from blipper.export.json import analysis_to_dict
from blipper.export.text import encodable
from blipper.export.writer import Writer
from blipper.fusion import carrier, case_of
from blipper.results import Analysis
from blipper.speakers.talk import speaker_of_event
from blipper.voice.labels import EMOTIONS

if TYPE_CHECKING:
    import pyarrow as pa

#: What of the whole analysis goes into the file's metadata.
METADATA = ("schema_version", "provenance", "duration", "model", "settings", "versions", "notices")


def events_parquet(analysis: Analysis) -> bytes:
    """Return the table of events, one row each, ordered by start."""
    import pyarrow as pa

    events = analysis.events
    columns = {
        "file": names([analysis.provenance.name] * len(events)),
        "channel": names([analysis.tracks[event.channel].name for event in events]),
        "speaker": names([speaker_of_event(analysis, event) for event in events]),
        "start_s": pa.array([event.start for event in events], pa.float64()),
        "end_s": pa.array([event.end for event in events], pa.float64()),
        "duration_s": pa.array([event.duration for event in events], pa.float64()),
        "peak_time_s": pa.array([event.peak_time for event in events], pa.float64()),
        "peak_score": pa.array([event.peak for event in events], pa.float64()),
        "mean_score": pa.array([event.mean for event in events], pa.float64()),
        "leading_emotion": names([event.emotion for event in events]),
        "model": names([analysis.model.name] * len(events)),
        "threshold": pa.array([analysis.threshold] * len(events), pa.float64()),
        "voice_share": pa.array([event.voice_share for event in events], pa.float64()),
        "words_share": pa.array([event.words_share for event in events], pa.float64()),
        "carried_by": names([carrier(event) for event in events]),
        "case": names([case_of(analysis, event) for event in events]),
    }
    return typed_file(columns, analysis)


def windows_parquet(analysis: Analysis) -> bytes:
    """Return the table of windows: the model's own scores before smoothing, channel after channel."""
    import pyarrow as pa

    tracks = analysis.tracks
    counts = [len(track.windows) for track in tracks]

    def joined(name: str) -> Any:
        return np.concatenate([np.asarray(getattr(t.windows, name), np.float64) for t in tracks])

    emotions = joined("emotions")
    columns = {
        "file": names([analysis.provenance.name] * sum(counts)),
        "channel": names([t.name for t, count in zip(tracks, counts, strict=True) for _ in range(count)]),
        "start_s": pa.array(joined("start")),
        "end_s": pa.array(joined("end")),
        "aggression": pa.array(joined("aggression")),
        **{name: pa.array(emotions[:, index]) for index, name in enumerate(EMOTIONS)},
    }
    return typed_file(columns, analysis)


def names(values: Sequence[str | None]) -> pa.DictionaryArray:
    """Return names as dictionary-encoded text."""
    import pyarrow as pa

    known = [None if value is None else encodable(value) for value in values]
    return pa.array(known, pa.string()).dictionary_encode()


def typed_file(columns: dict[str, Any], analysis: Analysis) -> bytes:
    """Return a Parquet file with the analysis's description in its metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    whole = analysis_to_dict(analysis)
    described = json.dumps({key: whole[key] for key in METADATA}, ensure_ascii=False, allow_nan=False)
    table = pa.table(columns).replace_schema_metadata({"blipper": encodable(described)})
    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


EVENTS = Writer(
    name="parquet",
    extension=".parquet",
    media_type="application/vnd.apache.parquet",
    description="events as a typed table, with model and settings in its metadata",
    write=events_parquet,
)

WINDOWS = Writer(
    name="windows-parquet",
    extension=".windows.parquet",
    media_type="application/vnd.apache.parquet",
    description="every window's scores as a typed table, with model and settings in its metadata",
    write=windows_parquet,
)
