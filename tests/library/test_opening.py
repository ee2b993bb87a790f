"""Opening: from nothing, from an older schema, from a newer one, twice at once, and where nothing can be."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, place, schema
from blipper.library.database import connect
from blipper.library.schema import upgrade
from blipper.library.tables import Base
from tests.conftest import ROOT
from tests.library.making import analysis


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


STEP = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{head}"


def upgrade():
    op.add_column("recordings", sa.Column("mood", sa.Text(), nullable=True))
    op.execute("UPDATE recordings SET mood = 'calm'")
"""


def test_an_older_library_is_brought_up_to_date(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Today's library opened by a Blipper one step further: nothing is lost, and there is no way back."""
    library = lib.open_library(address)
    saved = lib.save(library, analysis(), analyst="Ana", tags=["kept"])
    lib.judge(library, saved.recording_id, target="event", start=2, end=5, verdict="right", analyst="Ana")
    with library.engine.connect() as connection:
        head = connection.scalar(text("SELECT version_num FROM alembic_version"))
    library.close()
    further = tmp_path / "migrations"
    shutil.copytree(schema._MIGRATIONS, further, ignore=shutil.ignore_patterns("__pycache__"))
    (further / "versions" / "r9000_step.py").write_text(STEP.format(head=head))
    monkeypatch.setattr(schema, "_MIGRATIONS", further)
    library = lib.open_library(address)
    with library.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9000"
        assert connection.scalars(text("SELECT mood FROM recordings")).all() == ["calm"]
    item = lib.read_item(library, saved.recording_id)
    assert (item.tags, item.verdicts) == (("kept",), {"right": 1})
    assert lib.read_analysis(library, saved.analysis_id).to_dict() == analysis().to_dict()
    library.close()
    monkeypatch.undo()
    with pytest.raises(LibraryError, match="made by a newer Blipper"):
        lib.open_library(address)


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
