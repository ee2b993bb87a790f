"""One worker a process: analyses run one after the other in the background, and the page polls.

Nothing here knows Streamlit. A :class:`Job` is handed to the :class:`Worker`; pages read the job's
status and fraction from their own thread and take its result when it is there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar

from blipper.errors import BlipperError, Cancelled
from blipper.progress import Progress

Result = TypeVar("Result")
Status = Literal["waiting", "running", "done", "failed", "cancelled"]

logger = logging.getLogger(__name__)

#: Seconds between two questions whether anybody still waits for a job.
_ABANDON_INTERVAL = 1.0


class Job(Generic[Result]):
    """A piece of work that reports its progress and can be cancelled.

    Parameters
    ----------
    work : callable
        ``work(progress) -> Result``, called once in the worker's thread. It lets
        :class:`blipper.errors.Cancelled`, which `progress` raises, through.
    abandoned : callable, optional
        Says whether nobody waits for the result any more; asked about once a second.

    Attributes
    ----------
    status : {"waiting", "running", "done", "failed", "cancelled"}
    step : str
        The step last reported.
    fraction : float
        How far that step has come, in [0, 1].
    error : str
        Why it failed, for people; empty unless `status` is ``"failed"``.
    seconds : float
        How long the work took, once it is over.
    """

    def __init__(
        self, work: Callable[[Progress], Result], abandoned: Callable[[], bool] = lambda: False
    ) -> None:
        self._work: Callable[[Progress], Result] | None = work
        self._abandoned = abandoned
        self._asked = 0.0
        self._cancel = threading.Event()
        self._result: Result | None = None
        self.status: Status = "waiting"
        self.step = ""
        self.fraction = 0.0
        self.error = ""
        self.seconds = 0.0

    @property
    def over(self) -> bool:
        """Whether the job has come to an end, whichever."""
        return self.status in ("done", "failed", "cancelled")

    @property
    def result(self) -> Result:
        """What the work returned; only for a job that is done."""
        if self.status != "done":
            raise RuntimeError(f"a job that is {self.status} has no result; ask once it is done")
        return self._result  # type: ignore[return-value]

    def cancel(self) -> None:
        """Stop the work at its next report, or before it begins."""
        self._cancel.set()
        if self.status == "waiting":
            self._end("cancelled")

    def progress(self, step: str, completed: float, total: float) -> None:
        """Take a report from the work; raise Cancelled when it is no longer wanted."""
        now = time.monotonic()
        if now - self._asked >= _ABANDON_INTERVAL:
            self._asked = now
            if self._abandoned():
                self._cancel.set()
        if self._cancel.is_set():
            raise Cancelled(f"stopped while at {step}")
        self.step = step
        self.fraction = min(1.0, max(0.0, completed / total)) if total > 0 else 0.0

    def run(self) -> None:
        """Do the work and keep its outcome; called by the worker."""
        work = self._work
        if self.over or work is None:
            return
        self.status = "running"
        started = time.monotonic()
        try:
            self.progress("start", 0, 1)
            self._result = work(self.progress)
            outcome: Status = "done"
        except Cancelled:
            outcome = "cancelled"
        except BlipperError as error:
            self.error = str(error)
            outcome = "failed"
        except MemoryError:
            self.error = "there is not enough memory left on this machine for this recording"
            outcome = "failed"
        except Exception as error:  # a defect must neither hide nor stop the queue
            logger.exception("a job failed unexpectedly")
            self.error = (
                f"an unexpected fault in Blipper ({type(error).__name__}: {error}); details are in its log"
            )
            outcome = "failed"
        self.seconds = time.monotonic() - started
        self._end(outcome)

    def _end(self, status: Status) -> None:
        self._work = None  # lets go of the uploaded bytes
        self.status = status


class Worker:
    """A daemon thread that runs one job at a time, in the order in which they came.

    Parameters
    ----------
    warm_up : callable, optional
        Called once in the thread before the first job; an error in it is logged, since the first job
        meets the same error and tells the user.
    """

    def __init__(self, warm_up: Callable[[], object] | None = None) -> None:
        self._jobs: deque[Job[Any]] = deque()
        self._running: Job[Any] | None = None
        self._changed = threading.Condition()
        self._warm_up = warm_up
        self.warm = threading.Event()
        threading.Thread(target=self._run, name="blipper-analysis", daemon=True).start()

    def submit(self, job: Job[Any]) -> None:
        """Put a job at the end of the queue."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def ahead_of(self, job: Job[Any]) -> int:
        """Return how many jobs come before one that waits, the running one included."""
        with self._changed:
            waiting = [other for other in self._jobs if not other.over]
            running = int(self._running is not None)
            return waiting.index(job) + running if job in waiting else 0

    def _run(self) -> None:
        if self._warm_up is not None:
            try:
                self._warm_up()
            except Exception:  # whatever it is, the first job meets it again and tells the user
                logger.exception("the model could not be loaded in advance")
        self.warm.set()
        while True:
            with self._changed:
                self._running = None
                self._changed.wait_for(lambda: bool(self._jobs))
                job = self._running = self._jobs.popleft()
            job.run()
            del job  # else the last result stays alive until the next job comes
