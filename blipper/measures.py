"""Figures of a selection of scored clips: pure functions from predictions to numbers, each with its interval.

The measures themselves are those of :mod:`blipper.training.metrics`, their intervals those of
:mod:`blipper.training.bootstrap`. Labels are indices into
:data:`blipper.voice.labels.EMOTIONS`; intervals are 95 % by bootstrap over speakers, None where there are
fewer than two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.training import bootstrap, metrics
from blipper.training.bootstrap import Bootstrap
from blipper.training.predictions import POOLED, Scored
from blipper.voice.labels import COMMON_EMOTIONS, EMOTIONS

Interval = tuple[float, float] | None
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

ANGRY: Final = EMOTIONS.index("angry")
_COMMON: Final = np.array([EMOTIONS.index(emotion) for emotion in COMMON_EMOTIONS])

#: Corpora by name, as people know them.
TITLES: Final = {"ravdess": "RAVDESS", "crema-d": "CREMA-D", "savee": "SAVEE", "tess": "TESS"}
#: Selections over several corpora: the six emotions that all of them have.
POOLS: Final = {
    "common": "RAVDESS, CREMA-D, SAVEE (six emotions)",
    "all": "All four corpora (six emotions)",
}


@dataclass(frozen=True, eq=False)
class Selection:
    """Scored clips of one corpus, or of several over their common emotions.

    Parameters
    ----------
    name, title : str
    rows : tuple of Scored
    classes : tuple of int
        Emotions that could be chosen: those of the corpus, or the six common ones.
    labels, guessed : numpy.ndarray of int, shape (n,)
        What was acted, and the likeliest of `classes`.
    confidence : numpy.ndarray, shape (n,)
        Probability of what was guessed, among `classes`.
    aggression : numpy.ndarray, shape (n,)
    speakers : tuple of str
        With their corpus: ``"ravdess/01"``.
    """

    name: str
    title: str
    rows: tuple[Scored, ...]
    classes: tuple[int, ...]
    labels: Rows
    guessed: Rows
    confidence: Floats
    aggression: Floats
    speakers: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.rows)

    def subset(self, chosen: Bools, title: str = "") -> Selection:
        """Return some of the clips, with the same emotions to choose from."""
        rows = np.flatnonzero(chosen)
        return replace(
            self,
            title=title or self.title,
            rows=tuple(self.rows[i] for i in rows),
            labels=self.labels[rows],
            guessed=self.guessed[rows],
            confidence=self.confidence[rows],
            aggression=self.aggression[rows],
            speakers=tuple(self.speakers[i] for i in rows),
        )

    @property
    def angry(self) -> Bools:
        """Which clips were acted angry, shape (n,)."""
        return np.asarray(self.labels == ANGRY)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the emotions that could be chosen."""
        return tuple(EMOTIONS[c] for c in self.classes)

    def shares(self) -> Floats:
        """Return the probabilities of `classes`, shape (n, n_classes)."""
        return np.array([row.emotions for row in self.rows])[:, list(self.classes)]

    def confusion(self) -> NDArray[np.int64]:
        """Count clips by what was acted (rows) and guessed (columns), shape (n_classes, n_classes)."""
        return metrics.confusion(self.labels, self.guessed)[np.ix_(self.classes, self.classes)]

    def cell(self, acted: str, heard: str) -> tuple[int, ...]:
        """Return row numbers of the clips acted as one emotion and guessed another, surest first."""
        chosen = np.flatnonzero(
            (self.labels == EMOTIONS.index(acted)) & (self.guessed == EMOTIONS.index(heard))
        )
        return tuple(int(i) for i in chosen[np.argsort(-self.confidence[chosen], kind="stable")])


def selections(scored: Sequence[Scored]) -> dict[str, str]:
    """Name what can be selected from some clips: title by name."""
    corpora = {row.corpus for row in scored}
    found = {"common": POOLS["common"]} if corpora >= set(POOLED) else {}
    if corpora >= set(TITLES):
        found["all"] = POOLS["all"]
    known = [corpus for corpus in TITLES if corpus in corpora]
    return found | {corpus: TITLES.get(corpus, corpus) for corpus in [*known, *sorted(corpora - set(TITLES))]}


def select(scored: Sequence[Scored], name: str) -> Selection:
    """Select clips.

    Parameters
    ----------
    scored : sequence of Scored
    name : str
        A corpus, or one of :data:`POOLS`.

    Returns
    -------
    Selection

    Raises
    ------
    SettingsError
        If there is no such clip.
    """
    pooled = name in POOLS
    corpora = set(POOLED) if name == "common" else {row.corpus for row in scored} if pooled else {name}
    rows = tuple(
        row for row in scored if row.corpus in corpora and (not pooled or row.emotion in COMMON_EMOTIONS)
    )
    if not rows:
        raise SettingsError(f"no clip of {name!r}; there are: {', '.join(selections(scored)) or 'none'}")
    labels = np.array([EMOTIONS.index(row.emotion) for row in rows], dtype=np.int64)
    classes = _COMMON if pooled else np.unique(labels)
    shares = np.array([row.emotions for row in rows])[:, classes]
    return Selection(
        name,
        POOLS.get(name) or TITLES.get(name, name),
        rows,
        tuple(int(c) for c in classes),
        labels,
        np.asarray(classes[shares.argmax(axis=1)], dtype=np.int64),
        np.asarray(shares.max(axis=1) / np.maximum(shares.sum(axis=1), 1e-9), dtype=np.float64),
        np.array([row.aggression for row in rows]),
        tuple(f"{row.corpus}/{row.speaker}" for row in rows),
    )


@dataclass(frozen=True)
class Figure:
    """A figure and its interval.

    Parameters
    ----------
    value : float
        NaN where it is undefined.
    interval : (low, high) or None
    """

    value: float
    interval: Interval = None


def headline(selection: Selection, *, seed: int = 0, resamples: int = 1000) -> dict[str, Figure]:
    """Compute accuracy, UAR, macro-F1 and, where angry clips and others are there, ROC-AUC and PR-AUC.

    The same numbers as :func:`blipper.training.evaluate.evaluate` with the same seed and resamples.
    """
    labels, guessed, angry, scores = (
        selection.labels,
        selection.guessed,
        selection.angry,
        selection.aggression,
    )
    draws = Bootstrap(selection.speakers, seed=seed, resamples=resamples)
    counts = draws.confusion(labels, guessed, selection.classes)
    found = {
        "accuracy": Figure(metrics.accuracy(labels, guessed), draws.interval(bootstrap.accuracy(counts))),
        "uar": Figure(metrics.uar(labels, guessed), draws.interval(bootstrap.uar(counts))),
        "macro_f1": Figure(metrics.macro_f1(labels, guessed), draws.interval(bootstrap.macro_f1(counts))),
    }
    if angry.any() and not angry.all():
        roc, pr = draws.roc_auc(angry, scores), draws.pr_auc(angry, scores)
        found["roc_auc"] = Figure(metrics.roc_auc(angry, scores), draws.interval(roc))
        found["pr_auc"] = Figure(metrics.pr_auc(angry, scores), draws.interval(pr))
    return found


def report(selection: Selection, *, seed: int = 0, resamples: int = 1000) -> list[dict[str, Any]]:
    """Compute precision, recall, F1 and the areas against the rest for each emotion.

    Returns
    -------
    list of dict
        ``emotion``, ``clips``, ``guessed`` (how often the model chose it), and as :class:`Figure`:
        ``precision``, ``recall``, ``f1``, ``roc_auc``, ``pr_auc``; NaN where a figure is undefined: the
        precision of an emotion that was never guessed.
    """
    draws = Bootstrap(selection.speakers, seed=seed, resamples=resamples)
    counts = selection.confusion()
    shares = selection.shares()
    found: list[dict[str, Any]] = []
    for i, (c, name) in enumerate(zip(selection.classes, selection.names, strict=True)):
        acted, right, guessed = int(counts[i].sum()), int(counts[i, i]), int(counts[:, i].sum())
        inside, hits = np.asarray(selection.labels == c), np.asarray(selection.guessed == c)
        row: dict[str, Any] = {"emotion": name, "clips": acted, "guessed": guessed}
        row["precision"] = _figure(right, guessed, draws, draws.share(inside, hits))
        row["recall"] = _figure(right, acted, draws, draws.share(hits, inside))
        both = draws.total(inside) + draws.total(hits)
        f1 = np.divide(2 * draws.total(inside & hits), both, out=np.full(len(both), np.nan), where=both > 0)
        row["f1"] = _figure(2 * right, acted + guessed, draws, f1)
        row["roc_auc"] = row["pr_auc"] = Figure(math.nan)
        if inside.any() and not inside.all():
            scores = np.asarray(shares[:, i], dtype=np.float64)
            roc, pr = draws.roc_auc(inside, scores), draws.pr_auc(inside, scores)
            row["roc_auc"] = Figure(metrics.roc_auc(inside, scores), draws.interval(roc))
            row["pr_auc"] = Figure(metrics.pr_auc(inside, scores), draws.interval(pr))
        found.append(row)
    return found


def _figure(over: int, under: int, draws: Bootstrap, drawn: Floats) -> Figure:
    return Figure(over / under, draws.interval(drawn)) if under else Figure(math.nan)


def share_of(values: Bools) -> float:
    """Return the share that is true; ValueError where there is nothing."""
    if not len(values):
        raise ValueError("the share of nothing is undefined")
    return float(values.mean())
