"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

MinDurationOption = Annotated[
    float | None,
    typer.Option(
        "--min-duration",
        help="Shortest event in seconds, 0 to 3600; 1 unless given. With 3, fewer alarms are false and "
        "most outbursts of one sentence are lost.",
    ),
]
SurroundingsOption = Annotated[
    float | None,
    typer.Option(
        "--surroundings",
        help="Seconds, 0 to 10, over which what surrounds a score counts less by a factor e; 0.8 unless "
        "given. 0 judges every moment by itself: single outbursts score higher, and more alarms are false.",
    ),
]
