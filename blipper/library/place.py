"""Where the library is, and whether the user wants one.

There is none until somebody turns it on: no folder, no file, no connection. What is chosen is a small file in
the user's data folder; an address of a database is read from the environment alone, since it may hold a
password.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from blipper.errors import LibraryError

#: Names the folder for the user's own data in place of the system's.
HOME: Final = "BLIPPER_HOME"
#: Names a database, as ``postgresql://user:password@host/name``, in place of the file.
URL: Final = "BLIPPER_LIBRARY_URL"

_CHOICES: Final = "library.json"
_FILE: Final = "library.sqlite"


@dataclass(frozen=True)
class Choices:
    """What the user chose.

    Parameters
    ----------
    on : bool
        Whether anything is kept at all.
    keep_audio : bool
        Whether sound is kept with a recording unless said otherwise.
    keep_days : int, optional
        Days after which a recording is deleted unless said otherwise; None keeps it.
    """

    on: bool = False
    keep_audio: bool = False
    keep_days: int | None = None

    def __post_init__(self) -> None:
        """Check the domains."""
        check_days(self.keep_days)


def check_days(days: int | None) -> int | None:
    """Return a number of days to keep something, or None for as long as nobody deletes it.

    Raises
    ------
    LibraryError
        If it is not 1 to 36,500.
    """
    if days is not None and (type(days) is not int or not 1 <= days <= 36_500):
        raise LibraryError(f"{days!r} days to keep: expected a whole number from 1 to 36,500, or none")
    return days


def folder() -> Path:
    """Return the user's data folder: what ``BLIPPER_HOME`` names, else the system's place for it."""
    if chosen := os.environ.get(HOME):
        return Path(chosen)
    import platformdirs

    return platformdirs.user_data_path("blipper", appauthor=False)


def training_folder() -> Path:
    """Return where training keeps copies of kept sound while it runs; a deletion removes it."""
    return folder() / "training"


def forget_training() -> None:
    """Remove the copies of kept sound that training made.

    Raises
    ------
    LibraryError
        If they cannot be removed.
    """
    place = training_folder()
    if place.exists():
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise LibraryError(f"{place}: copies for training cannot be removed ({error})") from error


def address() -> str:
    """Return the database's address: what ``BLIPPER_LIBRARY_URL`` names, else the file in :func:`folder`."""
    return os.environ.get(URL) or f"sqlite:///{quote(str((folder() / _FILE).absolute()))}"


def choices() -> Choices:
    """Return what the user chose; everything off where nobody chose yet.

    Raises
    ------
    LibraryError
        If the file with the choices is damaged.
    """
    path = folder() / _CHOICES
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        return Choices(**values)
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, TypeError, LibraryError) as error:
        raise LibraryError(
            f"{path}: cannot be read as the library's choices ({error}); delete it to choose anew, which "
            "deletes nothing of the library itself"
        ) from error


def choose(chosen: Choices) -> None:
    """Write down what the user chose; whole or not at all.

    Raises
    ------
    LibraryError
        If the folder cannot be written to.
    """
    place = folder()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{_CHOICES}.", dir=place)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(chosen), file)
            Path(partial).replace(place / _CHOICES)
        except BaseException:
            Path(partial).unlink()
            raise
    except OSError as error:
        raise LibraryError(f"{place}: the library's choices cannot be written ({error.strerror})") from error
