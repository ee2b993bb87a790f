"""Events against stretches of known place: what was found, what was a false alarm, how late.

An event counts as right if at least half of it lies in angry stretches; a stretch counts as found if right
events cover at least half of it. These are the detection and ground-truth tolerance criteria, both 0.5, of
the intersection-based scores of Bilen et al. 2020 ("A framework for the robust evaluation of sound event
detection", ICASSP), which do not depend on where a long stretch is cut into events. Precision is the share
of events that are right, recall the share of stretches that are found, F1 their harmonic mean. Times are
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from blipper.training import metrics
from blipper.training.bootstrap import Bootstrap, Floats

#: Share of an event, and of a stretch, that has to overlap.
OVERLAP: Final = 0.5


class Stretch(Protocol):
    """Anything with a start and an end in seconds: a span, an event."""

    @property
    def start(self) -> float:
        """Where it begins."""

    @property
    def end(self) -> float:
        """Where it ends."""


@dataclass(frozen=True)
class Matched:
    """One recording's events against its angry stretches.

    Parameters
    ----------
    events, right : int
        All events, and those of which half lies in angry stretches; the rest are false alarms.
    stretches, found : int
        All stretches, and those half covered by right events.
    delays : tuple of float
        For every stretch that any event touches, seconds from its start to that of the first such event; 0
        where the event began before it.
    calm : float
        Seconds outside the stretches.
    """

    events: int
    right: int
    stretches: int
    found: int
    delays: tuple[float, ...]
    calm: float


def match(
    events: Sequence[Stretch], stretches: Sequence[Stretch], duration: float, overlap: float = OVERLAP
) -> Matched:
    """Compare a recording's events with its angry stretches.

    Parameters
    ----------
    events, stretches : sequences with ``start`` and ``end``
        Neither overlaps among itself.
    duration : float
        The recording's.
    overlap : float
    """
    right = [event for event in events if shared(event, stretches) >= overlap * (event.end - event.start)]
    found = [one for one in stretches if shared(one, right) >= overlap * (one.end - one.start)]
    delays = []
    for one in stretches:
        touching = [event.start for event in events if event.start < one.end and event.end > one.start]
        if touching:
            delays.append(round(max(0.0, min(touching) - one.start), 3))
    calm = duration - sum(one.end - one.start for one in stretches)
    return Matched(len(events), len(right), len(stretches), len(found), tuple(delays), calm)


def shared(one: Stretch, others: Sequence[Stretch]) -> float:
    """Return how many seconds of a stretch lie inside others."""
    return sum(max(0.0, min(one.end, other.end) - max(one.start, other.start)) for other in others)


def summarize(matched: Sequence[Matched], *, seed: int = 0, resamples: int = 1000) -> dict[str, Any]:
    """Sum up recordings; intervals are 95 % by bootstrap over them.

    Parameters
    ----------
    matched : sequence of Matched
    seed, resamples : int

    Returns
    -------
    dict
        ``recordings``, ``stretches``, ``events``, and each with ``value`` and ``interval``: ``precision``,
        ``recall``, ``f1``, ``false_alarms_per_hour`` (of sound outside the stretches), ``delay`` (median
        seconds to the first alarm) and ``touched`` (share of the stretches that have one).
    """
    columns = {
        "events": np.array([one.events for one in matched], dtype=np.float64),
        "right": np.array([one.right for one in matched], dtype=np.float64),
        "stretches": np.array([one.stretches for one in matched], dtype=np.float64),
        "found": np.array([one.found for one in matched], dtype=np.float64),
        "touched": np.array([len(one.delays) for one in matched], dtype=np.float64),
        "hours": np.array([one.calm / 3600 for one in matched], dtype=np.float64),
    }
    names = [str(i) for i in range(len(matched))]
    draws = Bootstrap(names, seed=seed, resamples=resamples)
    # np.unique sorts the names as text; values follow their owner, so order does not matter.
    drawn = {name: draws.total(values) for name, values in columns.items()}
    whole = {name: values.sum(keepdims=True) for name, values in columns.items()}

    def delay(rows: np.ndarray) -> float:
        delays = [value for row in rows for value in matched[int(row)].delays]
        if not delays:
            raise ValueError("no stretch has an event")
        return float(np.median(delays))

    found: dict[str, Any] = {
        "recordings": len(matched),
        "stretches": int(whole["stretches"][0]),
        "events": int(whole["events"][0]),
    }
    for name, value in _ratios(whole).items():
        bounds = draws.interval(_ratios(drawn)[name])
        found[name] = {"value": _number(float(value[0])), "interval": _bounds(bounds)}
    late = [value for one in matched for value in one.delays]
    found["delay"] = {
        "value": round(float(np.median(late)), 3) if late else None,
        "interval": _bounds(metrics.interval(delay, names, seed=seed, resamples=resamples)) if late else None,
    }
    return found


def _ratios(sums: dict[str, Floats]) -> dict[str, Floats]:
    def ratio(over: Floats, under: Floats) -> Floats:
        found: Floats = np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)
        return found

    precision, recall = ratio(sums["right"], sums["events"]), ratio(sums["found"], sums["stretches"])
    known = np.nan_to_num(precision)
    return {
        "precision": precision,
        "recall": recall,
        "f1": np.nan_to_num(ratio(2 * known * recall, known + recall)),
        "false_alarms_per_hour": ratio(sums["events"] - sums["right"], sums["hours"]),
        "touched": ratio(sums["touched"], sums["stretches"]),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)


def _bounds(bounds: tuple[float, float] | None) -> list[float] | None:
    return None if bounds is None else [round(bound, 6) for bound in bounds]
