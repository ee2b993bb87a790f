"""How long things are kept, and that they are gone when they are deleted.

Every deletion is one transaction together with its line in the audit. What was deleted is then cleared
from the database's files too: SQLite overwrites it (``secure_delete``), is rebuilt without it
(``VACUUM``) and empties its write-ahead log, and copies that training made are removed; PostgreSQL
rewrites the tables (``VACUUM FULL``). Where somebody else's open transaction stands in the way, that is
remembered and done at the next opportunity. A file system, a backup or PostgreSQL's own log may hold
older copies: no program on top of them can promise otherwise.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, text

from blipper.errors import LibraryError
from blipper.library.database import PATIENCE, Database
from blipper.library.place import check_days, forget_training
from blipper.library.tables import (
    CONTENT,
    AnalysisRow,
    AudioRow,
    AuditRow,
    RecordingRow,
    StateRow,
    TagRow,
    VerdictRow,
)
from blipper.library.values import AuditEntry, check_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

_PENDING: Final = "clearing"
#: Who deletes what has reached its day.
KEEPER: Final = "(retention)"
#: Seconds that clearing waits for a reader, who ends soon or keeps on for hours: not worth a page's waiting.
BUSY: Final = 5.0


@dataclass(frozen=True)
class Deleted:
    """What a deletion did.

    Parameters
    ----------
    recordings, analyses, verdicts, audio_bytes : int
        How much is gone.
    cleared : bool
        Whether the database's files are cleared of it as well; if not, that follows.
    """

    recordings: int = 0
    analyses: int = 0
    verdicts: int = 0
    audio_bytes: int = 0
    cleared: bool = True

    def __add__(self, other: Deleted) -> Deleted:
        """Return both together."""
        return Deleted(
            self.recordings + other.recordings,
            self.analyses + other.analyses,
            self.verdicts + other.verdicts,
            self.audio_bytes + other.audio_bytes,
            self.cleared and other.cleared,
        )


def record(session: Session, actor: str, action: str, recording_id: str | None, **counts: int) -> None:
    """Write a line into the audit, as part of the transaction that it tells of."""
    session.add(
        AuditRow(
            at=datetime.now(UTC),
            actor=actor,
            action=action,
            recording_id=recording_id,
            counts=json.dumps(counts),
        )
    )


def delete_recording(database: Database, recording_id: str, *, actor: str) -> Deleted:
    """Delete everything about a recording: sound, analyses, verdicts, notes, tags, its name.

    Raises
    ------
    LibraryError
        If it is not in the library.
    """
    actor = check_name(actor, "an analyst's name")
    with database.writing() as session:
        _recording(session, recording_id)
        gone = _delete(session, recording_id, actor, "delete recording")
    return _clear(database, gone)


def delete_analysis(database: Database, analysis_id: str, *, actor: str) -> Deleted:
    """Delete one analysis; the recording goes with its last one, verdicts on it stay with the recording.

    Raises
    ------
    LibraryError
        If it is not in the library.
    """
    actor = check_name(actor, "an analyst's name")
    with database.writing() as session:
        recording_id = session.scalar(select(AnalysisRow.recording_id).where(AnalysisRow.id == analysis_id))
        if recording_id is None:
            raise LibraryError(f"analysis {analysis_id} is not in the library; it may have been deleted")
        others = select(AnalysisRow.id).where(
            AnalysisRow.recording_id == recording_id, AnalysisRow.id != analysis_id
        )
        if session.scalar(others.limit(1)) is None:
            gone = _delete(session, recording_id, actor, "delete recording")
        else:
            session.execute(delete(AnalysisRow).where(AnalysisRow.id == analysis_id))
            record(session, actor, "delete analysis", recording_id, analyses=1)
            gone = Deleted(analyses=1)
            _remember(session)
    return _clear(database, gone)


def delete_sound(database: Database, recording_id: str, *, actor: str) -> Deleted:
    """Delete a recording's sound and keep the rest.

    Raises
    ------
    LibraryError
        If the recording is not in the library.
    """
    actor = check_name(actor, "an analyst's name")
    with database.writing() as session:
        _recording(session, recording_id)
        size = _audio_bytes(session, recording_id)
        session.execute(delete(AudioRow).where(AudioRow.recording_id == recording_id))
        record(session, actor, "delete sound", recording_id, audio_bytes=size)
        _remember(session)
    return _clear(database, Deleted(audio_bytes=size))


def delete_everything(database: Database, *, actor: str) -> Deleted:
    """Delete all recordings and everything about them; only the audit stays."""
    actor = check_name(actor, "an analyst's name")
    with database.writing() as session:
        gone = _delete(session, None, actor, "delete everything")
    return _clear(database, gone)


def expire(database: Database, *, now: datetime | None = None) -> Deleted:
    """Delete the recordings whose day has come, and finish what clearing was left undone.

    Parameters
    ----------
    database : Database
    now : datetime, optional
        With a time zone.
    """
    now = now or datetime.now(UTC)
    due = select(RecordingRow.id).where(RecordingRow.expires_at <= now)
    with database.reading() as session:
        waiting = session.scalar(due.limit(1)) is not None
        pending = session.get(StateRow, _PENDING) is not None
    gone = Deleted()
    if waiting:
        with database.writing() as session:
            for recording_id in session.scalars(due).all():
                gone = gone + _delete(session, recording_id, KEEPER, "delete expired")
    return _clear(database, gone) if waiting or pending else gone


def keep(database: Database, recording_id: str, days: int | None, *, actor: str) -> datetime | None:
    """Set after how many days from now a recording is deleted; with None, only a person deletes it.

    Returns
    -------
    datetime or None
        When that will be.

    Raises
    ------
    LibraryError
        If the recording is not in the library, or the days are not 1 to 36,500.
    """
    actor = check_name(actor, "an analyst's name")
    check_days(days)
    with database.writing() as session:
        row = _recording(session, recording_id)
        row.expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        counts = {} if days is None else {"days": days}
        record(session, actor, "keep" if days is None else "keep for days", recording_id, **counts)
        return row.expires_at


def audit(database: Database, limit: int = 1000) -> tuple[AuditEntry, ...]:
    """Return the audit, the newest line first."""
    with database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))
        return tuple(
            AuditEntry(row.at, row.actor, row.action, row.recording_id, json.loads(row.counts))
            for row in rows
        )


def _recording(session: Session, recording_id: str) -> RecordingRow:
    row = session.get(RecordingRow, recording_id)
    if row is None:
        raise LibraryError(f"recording {recording_id} is not in the library; it may have been deleted")
    return row


def _audio_bytes(session: Session, recording_id: str | None) -> int:
    total = select(func.sum(func.length(AudioRow.data)))
    if recording_id is not None:
        total = total.where(AudioRow.recording_id == recording_id)
    return int(session.scalar(total) or 0)


def _delete(session: Session, recording_id: str | None, actor: str, action: str) -> Deleted:
    """Delete one recording, or all, with what hangs on it, and write the line into the audit."""
    statement = delete(RecordingRow)
    if recording_id is not None:
        statement = statement.where(RecordingRow.id == recording_id)
    counts = {
        "recordings": 1 if recording_id is not None else _count(session, RecordingRow.id, None),
        "analyses": _count(session, AnalysisRow.recording_id, recording_id),
        "verdicts": _count(session, VerdictRow.recording_id, recording_id),
        "tags": _count(session, TagRow.recording_id, recording_id),
        "audio_bytes": _audio_bytes(session, recording_id),
    }
    session.execute(statement)
    record(session, actor, action, recording_id, **counts)
    _remember(session)
    return Deleted(counts["recordings"], counts["analyses"], counts["verdicts"], counts["audio_bytes"])


def _count(session: Session, column: Any, recording_id: str | None) -> int:
    found = select(func.count(column))
    if recording_id is not None:
        found = found.where(column == recording_id)
    return int(session.scalar(found) or 0)


def _remember(session: Session) -> None:
    """Note that the files are still to be cleared of what this transaction deletes."""
    session.merge(StateRow(key=_PENDING, value="pending"))


def _clear(database: Database, gone: Deleted) -> Deleted:
    """Clear the database's files of what was deleted, as far as nobody stands in the way."""
    try:
        forget_training()
        clear(database)
    except LibraryError as error:
        logger.warning("clearing the library's files is put off: %s", error)
        return replace(gone, cleared=False)
    return gone


def clear(database: Database) -> None:
    """Rewrite the database's files without what was deleted.

    Raises
    ------
    LibraryError
        If a transaction of somebody else holds the files.
    """
    with database.failures():
        (_clear_sqlite if database.kind == "sqlite" else _clear_postgresql)(database)
    with database.writing() as session:
        session.execute(delete(StateRow).where(StateRow.key == _PENDING))


def _clear_sqlite(database: Database) -> None:
    with database.engine.connect().execution_options(blipper_begin=False) as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * BUSY:.0f}")
        try:
            connection.exec_driver_sql("VACUUM")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")
    if busy:
        raise LibraryError(f"{database.shown} is being read by somebody else")


def _clear_postgresql(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{BUSY:g}s'"))
        try:
            for table in CONTENT:
                connection.execute(text(f"VACUUM (FULL) {table}"))
        finally:
            connection.execute(text("RESET lock_timeout"))
