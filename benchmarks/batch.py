"""How fast a batch goes, beside what people do with many recordings today, in one run.

Run it from the checkout's root while nothing else runs::

    python -m benchmarks.batch [--minutes 240] [--repeats 3] [--many 10000] [--loop-files 2] [--write]

Some ten minutes with the defaults: two of them for the material, two for the short files, most of the rest
for the notebooks' loop.

The recordings are 1 to 10 minutes long, half MP3 (44.1 kHz stereo), a quarter WAV (16 kHz) and a quarter FLAC
(44.1 kHz stereo), half of them readings almost without a pause and half talks. Blipper's time runs from the
moment its workers have their models, decode to written result; start-up is told apart. The yardsticks go over
a few of the files in one process each, once, as people run them, warm: the notebooks' loop (librosa's
features of 3 s every 0.5 s, then Keras ``predict`` for each file), and openSMILE's eGeMAPS functionals of
whole files, if ``pip install opensmile`` was done (its licence allows research and evaluation, so it is no
dependency). Their ratios are told for the whole batch and for one of its workers. ``--write`` also writes the
figures into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import material, report, stages
from benchmarks.speed import notebook_vectors
from blipper import batch
from blipper.batch.state import BatchState, BatchSummary

TARGET, MANIFEST_TARGET = 600.0, 0.01

#: What the target is set for; "auto" would take whisper-cnn where Whisper's weights are on the machine.
MODEL = "mel-cnn"

#: Recordings between two looks at the memory of a long batch, and seconds of the short ones.
_LOOK, _SHORT = 200, (2.0, 3.0)

#: How often each recording appears, under another name: encoding takes longer than analysing.
_COPIES = 2

_FORMATS: tuple[dict[str, Any], ...] = (
    {"ending": "mp3", "rate": 44_100, "channels": 2},
    {"ending": "wav"},
    {"ending": "mp3", "rate": 44_100, "channels": 2},
    {"ending": "flac", "rate": 44_100, "channels": 2},
)


def recordings(folder: Path, minutes: float, seed: int = 0) -> tuple[list[Path], float, str]:
    """Write recordings of 1 to 10 minutes.

    Returns
    -------
    paths : list of pathlib.Path
    seconds : float
        Length of them all.
    description : str
    """
    rng = np.random.default_rng(seed)
    sources = [assemble(600.0, seed) for assemble in material.KINDS.values()]
    paths: list[Path] = []
    seconds = 0.0
    while seconds < minutes * 60:
        i = len(paths) // _COPIES
        length = round(float(rng.uniform(60, 600)) * material.RATE)
        samples, _ = sources[(i // len(_FORMATS)) % len(sources)]
        first = int(rng.integers(len(samples) - length + 1))
        options = dict(_FORMATS[i % len(_FORMATS)])
        path = folder / f"call{i:04}.{options.pop('ending')}"
        paths.append(material.write(samples[first : first + length], path, **options))
        for copy in range(1, _COPIES):
            paths.append(folder / f"copy{copy}-{path.name}")
            os.link(path, paths[-1])
        seconds += _COPIES * length / material.RATE
    return paths, seconds, "; ".join(description for _, description in sources)


def blipper_batch(folder: Path, output: Path, workers: int, **options: Any) -> dict[str, Any]:
    """Run one batch; return its times."""
    begin = time.perf_counter()
    summary = batch.run(folder, output, workers=workers, model=MODEL, **options)
    whole = time.perf_counter() - begin
    state = summary.state
    assert not summary.failures, summary.failures[:3]
    return {
        "files": state.analyzed,
        "audio_s": state.audio_seconds,
        "seconds": state.elapsed,
        "x_real_time": state.rate,
        "with_start_s": whole,
        "manifest_s": summary.manifest_seconds,
        "manifest_share": summary.manifest_seconds / state.elapsed if state.elapsed else None,
    }


def again(folder: Path, output: Path, workers: int) -> dict[str, Any]:
    """Time a second run that finds all done, once the files are old enough for their times to be believed."""
    time.sleep(4)
    batch.run(folder, output, workers=workers, model=MODEL)
    begin = time.perf_counter()
    summary = batch.run(folder, output, workers=workers, model=MODEL)
    seconds = time.perf_counter() - begin
    return {"unchanged": summary.state.unchanged, "seconds": seconds}


def by_format(output: Path) -> dict[str, dict[str, float]]:
    """Return how many times real time one worker goes, for each format, from the manifest."""
    import sqlite3

    sums: dict[str, list[float]] = {}
    with sqlite3.connect(output / "manifest.sqlite") as db:
        for file, duration, seconds in db.execute("SELECT file, duration, work_seconds FROM recordings"):
            one = sums.setdefault(Path(file).suffix, [0.0, 0.0])
            one[0] += duration
            one[1] += seconds
    return {ending: {"audio_s": a, "x_real_time_a_worker": a / s} for ending, (a, s) in sums.items()}


def notebook_loop(paths: list[str]) -> None:
    """Do as notebooks do: per file librosa's features of each window, then ``predict``."""
    import keras

    network = keras.Sequential(
        [
            keras.layers.Input((162, 1)),
            keras.layers.Conv1D(64, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling1D(5, 2),
            keras.layers.Conv1D(128, 5, padding="same", activation="relu"),
            keras.layers.MaxPooling1D(5, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(8, activation="softmax"),
        ]
    )

    def loop(files: list[str]) -> None:
        for path in files:
            network.predict(np.array(notebook_vectors(Path(path)))[..., None], verbose=0)

    _timed_after_a_warm_up(loop, paths)


def opensmile_loop(paths: list[str]) -> None:
    """Do as users of openSMILE do: the functionals of each file."""
    import opensmile

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.Functionals
    )
    _timed_after_a_warm_up(lambda files: [smile.process_file(path) for path in files], paths)


def _timed_after_a_warm_up(loop: Callable[[list[str]], Any], paths: list[str]) -> None:
    """Print the seconds that a loop takes once everything it imports and compiles is there."""
    with tempfile.TemporaryDirectory() as folder:
        samples, _ = material.talk(5.0)
        loop([str(material.write(samples, Path(folder) / "warm.wav"))])
    begin = time.perf_counter()
    loop(paths)
    print(time.perf_counter() - begin)


def many_files(folder: Path, output: Path, count: int, workers: int) -> dict[str, Any]:
    """Run a batch over many short recordings, each of its own content, and follow its processes' memory."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    samples, _ = material.talk(300.0)
    for i in range(count):
        length = round(float(rng.uniform(*_SHORT)) * material.RATE)
        first = int(rng.integers(len(samples) - length))
        material.write(samples[first : first + length], folder / f"{i:06}.wav")
    own = psutil.Process()
    followed: list[tuple[int, float, float]] = []
    workers_seen: set[int] = set()

    def follow(state: BatchState) -> None:
        if state.completed >= (followed[-1][0] if followed else 0) + min(_LOOK, max(1, count // 10)):
            children = own.children()
            workers_seen.update(child.pid for child in children)
            largest = max((child.memory_info().rss for child in children), default=0)
            followed.append((state.completed, own.memory_info().rss / 2**20, largest / 2**20))

    summary: BatchSummary = batch.run(folder, output, workers=workers, model=MODEL, report=follow)
    assert not summary.failures, summary.failures[:3]
    later = [row for row in followed if row[0] >= count * 0.1]
    first, last = later[0], later[-1]
    return {
        "files": summary.state.analyzed,
        "audio_s": summary.state.audio_seconds,
        "seconds": summary.state.elapsed,
        "files_a_second": summary.state.analyzed / summary.state.elapsed,
        "manifest_share": summary.manifest_seconds / summary.state.elapsed,
        "parent_mib": [first[1], last[1]],
        "largest_worker_mib": [first[2], last[2]],
        "largest_worker_mib_a_1000": _slope([row[0] for row in later], [row[2] for row in later]),
        "between_files": [first[0], last[0]],
        # A worker that was replaced on the way would make any leak look flat.
        "processes_seen": len(workers_seen),
        "followed": [[done, round(parent, 1), round(worker, 1)] for done, parent, worker in followed],
        "manifest_bytes_a_row": (output / "manifest.sqlite").stat().st_size / count,
    }


def _slope(done: list[int], mib: list[float]) -> float:
    """Return MiB a thousand recordings, by least squares."""
    return 1000 * float(np.polyfit(done, mib, 1)[0]) if len(done) > 1 else 0.0


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=240.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--many", type=int, default=10_000, help="short files, for the memory")
    parser.add_argument("--loop-files", type=int, default=2, help="files for the slow yardstick")
    parser.add_argument("--ray", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/scaling.md")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    result: dict[str, Any] = {"machine": report.machine(), "workers": options.workers}
    print(result["machine"])
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        calls = root / "calls"
        calls.mkdir()
        paths, seconds, description = recordings(calls, options.minutes)
        result["material"] = {"files": len(paths), "audio_s": seconds, "description": description}
        print(f"{len(paths)} files, {seconds / 60:.0f} min; {description}")
        runs = [blipper_batch(calls, root / f"out{i}", options.workers) for i in range(options.repeats)]
        result["blipper"] = _median(runs) | {"runs": runs}
        result["by_format"] = by_format(root / "out0")
        result["cpu"] = stages.measure([path for path in paths if not path.name.startswith("copy")])
        documents = [path.stat().st_size for path in (root / "out0" / "results").rglob("*.json")]
        result["result_bytes_a_minute"] = sum(documents) / (seconds / 60)
        result["again"] = again(calls, root / "out0", options.workers)
        if options.ray:
            result["ray"] = _ray(calls, root / "ray", options.workers)
        result["many"] = many_files(root / "many", root / "many-out", options.many, options.workers)
        result["yardsticks"] = _yardsticks(paths, options)
    result["ratios"] = {
        name: result["blipper"]["x_real_time"] / one["x_real_time"]
        for name, one in result["yardsticks"].items()
    }
    _show(result)
    report.save("batch", result, options.save)
    if options.write:
        from tools.scaling_figures import write

        write(result)


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def _ray(folder: Path, output: Path, workers: int) -> dict[str, Any] | None:
    if find_spec("ray") is None:
        print("Ray is left out: pip install -r requirements-ray.txt")
        return None
    return blipper_batch(folder, output, workers, engine="ray")


#: Name, package that it needs beyond the development ones, function.
_YARDSTICKS = {
    "librosa and Keras loop": (None, notebook_loop),
    "openSMILE eGeMAPS": ("opensmile", opensmile_loop),
}


def _yardsticks(paths: list[Path], options: argparse.Namespace) -> dict[str, Any]:
    """Time each in a process of its own, so that none of its libraries disturbs another."""
    import soundfile

    found: dict[str, Any] = {}
    few = [str(path) for path in sorted(paths, key=_seconds)[: options.loop_files * _COPIES : _COPIES]]
    seconds = sum(soundfile.info(path).duration for path in few)
    for name, (package, loop) in _YARDSTICKS.items():
        if package is not None and find_spec(package) is None:
            print(f"{name} is left out: pip install {package} (see its licence)")
            continue
        code = f"import sys; from benchmarks.batch import {loop.__name__} as loop; loop(sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", code, *few], capture_output=True, text=True, check=False)
        if done.returncode:  # the rest was measured already, and must not be lost
            print(f"{name} is left out: {(done.stderr.splitlines() or ['it said nothing'])[-1]}")
            continue
        took = float(done.stdout.split()[-1])
        found[name] = {"seconds": took, "files": len(few), "audio_s": seconds, "x_real_time": seconds / took}
    return found


def _seconds(path: Path) -> float:
    import soundfile

    return float(soundfile.info(path).duration)


def _show(result: dict[str, Any]) -> None:
    mine, many, workers = result["blipper"], result["many"], result["workers"]
    rows = [("Blipper batch", f"{mine['seconds']:.1f}", f"{mine['x_real_time']:,.0f}", "1.0", "")]
    if result.get("ray"):
        rate = result["ray"]["x_real_time"]
        ratio = f"{mine['x_real_time'] / rate:.1f}"
        rows.append(("Blipper on Ray", f"{result['ray']['seconds']:.1f}", f"{rate:,.0f}", ratio, ""))
    for name, one in result["yardsticks"].items():
        ratio = result["ratios"][name]
        rows.append(
            (
                name,
                f"{one['seconds']:.1f}",
                f"{one['x_real_time']:,.0f}",
                f"{ratio:.1f}",
                f"{ratio / workers:.1f}",
            )
        )
    print()
    report.table(("", "seconds", "x real time", "Blipper is faster by", "one worker by"), rows)
    for ending, one in result["by_format"].items():
        print(f"{ending}: {one['x_real_time_a_worker']:,.0f} times real time a worker")
    stages.show(result["cpu"])
    share = mine["manifest_share"]
    print(f"\nmanifest and tables: {100 * share:.2f} % of the time")
    print(f"second run, nothing to do: {result['again']['seconds']:.2f} s")
    (a, b), (c, d) = many["parent_mib"], many["largest_worker_mib"]
    first, last = many["between_files"]
    print(
        f"{many['files']} short files at {many['files_a_second']:.0f} a second; from file {first} to {last}"
    )
    print(
        f"the parent went from {a:.0f} to {b:.0f} MiB, the largest worker from {c:.0f} to {d:.0f} MiB "
        f"({many['largest_worker_mib_a_1000']:+.2f} MiB a thousand recordings)"
    )
    fast = "reached" if mine["x_real_time"] >= TARGET else "MISSED"
    cheap = "reached" if share <= MANIFEST_TARGET else "MISSED"
    print(f"target {TARGET:.0f} times real time: {fast}")
    print(f"target {100 * MANIFEST_TARGET:.0f} % for the manifest: {cheap}")


if __name__ == "__main__":
    main()
