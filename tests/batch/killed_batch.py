"""A batch that kills itself with SIGKILL at a named moment.

Usage: python -m tests.batch.killed_batch MOMENT INPUT OUTPUT
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blipper import batch
from blipper.batch import finding, manifest, pool, process, running, table
from tests.batch.conftest import DOUBLE

#: Moment: where the function is, its name, before or after it, at which call.
MOMENTS: dict[str, tuple[Any, str, str, int]] = {
    "a recording was found": (finding.places, "normal", "after", 3),
    "before the claim": (manifest.Manifest, "claim", "before", 1),
    "after the claim": (manifest.Manifest, "claim", "after", 1),
    "a recording was handed out": (process.WorkerProcess, "give", "after", 2),
    "before a row is written": (manifest.Manifest, "record", "before", 2),
    "after a row was written": (manifest.Manifest, "record", "after", 2),
    "the tables are half written": (table, "_write", "after", 1),
    "one table was replaced": (Path, "replace", "after", 1),
    "the tables were written": (running, "write_tables", "after", 1),
    "the workers end": (pool.Pool, "_end", "before", 1),
    "the claims end": (manifest.Manifest, "__exit__", "before", 1),
}


def deadly(function: Callable[..., Any], when: str, call: int) -> Callable[..., Any]:
    """Wrap a function that ends this process."""
    count = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if when == "before" and count == call:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if when == "after" and count == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


if __name__ == "__main__":
    process.WORKER = DOUBLE
    moment, source, output = sys.argv[1:]
    if moment in MOMENTS:
        place, name, when, call = MOMENTS[moment]
        setattr(place, name, deadly(getattr(place, name), when, call))
    batch.run(source, output, workers=1)
