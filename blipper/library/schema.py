"""The schema's versions: brought up to date when a library is opened, never guessed at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from blipper.errors import LibraryError
from blipper.library.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")
# Alembic keeps what it is at in module globals.
_one_at_a_time = threading.Lock()


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring a database to a revision, in one transaction; a second process waits and finds it done.

    Parameters
    ----------
    database : Database
    revision : str, optional
        Of the migrations; the newest unless given.

    Raises
    ------
    LibraryError
        If the database was made by a newer Blipper, or is no library.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config()
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    wanted = scripts.get_current_head() if revision == "head" else revision
    with _one_at_a_time, database.failures():
        with database.engine.connect() as connection:
            # Two looks are two states where another process is just making the library, so this one asks for
            # the revision alone; what else is in the database is looked at when it is this process's turn.
            if _revision(database, connection, known) == wanted:
                return
        with (
            database.engine.connect().execution_options(blipper_write=True) as connection,
            _transaction(database, connection),
        ):
            if _check(database, connection, known) != wanted:  # nobody was quicker
                config.attributes["connection"] = connection
                command.upgrade(config, revision)


@contextmanager
def _transaction(database: Database, connection: Connection) -> Iterator[None]:
    """Begin a transaction in which tables may be rebuilt, and keep it if every row still has its parent.

    SQLite changes a table by filling a new one and dropping the old one. While it minds foreign keys,
    dropping deletes the rows first, and with a recording's row everything that hangs on it. So it minds them
    at the end instead, as its manual tells: https://www.sqlite.org/lang_altertable.html#otheralter

    Raises
    ------
    LibraryError
        If rows have lost their parents; nothing was changed then.
    """
    if database.kind != "sqlite":
        with connection.begin():
            yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")  # within a transaction this would do nothing
    try:
        with connection.begin():
            yield
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if orphans:
                tables = ", ".join(sorted({str(row[0]) for row in orphans}))
                raise LibraryError(
                    f"{database.shown}: bringing it up to date would lose what rows of {tables} belong to; "
                    "nothing was changed"
                )
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _check(database: Database, connection: Connection, known: set[str]) -> str | None:
    """Return the database's revision, None where it is empty."""
    current = _revision(database, connection, known)
    if current is None:
        others = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
        if others:
            raise LibraryError(
                f"{database.shown}: is a database with other tables in it ({', '.join(others[:3])}); a "
                "library needs one of its own, nothing was changed"
            )
    return current


def _revision(database: Database, connection: Connection, known: set[str]) -> str | None:
    """Return the revision that a database names, None where it names none."""
    from alembic.runtime.migration import MigrationContext

    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise LibraryError(
            f"{database.shown}: this library was made by a newer Blipper (its schema is {current}, this one "
            f"knows up to {max(known)}); update Blipper, nothing was changed"
        )
    return current
