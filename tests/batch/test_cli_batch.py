"""``blipper batch`` as a shell sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from blipper import batch
from blipper.batch.state import BatchState, BatchSummary, Failure
from blipper.cli import app
from blipper.cli_batch import state_text, summary_text
from tests.batch.conftest import write_call
from tests.conftest import ROOT
from tests.helpers import heed_ctrl_c

#: The command with the light worker, in a process of its own.
LIGHT = (
    "from blipper.batch import process;"
    "process.WORKER = 'tests.batch.worker_double';"
    "from blipper.cli import main; main()"
)


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LIGHT, "batch", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=heed_ctrl_c,
    )


def test_summary_names_what_failed_and_why(calls: Path, tmp_path: Path, speech: np.ndarray) -> None:
    (calls / "broken.wav").write_bytes(b"RIFF....WAVE")
    write_call(calls / "crash.wav", speech, 1)
    running = start(calls, "--output", tmp_path / "out", "--workers", "2")
    out, err = running.communicate(timeout=600)
    assert running.returncode == 1, err
    assert "8 recordings: 6 analysed, 0 done before, 2 failed." in out
    assert "broken.wav" in out
    assert "signal 11" in out
    assert "x real time" in out
    assert "Traceback" not in err

    running = start(calls, "--output", tmp_path / "out", "--json")
    out, err = running.communicate(timeout=600)
    found = json.loads(out)
    assert (found["unchanged"], found["failed"], found["total"]) == (6, 2, 8)
    assert {failure["reason"] for failure in found["failures"]} == {"refused", "crash"}


def test_ctrl_c_stops_at_once_and_the_same_command_goes_on(calls: Path, tmp_path: Path) -> None:
    for i in (0, 1, 3):
        (calls / f"call{i}.wav").rename(calls / f"slow{i}.wav")
    out = tmp_path / "out"
    running = start(calls, "--output", out, "--workers", "1")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and not batch.read_rows(out):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said, err = running.communicate(timeout=600)
    assert running.returncode == 130, err
    assert " left." in said
    assert "goes on from here" in err
    done = len(batch.read_rows(out))
    assert 1 <= done < 6
    again = start(calls, "--output", out, "--workers", "1")
    said, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert f"{6 - done} analysed, {done} done before, 0 failed." in said


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [
        (["--threshold", "2"], 2, "threshold is 2.0"),
        (["--surroundings", "60"], 2, "the surroundings are 60.0 s"),
        (["--min-duration", "-1"], 2, "min_duration is -1.0 s"),
        (["--memory-limit", "1"], 2, "at least 64 MiB"),
        (["--time-limit", "0"], 2, "time limit is 0.0"),
        (["--model", "none"], 1, "no voice model named 'none'"),
        (["--workers", "0"], 2, "1 to 4096"),
    ],
)
def test_what_is_refused(arguments: list[str], code: int, fault: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["batch", str(tmp_path), "--output", str(tmp_path / "out"), *arguments], env={"COLUMNS": "200"}
    )
    assert result.exit_code == code
    assert fault in " ".join(result.stderr.split())


def test_words() -> None:
    state = BatchState(1000, 200, 50, 3, 36_000.0, 60.0, 100, 400)
    assert state_text(state) == "253 of 1,000, 600 x real time, about 3 min left, 3 failed"
    assert state_text(BatchState(5)) == "0 of 5"
    failures = tuple(Failure(f"{i}.wav", "time", f"{i}.wav: stopped after 9 s") for i in range(30))
    text = summary_text(BatchSummary(Path("out"), state, failures, False, 0.1))
    assert "30 took longer than allowed:" in text
    assert "and 10 more, see the table" in text
    assert "10 h of sound in 1 min: 600 x real time." in text
