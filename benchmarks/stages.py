"""CPU seconds that a batch's worker spends on a minute of sound, stage by stage.

Counted in the process's own CPU time, which other work on the machine changes far less than the clock's: it
takes caches away, and made it half as much again at a load of 18 on two cores. Called by
:mod:`benchmarks.batch`; alone, over a folder of recordings::

    python -m benchmarks.stages FOLDER
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report

#: Module, function, stage; a stage whose name begins with spaces is part of the one above it.
_STAGES = (
    ("blipper.audio", "load", "decode, mix, resample, hash"),
    ("blipper.speech", "detect_speech", "speech detection"),
    ("blipper.silero", "encode", "  all frames at once"),
    ("blipper.silero", "recur", "  frame by frame"),
    ("blipper.quality", "assess", "quality"),
    ("blipper.analysis", "score_windows", "voice"),
    ("blipper.voice.models", "log_mel", "  log-mel frames"),
    ("blipper.voice.models", "normalise", "  levelling"),
    ("blipper.fusion", "smooth", "curve"),
    ("blipper.fusion", "trend", "trend"),
    ("json", "dumps", "JSON"),
    ("blipper.export.files", "write_atomically", "writing"),
)

#: Each worker of a full machine has one thread.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)


def measure(paths: Sequence[Path]) -> dict[str, Any]:
    """Do as a worker does, in a process of its own.

    Returns
    -------
    dict
        ``audio_s``, ``cpu_s``, ``x_real_time`` (of one core all to itself), ``start_cpu_s`` (imports, model
        and first calls, once), and ``ms_a_minute`` by stage.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.stages", "--one", *map(str, paths)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **_ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def show(found: dict[str, Any]) -> None:
    """Print a table."""
    minutes = found["audio_s"] / 60
    rows = [(name, f"{value:.1f}") for name, value in found["ms_a_minute"].items()]
    rows.append(("all", f"{1000 * found['cpu_s'] / minutes:.1f}"))
    report.table(("CPU of one worker", "ms a minute of sound"), rows)
    print(f"that is {found['x_real_time']:.0f} times real time a core; start {found['start_cpu_s']:.1f} s")


def _one(paths: Sequence[str]) -> dict[str, Any]:
    import importlib

    from blipper.batch.work import Task, work
    from blipper.batch.worker import _warm
    from blipper.settings import Settings
    from blipper.voice.models import load_model

    voice = load_model("mel-cnn")
    _warm(voice)
    start = time.process_time()
    spent: dict[str, float] = defaultdict(float)

    def counted(function: Any, stage: str) -> Any:
        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            begin = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                spent[stage] += time.process_time() - begin

        return timed

    for module, name, stage in _STAGES:
        home = importlib.import_module(module)
        setattr(home, name, counted(getattr(home, name), stage))
    voice._run = counted(voice._run, "  network")  # type: ignore[method-assign]
    seconds, begin = 0.0, time.process_time()
    with tempfile.TemporaryDirectory() as output:
        for path in paths:
            seconds += work(Task(path), voice, Settings(), Path(output)).values["duration"]
    cpu = time.process_time() - begin
    order = [stage for _, _, stage in _STAGES]
    order.insert(order.index("curve"), "  network")
    return {
        "audio_s": seconds,
        "cpu_s": cpu,
        "x_real_time": seconds / cpu,
        "start_cpu_s": start,
        "ms_a_minute": {stage: round(60_000 * spent[stage] / seconds, 2) for stage in order},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("paths", nargs="+", help="recordings, or a folder of them")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(options.paths)))
        return
    paths = [path for name in options.paths for path in _below(Path(name))]
    show(measure(paths))


def _below(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


if __name__ == "__main__":
    main()
