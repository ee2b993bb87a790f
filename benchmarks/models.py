"""Each installed voice model by itself: windows a second, times real time, memory, load time.

Every model is measured in a fresh process, since TensorFlow never gives memory back::

    python -m benchmarks.models RECORDING [--repeats 3]

``benchmarks.speed`` does it on its own material.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import memory, report


def measure(path: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Measure every installed model on a recording.

    Parameters
    ----------
    path : path
        A recording with speech.
    repeats : int

    Returns
    -------
    dict
        By model's name: ``load`` and ``voice`` and ``whole`` (timings in seconds), ``windows``,
        ``windows_per_second``, ``voice_x_real_time``, ``whole_x_real_time`` and ``peak_mb``, the whole
        process's; or ``error`` where the model cannot be loaded on this machine.
    """
    from blipper.voice.models import available_models

    found = {}
    for name in available_models():
        run = memory.peak_of("-m", "benchmarks.models", str(path), "--model", name, "--repeats", str(repeats))
        found[name] = json.loads(run["output"].splitlines()[-1]) | {"peak_mb": round(run["peak_mb"])}
    return found


def measure_one(path: Path, name: str, repeats: int) -> dict[str, Any]:
    """Measure one model in this process."""
    import tensorflow  # noqa: F401  (its import is no part of a model's load)

    from blipper import audio
    from blipper.analysis import analyze, score_windows, windows_over
    from blipper.errors import ModelError
    from blipper.settings import Settings
    from blipper.voice.models import load_model

    began = time.perf_counter()
    try:
        model = load_model(name)
    except ModelError as error:
        return {"error": str(error)}
    loaded = time.perf_counter() - began
    settings = Settings()
    spans = analyze(path, model=model).tracks[0].speech  # warms every stage
    recording = audio.load(path)
    placed = windows_over(spans, recording.duration, model, settings)
    voice = report.timed(lambda: score_windows(recording, 0, placed, model), repeats)
    whole = report.timed(lambda: analyze(path, model=model), repeats)
    return {
        "load_s": loaded,
        "voice": voice,
        "whole": whole,
        "windows": len(placed),
        "duration_s": recording.duration,
        "windows_per_second": len(placed) / voice["median"],
        "voice_x_real_time": recording.duration / voice["median"],
        "whole_x_real_time": recording.duration / whole["median"],
    }


def show(found: dict[str, dict[str, Any]]) -> None:
    """Print the models side by side."""
    rows = []
    for name, one in found.items():
        if "error" in one:
            print(f"{name}: not measured: {one['error']}")
            continue
        rows.append(
            (
                *(name, f"{one['windows_per_second']:,.0f}", f"{one['voice_x_real_time']:,.0f}"),
                *(f"{one['whole_x_real_time']:,.0f}", f"{one['peak_mb']:,}", f"{one['load_s']:.2f}"),
            )
        )
    header = ("model", "windows/s", "voice x real time", "whole x real time", "peak MB", "load s")
    report.table(header, rows)


def main() -> None:
    """Measure; with a model's name, that one alone, as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("--model", help="only this one, in this process, as JSON")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.model:
        print(json.dumps(measure_one(options.recording, options.model, options.repeats)))
        sys.exit(0)
    show(measure(options.recording, options.repeats))


if __name__ == "__main__":
    main()
