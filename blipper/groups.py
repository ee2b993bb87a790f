"""Figures of groups of clips beside everybody else's: by sex, intensity, corpus, speaker, age, race."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import SettingsError
from blipper.measures import TITLES, Bools, Figure, Rows, Selection, share_of
from blipper.training import metrics

#: Figures of a group that :func:`by_group` compares.
GROUP_MEASURES: Final = {
    "accuracy": "Accuracy",
    "uar": "UAR (mean recall of the emotions)",
    "roc_auc": "ROC-AUC, angry against the rest",
    "found": "Angry clips at or over the threshold",
    "false_alarms": "Other clips at or over the threshold",
}


@dataclass(frozen=True)
class GroupFigure:
    """One group's figure beside everybody else's.

    Parameters
    ----------
    group : str
    clips, speakers : int
    figure : Figure
    gap : Figure
        How much higher than that of all other clips; no interval where either side is a single speaker.
    """

    group: str
    clips: int
    speakers: int
    figure: Figure
    gap: Figure


def group_measure(selection: Selection, name: str, threshold: float) -> Callable[[Rows], float]:
    """Return one of :data:`GROUP_MEASURES` as a function of row numbers.

    It raises ValueError where the figure is undefined, as :func:`blipper.training.metrics.interval` expects.
    """
    labels, guessed, angry = selection.labels, selection.guessed, selection.angry
    scores, over = selection.aggression, selection.aggression >= threshold
    right = labels == guessed
    measures: dict[str, Callable[[Rows], float]] = {
        "accuracy": lambda rows: share_of(right[rows]),
        "uar": lambda rows: metrics.uar(labels[_some(rows)], guessed[rows]),
        "roc_auc": lambda rows: metrics.roc_auc(angry[rows], scores[rows]),
        "found": lambda rows: share_of(over[rows][angry[rows]]),
        "false_alarms": lambda rows: share_of(over[rows][~angry[rows]]),
    }
    if name not in measures:
        raise SettingsError(f"measure {name!r}, expected one of {', '.join(measures)}")
    return measures[name]


def by_group(
    selection: Selection,
    groups: Sequence[str],
    measure: str,
    threshold: float,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> list[GroupFigure]:
    """Compare groups of clips in one figure.

    Parameters
    ----------
    selection : Selection
    groups : sequence of str, one a clip
        Clips of the group ``""`` (unknown) are left out.
    measure : str
        One of :data:`GROUP_MEASURES`.
    threshold : float
    seed, resamples : int

    Returns
    -------
    list of GroupFigure
        By name; a group in which the figure is undefined has NaN.
    """
    known = np.array(groups)
    compute = group_measure(selection, measure, threshold)
    inside_all = np.flatnonzero(known != "")
    found = []
    for group in sorted(set(groups) - {""}):
        member = known == group
        rows = np.flatnonzero(member)

        def gap(drawn: Rows, member: Bools = member) -> float:
            return compute(drawn[member[drawn]]) - compute(drawn[~member[drawn] & (known[drawn] != "")])

        speakers = [selection.speakers[i] for i in rows]
        others = {selection.speakers[i] for i in inside_all if not member[i]}

        def own(drawn: Rows, rows: Rows = rows) -> float:
            return compute(rows[drawn])

        several = min(len(set(speakers)), len(others)) > 1  # one speaker says nothing of others like them
        found.append(
            GroupFigure(
                group,
                len(rows),
                len(set(speakers)),
                Figure(
                    _or_nan(compute, rows), metrics.interval(own, speakers, seed=seed, resamples=resamples)
                ),
                Figure(
                    _or_nan(gap, inside_all),
                    metrics.interval(gap, selection.speakers, seed=seed, resamples=resamples)
                    if several
                    else None,
                ),
            )
        )
    return found


def groupings(
    selection: Selection, demographics: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, list[str]]:
    """Return each clip's group for every way of grouping in which there are at least two.

    Parameters
    ----------
    selection : Selection
    demographics : mapping, optional
        As :func:`blipper.evaluation.read_demographics` gives it; holds for CREMA-D's speakers alone.
    """
    rows = selection.rows
    found = {
        "sex": [row.sex for row in rows],
        "intensity": ["" if row.intensity == "unspecified" else row.intensity for row in rows],
        "corpus": [TITLES.get(row.corpus, row.corpus) for row in rows],
        "speaker": [f"{TITLES.get(row.corpus, row.corpus)} {row.speaker}" for row in rows],
    }
    for name, table in (demographics or {}).items():
        found[f"{name} (CREMA-D)"] = [
            table.get(row.speaker, "") if row.corpus == "crema-d" else "" for row in rows
        ]
    return {name: groups for name, groups in found.items() if len(set(groups) - {""}) > 1}


def _some(rows: Rows) -> Rows:
    if not len(rows):
        raise ValueError("a figure of no clip is undefined")
    return rows


def _or_nan(measure: Callable[[Rows], float], rows: Rows) -> float:
    try:
        return measure(rows)
    except ValueError:
        return math.nan
