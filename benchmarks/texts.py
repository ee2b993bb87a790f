"""What each text model costs: utterances a second, and memory, in a process of its own.

Called by :mod:`benchmarks.speed`; alone::

    python -m benchmarks.texts [--utterances 2000]

The utterances are random words of these very lines, 1 to 25 of them and 9 on average, as turns of talk are;
what they say does not change what they cost. Chosen models are measured where they are on this machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks import report

TARGET = 300.0


def utterances(count: int, seed: int = 0) -> list[str]:
    """Make utterances of the lengths that talk has."""
    rng = np.random.default_rng(seed)
    words = (__doc__ or "").split()
    lengths = np.clip(rng.geometric(1 / 9, count), 1, 25)
    return [" ".join(rng.choice(words, length)) for length in lengths]


def measure(count: int = 2000, repeats: int = 5) -> dict[str, dict[str, Any]]:
    """Time every text model on this machine.

    Returns
    -------
    dict
        By model: ``load_s``, ``utterances_per_s``, ``seconds`` (of the repeats), ``peak_mb`` (the largest
        resident set of the process) and ``parameters``.
    """
    from blipper.words.text_builtin import BUILT_IN, built_in_folder
    from blipper.words.text_hub import cached_names

    names = [BUILT_IN] if built_in_folder().is_dir() else []
    found = {}
    for name in (*names, *cached_names()):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.texts", "--one", name),
                *("--utterances", str(count), "--repeats", str(repeats)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(name: str, count: int, repeats: int) -> dict[str, Any]:
    """Time one model in this process."""
    from blipper.words.sentiment import load_text_model

    begin = time.perf_counter()
    model = load_text_model(name)
    load = time.perf_counter() - begin
    texts = utterances(count)
    model.score(texts[:64])
    seconds = report.timed(lambda: model.score(texts), repeats)
    return {
        "load_s": load,
        "utterances_per_s": count / seconds["median"],
        "seconds": seconds,
        "peak_mb": report.peak_mb(),
        "parameters": sum(tensor.numel() for tensor in model.network.parameters()),
    }


def show(found: dict[str, dict[str, Any]]) -> None:
    """Print the figures, and whether the built-in model is quick enough."""
    rows = [
        (
            name,
            *(f"{value['utterances_per_s']:,.0f}", f"{value['load_s']:.1f}", f"{value['peak_mb']:,.0f}"),
            f"{value['parameters'] / 1e6:.1f}",
        )
        for name, value in found.items()
    ]
    report.table(("text model", "utterances/s", "load s", "peak MB", "million parameters"), rows)
    if built_in := found.get("built-in"):
        reached = built_in["utterances_per_s"] >= TARGET
        print(f"target for the built-in: {TARGET:g} a second {'reached' if reached else 'MISSED'}")
    else:
        print("the built-in text model is not installed, so it was not measured")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--utterances", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.utterances, options.repeats)))
        return
    print(report.machine())
    show(measure(options.utterances, options.repeats))


if __name__ == "__main__":
    main()
