"""What ends a batch from outside: kill -9 at every moment, another batch beside it, a full disk."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from blipper import batch
from blipper.errors import BatchError
from blipper.results import Analysis
from blipper.settings import Settings
from tests.batch.conftest import write_call
from tests.batch.killed_batch import MOMENTS
from tests.batch.test_cli_batch import LIGHT, start
from tests.conftest import ROOT

WORKER_MOMENTS = (
    *("worker decodes", "worker is about to write", "worker has written"),
    "worker and parent die over half a file",
)


pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def few(tmp_path: Path, speech: np.ndarray) -> Path:
    """Return a folder with three short recordings."""
    folder = tmp_path / "few"
    folder.mkdir()
    for i in range(3):
        write_call(folder / f"call{i}.wav", speech[: 3 * 16_000], i)
    return folder


def check(output: Path, *, files: int | None = None) -> dict[str, batch.Row]:
    """Check that whatever is there is whole, and nothing is there twice; return the rows by path."""
    rows = batch.read_rows(output)
    done = {row.path: row for row in rows if row.status == "done"}
    assert len({row.path for row in rows}) == len(rows)
    for row in done.values():
        document = json.loads((output / (row.result or "")).read_text(encoding="utf-8"))
        found = Analysis.from_dict(document)
        assert found.provenance.sha256 == row.sha256
        assert row.sha256 == hashlib.sha256(Path(row.path).read_bytes()).hexdigest()
    if (output / "results.parquet").exists():
        assert pq.read_table(output / "results.parquet").num_rows <= len(rows)
    if (output / "results.csv").exists():
        with (output / "results.csv").open(encoding="utf-8", newline="") as file:
            assert len(list(csv.DictReader(file))) <= len(rows)
    if files is not None:
        assert len(done) == files
        assert pq.read_table(output / "results.parquet").num_rows == files
        assert len(list((output / "results").rglob("*.json"))) == files
        assert not list(output.rglob("*.part"))
        with contextlib.closing(sqlite3.connect(output / "manifest.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT count(*) FROM recordings").fetchone() == (files,)
            assert db.execute("SELECT count(*) FROM recordings WHERE owner IS NOT NULL").fetchone() == (0,)
            assert db.execute("SELECT count(*) FROM runs").fetchone() == (0,)
    return done


@pytest.mark.parametrize("moment", [*MOMENTS, *WORKER_MOMENTS])
def test_kill_9(moment: str, light: None, few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed = subprocess.run(
        [sys.executable, "-m", "tests.batch.killed_batch", moment, str(few), str(out)],
        cwd=ROOT,
        env=os.environ | {"TEST_KILL": moment},
        capture_output=True,
        timeout=600,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    before = check(out)
    summary = batch.run(few, out, workers=1)
    assert summary.state.unchanged == len(before)  # nothing that was done is done again
    assert summary.state.analyzed == 3 - len(before)
    after = check(out, files=3)
    assert all(after[path].analyzed_at == row.analyzed_at for path, row in before.items())


def test_workers_end_with_their_parent(calls: Path, tmp_path: Path, speech: np.ndarray) -> None:
    write_call(calls / "hang.wav", speech, 1)
    running = start(calls / "hang.wav", "--output", tmp_path / "out", "--workers", "1")
    deadline = time.monotonic() + 300
    with contextlib.closing(_waiting(tmp_path / "out", deadline)) as db:
        assert db
    children: list[psutil.Process] = []
    while not children and time.monotonic() < deadline:  # claimed before the worker is started
        children = psutil.Process(running.pid).children()
    assert len(children) == 1
    running.kill()
    running.communicate(timeout=600)
    _, alive = psutil.wait_procs(children, timeout=120)
    assert not alive


def _waiting(output: Path, deadline: float) -> sqlite3.Connection:
    """Wait until a run has claimed something."""
    while time.monotonic() < deadline:
        with contextlib.suppress(sqlite3.Error):
            db = sqlite3.connect(f"file:{output / 'manifest.sqlite'}?mode=ro", uri=True)
            if db.execute("SELECT count(*) FROM recordings WHERE owner IS NOT NULL").fetchone() != (0,):
                return db
            db.close()
        time.sleep(0.05)
    raise AssertionError("nothing was claimed")


def test_two_batches_at_once_share_the_work(tmp_path: Path, speech: np.ndarray) -> None:
    folder, out = tmp_path / "calls", tmp_path / "out"
    folder.mkdir()
    for i in range(24):
        write_call(folder / f"slow{i:02}.wav", speech[: 2 * 16_000], i)
    both = [start(folder, "--output", out, "--workers", "1", "--json") for _ in range(2)]
    found = []
    for running in both:
        said, err = running.communicate(timeout=600)
        assert running.returncode == 0, err
        found.append(json.loads(said))
    assert sum(one["analyzed"] for one in found) == 24  # each once
    assert all(one["analyzed"] + one["unchanged"] == 24 for one in found)  # and both have seen all done
    check(out, files=24)


def test_what_a_killed_batch_had_claimed_is_taken_over(tmp_path: Path, speech: np.ndarray) -> None:
    folder, out = tmp_path / "calls", tmp_path / "out"
    folder.mkdir()
    for i in range(6):
        write_call(folder / f"slow{i}.wav", speech[: 2 * 16_000], i)
    first = start(folder, "--output", out, "--workers", "1", "--json")
    _waiting(out, time.monotonic() + 300).close()
    second = start(folder, "--output", out, "--workers", "1", "--json")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not batch.read_rows(out):
        time.sleep(0.05)
    first.kill()
    first.communicate()
    said, err = second.communicate(timeout=600)
    assert second.returncode == 0, err
    assert json.loads(said)["analyzed"] >= 1
    check(out, files=6)


def test_another_batch_with_other_settings_is_refused(
    calls: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    write_call(calls / "hang.wav", speech, 1)
    out = tmp_path / "out"
    first = start(calls / "hang.wav", "--output", out, "--workers", "1")
    try:
        _waiting(out, time.monotonic() + 300).close()
        with pytest.raises(BatchError, match="another model or other settings"):
            batch.run(calls, out, settings=Settings(threshold=0.2))
    finally:
        first.kill()
        first.communicate()


def test_writes_that_fail(calls: Path, tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    out = tmp_path / "out"
    failed = subprocess.run(
        [sys.executable, "-c", LIGHT, "batch", str(calls), "--output", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=small_files,
        timeout=600,
    )
    assert failed.returncode == 1
    assert "cannot be" in failed.stderr
    assert "Traceback" not in failed.stderr
    again = start(calls, "--output", out)
    _, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    check(out, files=6)


#: Runs in a mount namespace of its own: a disk of 400 KiB fills up, then gets room.
FULL = """
mount -t tmpfs -o size=400k none "$1" || exit 77
"$2" -c "$3" batch "$4" --output "$1/out" --workers 1; first=$?
df --output=avail "$1" | tail -1
mount -o remount,size=64m "$1" || exit 77
"$2" -c "$3" batch "$4" --output "$1/out" --workers 1 --json >"$5" || exit 1
cp -r "$1/out" "$6"
exit $((first + 100))
"""


def test_a_full_disk(tmp_path: Path, speech: np.ndarray) -> None:
    folder, disk, copy = tmp_path / "calls", tmp_path / "disk", tmp_path / "copy"
    folder.mkdir()
    disk.mkdir()
    for i in range(25):
        write_call(folder / f"call{i:02}.wav", np.tile(speech, 2), i % 10)
    arguments = (disk, sys.executable, LIGHT, folder, tmp_path / "summary.json", copy)
    run = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL, "sh", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if run.returncode in (1, 77) and ("unshare" in run.stderr or run.returncode == 77):
        pytest.skip(f"needs a mount of its own, which this system refuses: {run.stderr.strip()}")
    assert run.returncode == 101, run.stderr  # the first run failed, the second did not
    assert "No space left" in run.stderr or "disk is full" in run.stderr
    assert "goes on from" in run.stderr
    assert "Traceback" not in run.stderr
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["failed"] == 0
    assert summary["unchanged"] > 0  # what had been done before the disk was full
    assert summary["analyzed"] + summary["unchanged"] == 25
    check(copy, files=25)
