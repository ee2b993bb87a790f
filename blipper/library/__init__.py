"""The library: recordings, analyses and what analysts say of them, on the user's own machine or a team's.

Nothing is kept until a user turns it on (:mod:`blipper.library.place`). :func:`open_library` opens it; the
functions below take what it returns. SQLite in a file by default, PostgreSQL by address. Conventions: times
are seconds, kept to the millisecond; moments have a zone; every error is a
:class:`~blipper.errors.LibraryError`; a deletion is written into an audit that holds no content.
"""

from __future__ import annotations

from blipper.library import place
from blipper.library.adding import Taken, add_batch
from blipper.library.database import Database, connect
from blipper.library.finding import (
    Query,
    count,
    find,
    read_item,
    read_models,
    read_stretches,
    read_tags,
    search,
    stamp,
)
from blipper.library.keeping import (
    encode_sound,
    read_analysis,
    read_clip,
    read_recording,
    read_sound,
    save,
    settings_sha256,
)
from blipper.library.retention import (
    Deleted,
    audit,
    delete_analysis,
    delete_everything,
    delete_recording,
    delete_sound,
    expire,
    keep,
)
from blipper.library.schema import upgrade
from blipper.library.values import AnalysisInfo, AuditEntry, Item, Saved, Stretch, Verdict
from blipper.library.verdicts import judge, read_verdicts, tag, withdraw


def open_library(address: str | None = None) -> Database:
    """Open a library at this Blipper's schema, and delete what has reached its day.

    Parameters
    ----------
    address : str, optional
        ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``; made if it is empty. What
        ``BLIPPER_LIBRARY_URL`` names, else a file in the user's data folder, unless given.

    Returns
    -------
    Database
        To be closed, or used as long as the process lives; any thread may use it.

    Raises
    ------
    LibraryError
        If it cannot be opened, is no library, or was made by a newer Blipper.
    """
    database = connect(address or place.address())
    try:
        upgrade(database)
        expire(database)
    except BaseException:
        database.close()
        raise
    return database


__all__ = [
    "AnalysisInfo",
    "AuditEntry",
    "Database",
    "Deleted",
    "Item",
    "Query",
    "Saved",
    "Stretch",
    "Taken",
    "Verdict",
    "add_batch",
    "audit",
    "connect",
    "count",
    "delete_analysis",
    "delete_everything",
    "delete_recording",
    "delete_sound",
    "encode_sound",
    "expire",
    "find",
    "judge",
    "keep",
    "open_library",
    "place",
    "read_analysis",
    "read_clip",
    "read_item",
    "read_models",
    "read_recording",
    "read_sound",
    "read_stretches",
    "read_tags",
    "read_verdicts",
    "save",
    "search",
    "settings_sha256",
    "stamp",
    "tag",
    "upgrade",
    "withdraw",
]
