"""A PostgreSQL of the test's own: Debian's package, in a temporary folder, on loopback only."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: PostgreSQL refuses to run as root; then it runs as the user that Debian's package makes.
OWNER = "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def binaries() -> Path | None:
    """The newest installed version's folder of programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    return max(found, key=lambda path: _version(path)) if found else None


def _version(path: Path) -> int:
    return int(path.parent.name) if path.parent.name.isdigit() else 0


class Server:
    """A running server: the address of its one database, and the folder with its files."""

    def __init__(self, base: str, folder: Path) -> None:
        self.address, self.folder = f"{base}/postgres", folder

    def fresh(self) -> str:
        """Empty the database and return its address."""
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.address


@contextmanager
def running() -> Iterator[Server]:
    """Start a server and stop it at the end; skip where PostgreSQL is not installed, or fail in CI."""
    programs = binaries()
    if programs is None:
        reason = "needs PostgreSQL's server: apt-get install postgresql"
        if os.environ.get("BLIPPER_REQUIRE_POSTGRES"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="blipper-postgres-"))
    try:
        if OWNER is not None:
            shutil.chown(folder, OWNER)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        _run([programs / "initdb", "-D", folder / "data", "-U", "blipper", "-A", "trust", "-E", "UTF8",
              "--locale", "C", "--no-sync"], folder)  # fmt: skip
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "autovacuum": "off",  # what deletion clears, it clears by itself
        }
        command = [programs / "postgres", "-D", folder / "data", "-p", str(port)]
        command += [f"--{name}={value}" for name, value in options.items()]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [str(part) for part in command], cwd=folder, stdout=log, stderr=log, **_as_owner()
            )
        try:
            _wait(server, port, folder / "log")
            yield Server(f"postgresql://blipper@127.0.0.1:{port}", folder / "data")
        finally:
            server.send_signal(signal.SIGINT)  # a fast end, whoever is connected
            server.wait(120)
    finally:
        shutil.rmtree(folder)


def _as_owner() -> dict:
    return {} if OWNER is None else {"user": OWNER, "group": OWNER, "extra_groups": []}


def _run(command: list, folder: Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, **_as_owner()
    )
    assert done.returncode == 0, done.stderr


def _wait(server: subprocess.Popen, port: int, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 300
    while True:
        assert server.poll() is None, log.read_text()
        try:
            psycopg.connect(f"postgresql://blipper@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
