"""Finding recordings, analyses and stretches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from blipper.errors import LibraryError
from blipper.library.database import Database
from blipper.library.tables import AnalysisRow, AudioRow, RecordingRow, StretchRow, TagRow, VerdictRow
from blipper.library.values import ANSWERS, AnalysisInfo, Item, Kind, Stretch, VerdictState

#: Ids in one question to the database, which takes a limited number of values.
_BATCH = 500


@dataclass(frozen=True)
class Query:
    """What to look for; everything that is given has to hold.

    Parameters
    ----------
    name : str
        Part of the name, in whatever case.
    tags : sequence of str
        All of them.
    since, until : date, optional
        When it was added, in UTC, both days included.
    low, high : float
        Highest score of any of its analyses, inclusive; a recording without speech has none and is found only
        with 0 to 1.
    model : str, optional
        A model's SHA-256.
    verdicts : {"any", "none", "some", "right", "wrong", "missed", "other emotion"}
        Whatever; without a verdict; with one; with one that says so.
    sha256 : str, optional
        Of the recording's bytes.
    """

    name: str = ""
    tags: Sequence[str] = ()
    since: date | None = None
    until: date | None = None
    low: float = 0.0
    high: float = 1.0
    model: str | None = None
    verdicts: VerdictState = "any"
    sha256: str | None = None

    def __post_init__(self) -> None:
        """Check the domains."""
        if not 0 <= self.low <= self.high <= 1:
            raise LibraryError(f"scores from {self.low} to {self.high}: expected two numbers from 0 to 1")
        if self.verdicts not in ("any", "none", "some", *ANSWERS):
            raise LibraryError(f"verdicts {self.verdicts!r}: expected any, none, some, {', '.join(ANSWERS)}")


def search(
    database: Database, query: Query | None = None, *, limit: int | None = None, offset: int = 0
) -> tuple[Item, ...]:
    """Return the recordings that a query finds, those added last first.

    Parameters
    ----------
    database : Database
    query : Query, optional
        All recordings without one.
    limit, offset : int
        How many, and how many to pass over.
    """
    wanted = _where(select(RecordingRow), query or Query())
    wanted = wanted.order_by(RecordingRow.added_at.desc(), RecordingRow.id).limit(limit).offset(offset)
    with database.reading() as session:
        return _items(session, session.scalars(wanted).all())


def count(database: Database, query: Query | None = None) -> int:
    """Return how many recordings a query finds."""
    wanted = _where(select(func.count(RecordingRow.id)), query or Query())
    with database.reading() as session:
        return int(session.scalar(wanted) or 0)


def find(database: Database, sha256: str) -> Item | None:
    """Return the recording whose bytes have a hash; None where it is not in the library."""
    found = search(database, Query(sha256=sha256), limit=1)
    return found[0] if found else None


def read_item(database: Database, recording_id: str) -> Item:
    """Return one recording.

    Raises
    ------
    LibraryError
        If it is not in the library.
    """
    with database.reading() as session:
        row = session.get(RecordingRow, recording_id)
        if row is None:
            raise LibraryError(f"recording {recording_id} is not in the library; it may have been deleted")
        return _items(session, [row])[0]


def read_tags(database: Database) -> dict[str, int]:
    """Return all tags with how many recordings have each."""
    wanted = select(TagRow.tag, func.count()).group_by(TagRow.tag).order_by(TagRow.tag)
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(wanted)}


def read_models(database: Database) -> dict[str, str]:
    """Return the names of the models that analysed something, by their SHA-256."""
    wanted = select(AnalysisRow.model_sha256, func.min(AnalysisRow.model)).group_by(AnalysisRow.model_sha256)
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(wanted)}


def read_stretches(database: Database, analysis_id: str | None = None) -> tuple[Stretch, ...]:
    """Return what can be judged: of one analysis, or of each recording's newest one."""
    # Columns and not rows of the mapping: there may be a hundred thousand of them.
    wanted = select(AnalysisRow.recording_id, *StretchRow.__table__.columns).join(
        AnalysisRow, AnalysisRow.id == StretchRow.analysis_id
    )
    if analysis_id is not None:
        wanted = wanted.where(AnalysisRow.id == analysis_id)
    else:
        rank = func.row_number().over(
            partition_by=AnalysisRow.recording_id, order_by=(AnalysisRow.made_at.desc(), AnalysisRow.id)
        )
        ranked = select(AnalysisRow.id, rank.label("rank")).subquery()
        wanted = wanted.join(ranked, ranked.c.id == AnalysisRow.id).where(ranked.c.rank == 1)
    with database.reading() as session:
        return tuple(
            Stretch(
                recording_id=row.recording_id,
                analysis_id=row.analysis_id,
                kind=cast(Kind, row.kind),
                channel=row.channel,
                start=row.start_ms / 1000,
                end=row.end_ms / 1000,
                peak=row.peak,
                emotion=row.emotion,
                emotions=tuple(json.loads(row.emotions)),
            )
            for row in session.execute(wanted.order_by(StretchRow.start_ms, StretchRow.id))
        )


def stamp(database: Database) -> tuple[Any, ...]:
    """Return what changes whenever recordings, analyses or sound come or go; cheap however much there is.

    Verdicts and tags do not change it.
    """
    with database.reading() as session:
        return (
            session.scalar(select(func.count(RecordingRow.id))),
            *session.execute(select(func.count(AnalysisRow.id), func.max(AnalysisRow.made_at))).one(),
            session.scalar(select(func.count()).select_from(AudioRow).where(AudioRow.chunk == 0)),
        )


def _where(wanted: Select[Any], query: Query) -> Select[Any]:
    own = RecordingRow.id
    if query.sha256 is not None:
        wanted = wanted.where(RecordingRow.sha256 == query.sha256)
    if query.name.strip():
        wanted = wanted.where(RecordingRow.folded.contains(query.name.strip().casefold(), autoescape=True))
    for tag in query.tags:
        wanted = wanted.where(exists().where(TagRow.recording_id == own, TagRow.tag == tag))
    if query.since is not None:
        wanted = wanted.where(RecordingRow.added_at >= _midnight(query.since))
    if query.until is not None:
        wanted = wanted.where(RecordingRow.added_at < _midnight(query.until + timedelta(days=1)))
    peak = exists().where(
        AnalysisRow.recording_id == own, AnalysisRow.peak >= query.low, AnalysisRow.peak <= query.high
    )
    if query.model is not None:
        peak = peak.where(AnalysisRow.model_sha256 == query.model)
        wanted = wanted.where(
            exists().where(AnalysisRow.recording_id == own, AnalysisRow.model_sha256 == query.model)
        )
    if (query.low, query.high) != (0.0, 1.0):
        wanted = wanted.where(peak)
    if query.verdicts != "any":
        given = exists().where(VerdictRow.recording_id == own)
        if query.verdicts in ANSWERS:
            given = given.where(VerdictRow.verdict == query.verdicts)
        wanted = wanted.where(~given if query.verdicts == "none" else given)
    return wanted


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _items(session: Session, rows: Sequence[RecordingRow]) -> tuple[Item, ...]:
    found: list[Item] = []
    for first in range(0, len(rows), _BATCH):
        found += _batch(session, rows[first : first + _BATCH])
    return tuple(found)


def _batch(session: Session, rows: Sequence[RecordingRow]) -> list[Item]:
    ids = [row.id for row in rows]
    analyses: dict[str, list[AnalysisInfo]] = {own: [] for own in ids}
    for row in session.scalars(
        select(AnalysisRow)
        .where(AnalysisRow.recording_id.in_(ids))
        .order_by(AnalysisRow.made_at.desc(), AnalysisRow.id)
    ):
        analyses[row.recording_id].append(_info(row))
    audio: dict[str, set[str]] = {own: set() for own in ids}
    for own, channels in session.execute(
        select(AudioRow.recording_id, AudioRow.channels).where(AudioRow.recording_id.in_(ids)).distinct()
    ):
        audio[own].add(channels)
    tags: dict[str, list[str]] = {own: [] for own in ids}
    for own, tag in session.execute(
        select(TagRow.recording_id, TagRow.tag).where(TagRow.recording_id.in_(ids)).order_by(TagRow.tag)
    ):
        tags[own].append(tag)
    verdicts: dict[str, dict[str, int]] = {own: {} for own in ids}
    for own, verdict, number in session.execute(
        select(VerdictRow.recording_id, VerdictRow.verdict, func.count())
        .where(VerdictRow.recording_id.in_(ids))
        .group_by(VerdictRow.recording_id, VerdictRow.verdict)
    ):
        verdicts[own][verdict] = number
    return [
        Item(
            id=row.id,
            sha256=row.sha256,
            name=row.name,
            duration=row.duration,
            added_at=row.added_at,
            added_by=row.added_by,
            expires_at=row.expires_at,
            audio=frozenset(audio[row.id]),
            tags=tuple(tags[row.id]),
            analyses=tuple(analyses[row.id]),
            verdicts=verdicts[row.id],
        )
        for row in rows
    ]


def _info(row: AnalysisRow) -> AnalysisInfo:
    values = {name: getattr(row, name) for name in AnalysisInfo.__dataclass_fields__}
    return AnalysisInfo(**values)
