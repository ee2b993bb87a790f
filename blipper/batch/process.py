"""One worker process as its parent sees it: started, fed, watched, killed."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import psutil

from blipper.batch.state import BatchLimits, Reason
from blipper.batch.work import Task

#: The module that a worker runs.
WORKER = "blipper.batch.worker"

#: Bytes of a worker's standard error that are kept; libraries' warnings about a recording each add up.
_ERROR_BYTES: Final = 1 << 20

_PACKAGE: Final = Path(__file__).resolve().parent.parent.parent

Message = tuple["WorkerProcess", dict[str, Any] | None]


class WorkerProcess:
    """A running worker.

    Parameters
    ----------
    setup : mapping
        Model, settings and output, as :mod:`blipper.batch.worker` takes them.
    module : str
        :data:`WORKER`.
    threads : int
        Threads that its libraries may use.
    messages : queue.SimpleQueue
        Gets ``(this, message)`` for all that the worker says, and ``(this, None)`` when it has ended.
    """

    def __init__(
        self, setup: Mapping[str, Any], module: str, threads: int, messages: queue.SimpleQueue[Message]
    ) -> None:
        self.task: Task | None = None
        self.since = time.monotonic()
        self.is_ready = False
        self.verdict: tuple[Reason, str] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed by end())
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(threads),
            start_new_session=True,  # Ctrl-C in a terminal is for the parent alone
        )
        self._watched = psutil.Process(self._process.pid)
        self._reader = threading.Thread(target=self._read, args=(messages,), daemon=True)
        self._reader.start()
        self._write(setup)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_free(self) -> bool:
        """Whether it waits for a recording."""
        return self.is_ready and self.task is None and self.verdict is None

    def give(self, task: Task) -> None:
        """Hand over a recording."""
        self.task, self.since, self.verdict = task, time.monotonic(), None
        self._write(asdict(task))

    def resident(self) -> int:
        """Return its resident memory in bytes; 0 if it has ended."""
        try:
            return int(self._watched.memory_info().rss)
        except psutil.Error:
            return 0

    def watch(self, limits: BatchLimits) -> None:
        """Kill the process if its recording costs more than the limits allow."""
        if self.task is None or self.verdict is not None:
            return
        if (spent := time.monotonic() - self.since) > limits.seconds:
            self.condemn(
                "time", f"stopped after {spent:.0f} s; the limit is {limits.seconds:g} s a recording"
            )
        elif (used := self.resident()) > limits.memory:
            allowed = limits.memory / 2**20
            self.condemn(
                "memory", f"stopped at {used / 2**20:,.0f} MiB of memory; the limit is {allowed:,.0f} MiB"
            )

    def condemn(self, reason: Reason, message: str) -> None:
        """Kill the process over its recording; its end comes as a message."""
        self.verdict = (reason, message)
        self.kill()

    def kill(self) -> None:
        """Kill the process."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def end(self) -> str:
        """Reap the process and let go of everything; return what it wrote to standard error last."""
        self.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        text = self._tail()
        self._errors.close()
        return text

    def obituary(self) -> str:
        """Say how the process ended."""
        code = self._process.wait()
        if code >= 0:
            return f"the worker ended with exit code {code}"
        killed = " (perhaps the system ran out of memory)" if code == -9 else ""
        return f"the worker was ended by signal {-code}{killed}"

    def trim(self) -> None:
        """Keep what the libraries say from growing without end."""
        if os.fstat(self._errors.fileno()).st_size > _ERROR_BYTES:
            self._errors.truncate(0)
            self._errors.seek(0)

    def _tail(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-4000:].decode("utf-8", "replace").strip()

    def _write(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with contextlib.suppress(OSError):  # it has ended, which comes as a message
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _read(self, messages: queue.SimpleQueue[Message]) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError):  # the pipe breaks, or a killed worker's line with it
            for line in pipe:
                messages.put((self, json.loads(line)))
        messages.put((self, None))


#: Bytes of freed memory that a worker keeps for itself.
_KEPT: Final = 64 << 20


def _environment(threads: int) -> dict[str, str]:
    """Return the worker's environment: this very package, and so many threads."""
    paths = [str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return {
        **os.environ,
        **dict.fromkeys(names, str(threads)),
        "TF_NUM_INTEROP_THREADS": "1",
        # glibc: keep what blocks of samples were in for the next ones, which saves clearing new pages.
        "MALLOC_MMAP_THRESHOLD_": str(_KEPT),
        "MALLOC_TRIM_THRESHOLD_": str(_KEPT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",  # two processes on one GPU would each take all of its memory
        "PYTHONPATH": os.pathsep.join(paths),
    }
