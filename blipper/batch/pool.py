"""The pool on one machine: workers that are fed, watched, and replaced when a recording kills one."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Mapping
from typing import Any, Final

from blipper.batch import places, process
from blipper.batch.process import Message, WorkerProcess
from blipper.batch.state import BatchLimits
from blipper.batch.work import Outcome, Task, failed
from blipper.errors import BatchError, ModelError

#: Seconds between two looks at the workers' memory and time.
_GLANCE: Final = 0.05

#: Seconds that a worker may take to load its model.
_START: Final = 300.0

#: Workers that may end in a row without one becoming ready.
_STILLBORN: Final = 3


class Pool:
    """Worker processes on this machine. Use it in one thread, as a context manager.

    Parameters
    ----------
    setup : mapping
        ``model`` (name), ``settings`` (plain values) and ``output`` (folder, or None to get results back).
    model_sha256 : str
        What the workers' model must be.
    workers : int
    limits : BatchLimits
    threads : int, optional
        Of each worker; together they fill the cores unless given.
    module : str, optional
        What a worker runs; :data:`blipper.batch.process.WORKER` unless given.
    """

    def __init__(
        self,
        setup: Mapping[str, Any],
        model_sha256: str,
        workers: int,
        limits: BatchLimits,
        *,
        threads: int | None = None,
        module: str | None = None,
    ) -> None:
        self._setup = setup
        self._sha256 = model_sha256
        self._limits = limits
        self._threads = threads or max(1, (os.cpu_count() or 1) // workers)
        self._module = module or process.WORKER
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._stillborn = 0
        self._size = workers

    def __enter__(self) -> Pool:
        """Start the workers."""
        try:
            for _ in range(self._size):
                self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *details: object) -> None:
        """Kill the workers: what they were at is done again by the next run."""
        self._end()

    @property
    def is_ready(self) -> bool:
        """Whether a worker has its model."""
        return any(worker.is_ready for worker in self._workers)

    @property
    def free(self) -> int:
        """How many workers wait for a recording."""
        return sum(worker.is_free for worker in self._workers)

    @property
    def busy(self) -> int:
        """How many recordings are being worked on."""
        return sum(worker.task is not None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Hand a recording to a worker that waits; there must be one."""
        next(worker for worker in self._workers if worker.is_free).give(task)

    def wait(self) -> list[Outcome]:
        """Watch the workers for a moment and return what has been done.

        Raises
        ------
        BatchError
            If workers end before they are ready, or need more memory than the limit before any work.
        ModelError
            If the model cannot be loaded, or is not the one that it was.
        """
        outcomes = []
        try:
            outcomes += self._take(*self._messages.get(timeout=_GLANCE))
            while True:
                outcomes += self._take(*self._messages.get_nowait())
        except queue.Empty:
            pass
        for worker in self._workers:
            worker.watch(self._limits)
            if not worker.is_ready and time.monotonic() - worker.since > _START:
                raise BatchError(f"a worker was not ready after {_START:.0f} s{self._said(worker)}")
        return outcomes

    def _take(self, worker: WorkerProcess, message: dict[str, Any] | None) -> list[Outcome]:
        if message is None:
            return self._bury(worker)
        if "unusable" in message:
            raise ModelError(message["unusable"])
        if "ready" in message:
            self._greet(worker, message["ready"])
            return []
        worker.task = None  # condemned meanwhile or not, this one is done
        worker.trim()
        return [Outcome(**message["outcome"])]

    def _greet(self, worker: WorkerProcess, sha256: str) -> None:
        if sha256 != self._sha256:
            raise ModelError(f"the model {self._setup['model']!r} was changed while the batch was starting")
        used = worker.resident()
        if used >= self._limits.memory:
            raise BatchError(
                f"a worker needs {used / 2**20:,.0f} MiB before any recording; the memory limit of "
                f"{self._limits.memory / 2**20:,.0f} MiB leaves no room"
            )
        worker.is_ready, self._stillborn = True, 0

    def _bury(self, worker: WorkerProcess) -> list[Outcome]:
        how = worker.obituary()
        self._workers.remove(worker)
        said = self._said(worker)
        if not worker.is_ready:
            self._stillborn += 1
            if self._stillborn >= _STILLBORN:
                raise BatchError(f"workers do not start: {how}{said}")
        self._start()
        if worker.task is None:
            return []
        path = worker.task.path
        reason, message = worker.verdict or ("crash", how)
        return [failed(path, reason, f"{path}: {message}", stamp=places.stamp(path))]

    def _said(self, worker: WorkerProcess) -> str:
        text = worker.end()
        return f"; it said: {text.splitlines()[-1]}" if text else ""

    def _start(self) -> None:
        self._workers.append(WorkerProcess(self._setup, self._module, self._threads, self._messages))

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.end()
        self._workers.clear()
