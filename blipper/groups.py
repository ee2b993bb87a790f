"""Figures of groups of clips beside everybody else's: by sex, intensity, corpus, speaker, age, race."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import SettingsError
from blipper.measures import TITLES, Bools, Figure, Floats, Rows, Selection, share_of
from blipper.training import metrics
from blipper.training.bootstrap import Bootstrap

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
    inside_all = known != ""
    everybody = Bootstrap(selection.speakers, seed=seed, resamples=resamples)
    found = []
    for group in sorted(set(groups) - {""}):
        member = np.asarray(known == group)
        others = inside_all & ~member
        own = selection.subset(member)
        draws = Bootstrap(own.speakers, seed=seed, resamples=resamples)
        n_others = len({selection.speakers[i] for i in np.flatnonzero(others)})
        several = min(draws.n_speakers, n_others) > 1  # one speaker says nothing of others like them
        value, rest = (_or_nan(compute, np.flatnonzero(chosen)) for chosen in (member, others))
        ours = drawn(own, measure, threshold, draws, np.ones(len(own), dtype=np.bool_))
        apart = None
        if several:
            apart = everybody.interval(
                drawn(selection, measure, threshold, everybody, member)
                - drawn(selection, measure, threshold, everybody, others)
            )
        found.append(
            GroupFigure(
                group,
                len(own),
                draws.n_speakers,
                Figure(value, draws.interval(ours)),
                Figure(value - rest, apart),
            )
        )
    return found


def drawn(selection: Selection, measure: str, threshold: float, draws: Bootstrap, among: Bools) -> Floats:
    """Return one of :data:`GROUP_MEASURES` in each draw of speakers, NaN where it is undefined.

    Parameters
    ----------
    selection : Selection
    measure : str
    threshold : float
    draws : Bootstrap
        Of the selection's speakers.
    among : numpy.ndarray of bool, shape (n,)
        Clips that count.
    """
    angry, over = selection.angry, np.asarray(selection.aggression >= threshold)
    right = np.asarray(selection.labels == selection.guessed)
    if measure == "accuracy":
        return draws.share(right, among)
    if measure == "uar":
        recalls = [draws.share(right, among & (selection.labels == c)) for c in selection.classes]
        known = np.array([one for one in recalls if not np.isnan(one).all()])
        if not len(known):
            return np.full(len(draws.weights), np.nan)
        count = (~np.isnan(known)).sum(axis=0)
        total = np.nansum(known, axis=0)
        means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        return means
    if measure == "roc_auc":
        return draws.roc_auc(angry, selection.aggression, among)
    return draws.share(over, among & (angry if measure == "found" else ~angry))


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
