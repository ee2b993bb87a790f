"""Many recordings in one go: found by content, each in isolation, safe to interrupt at any moment.

A batch writes below its output folder: one JSON a recording in ``results/``, one growing table as
``results.csv`` and ``results.parquet``, and ``manifest.sqlite``, which knows what has been done, so that a
second run does only what is missing or changed.

A recording's result is on the disk before its row is in the manifest, and the tables are copies of the
manifest's rows: whatever ends a batch, ``kill -9`` included, nothing is lost or doubled.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blipper.batch.running import run
    from blipper.batch.state import BatchLimits, BatchState, BatchSummary, Failure
    from blipper.batch.table import Row, read_rows

_HOME = {
    "run": "running",
    "BatchLimits": "state",
    "BatchState": "state",
    "BatchSummary": "state",
    "Failure": "state",
    "Row": "table",
    "read_rows": "table",
}

__all__ = ["BatchLimits", "BatchState", "BatchSummary", "Failure", "Row", "read_rows", "run"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'blipper.batch' has no attribute {name!r}")
    return getattr(importlib.import_module(f"blipper.batch.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
