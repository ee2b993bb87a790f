"""What analysts say of events and utterances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, select

from blipper.errors import LibraryError
from blipper.library import retention
from blipper.library.database import Database
from blipper.library.keeping import unpack
from blipper.library.tables import AnalysisRow, RecordingRow, TagRow, VerdictRow
from blipper.library.values import (
    ANSWERS,
    TARGETS,
    Answer,
    Target,
    Verdict,
    check_name,
    check_note,
    milliseconds,
)
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def judge(
    database: Database,
    recording_id: str,
    *,
    target: Target,
    start: float,
    end: float,
    verdict: Answer,
    analyst: str,
    channel: int = 0,
    emotion: str | None = None,
    analysis_id: str | None = None,
    note: str = "",
) -> Verdict:
    """Keep an analyst's verdict on a stretch; an older one of theirs on the same stretch is replaced.

    Parameters
    ----------
    database : Database
    recording_id : str
    target : {"event", "near-miss", "marked", "utterance"}
        What was judged: an event of the analysis, a stretch just below the threshold, one that the analyst
        marked, an utterance of the transcript.
    start, end : float
        Seconds within the recording, half-open; kept to the millisecond.
    verdict : {"right", "wrong", "missed", "other emotion"}
        "right": it sounds angry, as marked. "wrong": it does not. "missed": it does, and was not marked.
        "other emotion": it sounds like `emotion` instead.
    analyst : str
        Who says so.
    channel : int
    emotion : str, optional
        One of :data:`blipper.voice.labels.EMOTIONS`; needed with "other emotion", where it is not "angry".
    analysis_id : str, optional
        The analysis that was looked at; its score of the stretch is kept with the verdict.
    note : str

    Returns
    -------
    Verdict

    Raises
    ------
    LibraryError
        If a value is outside its domain, or recording or analysis are not in the library.
    """
    analyst, note = check_name(analyst, "an analyst's name"), check_note(note)
    _check(target, verdict, emotion)
    with database.writing() as session:
        recording = session.get(RecordingRow, recording_id)
        if recording is None:
            raise LibraryError(f"recording {recording_id} is not in the library; it may have been deleted")
        first, last = milliseconds(start), milliseconds(end)
        if not 0 <= first < last <= milliseconds(recording.duration) + 1000:
            raise LibraryError(
                f"a stretch from {start:.3f} to {end:.3f} s: expected one within the recording's "
                f"{recording.duration:.3f} s"
            )
        score, model = _score(session, recording_id, analysis_id, channel, start, end)
        row = session.scalar(
            select(VerdictRow).where(
                VerdictRow.recording_id == recording_id,
                VerdictRow.target == target,
                VerdictRow.channel == channel,
                VerdictRow.start_ms == first,
                VerdictRow.end_ms == last,
                VerdictRow.analyst == analyst,
            )
        )
        if row is None:
            row = VerdictRow(
                recording_id=recording_id,
                target=target,
                channel=channel,
                start_ms=first,
                end_ms=last,
                analyst=analyst,
            )
            session.add(row)
        row.verdict, row.emotion, row.note, row.given_at = verdict, emotion, note, datetime.now(UTC)
        row.analysis_id, row.score, row.model_sha256 = analysis_id, score, model
        session.flush()
        return _verdict(row)


def _check(target: str, verdict: str, emotion: str | None) -> None:
    if target not in TARGETS:
        raise LibraryError(f"a verdict on {target!r}: expected one on {', '.join(TARGETS)}")
    if verdict not in ANSWERS:
        raise LibraryError(f"the verdict {verdict!r}: expected {', '.join(ANSWERS)}")
    if verdict == "other emotion":
        others = [name for name in EMOTIONS if name != "angry"]
        if emotion not in others:
            raise LibraryError(f"another emotion, {emotion!r}: expected one of {', '.join(others)}")
    elif emotion is not None:
        raise LibraryError(f"the emotion {emotion!r} with the verdict {verdict!r}: only for 'other emotion'")


def _score(
    session: Session, recording_id: str, analysis_id: str | None, channel: int, start: float, end: float
) -> tuple[float | None, str | None]:
    """Return the highest score of the stretch and the model that gave it."""
    if analysis_id is None:
        return None, None
    row = session.get(AnalysisRow, analysis_id)
    if row is None or row.recording_id != recording_id:
        raise LibraryError(f"analysis {analysis_id} of recording {recording_id} is not in the library")
    analysis = unpack(row.body, analysis_id)
    if not 0 <= channel < len(analysis.tracks):
        raise LibraryError(f"channel {channel}: expected 0 to {len(analysis.tracks) - 1}")
    return highest(analysis, channel, start, end), row.model_sha256


def highest(analysis: Analysis, channel: int, start: float, end: float) -> float | None:
    """Return the voice's highest score between two times; None where nobody speaks.

    Never the fused one: a verdict says whether the *voice* sounds angry, and its score is the voice model's.
    """
    curve = analysis.tracks[channel].curve
    half = curve.step / 2
    reached = (curve.times + half > start) & (curve.times - half < end)
    scores = curve.aggression[reached]
    return None if np.isnan(scores).all() else float(np.nanmax(scores))


def withdraw(database: Database, verdict_id: int, *, actor: str) -> None:
    """Take a verdict back, with its note.

    Raises
    ------
    LibraryError
        If it is not in the library.
    """
    actor = check_name(actor, "an analyst's name")
    with database.writing() as session:
        row = session.get(VerdictRow, verdict_id)
        if row is None:
            raise LibraryError(f"verdict {verdict_id} is not in the library; it may have been withdrawn")
        recording_id = row.recording_id
        session.delete(row)
        retention.record(session, actor, "withdraw verdict", recording_id, verdicts=1)


def read_verdicts(
    database: Database, recording_id: str | None = None, *, targets: Sequence[str] = TARGETS
) -> tuple[Verdict, ...]:
    """Return verdicts in the order in which they were first given: of one recording, or of all."""
    wanted = select(VerdictRow).where(VerdictRow.target.in_(targets)).order_by(VerdictRow.id)
    if recording_id is not None:
        wanted = wanted.where(VerdictRow.recording_id == recording_id)
    with database.reading() as session:
        return tuple(_verdict(row) for row in session.scalars(wanted))


def tag(database: Database, recording_id: str, tags: Sequence[str]) -> tuple[str, ...]:
    """Give a recording exactly these tags.

    Raises
    ------
    LibraryError
        If a tag is empty or too long, or the recording is not in the library.
    """
    names = sorted({check_name(name, "a tag") for name in tags})
    with database.writing() as session:
        if session.get(RecordingRow, recording_id) is None:
            raise LibraryError(f"recording {recording_id} is not in the library; it may have been deleted")
        session.execute(delete(TagRow).where(TagRow.recording_id == recording_id))
        session.add_all(TagRow(recording_id=recording_id, tag=name) for name in names)
    return tuple(names)


def _verdict(row: VerdictRow) -> Verdict:
    return Verdict(
        id=row.id,
        recording_id=row.recording_id,
        analysis_id=row.analysis_id,
        target=row.target,
        channel=row.channel,
        start=row.start_ms / 1000,
        end=row.end_ms / 1000,
        verdict=row.verdict,
        emotion=row.emotion,
        score=row.score,
        model_sha256=row.model_sha256,
        analyst=row.analyst,
        given_at=row.given_at,
        note=row.note,
    )
