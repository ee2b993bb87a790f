"""The background worker: order, outcomes, cancelling, and that nothing stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from blipper.errors import AudioError, ModelError
from blipper.progress import Progress
from ui.jobs import Job, Worker


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def worker() -> Worker:
    return Worker()


class Gate:
    """Work that reports until it is let through."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()

    def __call__(self, progress: Progress) -> str:
        while not self.open.wait(0.005):
            progress("voice", 1, 4)
            self.entered.set()
        return "through"


def test_result_and_progress(worker: Worker) -> None:
    gate = Gate()
    job = Job(gate)
    assert job.status == "waiting"
    worker.submit(job)
    assert gate.entered.wait(60)
    assert (job.status, job.step, job.fraction) == ("running", "voice", 0.25)
    with pytest.raises(RuntimeError, match="running has no result"):
        _ = job.result
    gate.open.set()
    wait_until(lambda: job.over)
    assert job.status == "done"
    assert job.result == "through"
    assert job.seconds > 0


def test_one_at_a_time_in_order(worker: Worker) -> None:
    order: list[int] = []
    first = Job(Gate())
    gate = first._work
    others = [Job(lambda progress, n=n: order.append(n)) for n in range(3)]
    worker.submit(first)
    assert isinstance(gate, Gate)
    assert gate.entered.wait(60)
    for job in others:
        worker.submit(job)
    assert [worker.ahead_of(job) for job in others] == [1, 2, 3]
    assert order == []
    others[1].cancel()
    assert worker.ahead_of(others[2]) == 2
    gate.open.set()
    wait_until(lambda: others[2].over)
    assert order == [0, 2]
    assert [job.status for job in others] == ["done", "cancelled", "done"]
    assert worker.ahead_of(others[2]) == 0


def test_cancel_stops_running_work(worker: Worker) -> None:
    gate = Gate()
    job = Job(gate)
    worker.submit(job)
    assert gate.entered.wait(60)
    job.cancel()
    wait_until(lambda: job.over)
    assert job.status == "cancelled"


def test_abandoned_work_stops_by_itself(worker: Worker) -> None:
    gone = threading.Event()
    gate = Gate()
    job = Job(gate, abandoned=gone.is_set)
    worker.submit(job)
    assert gate.entered.wait(60)
    time.sleep(0.05)
    assert job.status == "running"
    gone.set()
    wait_until(lambda: job.over)
    assert job.status == "cancelled"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AudioError("x.wav: empty; expected sound"), "x.wav: empty; expected sound"),
        (MemoryError(), "not enough memory"),
        (ZeroDivisionError("division by zero"), "unexpected fault in Blipper (ZeroDivisionError"),
    ],
)
def test_failures_are_told_and_do_not_stop_the_worker(worker: Worker, error: Exception, message: str) -> None:
    def fail(progress: Progress) -> None:
        raise error

    broken, sound = Job(fail), Job(lambda progress: 7)
    worker.submit(broken)
    worker.submit(sound)
    wait_until(lambda: sound.over)
    assert broken.status == "failed"
    assert message in broken.error
    assert sound.result == 7


def test_a_finished_job_lets_go_of_its_input(worker: Worker) -> None:
    job = Job(lambda progress: None)
    worker.submit(job)
    wait_until(lambda: job.over)
    assert job._work is None


@pytest.mark.parametrize(
    "fault", [ModelError("models/ is empty; expected a folder with config.json"), ImportError("no keras")]
)
def test_warm_up_comes_first_and_may_fail(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def warm_up() -> None:
        raise fault

    worker = Worker(warm_up)
    job = Job(lambda progress: "still here")
    worker.submit(job)
    wait_until(lambda: job.over)
    assert worker.warm.is_set()
    assert job.result == "still here"
    assert "could not be loaded in advance" in caplog.text
