"""Explanations as text for a terminal and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blipper.csv_cells import score, seconds, table, text
from blipper.explain.attribution import Attribution
from blipper.explain.features import Companion, Named
from blipper.explain.overview import Overview
from blipper.explain.pieces import LeftOut
from blipper.explain.what_if import WhatIf
from blipper.explain.wording import Told, shares
from blipper.results import Windows
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


def pieces_csv(pieces: Sequence[LeftOut]) -> str:
    """Return what each piece gives the score."""
    rows = (
        (
            seconds(piece.start),
            seconds(piece.end),
            text(piece.text),
            f"{piece.effect:.6f}",
            score(piece.score),
        )
        for piece in pieces
    )
    return table(("start_s", "end_s", "text", "effect_log_odds", "score_without"), rows)


def what_if_csv(curves: Sequence[WhatIf]) -> str:
    """Return the score at each step of each change."""
    rows = (
        (curve.change.name, f"{step:g}", curve.change.unit, score(float(value)), score(curve.original))
        for curve in curves
        for step, value in zip(curve.change.steps, curve.scores, strict=True)
    )
    return table(("change", "step", "unit", "score", "score_unchanged"), rows)


def moments_csv(windows: Windows, scores: ArrayLike) -> str:
    """Return each window's times and its score for what is explained."""
    rows = (
        (seconds(float(a)), seconds(float(b)), score(float(value)))
        for a, b, value in zip(windows.start, windows.end, np.asarray(scores), strict=True)
    )
    return table(("start_s", "end_s", "score"), rows)


def overview_csv(overview: Overview) -> str:
    """Return each window's sum, then each band's mean contribution."""
    windows = zip(overview.starts, overview.ends, overview.contributions, overview.scores, strict=True)
    rows = [
        ("window", seconds(float(a)), seconds(float(b)), "", f"{c:.6f}", score(float(s)))
        for a, b, c, s in windows
    ]
    rows += [
        ("band", "", "", f"{hz:.1f}", f"{value:.6f}", "")
        for hz, value in zip(overview.bands, overview.band_profile, strict=True)
    ]
    return table(("kind", "start_s", "end_s", "band_hz", "contribution_log_odds", "score"), rows)


def companion_accuracy(companion: Companion, target: str) -> str:
    """Say how good the companion is on speakers whom it never met, and that it is not the model."""
    figures = companion.figures
    auc = figures["roc_auc"].get(target)
    told = f"ROC-AUC {auc:.2f} for {target}, " if auc is not None else ""
    return (
        f"A small companion on named features, not the model that scores: {told}UAR {figures['uar']:.2f} "
        f"over {figures['emotions']} emotions, on {figures['clips']} clips of the {figures['split']}"
    )


def named_dict(named: Named, companion: Companion) -> dict[str, Any]:
    """Return what named features say as plain JSON values."""
    return {
        "target": named.target,
        "companion_score": named.score,
        "usual_score": named.usual_score,
        "base_log_odds": named.base,
        "stretches": named.stretches,
        "groups": [
            {
                "name": share.name,
                "label": share.label,
                "log_odds": share.value,
                "deviation": share.deviation,
            }
            for share in named.shares
        ],
        "companion": dict(companion.figures),
    }


def named_text(named: Named | None, companion: Companion) -> str:
    """Return what named features say, for a terminal."""
    if named is None:
        return "\nNamed features: too little other speech in this recording to know what is usual in it.\n"
    rows = [(f"  {share.label}", f"{share.value:+.2f}") for share in named.shares[:5]]
    return "\n".join([
        "",
        f"By named features, against what is usual in this recording (log-odds for {named.target}):",
        *columns(rows, right=frozenset({1})),
        f"  {companion_accuracy(companion, named.target)}.",
        "",
    ])  # fmt: skip


def named_csv(named: Named) -> str:
    """Return each group of named features."""
    rows = (
        (text(share.name), text(share.label), f"{share.value:.6f}", f"{share.deviation:.3f}")
        for share in named.shares
    )
    return table(("group", "label", "log_odds", "deviation_sd"), rows)
