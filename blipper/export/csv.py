"""Tables as CSV: events, and windows.

UTF-8 without a byte-order mark, RFC 4180 (commas, CRLF, quotes doubled), one header row in plain names
with the unit as suffix (``start_s``). Times have 3 decimals, scores 4, with a point whatever the locale;
a cell is empty where no value exists.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from blipper.export.writer import Writer
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS

EVENT_COLUMNS = (
    *("file", "channel", "start_s", "end_s", "duration_s"),
    *("peak_time_s", "peak_score", "mean_score", "leading_emotion", "model", "threshold"),
)
WINDOW_COLUMNS = ("file", "channel", "start_s", "end_s", "aggression", *EMOTIONS)

# What spreadsheets take for the beginning of a formula, with the full-width forms that some of them
# fold into the plain ones (OWASP, "CSV Injection").
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def events_csv(analysis: Analysis) -> str:
    """Return the table of events, one row each, ordered by start.

    ``duration_s`` is the difference of the two times as printed, so the columns add up.
    """
    rows = (
        (
            text(analysis.provenance.name),
            text(analysis.tracks[event.channel].name),
            seconds(event.start),
            seconds(event.end),
            seconds(round(event.end, 3) - round(event.start, 3)),
            seconds(event.peak_time),
            score(event.peak),
            score(event.mean),
            text(event.emotion),
            text(analysis.model.name),
            score(analysis.threshold),
        )
        for event in analysis.events
    )
    return table(EVENT_COLUMNS, rows)


def windows_csv(analysis: Analysis) -> str:
    """Return the table of windows: the model's own scores before smoothing, channel after channel."""
    name = text(analysis.provenance.name)
    rows = (
        (name, text(track.name), seconds(start), seconds(end), score(aggression), *map(score, emotions))
        for track in analysis.tracks
        for start, end, aggression, emotions in zip(
            track.windows.start.tolist(),
            track.windows.end.tolist(),
            track.windows.aggression.tolist(),
            track.windows.emotions.tolist(),
            strict=True,
        )
    )
    return table(WINDOW_COLUMNS, rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a header and rows of formatted cells as RFC 4180 text."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)  # the default dialect is RFC 4180's: CRLF, quotes where needed
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def text(value: str) -> str:
    """Return a text cell that no spreadsheet runs as a formula: a suspicious one gets an apostrophe."""
    return "'" + value if value.startswith(_FORMULA_STARTS) else value


def seconds(value: float) -> str:
    """Return a time with millisecond resolution."""
    return _fixed(value, 3)


def score(value: float) -> str:
    """Return a probability with 4 decimals."""
    return _fixed(value, 4)


def _fixed(value: float, decimals: int) -> str:
    if math.isnan(value):
        return ""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0 turns -0.0 into 0.0


EVENTS = Writer(
    name="csv",
    extension=".csv",
    media_type="text/csv; charset=utf-8",
    description="events as a table",
    write=events_csv,
)

WINDOWS = Writer(
    name="windows-csv",
    extension=".windows.csv",
    media_type="text/csv; charset=utf-8",
    description="every window's scores as a table",
    write=windows_csv,
)
