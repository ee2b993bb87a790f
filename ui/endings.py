"""Ends a browser session for good soon after its tab is closed.

Streamlit keeps a session that lost its browser for two minutes and more, in case the connection comes back:
it drops stored sessions only when the next one is stored. Recordings and results would outlive the tab that
long, and the address of the sound would still answer. So a watcher ends every session that has been out of
reach for :data:`GRACE` seconds.
"""

from __future__ import annotations

import functools
import gc
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

logger = logging.getLogger(__name__)

#: Seconds out of reach after which a session ends; a lost connection comes back within a few.
GRACE: Final = 20.0
#: Seconds between two looks.
INTERVAL: Final = 2.0


class Endings:
    """Watches sessions and ends those whose browser is gone.

    Parameters
    ----------
    is_active : callable
        ``is_active(session_id) -> bool``: whether a browser is connected.
    end : callable
        ``end(session_id)``: forget the session and all it holds.
    clock : callable, optional
        Monotonic seconds.
    """

    def __init__(
        self,
        is_active: Callable[[str], bool],
        end: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_active, self._end, self._clock = is_active, end, clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    def watch(self, session_id: str) -> None:
        """Watch a session from now on; a second call renews."""
        with self._lock:
            self._seen[session_id] = self._clock()

    def look(self) -> None:
        """End the sessions that have been out of reach for too long."""
        with self._lock:
            now = self._clock()
            for session_id in self._seen:
                if self._is_active(session_id):
                    self._seen[session_id] = now
            gone = [session_id for session_id, seen in self._seen.items() if now - seen > GRACE]
            for session_id in gone:
                del self._seen[session_id]
        for session_id in gone:
            self._end(session_id)

    def at_end(self, session_id: str, callback: Callable[[], None]) -> None:
        """Have something done once a session has ended."""
        with self._lock:
            self._callbacks.setdefault(session_id, []).append(callback)

    def finish(self, session_id: str) -> None:
        """Do what was to be done at a session's end, each even if another one fails."""
        with self._lock:
            callbacks = self._callbacks.pop(session_id, [])
        for callback in callbacks:
            try:
                callback()
            except Exception:  # whatever it is, the others have to be done
                logger.exception("something was not done at the end of a session")

    def run(self) -> None:
        """Look for ever; the work of a daemon thread."""
        while True:
            time.sleep(INTERVAL)
            self.look()


def watch_this_session() -> None:
    """Have the session that runs the script ended when its browser is gone."""
    context = get_script_run_ctx()
    # AppTest has no server behind it, only a mock of one, and so nothing to end.
    if context is not None and runtime.exists() and type(runtime.get_instance()) is Runtime:
        _endings().watch(context.session_id)


def at_session_end(callback: Callable[[], None]) -> None:
    """Have something done, in a thread of its own, once the session that runs the script has ended.

    For what must not wait until Python finds that nobody refers to the session any more: objects of a session
    that began while the model was loading are never collected (see ``gc.freeze`` in ui/engine.py).
    """
    context = get_script_run_ctx()
    if context is not None and runtime.exists() and type(runtime.get_instance()) is Runtime:
        _endings().at_end(context.session_id, callback)


@st.cache_resource(show_spinner=False)
def _endings() -> Endings:
    instance = runtime.get_instance()
    # Streamlit wants sessions to be closed on its own event loop, and has no public way onto it.
    loop = instance._get_async_objs().eventloop

    def close(session_id: str) -> None:
        if not instance.is_active_session(session_id):
            instance.close_session(session_id)
            threading.Thread(target=tidy, args=(session_id,), name="blipper-tidying", daemon=True).start()

    def tidy(session_id: str) -> None:
        # In a thread of its own, since all sessions wait for the event loop: deleting a batch's files takes
        # time, whether it is told to or a collection finds the batch.
        endings.finish(session_id)
        time.sleep(1.0)  # until Streamlit has let go of the session
        gc.collect()  # its objects refer to each other: without this the recording would stay

    def end(session_id: str) -> None:
        loop.call_soon_threadsafe(functools.partial(close, session_id))

    endings = Endings(instance.is_active_session, end)
    threading.Thread(target=endings.run, name="blipper-endings", daemon=True).start()
    return endings
