"""How long the Signal page's figures of a 10-minute recording take.

Run it from the checkout's root::

    python -m benchmarks.figures [--minutes 10] [--repeats 5]

"Made and sent" holds the measuring, the drawing and the serialising to the JSON that goes to the browser; the
size is that JSON's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks import material, report

TARGET = 2.0


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()

    from blipper import audio
    from blipper.figures.signal import VIEW_NAMES, VIEWS, View, signal_figure

    samples, description = material.reading(options.minutes * 60)
    recording = audio.from_samples(samples, material.RATE)
    signal_figure(audio.from_samples(samples[: 5 * material.RATE], material.RATE)).to_json()  # imports

    def measured(*views: View) -> dict[str, Any]:
        size = len(signal_figure(recording, views).to_json())
        return report.timed(lambda: signal_figure(recording, views).to_json(), options.repeats) | {
            "bytes": size
        }

    result: dict[str, Any] = {
        "machine": report.machine(),
        "material": f"{options.minutes:g} min; {description}",
        "views": {VIEW_NAMES[view]: measured(view) for view in VIEWS},
        "all views together": measured(*VIEWS),
    }
    rows = [*result["views"].items(), ("All views together", result["all views together"])]
    report.table(
        ("Made and sent", "median s", "min s", "max s", "MB"),
        [
            (name, *(f"{row[key]:.3f}" for key in ("median", "min", "max")), f"{row['bytes'] / 1e6:.2f}")
            for name, row in rows
        ],
    )
    whole = result["all views together"]["median"]
    print(f"\nTarget {TARGET:g} s: {'reached' if whole < TARGET else 'MISSED'}")
    report.save("figures", result, options.save)


if __name__ == "__main__":
    main()
