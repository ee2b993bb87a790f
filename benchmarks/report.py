"""Timing, machine facts and output that all benchmarks share."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
_LIBRARIES = ("numpy", "soxr", "soundfile", "onnxruntime", "silero-vad", "tensorflow", "keras", "librosa")


def timed(function: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """Run a function several times.

    Returns
    -------
    dict
        ``median``, ``min``, ``max`` and ``all``, in seconds of wall-clock time.
    """
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return {
        "median": statistics.median(times),
        "min": min(times),
        "max": max(times),
        "all": [round(value, 4) for value in times],
    }


def peak_mb() -> float:
    """Return the largest resident set that this process has had, in MB.

    Linux's own figure of the running program: ``getrusage`` counts what the parent had when it started this
    process, too, which may be far more.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine() -> dict[str, Any]:
    """Say where the figures come from: without that they mean nothing."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "load_average_at_start": [round(value, 2) for value in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "date": time.strftime("%Y-%m-%d"),
    }


def save(name: str, result: dict[str, Any], path: Path | None = None) -> None:
    """Write the figures as JSON, to ``benchmarks/results/`` unless told otherwise."""
    target = path or RESULTS / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWrote {target}")


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print an aligned table; the first column to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
