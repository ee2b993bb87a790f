"""One batch of one browser session: a thread that conducts, processes that work, files that end with it.

Nothing here draws. The conductor thread runs :func:`blipper.batch.run`, which analyses in processes of its
own, so that the app's worker stays free. One batch works at a time; others wait for it.
"""

from __future__ import annotations

import atexit
import functools
import logging
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final, Literal

import streamlit as st

from blipper import batch
from blipper.batch import BatchState, BatchSummary
from blipper.batch.rooted import Root
from blipper.errors import BlipperError, Cancelled
from blipper.settings import Settings
from ui.endings import at_session_end
from ui.engine import session_gone
from ui.text import printable

_KEY: Final = "blipper_batch"
#: Names in the session's state: uploads taken over, and how often the upload widget was emptied.
TAKEN: Final = "blipper_batch_taken"
UPLOADS: Final = "blipper_batch_uploads"

Status = Literal["ready", "waiting", "finding", "running", "stopping", "stopped", "done", "failed"]

logger = logging.getLogger(__name__)

#: Seconds between two questions whether it is this batch's turn.
_TURN: Final = 0.2
_turn = threading.Lock()


@dataclass
class Plan:
    """What a batch is to do.

    Parameters
    ----------
    folder : pathlib.Path, optional
        A folder of the server, below `root`; without one the uploads are analysed.
    root : Root, optional
    kept : pathlib.Path, optional
        Where results stay; the batch's own folder, deleted with it, unless given.
    settings : Settings
    workers : int
    """

    folder: Path | None = None
    root: Root | None = None
    kept: Path | None = None
    settings: Settings = field(default_factory=Settings)
    workers: int = 1


@dataclass(eq=False)
class _Work:
    """What the conductor thread knows; it never refers to the :class:`Batch`, so that this can be let go."""

    gone: Callable[[], bool]
    home: Path | None = None
    plan: Plan = field(default_factory=Plan)
    status: Status = "ready"
    found: int = 0
    fetched: float | None = None
    state: BatchState = field(default_factory=lambda: BatchState(0))
    summary: BatchSummary | None = None
    error: str = ""
    cancel: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    ended: bool = False
    busy: bool = False
    # Reentrant, since a collection of garbage may end a batch in a thread that holds it.
    lock: threading.RLock = field(default_factory=threading.RLock)

    def folder(self) -> Path:
        """Return the batch's own folder, made when it is first needed, for this user's eyes only."""
        if self.home is None:
            self.home = Path(tempfile.mkdtemp(prefix="blipper-batch-"))
            _living.add(self)
        return self.home

    def output(self) -> Path:
        return self.plan.kept or self.folder() / "output"

    def cancelled(self) -> bool:
        return self.cancel.is_set() or self.gone()

    def delete(self) -> None:
        _living.discard(self)
        if self.home is not None:
            shutil.rmtree(self.home, ignore_errors=True)

    def conduct(self) -> None:
        """Run the batch and keep its outcome; the work of a thread."""
        try:
            self._wait_and_run()
        except Cancelled:
            self.status = "stopped"
        except BlipperError as error:
            self.error = str(error)
            self.status = "failed"
        except Exception as error:  # a defect must not leave the page waiting for ever
            logger.exception("a batch failed unexpectedly")
            self.error = f"an unexpected fault in Blipper ({type(error).__name__}: {error}); see its log"
            self.status = "failed"
        finally:
            with self.lock:
                self.busy = False
                if self.ended:
                    self.delete()

    def _wait_and_run(self) -> None:
        self.status = "waiting"
        while not _turn.acquire(timeout=_TURN):
            if self.cancelled():
                self.status = "stopped"
                return
        try:
            self._run()
        finally:
            _turn.release()

    def _run(self) -> None:
        self.status = "finding"
        paths = self._paths()
        if self.cancelled():
            self.status = "stopped"
            return
        self.status = "running"
        summary = batch.run(
            paths,
            self.output(),
            settings=self.plan.settings,
            workers=self.plan.workers,
            progress=self._fetching,
            report=self._report,
            cancelled=self.cancelled,
        )
        self.summary, self.state = summary, summary.state
        self.status = "stopped" if summary.stopped else "done"

    def _paths(self) -> list[Path]:
        if self.plan.folder is None or self.plan.root is None:
            return sorted(path for path in (self.folder() / "recordings").rglob("*") if path.is_file())
        paths = []
        for path in self.plan.root.recordings(self.plan.folder, self.output()):
            paths.append(path)
            self.found = len(paths)
            if self.cancelled():
                return []
        return paths

    def _report(self, state: BatchState) -> None:
        self.state = state

    def _fetching(self, step: str, completed: float, total: float) -> None:
        self.fetched = completed / total if step == "download" and completed < total else None
        if step == "download" and self.cancelled():
            raise Cancelled("the batch was stopped")


#: Batches with files, for the end of the server.
_living: set[_Work] = set()


def _end(work: _Work) -> None:
    """Stop a batch and delete its files: at once, or by the conductor when it has stopped."""
    work.cancel.set()
    with work.lock:
        work.ended = True
        if not work.busy:
            work.delete()


@atexit.register
def _end_all() -> None:
    """End all batches with the server, and wait for them: their threads would be gone before their files."""
    works = tuple(_living)
    for work in works:
        _end(work)
    for work in works:
        if work.thread is not None:
            work.thread.join(5.0)
        work.delete()


class Batch:
    """A session's batch.

    When nobody refers to it any more (the session has ended, or the user deleted it), it is stopped, and its
    folder with uploads and results is deleted; results that a user keeps below the server's root stay.

    Parameters
    ----------
    gone : callable, optional
        Says whether the browser is out of reach for good, which stops the batch.
    """

    def __init__(self, gone: Callable[[], bool] = lambda: False) -> None:
        self._work = _Work(gone)
        self._uploads = 0
        self._end = weakref.finalize(self, _end, self._work)
        self._end.atexit = False  # _end_all does it, and waits

    @property
    def status(self) -> Status:
        """What it is at."""
        stopping = self.is_working and self._work.cancel.is_set()
        return "stopping" if stopping else self._work.status

    @property
    def is_working(self) -> bool:
        """Whether its thread runs."""
        return self._work.busy

    @property
    def state(self) -> BatchState:
        """How far it is."""
        return self._work.state

    @property
    def found(self) -> int:
        """Recordings found so far on the server."""
        return self._work.found

    @property
    def fetched(self) -> float | None:
        """Share of the weights for words that is downloaded, in [0, 1]; None when nothing is fetched."""
        return self._work.fetched

    @property
    def summary(self) -> BatchSummary | None:
        """What came of the last run; None before its end."""
        return self._work.summary

    @property
    def error(self) -> str:
        """Why it failed; empty unless it did."""
        return self._work.error

    @property
    def plan(self) -> Plan:
        """What it does."""
        return self._work.plan

    @property
    def output(self) -> Path:
        """Where its results are."""
        return self._work.output()

    @property
    def uploads(self) -> int:
        """How many recordings were added."""
        return self._uploads

    def add(self, name: str, content: bytes) -> None:
        """Add an uploaded recording, in a folder of its own under a name that any file system takes."""
        self._uploads += 1
        folder = self._work.folder() / "recordings" / f"{self._uploads:06d}"
        folder.mkdir(parents=True)
        (folder / file_name(name)).write_bytes(content)

    def start(self, plan: Plan) -> None:
        """Begin, or go on with what is missing."""
        if self.is_working:
            return
        work = self._work
        work.plan = plan
        work.error, work.summary, work.found, work.fetched = "", None, 0, None
        work.state = BatchState(0)
        work.cancel.clear()
        work.status, work.busy = "waiting", True
        work.thread = threading.Thread(target=work.conduct, name="blipper-batch", daemon=True)
        work.thread.start()

    def stop(self) -> None:
        """Stop after what is being written; a later start goes on from there."""
        self._work.cancel.set()

    def delete(self) -> None:
        """Stop, and delete everything but results that the user keeps."""
        self._end()

    def may_open(self, path: str | Path) -> bool:
        """Return whether a file is this batch's own or lies below the root, wherever links lead.

        Results kept on the server may come from another batch, of recordings that nobody opened to visitors.
        """
        allowed = [self._work.home, self.plan.root.path if self.plan.root is not None else None]
        try:
            real = Path(path).resolve()
        except (OSError, RuntimeError, ValueError):
            return False
        return any(place is not None and real.is_relative_to(place.resolve()) for place in allowed)

    @property
    def end_with_session(self) -> Callable[[], None]:
        """A function that deletes this batch and does not refer to it."""
        return functools.partial(_end, self._work)

    def shown(self, path: str) -> str:
        """Return a recording's name for people: as uploaded, or relative to the root."""
        pure = PurePath(path)
        if self._work.home is not None and self._work.home in pure.parents:
            return pure.name
        root = self.plan.root
        return str(pure.relative_to(root.path)) if root is not None and root.path in pure.parents else path


def current() -> Batch:
    """Return this session's batch; an empty one at first."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Batch(session_gone())
        at_session_end(st.session_state[_KEY].end_with_session)
    held: Batch = st.session_state[_KEY]
    return held


def forget() -> None:
    """Stop this session's batch and delete its files."""
    held = st.session_state.pop(_KEY, None)
    if held is not None:
        held.delete()
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1  # empties the upload widget
    for key in (TAKEN, "blipper_batch_drawn", "blipper_batch_opened"):
        st.session_state.pop(key, None)


def file_name(name: str) -> str:
    """Return an upload's name without folders and characters that a file system could trip over."""
    base = PurePath(printable(name).replace("\\", "/")).name
    safe = "".join("_" if char in '<>:"/\\|?*' else char for char in base).strip(" .")
    stem, suffix = PurePath(safe).stem, PurePath(safe).suffix[:12]
    stem = stem.encode("utf-8", "ignore")[:150].decode("utf-8", "ignore")
    return (stem or "recording") + suffix.encode("utf-8", "ignore").decode("utf-8", "ignore")
