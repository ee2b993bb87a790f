"""The app in a process of its own, watched while tests use it: if it stops answering, its log says where."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"

#: Seconds that the app may take to start, and to stop.
_START, _STOP = 180.0, 60.0
#: Seconds between two questions whether the app still answers, and for which it may owe an answer.
_INTERVAL, _PATIENCE = 3.0, 20.0
#: Stacks are written at most so often because of silence, which may last.
_MOST_DUMPS = 5


class Server:
    """A running app.

    Parameters
    ----------
    url : str
    process : subprocess.Popen
    log : pathlib.Path
        Where everything that it prints goes.
    """

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url, self.process, self.log = url, process, log
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="server-watch", daemon=True)

    def wait_until_it_answers(self) -> None:
        """Wait for its first answer, and watch it from then on."""
        deadline = time.monotonic() + _START
        while not self._answers(5.0):
            assert self.process.poll() is None, f"the app ended by itself:\n{self.tail()}"
            if time.monotonic() > deadline:
                self.dump_stacks(f"the app did not answer within {_START:g} s")
                raise AssertionError(f"the app did not answer within {_START:g} s:\n{self.tail()}")
            time.sleep(0.2)
        self._watcher.start()

    def dump_stacks(self, why: str) -> None:
        """Have the app write into its log what each of its threads is at."""
        if self.process.poll() is not None:
            return
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n--- stacks: {why}; load {os.getloadavg()[0]:.1f}\n")
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1.0)

    def tail(self, lines: int = 250) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Stop it as Ctrl-C would; one that does not heed that is killed, and its log says where it was."""
        self._over.set()
        self.process.terminate()
        try:
            self.process.wait(timeout=_STOP)
        except subprocess.TimeoutExpired:
            self.dump_stacks(f"the app did not stop within {_STOP:g} s")
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the app did not stop within {_STOP:g} s:\n{self.tail()}") from None

    def _answers(self, seconds: float) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=seconds) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _watch(self) -> None:
        dumps = 0
        while not self._over.wait(_INTERVAL):
            asked = time.monotonic()
            answered = self._answers(_PATIENCE)
            if not answered and not self._over.is_set() and dumps < _MOST_DUMPS:
                dumps += 1
                self.dump_stacks(
                    f"no answer within {time.monotonic() - asked:.0f} s at {time.strftime('%H:%M:%S')}"
                )


#: The apps that run now, for the report of a failure.
running: list[Server] = []


@contextmanager
def served(log_name: str, program: str = "tests.browser.serve") -> Iterator[str]:
    """Start the app on a free port, give its URL, and stop it; its log goes to artifacts/."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ARTIFACTS.mkdir(exist_ok=True)
    path = ARTIFACTS / log_name
    path.write_text("", encoding="utf-8")
    command = [sys.executable, "-m", program, "run", "app.py", "--server.headless", "true"]
    with path.open("a", encoding="utf-8") as log:  # appended to, as the watch writes there, too
        process = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
    server = Server(f"http://localhost:{port}", process, path)
    running.append(server)
    try:
        server.wait_until_it_answers()
        yield server.url
    finally:
        running.remove(server)
        server.stop()
