"""The batch's figures in docs/scaling.md and docs/guide/research.md, from benchmarks/results/batch.json.

Usage: python tools/scaling_figures.py          (rewrites the parts of the two between their markers)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "batch.json"
DOCUMENT = ROOT / "docs" / "scaling.md"
RESEARCH = ROOT / "docs" / "guide" / "research.md"
START, END = "<!-- figures: python -m benchmarks.batch --write -->\n", "<!-- end of figures -->"

#: Minutes of sound that the projections are for.
LAPTOP, CLUSTER = 100_000, 100_000_000


def render(result: dict[str, Any]) -> str:
    """Return the section with the figures.

    Parameters
    ----------
    result : dict
        What ``python -m benchmarks.batch`` saved.
    """
    return "\n".join([*_measured(result), "", *_projected(result), ""])


_NAMES = {
    "librosa and Keras loop": "as fast as the notebooks' loop over librosa and Keras",
    "openSMILE eGeMAPS": "as fast as openSMILE's eGeMAPS",
}


def render_cost(result: dict[str, Any]) -> str:
    """Return what 100,000 minutes cost, for the research notes."""
    machine, rate, workers = result["machine"], result["blipper"]["x_real_time"], result["workers"]
    busy = ", while other work was running" if _is_busy(machine) else ""
    ratios = " and ".join(
        f"{ratio / workers:,.0f} times {_NAMES.get(name, name)}"
        for name, ratio in sorted(result["ratios"].items())
    )
    return (
        f"`blipper batch` without transcripts went at {rate:,.0f} times real time with {workers} workers "
        f"({machine['processor']}, {machine['date']}{busy}): {LAPTOP:,} minutes take "
        f"{LAPTOP / rate / 60:.1f} hours there, projected. A worker alone is {ratios}, on the same "
        "machine. How it was measured, and what breaks first beyond that: `docs/scaling.md`.\n"
    )


def _is_busy(machine: dict[str, Any]) -> bool:
    return bool(machine["load_average_at_start"][0] > machine["cores"] / 2)


def _measured(result: dict[str, Any]) -> list[str]:
    machine, mine, many = result["machine"], result["blipper"], result["many"]
    load = machine["load_average_at_start"][0]
    busy = (
        f" **Other work was running** (load average {load:g}): the machine can do better than this."
        if _is_busy(machine)
        else ""
    )
    workers = result["workers"]
    what, facts = result["material"], f"{machine['processor']}, {machine['cores']} cores, {workers} workers"
    lines = [
        f"Measured on {machine['date']} by `python -m benchmarks.batch`: {facts}; {what['files']} files of 1 "
        f"to 10 minutes, {what['audio_s'] / 60:.0f} minutes in all; median of {len(mine['runs'])}.{busy}",
        "",
        "| on one and the same machine | times real time | Blipper's batch is faster by | one worker by |",
        "|---|---|---|---|",
        f"| **Blipper, batch with {workers} workers** | **{mine['x_real_time']:,.0f}** | | |",
    ]
    if result.get("ray"):
        rate = result["ray"]["x_real_time"]
        ratio = mine["x_real_time"] / rate
        lines.append(f"| the same through Ray | {rate:,.0f} | {ratio:.2f} | |")
    for name, one in result["yardsticks"].items():
        ratio = result["ratios"][name]
        lines.append(
            f"| {name}, one process | {one['x_real_time']:,.1f} | {ratio:,.1f} | {ratio / workers:,.1f} |"
        )
    formats = ", ".join(
        f"{one['x_real_time_a_worker']:,.0f} for {ending.lstrip('.').upper()}"
        for ending, one in sorted(result["by_format"].items())
    )
    (a, b), (c, d) = many["parent_mib"], many["largest_worker_mib"]
    first, last = many["between_files"]
    return [
        *lines,
        "",
        f"- One worker, times real time by format: {formats}.",
        *_cpu(result.get("cpu")),
        f"- Manifest and tables: {100 * mine['manifest_share']:.2f} % of the time.",
        f"- Start of the workers: {mine['with_start_s'] - mine['seconds']:.1f} s a run, once.",
        f"- A second run over {result['again']['unchanged']} recordings that finds all done: "
        f"{result['again']['seconds']:.2f} s.",
        f"- {many['files']:,} recordings of {_each(many)}: {many['files_a_second']:.0f} a second. From "
        f"recording {first:,} to {last:,} the parent went from {a:.0f} to {b:.0f} MiB and the largest worker "
        f"from {c:.0f} to {d:.0f} MiB.",
        f"- Results: {result['result_bytes_a_minute'] / 1000:.0f} kB of JSON a minute of sound; "
        f"{many['manifest_bytes_a_row']:.0f} bytes of manifest a recording.",
    ]


def _each(many: dict[str, Any]) -> str:
    """Say how long the short recordings are."""
    return "2 to 3 s, each of its own content" if "audio_s" in many else "4 s"


def _cpu(cpu: dict[str, Any] | None) -> list[str]:
    """Say where a worker's time goes; a stage whose name begins with spaces is part of another."""
    if cpu is None:
        return []
    whole = ("voice", "speech detection")  # their parts are told instead
    parts = {name.strip(): value for name, value in cpu["ms_a_minute"].items() if name not in whole}
    named = [f"{name} {value:.0f}" for name, value in sorted(parts.items(), key=lambda one: -one[1])[:5]]
    spent = 60_000 * cpu["cpu_s"] / cpu["audio_s"]
    return [
        f"- CPU time of a worker, which other work changes less than the clock's: {spent:.0f} ms a minute of "
        f"sound, or {cpu['x_real_time']:,.0f} times real time on a core of its own; the most of it, in ms: "
        f"{', '.join(named)}."
    ]


def _projected(result: dict[str, Any]) -> list[str]:
    rate, workers = result["blipper"]["x_real_time"], result["workers"]
    core = rate / workers
    hours = LAPTOP / rate / 60
    cores = CLUSTER / core / 60 / 24
    bytes_a_minute = result["result_bytes_a_minute"]
    recordings = CLUSTER / 5
    manifest = recordings * result["many"]["manifest_bytes_a_row"] / 1e9
    gigabytes, terabytes = LAPTOP * bytes_a_minute / 1e9, CLUSTER * bytes_a_minute / 1e12
    days = CLUSTER / rate / 60 / 24
    return [
        "Projected from these figures, not measured:",
        "",
        f"- **{LAPTOP:,} minutes** on this machine: {hours:.1f} hours and {gigabytes:.1f} GB of results.",
        f"- **{CLUSTER / 1e6:.0f} million minutes**: {days:,.0f} days on this machine; in one day with about "
        f"{cores:,.0f} such cores. {terabytes:.1f} TB of results; as recordings of 5 minutes, "
        f"{recordings / 1e6:.0f} million files and {manifest:.0f} GB of manifest.",
    ]


def write(result: dict[str, Any]) -> None:
    """Put the figures of `result` between the markers of both documents."""
    for path, section in ((DOCUMENT, render(result)), (RESEARCH, render_cost(result))):
        before, rest = path.read_text(encoding="utf-8").split(START)
        _, after = rest.split(END)
        path.write_text(before + START + section + END + after, encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(RESULTS.read_text(encoding="utf-8")))
