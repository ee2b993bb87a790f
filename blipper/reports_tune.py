"""A study as text."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from blipper.terminal import columns

if TYPE_CHECKING:
    from blipper.training.tune_report import Tuned

#: Trials that the table shows.
_SHOWN = 5


def best_note(tuned: Tuned) -> str:
    """Return the best score so far in a few words."""
    best = tuned.best
    return "" if best is None or best.score is None else f"best {best.score:.3f} (trial {best.number})"


def tuned_text(tuned: Tuned, data: Path, output: Path) -> str:
    """Return the best trials of a study, the best settings, and how to train with them.

    Parameters
    ----------
    tuned : Tuned
    data, output : path
        As the command was given them.

    Returns
    -------
    str
    """
    from blipper.training.tune_report import CHOSEN

    states = [trial.state for trial in tuned.trials]
    lines = [
        f"{states.count('finished')} trials finished, {states.count('ended early')} ended early, judged by "
        f"fold {tuned.fold}'s {len(tuned.speakers)} validation speakers."
    ]
    finished = [trial for trial in tuned.trials if trial.score is not None]
    ranked = sorted(finished, key=lambda trial: (-(trial.score or 0.0), trial.number))
    shown = ranked[:_SHOWN]
    base = tuned.base
    if base is not None and base not in shown:
        shown.append(base)
    figures = sorted({name for trial in shown for name in trial.figures if name != "score"})
    rows = [("trial", "score", *figures)]
    for trial in shown:
        mark = " (as it was)" if trial is base else ""
        cells = [f"{trial.figures[name]:.3f}" if name in trial.figures else "-" for name in figures]
        rows.append((f"{trial.number}{mark}", f"{trial.score:.3f}", *cells))
    lines += ["", *columns(rows, right=frozenset(range(1, len(rows[0]))))]
    best = tuned.best
    if best is not None:
        values = [(name, _value(value)) for name, value in best.values.items()]
        chosen = shlex.quote(str(output / CHOSEN))
        lines += ["", f"Settings of trial {best.number}:", *columns([("  " + n, v) for n, v in values])]
        lines += [
            "",
            f"blipper train {shlex.quote(str(data))} --model {tuned.model} --settings {chosen} --output DIR",
        ]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
