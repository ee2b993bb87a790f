"""Deleting really deletes: rows, and what lies in the files behind them; the audit says that it happened."""

from __future__ import annotations

import json
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, retention
from blipper.library.tables import CONTENT
from tests.library.making import analysis, sound
from tests.library.postgres import Server

NAME = "Unmistakable-Recording-Name-4711.wav"
NOTE = "an unmistakable note about the neighbour's dog"
TAG = "unmistakable-tag"
ANALYST = "Ana"


def fill(library: Database) -> tuple[str, list[bytes]]:
    """Keep a recording with all that can hang on it; return its id and what to look for afterwards."""
    made = analysis(NAME)
    flac = lib.encode_sound(sound(made, 5))
    saved = lib.save(library, made, analyst=ANALYST, sound=flac, tags=[TAG])
    lib.judge(
        library, saved.recording_id, target="event", start=2, end=5, verdict="right", analyst=ANALYST,
        analysis_id=saved.analysis_id, note=NOTE,
    )  # fmt: skip
    body = zlib.compress(json.dumps(made.to_dict(), separators=(",", ":")).encode())
    pieces = [flac[0][1000:1032], flac[0][-200_000:-199_968], body[500:532], body[-64:-32]]
    texts = [NAME, NAME.casefold(), NOTE, TAG, made.provenance.sha256]
    return saved.recording_id, [*pieces, *(part.encode() for part in texts)]


def files_of(library: Database, request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """Every file in which the library could keep something."""
    if library.kind == "sqlite":
        return [path for path in tmp_path.rglob("*") if path.is_file()]
    server: Server = request.getfixturevalue("postgres")
    with library.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))  # writes the tables' pages; their log is the server's affair
        number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return [path for path in (server.folder / "base" / str(number)).rglob("*") if path.is_file()]


def left(files: list[Path], needles: list[bytes]) -> dict[str, list[str]]:
    """Which needles are found in which file; large values of PostgreSQL lie there in pieces of 2 kB."""
    found: dict[str, list[str]] = {}
    for path in files:
        content = path.read_bytes()
        for needle in needles:
            if needle in content:
                found.setdefault(str(needle), []).append(path.name)
    return found


def rows(library: Database) -> dict[str, int]:
    with library.engine.connect() as connection:
        return {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in CONTENT}


@pytest.mark.parametrize("way", ["recording", "everything", "last analysis", "expired"])
def test_nothing_is_left_in_the_files(
    library: Database, request: pytest.FixtureRequest, tmp_path: Path, way: str
) -> None:
    other = lib.save(library, analysis("another.wav"), analyst="Ben")
    recording_id, needles = fill(library)
    before = left(files_of(library, request, tmp_path), needles)
    assert set(before) == {str(needle) for needle in needles}, "the search itself must find what is there"
    if way == "recording":
        gone = lib.delete_recording(library, recording_id, actor=ANALYST)
    elif way == "everything":
        gone = lib.delete_everything(library, actor=ANALYST)
    elif way == "last analysis":
        [info] = lib.read_item(library, recording_id).analyses
        gone = lib.delete_analysis(library, info.id, actor=ANALYST)
    else:
        lib.keep(library, recording_id, 3, actor=ANALYST)
        assert lib.expire(library, now=datetime.now(UTC) + timedelta(days=2.9)).recordings == 0
        gone = lib.expire(library, now=datetime.now(UTC) + timedelta(days=3.1))
    assert gone.cleared
    assert gone.recordings == (2 if way == "everything" else 1)
    assert gone.verdicts == 1
    assert gone.audio_bytes > 100_000
    assert left(files_of(library, request, tmp_path), needles) == {}
    if way == "everything":
        assert set(rows(library).values()) == {0}
    else:
        assert rows(library)["recordings"] == 1
        assert lib.read_analysis(library, other.analysis_id).to_dict() == analysis("another.wav").to_dict()


def test_the_audit_holds_no_content(library: Database) -> None:
    recording_id, needles = fill(library)
    lib.keep(library, recording_id, 30, actor=ANALYST)
    lib.keep(library, recording_id, None, actor=ANALYST)
    lib.delete_sound(library, recording_id, actor=ANALYST)
    lib.delete_recording(library, recording_id, actor="Ben")
    entries = lib.audit(library)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("Ben", "delete recording"),
        (ANALYST, "delete sound"),
        (ANALYST, "keep"),
        (ANALYST, "keep for days"),
    ]
    assert entries[0].counts == {"recordings": 1, "analyses": 1, "verdicts": 1, "tags": 1, "audio_bytes": 0}
    assert entries[1].counts["audio_bytes"] > 100_000
    assert entries[3].counts == {"days": 30}
    assert {entry.recording_id for entry in entries} == {recording_id}
    with library.engine.connect() as connection:
        written = str(connection.execute(text("SELECT * FROM audit")).all()).encode()
    assert [needle for needle in needles if needle in written] == []
    assert lib.audit(library, limit=1) == entries[:1]


def test_deleting_the_sound_keeps_the_rest(
    library: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    recording_id, needles = fill(library)
    gone = lib.delete_sound(library, recording_id, actor=ANALYST)
    assert gone.cleared
    item = lib.read_item(library, recording_id)
    assert item.audio == frozenset()
    assert item.verdicts == {"right": 1}
    found = left(files_of(library, request, tmp_path), needles)
    assert not {str(needle) for needle in needles[:2]} & set(found)
    assert NAME in str(set(found))


def test_deleting_one_of_two_analyses_keeps_the_verdicts(library: Database) -> None:
    recording_id, _ = fill(library)
    newer = lib.save(library, analysis(NAME, threshold=0.3), analyst=ANALYST)
    older = lib.read_item(library, recording_id).analyses[1]
    assert lib.delete_analysis(library, older.id, actor=ANALYST).analyses == 1
    [kept] = lib.read_item(library, recording_id).analyses
    assert kept.id == newer.analysis_id
    [verdict] = lib.read_verdicts(library, recording_id)
    assert (verdict.analysis_id, verdict.score) == (None, 0.9)


@pytest.mark.parametrize("days", [0, -1, 36_501, 1.5, True])
def test_days_outside_their_domain(library: Database, days: int) -> None:
    with pytest.raises(LibraryError, match="expected a whole number from 1 to 36,500"):
        lib.save(library, analysis(), analyst=ANALYST, keep_days=days)
    assert lib.count(library) == 0


def test_days_given_with_the_recording(address: str) -> None:
    library = lib.open_library(address)
    saved = lib.save(library, analysis(), analyst=ANALYST, keep_days=7)
    expires = lib.read_item(library, saved.recording_id).expires_at
    assert expires is not None
    assert abs(expires - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    with library.engine.begin() as connection:  # as if a week had gone by
        connection.execute(
            text("UPDATE recordings SET expires_at = :then"), {"then": datetime.now(UTC) - timedelta(1)}
        )
    library.close()
    library = lib.open_library(address)
    assert lib.count(library) == 0
    assert lib.audit(library)[0].action == "delete expired"
    assert lib.audit(library)[0].actor == retention.KEEPER
    library.close()


def test_a_reader_in_the_way_puts_clearing_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library.sqlite"
    library = lib.open_library(f"sqlite:///{path}")
    recording_id, needles = fill(library)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM recordings").fetchall()
    monkeypatch.setattr(retention, "BUSY", 0.2)
    gone = lib.delete_recording(library, recording_id, actor=ANALYST)
    assert not gone.cleared
    assert lib.count(library) == 0, "it is deleted all the same"
    reader.execute("ROLLBACK")
    reader.close()
    lib.expire(library)
    assert left([p for p in tmp_path.rglob("*") if p.is_file()], needles) == {}
    library.close()


def test_dying_between_deleting_and_clearing_leaves_it_for_the_next_one(
    address: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = lib.open_library(address)
    recording_id, needles = fill(library)

    def die(database: Database) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(retention, "clear", die)
    with pytest.raises(KeyboardInterrupt):
        lib.delete_recording(library, recording_id, actor=ANALYST)
    monkeypatch.undo()
    assert lib.count(library) == 0
    library.close()
    library = lib.open_library(address)
    assert left(files_of(library, request, tmp_path), needles) == {}
    library.close()
