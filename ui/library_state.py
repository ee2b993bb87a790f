"""The server's one library, as the pages share it, and who is using it in this session."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import streamlit as st

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, Item, Stretch, place
from ui.text import plain

#: Seconds between two looks at what has reached its day.
_SWEEP: Final = 60.0
#: Seconds for which a library that could not be opened is not tried again: each try may take long to fail.
_PAUSE: Final = 15.0
_ANALYST: Final = "blipper_analyst"

# The library belongs to the server and whoever can open the app, so its connection is the process's too.
_lock = threading.Lock()
_opened: dict[str, Database] = {}
_swept: dict[str, float] = {}
_failed: dict[str, tuple[float, str]] = {}
_judgeable: dict[tuple[Any, ...], tuple[tuple[Stretch, ...], dict[str, Item]]] = {}


def is_on() -> bool:
    """Return whether somebody turned the library on; says so on the page where that cannot be read."""
    try:
        return place.choices().on
    except LibraryError as error:
        st.error(plain(str(error)))
        return False


def library() -> Database:
    """Return the open library, with what has reached its day deleted.

    Raises
    ------
    LibraryError
        If it cannot be opened.
    """
    address = place.address()
    with _lock:
        if address not in _opened:
            when, message = _failed.get(address, (float("-inf"), ""))
            if time.monotonic() - when < _PAUSE:
                raise LibraryError(message)
            try:
                _opened[address] = lib.open_library(address)
            except LibraryError as error:
                _failed[address] = (time.monotonic(), str(error))
                raise
            _failed.pop(address, None)
            _swept[address] = time.monotonic()
        elif time.monotonic() - _swept[address] > _SWEEP:
            _swept[address] = time.monotonic()
            lib.expire(_opened[address])
        return _opened[address]


def judgeable(database: Database) -> tuple[tuple[Stretch, ...], dict[str, Item]]:
    """Return all that can be judged and the recordings by id, read again only when one has come or gone.

    A library of 20,000 recordings takes seconds to read, and the review queue asks at every key.
    """
    now = (database.shown, *lib.stamp(database))
    with _lock:
        held = _judgeable.get(now)
    if held is None:
        held = (lib.read_stretches(database), {item.id: item for item in lib.search(database)})
        with _lock:
            _judgeable.clear()  # an older state is of no more use
            _judgeable[now] = held
    return held


def close() -> None:
    """Close the library, as when it is turned off."""
    with _lock:
        database = _opened.pop(place.address(), None)
        _failed.pop(place.address(), None)
        _judgeable.clear()
    if database is not None:
        database.close()


def analyst() -> str:
    """Return this session's analyst; empty until somebody said who they are."""
    return str(st.session_state.get(_ANALYST, ""))


def ask_analyst(key: str) -> str:
    """Ask who is working here, once a session; every page's field shows the same name."""
    widget = f"blipper_analyst_{key}"

    def take() -> None:
        st.session_state[_ANALYST] = " ".join(str(st.session_state[widget]).split())

    # A widget's own state is lost while another page is shown.
    st.session_state[widget] = analyst()
    st.text_input(
        "Your name, as it stands beside your verdicts",
        max_chars=100,
        width=420,
        key=widget,
        on_change=take,
        help="Kept with what you save and judge, and in the audit. Whoever can open this app can type any "
        "name: it is a signature, no proof.",
    )
    return analyst()
