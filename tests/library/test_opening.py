"""Opening: from nothing, from an older schema, from a newer one, twice at once, and where nothing can be."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, place, schema
from blipper.library.database import connect
from blipper.library.schema import upgrade
from blipper.library.tables import CONTENT, Base
from tests.conftest import ROOT
from tests.library.making import analysis, sound


def test_migrations_make_the_tables_that_the_code_knows(library: Database) -> None:
    with library.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_an_empty_database_is_made_and_opened_again(address: str) -> None:
    library = lib.open_library(address)
    saved = lib.save(library, analysis(), analyst="Ana")
    library.close()
    library = lib.open_library(address)
    assert lib.read_item(library, saved.recording_id).name == "call.wav"
    library.close()


def test_a_newer_library_is_left_alone(address: str) -> None:
    library = lib.open_library(address)
    with library.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    library.close()
    with pytest.raises(LibraryError, match=r"made by a newer Blipper .its schema is 9999, .* nothing was"):
        lib.open_library(address)


def test_another_program_s_database_is_left_alone(address: str) -> None:
    database = connect(address)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id integer)"))
    with pytest.raises(LibraryError, match=r"a database with other tables in it \(customers\)"):
        lib.open_library(address)
    with database.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["customers"]
    database.close()


def test_a_migration_that_fails_leaves_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    real = op.create_index

    def fail(name: str, *values: object, **named: object) -> None:
        if "verdicts" in name:
            raise RuntimeError("the power went")
        real(name, *values, **named)

    monkeypatch.setattr(op, "create_index", fail)
    with pytest.raises(RuntimeError, match="the power went"):
        lib.open_library(address)
    monkeypatch.undo()
    database = connect(address)
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == set()
    upgrade(database)
    assert lib.count(database) == 0
    database.close()


ADDING = """
import sqlalchemy as sa
from alembic import op

revision = "8000"
down_revision = "{before}"


def upgrade():
    op.add_column("recordings", sa.Column("mood", sa.Text(), nullable=True))
    op.execute("UPDATE recordings SET mood = 'calm'")
"""

#: SQLite can change neither a column nor a rule of a table: it has to build the table anew.
REBUILDING = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{before}"


def upgrade():
    with op.batch_alter_table("recordings") as table:
        table.alter_column("mood", existing_type=sa.Text(), type_=sa.String(20), nullable=False)
    with op.batch_alter_table("verdicts") as table:
        table.drop_constraint(op.f("ck_verdicts_verdict"), type_="check")
        table.create_check_constraint(op.f("ck_verdicts_verdict"), "verdict <> 'nonsense'")
"""

FAILING = """
from alembic import op

revision = "9000"
down_revision = "{before}"


def upgrade():
    op.execute("UPDATE recordings SET name = 'gone'")
    op.drop_table("verdicts")
    raise RuntimeError("the power went")
"""

ORPHANING = """
from alembic import op

revision = "9000"
down_revision = "{before}"


def upgrade():
    op.execute("DELETE FROM recordings")
"""


def head_of(scripts: Path) -> str:
    """The newest revision in a folder of migrations."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory(str(scripts)).get_current_head()
    assert found is not None
    return found


@pytest.fixture
def further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give Blipper another migration after its newest one."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema._MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def add(step: str) -> None:
        before = head_of(folder)
        (folder / "versions" / f"r{len(list(folder.glob('versions/*')))}_step.py").write_text(
            step.format(before=before)
        )
        monkeypatch.setattr(schema, "_MIGRATIONS", folder)

    return add


def first_library(address: str) -> None:
    """Make a library as the first Blipper made it, with a row in every table, by plain SQL."""
    database = connect(address)
    upgrade(database, "0001")
    made = analysis()
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    body = zlib.compress(json.dumps(made.to_dict()).encode())
    event = made.events[0]
    rows: dict[str, dict[str, Any]] = {
        "recordings": {
            "id": "r" * 32, "sha256": made.provenance.sha256, "name": "Call.wav", "folded": "call.wav",
            "size_bytes": 64_044, "duration": made.duration, "added_at": now, "added_by": "Ana",
            "expires_at": None,
        },
        "analyses": {
            "id": "a" * 32, "recording_id": "r" * 32, "made_at": now, "made_by": "Ana",
            "model": made.model.name, "model_sha256": made.model.sha256, "settings": "{}",
            "settings_sha256": "0" * 64, "channels": "mix", "threshold": 0.5, "peak": event.peak,
            "n_events": 1, "event_seconds": event.duration, "speech_seconds": 12.0, "emotion": "angry",
            "body": body,
        },
        "audio": {
            "recording_id": "r" * 32, "channels": "mix", "channel": 0, "chunk": 0,
            "data": lib.encode_sound(sound(made))[0],
        },
        "tags": {"recording_id": "r" * 32, "tag": "kept"},
        "stretches": {
            "analysis_id": "a" * 32, "kind": "event", "channel": 0, "start_ms": 2000, "end_ms": 5000,
            "peak": event.peak, "emotion": "angry", "emotions": json.dumps([0.125] * 8),
        },
        "verdicts": {
            "recording_id": "r" * 32, "analysis_id": "a" * 32, "target": "event", "channel": 0,
            "start_ms": 2000, "end_ms": 5000, "verdict": "right", "emotion": None, "score": event.peak,
            "model_sha256": made.model.sha256, "analyst": "Ana", "given_at": now, "note": "loud",
        },
        "audit": {"at": now, "actor": "Ana", "action": "keep", "recording_id": "r" * 32, "counts": "{}"},
        "state": {"key": "of the first Blipper", "value": "1"},
    }  # fmt: skip
    known = MetaData()
    with database.engine.begin() as connection:
        known.reflect(connection)
        assert set(rows) == set(known.tables) - {"alembic_version"}, "a table has no row"
        for name, values in rows.items():
            assert set(known.tables[name].columns.keys()) - {"id"} == set(values) - {"id"}, name
            connection.execute(known.tables[name].insert(), values)
    database.close()


def check_first_library(library: Database) -> None:
    """Check that all of it is there, and can be worked with."""
    [item] = lib.search(library)
    assert (item.id, item.name, item.tags, item.verdicts) == ("r" * 32, "Call.wav", ("kept",), {"right": 1})
    assert item.added_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert lib.read_analysis(library, "a" * 32).to_dict() == analysis().to_dict()
    clip = lib.read_clip(library, item.id, "mix", 0, 2.0, 5.0)
    assert clip is not None
    assert len(clip[0]) == 3 * clip[1]
    assert [(one.start, one.kind) for one in lib.read_stretches(library)] == [(2.0, "event")]
    assert [(one.note, one.analyst) for one in lib.read_verdicts(library)] == [("loud", "Ana")]
    assert [(one.action, one.actor) for one in lib.audit(library)] == [("keep", "Ana")]
    lib.judge(library, item.id, target="event", start=2, end=5, verdict="wrong", analyst="Ben")
    assert len(lib.read_verdicts(library)) == 2


def test_the_first_blipper_s_library_is_opened_by_this_one(address: str) -> None:
    first_library(address)
    library = lib.open_library(address)
    check_first_library(library)
    with library.engine.connect() as connection:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert version == head_of(schema._MIGRATIONS)
    library.close()


def test_steps_that_add_and_rebuild_lose_nothing(
    address: str, further: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first library, opened by a Blipper two steps further; and there is no way back."""
    first_library(address)
    further(ADDING)
    further(REBUILDING)
    library = lib.open_library(address)
    with library.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9000"
        assert connection.scalars(text("SELECT mood FROM recordings")).all() == ["calm"]
        moods = [c for c in inspect(connection).get_columns("recordings") if c["name"] == "mood"]
        assert not moods[0]["nullable"]
    check_first_library(library)
    # What hangs on a recording still hangs on it.
    assert lib.delete_recording(library, "r" * 32, actor="Ana").verdicts == 2
    with library.engine.connect() as connection:
        left = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in CONTENT}
    assert set(left.values()) == {0}
    library.close()
    monkeypatch.undo()
    with pytest.raises(LibraryError, match="made by a newer Blipper"):
        lib.open_library(address)


def test_a_step_that_fails_leaves_the_library_as_it_was(
    address: str, further: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first_library(address)
    further(FAILING)
    with pytest.raises(RuntimeError, match="the power went"):
        lib.open_library(address)
    monkeypatch.undo()
    library = lib.open_library(address)
    check_first_library(library)
    library.close()


def test_a_step_that_loses_parents_is_undone(
    tmp_path: Path, further: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite alone can be led there: foreign keys are minded at the end of a migration, not within it."""
    address = f"sqlite:///{tmp_path / 'library.sqlite'}"
    first_library(address)
    further(ORPHANING)
    with pytest.raises(LibraryError, match=r"rows of analyses, audio, .* belong to; nothing was changed"):
        lib.open_library(address)
    monkeypatch.undo()
    library = lib.open_library(address)
    check_first_library(library)
    with library.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    library.close()


OPEN_AND_WRITE = """
import sys
from blipper import library as lib
from tests.library.making import analysis
sys.stdin.readline()  # all begin together
library = lib.open_library(sys.argv[1])
for number in range(10):
    saved = lib.save(library, analysis(f"{sys.argv[2]}-{number}.wav"), analyst="Ana " + sys.argv[2])
    same = lib.save(library, analysis("same.wav"), analyst="Ana " + sys.argv[2])
    lib.judge(library, same.recording_id, target="event", start=2, end=5, verdict="right",
              analyst="Ana " + sys.argv[2], analysis_id=same.analysis_id)
    if number % 5 == 0:
        lib.delete_recording(library, saved.recording_id, actor="Ana")
"""


def test_two_processes_open_and_write_at_once(address: str) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_WRITE, address, str(number)],
            cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, complaints = worker.communicate(timeout=600)
        assert worker.returncode == 0, complaints
    library = lib.open_library(address)
    assert lib.count(library) == 2 * 8 + 1
    item = lib.search(library, lib.Query(name="same"))[0]
    assert len(item.analyses) == 1
    assert item.verdicts == {"right": 2}
    assert [entry.action for entry in lib.audit(library)] == ["delete recording"] * 4
    library.close()


def test_another_process_makes_the_library_between_two_looks(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The looker has seen no revision; then the other is done, and its tables are there to be seen."""
    from alembic.runtime.migration import MigrationContext

    look = MigrationContext.get_current_revision
    looks = []

    def slow(context: MigrationContext) -> str | None:
        seen = look(context)
        looks.append(seen)
        if len(looks) == 1:
            code = "import sys; from blipper.library import open_library; open_library(sys.argv[1]).close()"
            subprocess.run([sys.executable, "-c", code, address], cwd=ROOT, check=True, timeout=600)
        return seen

    monkeypatch.setattr(MigrationContext, "get_current_revision", slow)
    library = lib.open_library(address)
    assert looks[:2] == [None, head_of(schema._MIGRATIONS)], "the first look saw it unmade, the second made"
    assert lib.count(library) == 0
    library.close()


def test_a_file_is_its_owner_s_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "new folder? %41#ü"
    monkeypatch.setenv("BLIPPER_HOME", str(home))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    library = lib.open_library()
    assert library.shown == str(home / "library.sqlite")
    lib.save(library, analysis(), analyst="Ana")
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    with library.engine.connect() as connection:
        for pragma, value in (("journal_mode", "wal"), ("secure_delete", 1), ("foreign_keys", 1)):
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    library.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "address cannot be read; accepted are sqlite:///PATH"),
        ("mysql://me:secret@host/db", "a library in 'mysql' is not possible"),
        ("sqlite://", "names no file"),
        ("postgresql://me:secret@127.0.0.1:1/db", r"postgresql://me:\*\*\*@127.0.0.1:1/db failed"),
        (
            "sqlite:////proc/nowhere/library.sqlite",
            "/proc/nowhere/library.sqlite: the library cannot be opened",
        ),
    ],
)
def test_an_address_that_is_none(address: str, message: str) -> None:
    with pytest.raises(LibraryError, match=message) as caught:
        lib.open_library(address)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    path.write_bytes(b"this is no database, however long one looks at it\n" * 50)
    with pytest.raises(LibraryError, match=r"library\.sqlite failed: file is not a database"):
        lib.open_library(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"this is no database")


def test_a_full_disk(tmp_path: Path) -> None:
    library = lib.open_library(f"sqlite:///{tmp_path / 'library.sqlite'}")
    lib.save(library, analysis("first.wav"), analyst="Ana")

    with library.engine.connect() as connection:  # the pool hands out this very connection again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LibraryError, match="full") as caught:
        lib.save(library, analysis("Secret name.wav"), analyst="Ana", sound=(os.urandom(200_000),))
    assert "Secret" not in str(caught.value)
    assert [item.name for item in lib.search(library)] == ["first.wav"]
    library.close()


def test_damaged_contents_say_so(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    library = lib.open_library(f"sqlite:///{path}")
    saved = lib.save(library, analysis(), analyst="Ana", sound=(b"no sound",))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE analyses SET body = x'00'")
    with pytest.raises(LibraryError, match=f"analysis {saved.analysis_id} in the library is damaged"):
        lib.read_analysis(library, saved.analysis_id)
    with pytest.raises(LibraryError, match=f"sound of recording {saved.recording_id} is damaged"):
        lib.read_recording(library, saved.recording_id, analysis())
    library.close()


def test_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    assert place.choices() == place.Choices(on=False)
    assert not (tmp_path / "home").exists(), "looking makes nothing"
    assert place.address() == f"sqlite:///{tmp_path / 'home' / 'library.sqlite'}"
    place.choose(place.Choices(on=True, keep_audio=True, keep_days=30))
    assert place.choices() == place.Choices(True, True, 30)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["library.json"]
    for damaged in ("{", "[]", '{"on": true, "else": 1}', '{"keep_days": 0}', "\xff"):
        (tmp_path / "home" / "library.json").write_text(damaged, encoding="latin-1")
        with pytest.raises(LibraryError, match=r"library.json: cannot be read as the library's choices"):
            place.choices()
    monkeypatch.setenv("BLIPPER_LIBRARY_URL", "postgresql://db/blipper")
    assert place.address() == "postgresql://db/blipper"
    monkeypatch.setenv("BLIPPER_HOME", "/proc/nowhere")
    with pytest.raises(LibraryError, match="/proc/nowhere: the library's choices cannot be written"):
        place.choose(place.Choices(on=True))


def test_the_users_data_folder_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("BLIPPER_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert place.folder().name == "blipper"
    if sys.platform == "linux":
        assert place.folder() == tmp_path / "blipper"


def test_importing_blipper_imports_no_database() -> None:
    code = (
        "import sys, blipper, blipper.cli; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
