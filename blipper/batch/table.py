"""The table: the manifest's rows as ``results.csv`` and ``results.parquet``, each whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal

from blipper.batch.manifest import NAME, SELECT_ROWS, Manifest, connect, faults
from blipper.batch.state import Reason
from blipper.csv_cells import text
from blipper.errors import BatchError

#: Columns of the table, in order, with the unit as suffix; the manifest's names beside them.
COLUMNS: Final = {
    "file": "file",
    "status": "status",
    "reason": "reason",
    "error": "error",
    "duration_s": "duration",
    "speech_s": "speech_seconds",
    "events": "events",
    "events_s": "event_seconds",
    "highest_score": "highest_score",
    "leading_emotion": "emotion",
    "threshold": "threshold",
    "model": "model",
    "analyzed_at": "analyzed_at",
    "sha256": "sha256",
    "result": "result",
}

_NUMBERS: Final = {
    "duration": 3,
    "speech_seconds": 3,
    "event_seconds": 3,
    "highest_score": 4,
    "threshold": 4,
}

#: Rows held at a time.
_ROWS: Final = 5000


@dataclass(frozen=True)
class Row:
    """One recording in one line.

    Parameters
    ----------
    path : str
        Absolute path or address, to open it by.
    file : str
        The same as text to show.
    status : {"done", "failed"}
    reason, error : str or None
        Why there is no result.
    duration, speech_seconds, event_seconds : float or None
        Seconds.
    events : int or None
    highest_score : float or None
        Highest point of any channel's aggression curve, in [0, 1]; None without speech.
    emotion : str or None
        Leading emotion over the speech.
    threshold : float or None
    model : str or None
    analyzed_at : str
        UTC, ISO 8601.
    sha256 : str or None
        Of the encoded bytes.
    result : str or None
        The whole analysis as JSON, below the output folder.
    """

    path: str
    file: str
    status: Literal["done", "failed"]
    reason: Reason | None
    error: str | None
    duration: float | None
    speech_seconds: float | None
    events: int | None
    event_seconds: float | None
    highest_score: float | None
    emotion: str | None
    threshold: float | None
    model: str | None
    analyzed_at: str
    sha256: str | None
    result: str | None


def read_rows(output: str | Path) -> list[Row]:
    """Read a batch's table, also while the batch is running.

    Parameters
    ----------
    output : path
        The batch's output folder.

    Returns
    -------
    list of Row
        In order of their files; empty where no batch has written anything.

    Raises
    ------
    BatchError
        If the manifest is damaged or a newer Blipper's.
    """
    path = Path(output) / NAME
    if not path.is_file():
        return []
    names = [name for name in Row.__dataclass_fields__ if name != "path"]
    with faults(path), contextlib.closing(connect(path)) as db:
        return [
            Row(path=os.fsdecode(row["path"]), **{name: row[name] for name in names})
            for row in db.execute(SELECT_ROWS)
        ]


def prepare() -> None:
    """Load what writing a table needs, half a second in all, while the workers load their models."""
    _write(iter([dict.fromkeys(COLUMNS.values())]), io.BytesIO(), io.BytesIO())


def write_tables(manifest: Manifest, output: Path) -> None:
    """Write both tables from one state of the manifest.

    Raises
    ------
    BatchError
        If a table cannot be written.
    """
    csv_path, parquet_path = output / "results.csv", output / "results.parquet"
    with manifest.alone_with_rows() as rows:  # in turn with other runs, so that no older table comes last
        try:
            with _replacing(csv_path) as plain, _replacing(parquet_path) as packed:
                _write(rows, plain, packed)
        except OSError as error:
            raise BatchError(
                f"{output}: the tables cannot be written ({error.strerror or error}); what is done stays "
                "done, and the same command goes on from there"
            ) from error


def _write(rows: Iterator[Any], plain: IO[bytes], packed: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _kind(column, pa)) for name, column in COLUMNS.items()])
    writer = csv.writer(_Encoded(plain), lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with pq.ParquetWriter(packed, schema, compression="zstd") as parquet:
        while part := list(islice(rows, _ROWS)):
            writer.writerows([_cell(column, row[column]) for column in COLUMNS.values()] for row in part)
            columns = {name: [row[column] for row in part] for name, column in COLUMNS.items()}
            parquet.write_table(pa.table(columns, schema=schema))


def _kind(column: str, pa: Any) -> Any:
    if column == "events":
        return pa.int64()
    return pa.float64() if column in _NUMBERS else pa.string()


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column in _NUMBERS:
        return f"{value:.{_NUMBERS[column]}f}"
    return str(value) if column == "events" else text(value)


class _Encoded:
    """What a csv writer writes to, as UTF-8."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink

    def write(self, line: str) -> int:
        return self._sink.write(line.encode("utf-8", "backslashreplace"))


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file that takes the place of `path` once it is whole."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
