"""Explanations as text for a terminal and as tables."""

from __future__ import annotations

from blipper.explain.attribution import Attribution
from blipper.explain.wording import Told, shares
from blipper.export.csv import seconds, table
from blipper.terminal import columns

CELL_COLUMNS = ("start_s", "band_hz", "contribution_log_odds", "level_db")


def attribution_text(name: str, attribution: Attribution, told: Told) -> str:
    """Return what a person needs first: the sentence, how sure it is, the ranges."""
    rows = [("  Hz", "log-odds")]
    rows += [(f"  {low:.0f} to {high:.0f}", f"{value:+.2f}") for low, high, value in shares(attribution)]
    lines = [
        f"{name}, {attribution.parts[0].start:.2f} to {attribution.parts[-1].end:.2f} s:",
        told.sentence,
        f"Certainty {told.certainty}: {told.reason}",
        "",
        f"What each range of frequencies gives ({attribution.method}, {attribution.target}):",
        *columns(rows, right=frozenset({1})),
        f"  together {attribution.total:+.2f}, the score's difference is {attribution.difference:+.2f} "
        f"(from {attribution.base_score:.2f} to {attribution.score:.2f})",
        "",
        f"Model {attribution.model}. This says what moved the model, not what somebody feels or means.",
    ]
    return "\n".join(lines) + "\n"


def attribution_csv(attribution: Attribution) -> str:
    """Return every cell: its time, band, contribution, and the level that the network saw (empty: none)."""
    times, bands = attribution.times, attribution.bands
    rows = (
        (
            seconds(float(times[i])),
            f"{bands[k]:.1f}",
            f"{attribution.values[i, k]:.6f}",
            "" if attribution.inputs[i, k] != attribution.inputs[i, k] else f"{attribution.inputs[i, k]:.2f}",
        )
        for i in range(len(times))
        for k in range(len(bands))
    )
    return table(CELL_COLUMNS, rows)
