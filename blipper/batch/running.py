"""The conductor of a batch: find, claim, hand out, record, and sum up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from blipper.batch import places, words
from blipper.batch.finding import find
from blipper.batch.manifest import Manifest
from blipper.batch.pool import Pool
from blipper.batch.remarking import remark
from blipper.batch.state import BatchLimits, BatchState, BatchSummary, Failure
from blipper.batch.table import prepare, write_tables
from blipper.batch.work import Outcome, Task
from blipper.errors import BatchError, Cancelled, SettingsError
from blipper.progress import Progress, silent
from blipper.settings import Settings

#: Recordings claimed at a time, beside one a worker: few, so that batches side by side share evenly.
_CLAIMED: Final = 16

#: Seconds between two copies of the table, at least, and their share of the time, at most.
_TABLE_SECONDS, _TABLE_SHARE = 10.0, 0.005

#: Seconds between two looks at what other runs are at, and at the workers while there is much to pass over.
_LOOK: Final = 0.5

#: Seconds between two signs of life.
_BEAT: Final = 20.0


class Engine(Protocol):
    """What works on recordings: :class:`blipper.batch.pool.Pool`, or a cluster."""

    @property
    def is_ready(self) -> bool:
        """Whether a worker has its model."""

    @property
    def free(self) -> int:
        """How many workers wait for a recording."""

    @property
    def busy(self) -> int:
        """How many recordings are being worked on."""

    def submit(self, task: Task) -> None:
        """Hand a recording to a worker that waits."""

    def wait(self) -> list[Outcome]:
        """Watch the workers for a moment and return what has been done."""


def run(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    settings: Settings | None = None,
    model: str = "auto",
    engine: str = "local",
    address: str | None = None,
    workers: int | None = None,
    limits: BatchLimits | None = None,
    retry: bool = False,
    verify: bool = False,
    progress: Progress = silent,
    report: Callable[[BatchState], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> BatchSummary:
    """Analyse many recordings.

    What an earlier run has done with the same content, models and settings is left as it is; where nothing
    but threshold, surroundings and balance differ, events are marked anew from the kept result. It needs
    neither the main thread nor signals; ending the process at any moment loses and doubles nothing.

    Parameters
    ----------
    paths : path, str, or iterable of these
        Recordings, folders, patterns and addresses that fsspec reads (``s3://bucket/calls``).
    output : path
        A folder of this machine, made if needed.
    settings : Settings, optional
        A transcript is written by an engine, not taken from a file; ``"auto"`` is decided here, for all.
    model : str, optional
        Name of an installed model.
    engine : {"local", "ray"}
        Worker processes of this machine, or of the machines of a Ray cluster, each of which has Blipper
        installed and reads the recordings under the same paths or addresses.
    address : str, optional
        Of the Ray cluster; one of this machine alone unless given.
    workers : int, optional
        One a core unless given.
    limits : BatchLimits, optional
        What one recording may cost; :meth:`BatchLimits.usual` unless given.
    retry : bool
        Try again what an earlier run gave up: refused, too long, too much memory.
    verify : bool
        Hash every recording, also those whose size and times have not changed.
    progress : Progress, optional
        Told the steps ``"find"`` and ``"files"``, in recordings, and ``"download"`` in bytes.
    report : callable, optional
        Told the whole :class:`BatchState` after each recording and about once a second.
    cancelled : callable, optional
        Asked about 20 times a second; True stops the batch, whose summary then says so.

    Returns
    -------
    BatchSummary

    Raises
    ------
    BatchError
        If the output cannot be written, another batch with other settings is at it, workers do not start, or
        the cluster is lost.
    ModelError
        If a model is missing or damaged, or weights for words can't be had.
    SettingsError
        If an argument is outside its domain.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    if engine not in ("local", "ray"):
        raise SettingsError(f"the engine is {engine!r}, expected 'local' or 'ray'")
    if address is not None and engine != "ray":
        raise SettingsError(f"address {address!r} is a Ray cluster's; it needs the engine 'ray'")
    if workers is not None and not 1 <= workers <= 4096:
        raise SettingsError(f"workers is {workers}, expected 1 to 4096")
    if places.is_remote(os.fspath(output)):
        raise SettingsError(
            f"output {os.fspath(output)}: results go to a folder of this machine or a mounted one, since the "
            "manifest needs file locks; copy it from there"
        )
    from blipper.voice.models import find_model, read_config
    from blipper.voice.weights import CONFIG

    settings = words.decided(settings or Settings())
    limits = limits or BatchLimits.usual(settings.transcript)
    folder = find_model(model)
    sha256 = str(read_config(folder / CONFIG)["sha256"])
    target = _output_folder(Path(output))
    spoken = words.digest(settings, progress)
    models = sha256 if spoken is None else hashlib.sha256(f"{sha256}/{spoken}".encode()).hexdigest()

    setup = {"model": folder.name, "settings": settings.to_dict(), "words": spoken, "output": str(target)}
    pool: contextlib.AbstractContextManager[Engine]
    if engine == "ray":
        from blipper.batch.cluster import RayCluster

        pool = RayCluster(setup | {"output": None}, sha256, workers, limits, address)
    else:
        pool = Pool(setup, sha256, workers or os.cpu_count() or 1, limits)
    described = json.dumps(settings.to_dict(), sort_keys=True)
    with Manifest(target, models, hashlib.sha256(described.encode()).hexdigest()) as manifest:
        if manifest.alone:
            _sweep(target)
        batch = _Batch(
            *(manifest, target, sha256, settings, progress, report, cancelled), retry=retry, verify=verify
        )
        return batch.run(paths, pool)


class _Batch:
    """One run's course; everything that changes while it goes on."""

    def __init__(
        self,
        manifest: Manifest,
        output: Path,
        model_sha256: str,
        settings: Settings,
        progress: Progress,
        report: Callable[[BatchState], None] | None,
        cancelled: Callable[[], bool] | None,
        *,
        retry: bool,
        verify: bool,
    ) -> None:
        self._manifest = manifest
        self._output = output
        self._model_sha256 = model_sha256
        self._settings = settings
        self._progress = progress
        self._tell = report
        self._cancelled = cancelled
        self._retry = retry
        self._verify = verify
        self._state = BatchState(0)
        self._failures: list[Failure] = []
        self._todo: deque[str] = deque()
        self._claimed: deque[Task] = deque()
        self._elsewhere: list[str] = []
        self._sizes: dict[str, int] = {}
        self._begin: float | None = None
        self._next_table = time.monotonic() + _TABLE_SECONDS
        self._next_beat = time.monotonic() + _BEAT
        self._next_report = self._next_look = 0.0
        self._table_seconds = 0.0

    def run(
        self,
        paths: Iterable[str | os.PathLike[str]],
        pool: contextlib.AbstractContextManager[Engine],
    ) -> BatchSummary:
        stopped = False
        try:
            self._find(paths)
            self._claim()
            if self._claimed or self._elsewhere:
                with pool as engine:
                    stopped = self._work(engine)
        except BaseException as error:
            if not isinstance(error, BatchError):  # whatever it was, the table shows what has been done
                self._copy_table()
            if isinstance(error, Cancelled) and self._is_cancelled():
                stopped = True
            else:
                raise
        else:
            self._copy_table()
        self._report(force=True)
        spent = self._manifest.spent + self._table_seconds
        return BatchSummary(self._output, self._state, tuple(self._failures), stopped, spent)

    def _find(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        def nothing(path: str, message: str) -> None:
            self._failures.append(Failure(path, "error", message))
            self._state = replace(self._state, failed=self._state.failed + 1, total=self._state.total + 1)

        found: list[tuple[int, str]] = []
        for path in find(paths, self._output, nothing):
            found.append((places.size(path), path))
            if len(found) % 100 == 1:
                self._stop_if_cancelled()
                self._progress("find", len(found), len(found))
        # The largest first, or one worker would be at the last of them while all others have nothing to do.
        found.sort(key=lambda one: -one[0])
        self._todo.extend(path for _, path in found)
        weight = sum(size for size, _ in found)
        total = self._state.total + len(self._todo)
        self._state = replace(self._state, total=total, bytes_total=weight)
        self._progress("find", len(self._todo), len(self._todo))

    def _work(self, engine: Engine) -> bool:
        """Work until nothing is left; return whether it was cancelled."""
        prepare()
        while self._claimed or self._todo or self._elsewhere or engine.busy:
            if self._is_cancelled():
                return True
            if len(self._claimed) < engine.free:
                self._claim(engine.free)
            while self._claimed and engine.free:
                engine.submit(self._claimed.popleft())
            for outcome in engine.wait():
                self._settle(outcome)
            if self._begin is None and engine.is_ready:
                self._begin = time.monotonic()
            self._keep_up()
        return False

    def _claim(self, wanted: int = 0) -> None:
        """Claim the next recordings, passing over what is done, until there are enough or none are left."""
        begin = time.monotonic()
        while len(self._claimed) < max(1, wanted):
            if not self._todo:
                # What another run is at comes last: it is done by then, or that run is dead and it is ours.
                if not self._elsewhere or time.monotonic() < self._next_look:
                    return
                self._next_look = time.monotonic() + _LOOK
                self._todo.extend(self._elsewhere)
                self._elsewhere.clear()
            part = [self._todo.popleft() for _ in range(min(len(self._todo), _CLAIMED + wanted))]
            stamps = [None if self._verify else places.stamp(path) for path in part]
            verdicts = self._manifest.claim(list(zip(part, stamps, strict=True)), retry=self._retry)
            for path, stamp, verdict in zip(part, stamps, verdicts, strict=True):
                if verdict == "ours":
                    if not self._mark_anew(path, stamp):
                        self._take(path)
                elif verdict == "elsewhere":
                    self._elsewhere.append(path)
                elif verdict == "done":
                    self._state = replace(self._state, unchanged=self._state.unchanged + 1)
                    self._leave_out(path)
                else:
                    reason, message = self._manifest.failure(path)
                    self._fail(path, reason, message)
                    self._leave_out(path)
            self._stop_if_cancelled()
            self._keep_up()
            if wanted and time.monotonic() - begin > _LOOK:  # the workers have to be watched meanwhile
                return

    def _mark_anew(self, path: str, stamp: str | None) -> bool:
        """Mark a kept result's events at another threshold, if that is all that has changed; say whether."""
        earlier = self._manifest.earlier(path)
        if earlier is None:
            return False
        kept_stamp, kept_sha256, result = earlier
        before = places.stamp(path)
        if (stamp is None or stamp != kept_stamp) and not _holds(path, kept_sha256):
            return False
        marked = remark(result, self._model_sha256, self._settings)
        if marked is None:
            return False
        document, values = marked
        name = str(result.relative_to(self._output))
        self._write(Outcome(path, {"result": name}, document))
        self._manifest.record(path, values | {"stamp": before, "result": name})
        self._state = replace(self._state, remarked=self._state.remarked + 1)
        self._leave_out(path)
        return True

    def _take(self, path: str) -> None:
        self._sizes[path] = places.size(path)
        self._claimed.append(Task(path, self._manifest.known_sha256(path)))

    def _leave_out(self, path: str) -> None:
        """Take what needs no work out of the estimate of the time left."""
        left = max(0, self._state.bytes_total - places.size(path))
        self._state = replace(self._state, bytes_total=left)

    def _settle(self, outcome: Outcome) -> None:
        """Write down what came of a recording: first its result, then its row."""
        if outcome.fatal is not None:
            raise BatchError(
                f"{outcome.fatal}; what is done stays done, and the same command goes on from there"
            )
        if outcome.document is not None:
            self._write(outcome)
        stands = self._manifest.record(outcome.path, outcome.values)
        size = self._sizes.pop(outcome.path, 0)
        self._state = replace(self._state, bytes_done=self._state.bytes_done + size)
        if outcome.failed:
            self._fail(outcome.path, outcome.values["reason"], outcome.values["error"])
        elif "status" in outcome.values and stands:
            seconds = self._state.audio_seconds + outcome.values["duration"]
            self._state = replace(self._state, analyzed=self._state.analyzed + 1, audio_seconds=seconds)
        else:
            self._state = replace(self._state, unchanged=self._state.unchanged + 1)
        self._report(force=True)

    def _write(self, outcome: Outcome) -> None:
        from blipper.export.files import write_atomically

        target = self._output / outcome.values["result"]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, outcome.document or "")
        except OSError as error:
            raise BatchError(f"{target}: cannot be written ({error.strerror or error})") from error

    def _fail(self, path: str, reason: str, message: str) -> None:
        from blipper.batch.manifest import shown

        self._failures.append(Failure(shown(path), reason, message))  # type: ignore[arg-type]  # from SQLite
        self._state = replace(self._state, failed=self._state.failed + 1)

    def _keep_up(self) -> None:
        now = time.monotonic()
        if now >= self._next_beat:
            self._manifest.beat()
            self._next_beat = now + _BEAT
        if now >= self._next_table:
            self._copy_table()
        self._report()

    def _copy_table(self) -> None:
        before = time.perf_counter()
        spent = self._manifest.spent
        write_tables(self._manifest, self._output)
        took = time.perf_counter() - before
        self._table_seconds += max(0.0, took - (self._manifest.spent - spent))
        self._next_table = time.monotonic() + max(_TABLE_SECONDS, took / _TABLE_SHARE)

    def _report(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now < self._next_report:
            return
        self._next_report = now + 1.0
        elapsed = 0.0 if self._begin is None else now - self._begin
        self._state = replace(self._state, elapsed=elapsed)
        self._progress("files", self._state.completed, self._state.total)
        if self._tell is not None:
            self._tell(self._state)

    def _is_cancelled(self) -> bool:
        return self._cancelled is not None and self._cancelled()

    def _stop_if_cancelled(self) -> None:
        if self._is_cancelled():
            raise Cancelled("the batch was stopped")


def _holds(path: str, sha256: str | None) -> bool:
    """Return whether a file of this machine has this content; an address is not fetched to find out."""
    try:
        return not places.is_remote(path) and places.sha256(Path(path)) == sha256
    except OSError:  # whoever analyses it will say
        return False


def _output_folder(output: Path) -> Path:
    if output.exists() and not output.is_dir():
        raise SettingsError(f"output {output}: is a file; a folder is needed")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(f"{output}: cannot be made ({error.strerror or error})") from error
    return output.resolve()


def _sweep(output: Path) -> None:
    """Remove what a killed run was writing; nobody else is at this output."""
    for place in (output, *(output / "results").glob("*")):
        for leftover in place.glob(".*.part"):
            leftover.unlink(missing_ok=True)
