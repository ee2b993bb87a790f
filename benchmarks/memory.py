"""Peak memory of ``blipper analyze`` on a very long recording, in a process of its own.

Run it from the checkout's root::

    python -m benchmarks.memory [--hours 4] [--format flac|mp3|wav]

The figure is the largest resident set of the process as the kernel counts it, so it holds the interpreter,
TensorFlow, the weights, and every page of a memory-mapped file that was resident at once. Exit code 1 if it
reaches the limit of 1.5 GB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import material, report

LIMIT_MB = 1500.0


# Run a module or code, then note the peak of this process's own memory. (The parent cannot ask for it:
# ru_maxrss of a child begins with what the parent held when it forked.)
_LAUNCHER = """
import atexit, pathlib, runpy, sys
note, kind, what, *rest = sys.argv[1:]
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path(note).write_text(status.read_text()))
sys.argv = [what, *rest]
runpy.run_module(what, run_name="__main__", alter_sys=True) if kind == "-m" else exec(what)
"""


def peak_of(kind: str, what: str, *arguments: str) -> dict[str, Any]:
    """Run a Python command and measure it; needs Linux.

    Parameters
    ----------
    kind : {"-m", "-c"}
        Whether `what` is a module's name or code.
    what, *arguments : str

    Returns
    -------
    dict
        ``peak_mb`` (10**6 bytes), ``seconds``, ``output``.
    """
    begin = time.perf_counter()
    with tempfile.NamedTemporaryFile(mode="r") as note:
        done = subprocess.run(
            [sys.executable, "-c", _LAUNCHER, note.name, kind, what, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise SystemExit(f"{kind} {what} ended with exit code {done.returncode}:\n{done.stderr}")
        peak = next(line for line in note.read().splitlines() if line.startswith("VmHWM:"))
    return {"peak_mb": int(peak.split()[1]) * 1024 / 1e6, "seconds": seconds, "output": done.stdout}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--format", choices=("flac", "mp3", "wav"), default="flac")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()
    seconds = options.hours * 3600 - 2  # an encoder pads its last frame, which must not pass the limit
    samples, description = material.reading(900)
    result: dict[str, Any] = {
        "machine": report.machine(),
        "material": f"{options.hours:g} h (less 2 s), {options.format}, 16 kHz mono; {description}, tiled",
        "limit_mb": LIMIT_MB,
    }
    print(result["material"])
    with tempfile.TemporaryDirectory() as name:
        path = material.write_tiled(np.clip(samples, -1, 1), Path(name) / f"long.{options.format}", seconds)
        long = peak_of("-m", "blipper", "analyze", str(path), "--json")
    analysis = json.loads(long.pop("output"))
    short = peak_of("-c", "from blipper.voice.models import load_model; load_model()")
    short.pop("output")
    result |= {"analyze": long, "imports_and_model_alone": short}
    result["windows"] = len(analysis["tracks"][0]["windows"]["start"])
    result["x_real_time"] = analysis["duration"] / long["seconds"]
    rows = [("blipper analyze", long), ("TensorFlow and the model alone", short)]
    report.table(
        ("", "peak MB", "seconds"), [(n, f"{r['peak_mb']:,.0f}", f"{r['seconds']:.1f}") for n, r in rows]
    )
    print(f"{analysis['duration']:.0f} s analysed, {result['windows']} windows")
    report.save("memory", result, options.save)
    if long["peak_mb"] >= LIMIT_MB:
        raise SystemExit(f"{long['peak_mb']:.0f} MB reach the limit of {LIMIT_MB:.0f} MB")


if __name__ == "__main__":
    main()
