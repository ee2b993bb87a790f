"""The library's tables, the same on SQLite and on PostgreSQL.

Times of a recording are whole milliseconds, so that two people who judged one event judged the same numbers.
Whatever says something about a recording hangs on its row and goes with it; the audit hangs on nothing and
holds no content: random ids, counts, who and when. Changing a table needs a migration (``migrations/``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Utc(TypeDecorator[datetime]):
    """A moment with its zone, kept as UTC; SQLite has no zones and would hand back bare times."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone, and turn others into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; expected an aware time")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Name the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _recording() -> Mapped[str]:
    return mapped_column(String(32), ForeignKey("recordings.id", ondelete="CASCADE"), index=True)


class RecordingRow(Base):
    """A recording, known by the SHA-256 of its encoded bytes; `id` is random and says nothing of it."""

    __tablename__ = "recordings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Text)
    #: The name case-folded, since SQLite folds ASCII alone.
    folded: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    duration: Mapped[float] = mapped_column(Float(53))
    added_at: Mapped[datetime] = mapped_column(Utc, index=True)
    added_by: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime | None] = mapped_column(Utc, index=True)


class AudioRow(Base):
    """A piece of one channel's sound: FLAC of the decoded samples, cut into chunks."""

    __tablename__ = "audio"

    recording_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    #: ``"mix"`` or ``"separate"``, as in :class:`blipper.settings.Settings`.
    channels: Mapped[str] = mapped_column(String(16), primary_key=True)
    channel: Mapped[int] = mapped_column(Integer, primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class AnalysisRow(Base):
    """One analysis of a recording: by one model, with one choice of settings."""

    __tablename__ = "analyses"
    __table_args__ = (UniqueConstraint("recording_id", "model_sha256", "settings_sha256"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    recording_id: Mapped[str] = _recording()
    made_at: Mapped[datetime] = mapped_column(Utc)
    made_by: Mapped[str] = mapped_column(String(100))
    model: Mapped[str] = mapped_column(String(200))
    model_sha256: Mapped[str] = mapped_column(String(64))
    #: Canonical JSON, and its SHA-256.
    settings: Mapped[str] = mapped_column(Text)
    settings_sha256: Mapped[str] = mapped_column(String(64))
    channels: Mapped[str] = mapped_column(String(16))
    threshold: Mapped[float] = mapped_column(Float(53))
    peak: Mapped[float | None] = mapped_column(Float(53))
    n_events: Mapped[int] = mapped_column(Integer)
    event_seconds: Mapped[float] = mapped_column(Float(53))
    speech_seconds: Mapped[float] = mapped_column(Float(53))
    emotion: Mapped[str | None] = mapped_column(String(16))
    #: The whole analysis as zlib-compressed JSON (:meth:`blipper.results.Analysis.to_dict`).
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class StretchRow(Base):
    """A stretch of an analysis that can be judged: an event, or one just below the threshold."""

    __tablename__ = "stretches"
    __table_args__ = (CheckConstraint("kind IN ('event', 'near-miss')", name="kind"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    analysis_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("analyses.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    channel: Mapped[int] = mapped_column(Integer)
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    peak: Mapped[float] = mapped_column(Float(53))
    emotion: Mapped[str] = mapped_column(String(16))
    #: Mean probability of each emotion over the stretch, as a JSON list.
    emotions: Mapped[str] = mapped_column(Text)


class VerdictRow(Base):
    """What one analyst says of one stretch; a newer verdict of theirs takes the older one's place."""

    __tablename__ = "verdicts"
    __table_args__ = (
        UniqueConstraint("recording_id", "target", "channel", "start_ms", "end_ms", "analyst"),
        CheckConstraint("target IN ('event', 'near-miss', 'marked', 'utterance')", name="target"),
        CheckConstraint("verdict IN ('right', 'wrong', 'missed', 'other emotion')", name="verdict"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    recording_id: Mapped[str] = _recording()
    analysis_id: Mapped[str | None] = mapped_column(
        String(32), ForeignKey("analyses.id", ondelete="SET NULL"), index=True
    )
    target: Mapped[str] = mapped_column(String(16))
    channel: Mapped[int] = mapped_column(Integer)
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    verdict: Mapped[str] = mapped_column(String(16))
    emotion: Mapped[str | None] = mapped_column(String(16))
    #: Highest score of the curve in the stretch, and whose; they outlive the analysis.
    score: Mapped[float | None] = mapped_column(Float(53))
    model_sha256: Mapped[str | None] = mapped_column(String(64))
    analyst: Mapped[str] = mapped_column(String(100), index=True)
    given_at: Mapped[datetime] = mapped_column(Utc)
    note: Mapped[str] = mapped_column(Text, default="")


class TagRow(Base):
    """A word that somebody put on a recording."""

    __tablename__ = "tags"

    recording_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)


class AuditRow(Base):
    """That something was deleted, taken away, or kept for longer: when, by whom, how much of it."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(Utc)
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(40))
    #: The recording's random id; no key into any table.
    recording_id: Mapped[str | None] = mapped_column(String(32))
    #: JSON object of whole numbers.
    counts: Mapped[str] = mapped_column(Text)


class StateRow(Base):
    """What the library has to remember about itself."""

    __tablename__ = "state"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


#: Tables with what recordings say; the audit and the library's own state hold none of it.
CONTENT: Final[tuple[str, ...]] = (
    "audio", "stretches", "verdicts", "tags", "analyses", "recordings",
)  # fmt: skip

__all__: tuple[str, ...] = (
    "CONTENT", "AnalysisRow", "AudioRow", "AuditRow", "Base", "RecordingRow", "StateRow", "StretchRow",
    "TagRow", "Utc", "VerdictRow",
)  # fmt: skip
