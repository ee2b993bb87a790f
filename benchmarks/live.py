"""How long after a window's end its result is there while listening live, and what memory hours of it take.

Run it from the checkout's root::

    python -m benchmarks.live [--minutes 10] [--rates 16000 48000 8000] [--block 0.02] [--hours 6]

Some five minutes with the defaults, most of them for the six hours.

The stream's clock is simulated, so ten minutes take seconds: a block arrives when its last sample has been
spoken, its work begins then or when the work before it is done, and takes as long as it is measured to take.
A result's delay is the end of that work less the window's end, so waiting, resampling and a pause that has to
be decided are all in it. The yardstick is what a notebook does: the whole last window through the model each
hop, by a timer, without looking for speech; its result is half a hop late on average before any work.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from benchmarks import material, report

TARGET = 0.3


def delays(samples: material.Samples, rate: int, block: float, model: Any) -> dict[str, Any]:
    """Feed a stream block by block on a simulated clock.

    Returns
    -------
    dict
        Windows, and in seconds: median, 95th percentile and maximum of the delay from a window's end, and of
        the work that a block takes; and the share of the time that is spent working.
    """
    from blipper.live import LiveAnalyser, WindowScored

    analyser = LiveAnalyser(rate, model=model)
    n_block = round(block * rate)
    found, work = [], []
    free = 0.0
    for first in range(0, len(samples), n_block):
        part = samples[first : first + n_block]
        begin = time.perf_counter()
        updates = analyser.add(part)
        seconds = time.perf_counter() - begin
        arrived = (first + len(part)) / rate
        free = max(free, arrived) + seconds
        work.append(seconds)
        found += [free - update.end for update in updates if isinstance(update, WindowScored)]
    return {
        "windows": len(found),
        "delay_s": _spread(found),
        "work_a_block_s": _spread(work),
        "busy_share": sum(work) / (len(samples) / rate),
    }


def by_a_timer(samples: material.Samples, model: Any) -> dict[str, Any]:
    """Do as notebooks do: every hop the last window, whatever it holds; the work alone, and half a hop."""
    from blipper.voice.windows import HOP, WINDOW

    n_window, n_hop = round(WINDOW * material.RATE), round(HOP * material.RATE)
    work = []
    for end in range(n_window, min(len(samples), 120 * material.RATE), n_hop):
        begin = time.perf_counter()
        model.score_windows(samples[end - n_window : end], material.RATE, [0.0], [WINDOW])
        work.append(time.perf_counter() - begin)
    return {"windows": len(work), "delay_s": _spread([HOP / 2 + seconds for seconds in work])}


def memory(samples: material.Samples, hours: float, model: Any) -> dict[str, Any]:
    """Feed the same talk over and over, as fast as it goes; resident memory after a tenth and at the end."""
    from blipper.live import LiveAnalyser

    analyser = LiveAnalyser(material.RATE, model=model)
    block = 4 * material.RATE
    readings: list[tuple[float, int]] = []
    most = 0
    began = time.process_time()
    while analyser.duration < hours * 3600:
        for first in range(0, len(samples) - block + 1, block):
            analyser.add(samples[first : first + block])
            most = max(most, analyser.buffered_bytes)
        readings.append((analyser.duration, _resident()))
    spent = time.process_time() - began
    first = readings[max(0, len(readings) // 10 - 1)]
    later = [reading for reading in readings if reading[0] >= first[0]]
    slope = np.polyfit([at / 3600 for at, _ in later], [mb / 1e6 for _, mb in later], 1)[0]
    return {
        "hours": readings[-1][0] / 3600,
        "x_real_time_of_cpu": readings[-1][0] / spent,
        "most_sound_kept_s": most / 4 / material.RATE,
        "resident_mb_after_a_tenth": first[1] / 1e6,
        "resident_mb_at_the_end": readings[-1][1] / 1e6,
        "growth_mb": (readings[-1][1] - first[1]) / 1e6,
        "growth_mb_an_hour": float(slope) if len(later) > 2 else 0.0,
        "readings_h_mb": [[round(at / 3600, 3), round(mb / 1e6, 1)] for at, mb in readings],
    }


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": float(np.median(values)),
        "p95": float(np.percentile(values, 95)),
        "max": float(np.max(values)),
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[16_000, 48_000, 8_000])
    parser.add_argument("--block", type=float, default=0.02, help="seconds in a block")
    parser.add_argument("--hours", type=float, default=6.0, help="of the stream whose memory is watched")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()

    from blipper.voice.models import load_model

    result: dict[str, Any] = {"machine": report.machine(), "block_s": options.block, "target_s": TARGET}
    print(result["machine"])
    model = load_model("mel-cnn")
    model.score_windows(np.zeros(material.RATE, np.float32), material.RATE, [0.0], [1.0])
    rows = []
    for kind, assemble in material.KINDS.items():
        samples, description = assemble(options.minutes * 60)
        samples = samples.clip(-1, 1)
        result[kind] = {"material": f"{options.minutes:g} min; {description}"}
        for rate in options.rates:
            there = samples if rate == material.RATE else soxr.resample(samples, material.RATE, rate)
            found = delays(np.asarray(there, np.float32), rate, options.block, model)
            result[kind][str(rate)] = found
            rows.append((f"{kind}, {rate} Hz", str(found["windows"]), *_cells(found["delay_s"])))
        found = result[kind]["by a timer, without speech detection"] = by_a_timer(samples, model)
        rows.append((f"{kind}, by a timer", str(found["windows"]), *_cells(found["delay_s"])))
    report.table(("delay from a window's end (ms)", "windows", "median", "95 %", "most"), rows)
    talk, _ = material.talk(min(options.minutes, 10) * 60)
    result["memory"] = memory(talk.clip(-1, 1), options.hours, model)
    told = {name: value for name, value in result["memory"].items() if name != "readings_h_mb"}
    print("\nmemory:", {name: round(value, 2) for name, value in told.items()})
    kinds = [result[kind][str(rate)]["delay_s"]["p95"] for kind in material.KINDS for rate in options.rates]
    print(f"\nHighest 95th percentile: {1000 * max(kinds):.0f} ms; target {1000 * TARGET:.0f} ms")
    report.save("live", result, options.save)


def _cells(spread: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{1000 * spread[name]:.0f}" for name in ("median", "p95", "max"))


if __name__ == "__main__":
    main()
