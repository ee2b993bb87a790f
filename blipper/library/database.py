"""One database behind the library: SQLite in a file, or PostgreSQL for a team.

Writers come one after the other, on both, so that a rule which spans several rows holds: SQLite by ``BEGIN
IMMEDIATE`` with a long busy timeout, PostgreSQL by an advisory lock for the transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from blipper.errors import LibraryError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

#: Seconds that a writer waits for another one.
PATIENCE: Final = 30.0
#: Of the advisory lock that PostgreSQL's writers take: "blipper" in ASCII.
LOCK: Final = 0x626C6970706572
_ACCEPTED: Final = "sqlite:///PATH and postgresql://USER:PASSWORD@HOST/DATABASE"


@dataclass(frozen=True, eq=False)
class Database:
    """An open database, at the schema that this Blipper knows; see :func:`blipper.library.open_library`.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    kind : {"sqlite", "postgresql"}
    shown : str
        Where it is, for people: the file, or the address without its password.
    """

    engine: Engine
    kind: str
    shown: str

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database.

        Raises
        ------
        LibraryError
            If the database fails.
        """
        with self._session(write=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are kept together if the block ends well, and not at all otherwise.

        Raises
        ------
        LibraryError
            If the database fails, is full, or another writer holds it for longer than :data:`PATIENCE`.
        """
        with self._session(write=True) as session:
            yield session

    @contextmanager
    def _session(self, write: bool) -> Iterator[Session]:
        with (
            self.failures(),
            self.engine.connect().execution_options(blipper_write=write) as connection,
            Session(connection, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn the database's errors into the library's, without the values that were being written."""
        try:
            yield
        except DBAPIError as error:
            reason = str(error.orig).strip().split("\n")[0]
            raise LibraryError(f"the library in {self.shown} failed: {reason}") from error
        except SQLAlchemyError as error:
            raise LibraryError(f"the library in {self.shown} failed: {type(error).__name__}") from error

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def connect(address: str) -> Database:
    """Open a database as it is, without a look at its schema.

    Parameters
    ----------
    address : str
        ``sqlite:///PATH`` or ``postgresql://...``; a missing SQLite file is made, for its owner alone.

    Returns
    -------
    Database

    Raises
    ------
    LibraryError
        If the address is neither, its driver is not installed, or nothing answers there.
    """
    try:
        url = make_url(address)
    except ArgumentError:  # its message repeats the address, in which there may be a password
        raise LibraryError(f"the library's address cannot be read; accepted are {_ACCEPTED}") from None
    if url.get_backend_name() == "sqlite":
        database = _sqlite(url)
    elif url.get_backend_name() == "postgresql":
        database = _postgresql(url)
    else:
        raise LibraryError(
            f"a library in {url.get_backend_name()!r} is not possible; accepted are {_ACCEPTED}"
        )
    with database.failures(), database.engine.connect():
        return database


def _sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise LibraryError("the library's address names no file; expected sqlite:///PATH")
    path = Path(url.database)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise LibraryError(f"{path}: the library cannot be opened there ({error.strerror})") from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": PATIENCE},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, "sqlite", str(path))


def _prepare_sqlite(connection: DBAPIConnection, record: Any) -> None:
    """Set up a fresh connection."""
    # Transactions begin where they are asked to (`_begin_sqlite`), not where Python's driver guesses.
    connection.isolation_level = None
    cursor = connection.cursor()
    _use_wal(cursor)
    # What is deleted is overwritten with zeros, and does not lie on in the file.
    for pragma in ("foreign_keys = ON", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Turn on the write-ahead log, so that readers and a writer do not wait for each other.

    SQLite does not wait its busy timeout for this one, so two that open a new file together try again.
    """
    import sqlite3

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("blipper_begin", True):
        # A writer takes its turn at once: one that first read and then wants to write could only fail.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("blipper_write") else "BEGIN")


def _postgresql(url: URL) -> Database:
    shown = url.set(drivername="postgresql").render_as_string(hide_password=True)
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 10},
        )
    except ImportError as error:
        raise LibraryError(
            f"{shown}: PostgreSQL needs the package psycopg: pip install -r requirements-postgres.txt"
        ) from error
    event.listen(engine, "begin", _begin_postgresql)
    return Database(engine, "postgresql", shown)


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("blipper_write", False):
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
