"""Two analyses of one recording, side by side: what another model or other settings change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from blipper.errors import LibraryError
from blipper.results import Analysis, Curve, Event


@dataclass(frozen=True)
class Pair:
    """An event of either analysis, or of both.

    Parameters
    ----------
    kind : {"both", "first", "second"}
        In which of them it is.
    first, second : Event or None
    """

    kind: Literal["both", "first", "second"]
    first: Event | None
    second: Event | None

    @property
    def start(self) -> float:
        """Where it begins, in seconds."""
        return min(event.start for event in (self.first, self.second) if event is not None)


@dataclass(frozen=True)
class Comparison:
    """What two analyses have in common and where they part.

    Parameters
    ----------
    pairs : tuple of Pair
        By time.
    settings : tuple of (name, first, second)
        What was set differently, the model and its threshold included.
    difference : float or None
        Mean absolute difference of the curves where both have a score, 0 to 1; None where they never do.
    """

    pairs: tuple[Pair, ...]
    settings: tuple[tuple[str, str, str], ...]
    difference: float | None


def compare(first: Analysis, second: Analysis) -> Comparison:
    """Compare two analyses of one recording.

    Where they treat its channels differently, events are compared whatever their channel, and of several
    curves the highest counts.

    Raises
    ------
    LibraryError
        If they are of two recordings.
    """
    if first.provenance.sha256 != second.provenance.sha256:
        raise LibraryError("these are analyses of two recordings; expected two of one")
    return Comparison(
        pairs=tuple(_pairs(first, second, channels=len(first.tracks) == len(second.tracks))),
        settings=tuple(_settings(first, second)),
        difference=_difference(first, second),
    )


def _pairs(first: Analysis, second: Analysis, *, channels: bool) -> list[Pair]:
    """Pair events that overlap, the longest overlap first; each is in one pair."""
    overlaps = [
        (min(a.end, b.end) - max(a.start, b.start), i, j)
        for i, a in enumerate(first.events)
        for j, b in enumerate(second.events)
        if a.start < b.end and b.start < a.end and (a.channel == b.channel or not channels)
    ]
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    pairs = []
    for _, i, j in sorted(overlaps, key=lambda found: (-found[0], found[1:])):
        if i not in taken_first and j not in taken_second:
            taken_first.add(i)
            taken_second.add(j)
            pairs.append(Pair("both", first.events[i], second.events[j]))
    pairs += [Pair("first", e, None) for i, e in enumerate(first.events) if i not in taken_first]
    pairs += [Pair("second", None, e) for j, e in enumerate(second.events) if j not in taken_second]
    return sorted(pairs, key=lambda pair: pair.start)


def _settings(first: Analysis, second: Analysis) -> Iterator[tuple[str, str, str]]:
    one, other = dict(_flat(first.settings)), dict(_flat(second.settings))
    one |= {"model": first.model.name, "model's SHA-256": first.model.sha256}
    other |= {"model": second.model.name, "model's SHA-256": second.model.sha256}
    one["threshold"], other["threshold"] = round(first.threshold, 4), round(second.threshold, 4)
    for name in one | other:
        if one.get(name) != other.get(name):
            yield name, str(one.get(name, "–")), str(other.get(name, "–"))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield prefix + name, value


def highest_curve(analysis: Analysis) -> Curve:
    """Return the highest score of all channels over time; the only curve where there is one."""
    curves = [track.scored for track in analysis.tracks]
    if len(curves) == 1:
        return curves[0]
    scores = np.stack([curve.aggression for curve in curves])
    filled = np.where(np.isnan(scores), -np.inf, scores)
    best = filled.argmax(axis=0)
    columns = np.arange(scores.shape[1])
    emotions = np.stack([curve.emotions for curve in curves])
    return Curve(curves[0].step, curves[0].times, scores[best, columns], emotions[best, columns])


def _difference(first: Analysis, second: Analysis) -> float | None:
    one, other = highest_curve(first), highest_curve(second)
    # At the coarser one's times, each with the cell of the other that it falls into.
    if one.step < other.step:
        one, other = other, one
    cells = np.minimum((one.times / other.step).astype(int), len(other.times) - 1)
    gap = np.abs(one.aggression - other.aggression[cells])
    return None if np.isnan(gap).all() else float(np.nanmean(gap))
