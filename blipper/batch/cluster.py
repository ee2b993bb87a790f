"""The workers of a Ray cluster, behind the same face as the pool of one machine.

Each actor is a pool of one worker: it watches the process that does the work, so that on every machine a
recording costs at most itself. Paths go out and results come back; only the machine that started the batch
writes. What an actor was at when its machine was lost is handed to another one.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from blipper.batch import process
from blipper.batch.pool import Pool
from blipper.batch.state import BatchLimits
from blipper.batch.work import Outcome, Task, failed
from blipper.errors import BatchError, BlipperError

#: Seconds to wait for something to be done.
_GLANCE: Final = 0.05

#: Seconds without a single actor that is ready, after which the cluster counts as lost.
_LOST: Final = 300.0

#: Seconds in which a cluster has to answer.
_KNOCK: Final = 10.0

#: Machines that a recording may lose before it is given up.
_LOSSES: Final = 3

_PACKAGE: Final = str(Path(__file__).resolve().parent.parent.parent)


class Supervisor:
    """What runs as a Ray actor: one worker process and its watcher."""

    def __init__(
        self, setup: Mapping[str, Any], model_sha256: str, limits: Mapping[str, Any], module: str
    ) -> None:
        pool = Pool(setup, model_sha256, 1, BatchLimits(**limits), threads=1, module=module)
        self._pool = pool.__enter__()

    def ready(self) -> str:
        """Wait for the worker and return this machine's version of Blipper."""
        from blipper import __version__

        while not self._pool.free:
            self._pool.wait()
        return __version__

    def work(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Do one recording; see :func:`blipper.batch.work.work`."""
        while not self._pool.free:  # a new worker loads its model after one was killed
            self._pool.wait()
        self._pool.submit(Task(**task))
        while not (outcomes := self._pool.wait()):
            pass
        return asdict(outcomes[0])


class RayCluster:
    """Workers on a Ray cluster. Use it in one thread, as a context manager.

    Parameters
    ----------
    setup, model_sha256, limits
        As :class:`blipper.batch.pool.Pool` takes them; ``output`` is None.
    workers : int, optional
        Actors; one for each of the cluster's CPUs unless given.
    address : str, optional
        A cluster of this machine is started unless given.

    Raises
    ------
    BatchError
        If Ray is not installed, or the cluster does not answer.
    """

    def __init__(
        self,
        setup: Mapping[str, Any],
        model_sha256: str,
        workers: int | None,
        limits: BatchLimits,
        address: str | None,
    ) -> None:
        # Nothing of what is analysed here is anybody's business.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise BatchError(
                "the engine 'ray' needs the package ray (pip install -r requirements-ray.txt)"
            ) from error
        self._ray: Any = ray
        self._arguments = (dict(setup), model_sha256, asdict(limits), process.WORKER)
        self._workers = workers
        self._address = address
        self._started = False
        self._actors: list[Any] = []
        self._greetings: dict[Any, Any] = {}
        self._free: list[Any] = []
        self._at_work: dict[Any, tuple[Any, Task]] = {}
        self._again: deque[Task] = deque()
        self._losses: Counter[str] = Counter()
        self._last_life = time.monotonic()

    def __enter__(self) -> RayCluster:
        """Connect, and ask for actors; those that find no room wait for it."""
        if not self._ray.is_initialized():
            self._connect()
        count = self._workers or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        for _ in range(count):
            self._hire()
        self._last_life = time.monotonic()
        return self

    def __exit__(self, *details: object) -> None:
        """End the actors, whose workers end with them, and let go of the cluster."""
        for actor in self._actors:
            self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()

    @property
    def is_ready(self) -> bool:
        """Whether an actor has its model."""
        return bool(self._free or self._at_work)

    @property
    def free(self) -> int:
        """How many actors wait for a recording, beyond those that lost ones go to."""
        return max(0, len(self._free) - len(self._again))

    @property
    def busy(self) -> int:
        """How many recordings are being worked on, or wait to be, after their machine was lost."""
        return len(self._at_work) + len(self._again)

    def submit(self, task: Task) -> None:
        """Hand a recording to an actor that waits; there must be one."""
        actor = self._free.pop(0)
        self._at_work[actor.work.remote(asdict(task))] = (actor, task)

    def wait(self) -> list[Outcome]:
        """Return what has been done meanwhile.

        Raises
        ------
        BatchError
            If no machine of the cluster answers any more, or one has another Blipper.
        ModelError
            If the model cannot be loaded on a machine, or is another one there.
        """
        while self._again and self._free:
            self.submit(self._again.popleft())
        pending = [*self._greetings, *self._at_work]
        done, _ = self._ray.wait(pending, num_returns=len(pending), timeout=_GLANCE) if pending else ([], [])
        outcomes = []
        for reference in done:
            if reference in self._greetings:
                self._greet(reference)
            else:
                outcomes += self._finish(reference)
        if self.is_ready:
            self._last_life = time.monotonic()
        elif time.monotonic() - self._last_life > _LOST:
            raise BatchError(
                f"the cluster has had no worker ready for {_LOST:.0f} s; what is done stays done, and "
                "the same command goes on from there"
            )
        return outcomes

    def _connect(self) -> None:
        if self._address is not None:
            _knock(self._address)
        try:
            # Without an address Ray would look for a cluster in the environment and on this machine.
            alone: dict[str, Any] = {"include_dashboard": False, "num_cpus": self._workers}
            self._ray.init(
                address=self._address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if self._address else alone),
            )
        except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
            raise BatchError(f"Ray at {self._address or 'this machine'} does not answer: {error}") from error
        self._started = True

    def _hire(self) -> None:
        actor = (
            self._ray.remote(Supervisor)
            .options(
                num_cpus=1,
                # A checkout's own package on this machine; elsewhere Blipper has to be installed.
                runtime_env={"env_vars": {"PYTHONPATH": _PACKAGE, "RAY_USAGE_STATS_ENABLED": "0"}},
            )
            .remote(*self._arguments)
        )
        self._actors.append(actor)
        self._greetings[actor.ready.remote()] = actor

    def _greet(self, reference: Any) -> None:
        from blipper import __version__

        actor = self._greetings.pop(reference)
        version = self._get(reference, actor)
        if version is None:
            return
        if version != __version__:
            raise BatchError(f"a machine of the cluster has Blipper {version}, this one {__version__}")
        self._free.append(actor)

    def _finish(self, reference: Any) -> list[Outcome]:
        actor, task = self._at_work.pop(reference)
        found = self._get(reference, actor)
        if found is not None:
            self._free.append(actor)
            return [Outcome(**found)]
        self._losses[task.path] += 1
        if self._losses[task.path] < _LOSSES:
            self._again.append(task)
            return []
        message = f"{task.path}: its machine or actor was lost {_LOSSES} times"
        return [failed(task.path, "crash", message)]

    def _get(self, reference: Any, actor: Any) -> Any:
        """Return what an actor answered, or None if it was lost, and hire another one then."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, BlipperError):
                raise type(cause)(str(cause)) from error
            raise BatchError(f"a worker of the cluster failed: {cause!r}") from error
        except errors.RayError:  # the actor, its machine, or the answer on the way was lost
            self._actors.remove(actor)
            self._ray.kill(actor)
            self._hire()
            return None


def _knock(address: str) -> None:
    """Raise if nobody listens at an address: Ray itself would try for many minutes.

    Raises
    ------
    BatchError
        If the address is none, or nobody answers.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if address in ("auto", "local"):
        return
    if not host or not port.isdigit():
        raise BatchError(f"{address!r} is no address of a Ray cluster; accepted are HOST:PORT and 'auto'")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
    except OSError as error:
        raise BatchError(f"Ray at {address} does not answer: {error}") from error
