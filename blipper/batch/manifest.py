"""The manifest: an SQLite file that knows which recordings are done, and which run is at which.

Each recording is one row, so it cannot be doubled; its row is written after its result, so it cannot be lost.
The file is in WAL mode: a process that is killed leaves at most a transaction undone, never a damaged file.
A run claims recordings before it works on them; a claim ends with the run that holds it, killed or not, so
two batches on one output share the work. SQLite's locks need a local disk or an honest network file system.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from blipper.batch import owners
from blipper.batch.state import LASTING
from blipper.errors import BatchError

NAME: Final = "manifest.sqlite"

#: Raised whenever an old reader would misread the file.
_VERSION: Final = 1

#: What a recording's row carries beside its identity; also the columns that :meth:`Manifest.record` takes.
VALUES: Final = (
    *("status", "reason", "error", "stamp", "sha256", "model", "model_sha256", "settings", "result"),
    *("duration", "speech_seconds", "events", "event_seconds", "highest_score", "emotion", "threshold"),
    *("analyzed_at", "work_seconds"),
)

_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS recordings (
  id TEXT PRIMARY KEY, path BLOB NOT NULL, file TEXT NOT NULL, owner TEXT,
  status TEXT NOT NULL DEFAULT 'waiting', reason TEXT, error TEXT, stamp TEXT, sha256 TEXT, model TEXT,
  model_sha256 TEXT, settings TEXT, result TEXT, duration REAL, speech_seconds REAL, events INTEGER,
  event_seconds REAL, highest_score REAL, emotion TEXT, threshold REAL, analyzed_at TEXT, work_seconds REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, born REAL NOT NULL, beat REAL NOT NULL,
  key TEXT NOT NULL
);
PRAGMA user_version = {_VERSION};
"""

#: What becomes of a recording that a run wants: done already, given up before, another run is at it, or ours.
Verdict = Literal["done", "given up", "elsewhere", "ours"]


def recording_id(path: str) -> str:
    """Return a recording's identity: a hash of its absolute path or address."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]


def shown(path: str) -> str:
    """Return a path as text that every file and terminal takes; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Manifest:
    """One run's view of the manifest. Use it in one thread, as a context manager.

    Parameters
    ----------
    folder : pathlib.Path
        The batch's output; it must exist.
    model_sha256, settings : str
        Hashes of what this run works with; a result of anything else counts as missing. Where words are
        scored, the one is of all models together, theirs and the voice's.

    Raises
    ------
    BatchError
        If the file is no manifest of Blipper, or another run with another model or other settings is working
        on this output.
    """

    def __init__(self, folder: Path, model_sha256: str, settings: str) -> None:
        self.path = folder / NAME
        self.spent = 0.0
        self._folder = folder
        self._key = (model_sha256, settings)
        self._id = uuid.uuid4().hex
        with self._fault():
            self._db = connect(self.path)
        try:
            with self._transaction():
                self._enter()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Manifest:
        """Return the manifest."""
        return self

    def __exit__(self, *details: object) -> None:
        """Let go of this run's claims."""
        try:
            with self._transaction():
                self._forget_the_dead(self._live_runs())
        except BatchError:
            if (
                details[0] is None
            ):  # otherwise what went wrong first is the news; the claims end with the process
                raise
        finally:
            self._db.close()

    def _enter(self) -> None:
        host, pid, born = owners.me()
        key = "/".join(self._key)
        live = self._live_runs()
        others = {other for _, other in live}
        if others - {key}:
            raise BatchError(
                f"{self._folder}: another batch with another model or other settings is working on this "
                "output; wait for it, or take another output folder"
            )
        self._forget_the_dead(live)
        self._db.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", (self._id, host, pid, born, time.time(), key)
        )
        self.alone = not live

    def _forget_the_dead(self, live: Sequence[tuple[str, str]]) -> None:
        """Let go of the claims of all runs but those that live beside this one."""
        marks, ids = ",".join("?" * len(live)), [run for run, _ in live]
        self._db.execute(f"DELETE FROM runs WHERE id NOT IN ({marks})", ids)
        self._db.execute(f"UPDATE recordings SET owner = NULL WHERE owner NOT IN ({marks})", ids)

    def claim(self, wanted: Sequence[tuple[str, str | None]], *, retry: bool = False) -> list[Verdict]:
        """Decide about recordings, and claim those that have to be worked on, in one transaction.

        Parameters
        ----------
        wanted : sequence of (str, str or None)
            Path, and the stamp that tells whether the file has changed; None if nothing can tell.
        retry : bool
            Try again what an earlier run gave up.

        Returns
        -------
        list of {"done", "given up", "elsewhere", "ours"}
        """
        ids = [recording_id(path) for path, _ in wanted]
        with self._transaction():
            live = {run for run, _ in self._live_runs()}
            marks = ",".join("?" * len(ids))
            rows = {
                row["id"]: row
                for row in self._db.execute(f"SELECT * FROM recordings WHERE id IN ({marks})", ids)
            }
            verdicts: list[Verdict] = []
            for one, (path, stamp) in zip(ids, wanted, strict=True):
                row = rows.get(one)
                verdict = self._judge(row, stamp, live, retry)
                if verdict == "ours":
                    if row is None:
                        self._db.execute(
                            "INSERT INTO recordings (id, path, file, owner) VALUES (?, ?, ?, ?)",
                            (one, os.fsencode(path), shown(path), self._id),
                        )
                    else:
                        # Settings of another run are forgotten now: whatever is killed between writing this
                        # run's result and its row, no later run takes the one for the other.
                        self._db.execute(
                            "UPDATE recordings SET owner = ?, "
                            "settings = CASE settings WHEN ? THEN settings END WHERE id = ?",
                            (self._id, self._key[1], one),
                        )
                verdicts.append(verdict)
        return verdicts

    def _judge(self, row: Any, stamp: str | None, live: set[str], retry: bool) -> Verdict:
        if row is None:
            return "ours"
        if row["owner"] is not None and row["owner"] != self._id and row["owner"] in live:
            return "elsewhere"
        current = stamp is not None and row["stamp"] == stamp and self._is_ours(row)
        if current and row["status"] == "done" and self._has_result(row):
            return "done"
        if current and row["status"] == "failed" and row["reason"] in LASTING and not retry:
            return "given up"
        return "ours"

    def known_sha256(self, path: str) -> str | None:
        """Return the content hash of the result that there is, if its model and settings are this run's."""
        with self._fault():
            row = self._row(path)
        if row is None or row["status"] != "done" or not self._is_ours(row) or not self._has_result(row):
            return None
        return str(row["sha256"])

    def earlier(self, path: str) -> tuple[str | None, str | None, Path] | None:
        """Return stamp, content hash and file of a result by the same model with other settings, if any."""
        with self._fault():
            row = self._row(path)
        if row is None or row["status"] != "done" or row["model_sha256"] != self._key[0]:
            return None
        if row["settings"] == self._key[1] or not self._has_result(row):
            return None
        return row["stamp"], row["sha256"], self._folder / row["result"]

    def failure(self, path: str) -> tuple[str, str]:
        """Return why a recording failed: reason and message."""
        with self._fault():
            row = self._row(path)
        return ("error", "") if row is None else (row["reason"], row["error"])

    def record(self, path: str, values: Mapping[str, Any]) -> bool:
        """Write a recording's row and let go of its claim.

        Parameters
        ----------
        path : str
        values : mapping
            Any of :data:`VALUES`; those left out of a new result become empty. ``{"stamp": ...}`` alone,
            for a recording whose content turned out to be the same, leaves the rest as it is.

        Returns
        -------
        bool
            False if the claim was lost to another run meanwhile, whose row then stands.
        """
        names = ("stamp",) if set(values) == {"stamp"} else VALUES
        filled = {"model_sha256": self._key[0], "settings": self._key[1], **values}
        given = [filled.get(name) for name in names]
        assignments = ", ".join(f"{name} = ?" for name in names)
        with self._transaction():
            changed = self._db.execute(
                f"UPDATE recordings SET {assignments}, owner = NULL WHERE id = ? AND owner = ?",
                (*given, recording_id(path), self._id),
            )
        return changed.rowcount == 1

    def beat(self) -> None:
        """Show other machines that this run is alive."""
        with self._transaction():
            self._db.execute("UPDATE runs SET beat = ? WHERE id = ?", (time.time(), self._id))

    @contextlib.contextmanager
    def alone_with_rows(self) -> Iterator[Iterator[sqlite3.Row]]:
        """Yield all rows with a result or a failure, by file, while no other run may write."""
        with self._transaction():
            yield iter(self._db.execute(SELECT_ROWS))

    def _row(self, path: str) -> Any:
        return self._db.execute("SELECT * FROM recordings WHERE id = ?", (recording_id(path),)).fetchone()

    def _is_ours(self, row: Any) -> bool:
        return (row["model_sha256"], row["settings"]) == self._key

    def _has_result(self, row: Any) -> bool:
        return row["result"] is not None and (self._folder / row["result"]).is_file()

    def _live_runs(self) -> list[tuple[str, str]]:
        rows = self._db.execute("SELECT * FROM runs WHERE id != ?", (self._id,)).fetchall()
        return [
            (row["id"], row["key"])
            for row in rows
            if owners.is_alive(row["host"], row["pid"], row["born"], row["beat"])
        ]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            with self._fault():
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    if self._db.in_transaction:  # SQLite itself rolls back when the disk is full
                        self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
        finally:
            self.spent += time.perf_counter() - begin

    @contextlib.contextmanager
    def _fault(self) -> Iterator[None]:
        with faults(self.path):
            yield


#: Everything that a table shows, in order.
SELECT_ROWS: Final = "SELECT * FROM recordings WHERE status IN ('done', 'failed') ORDER BY file, id"


@contextlib.contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise BatchError(
            f"{path}: the manifest cannot be used ({error}); what is done stays done, and the same "
            "command goes on from there once that is mended"
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open a manifest, or make one.

    Raises
    ------
    BatchError
        If it was written by a newer Blipper.
    sqlite3.Error
        If it is no manifest, or the disk refuses.
    """
    # Another thread may let go of it when a batch is abandoned; it is never used in two at once.
    db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise BatchError(
                f"{path}: written by a newer Blipper (manifest version {version}; accepted: {_VERSION})"
            )
        db.execute("PRAGMA journal_mode = WAL")
        # A power cut may take the last rows, never the file; their results are then computed again.
        db.execute("PRAGMA synchronous = NORMAL")
        if version < _VERSION:
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    except BaseException:
        db.close()
        raise
    return db
