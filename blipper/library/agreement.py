"""What verdicts add up to: how far analysts agree, and how often what was marked was right.

One stretch judged by several people is one item. Two verdicts are on one stretch where they are on the same
recording and channel and their intersection is at least :data:`SAME` of their union, since people may have
looked at events that other thresholds cut a little differently.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import LibraryError
from blipper.library.values import Verdict

#: Intersection over union from which two stretches are one.
SAME: Final = 0.5
#: Two-sided 95 % of the normal distribution.
_Z: Final = 1.959963984540054


@dataclass(frozen=True)
class Judged:
    """A stretch with the verdicts on it, one an analyst.

    Parameters
    ----------
    recording_id : str
    channel : int
    start, end : float
        Of the first verdict on it, in seconds.
    verdicts : mapping of str to Verdict
        By analyst.
    """

    recording_id: str
    channel: int
    start: float
    end: float
    verdicts: Mapping[str, Verdict]

    @property
    def angry(self) -> bool | None:
        """Whether most analysts heard the voice sound angry; None where half did."""
        votes = [verdict.angry for verdict in self.verdicts.values()]
        return None if 2 * sum(votes) == len(votes) else 2 * sum(votes) > len(votes)

    def score(self, model_sha256: str) -> float | None:
        """Return the score that a model gave the stretch; None where no verdict knows it."""
        known = [
            verdict.score
            for verdict in self.verdicts.values()
            if verdict.model_sha256 == model_sha256 and verdict.score is not None
        ]
        return max(known, default=None)


@dataclass(frozen=True)
class Agreement:
    """How far two analysts agree on what both judged.

    Parameters
    ----------
    first, second : str
    n : int
        Stretches that both judged.
    agreed : float
        Share on which they agree, 0 to 1.
    kappa : float or None
        Cohen's kappa, -1 to 1: agreement beyond what their own shares of yes and no give by chance. None
        where it is undefined: both always said the same.
    """

    first: str
    second: str
    n: int
    agreed: float
    kappa: float | None


@dataclass(frozen=True)
class Precision:
    """How often what a threshold marks was right, as far as it was judged.

    Parameters
    ----------
    threshold : float
    judged, right : int
        Stretches that score at least `threshold` and have a majority; those of them that sound angry.
    precision, low, high : float or None
        Share and its 95 % interval after Wilson; None without a judged stretch.
    """

    threshold: float
    judged: int
    right: int
    precision: float | None
    low: float | None
    high: float | None


def group(verdicts: Iterable[Verdict]) -> tuple[Judged, ...]:
    """Put verdicts on one stretch together; of several by one analyst the newest counts.

    Parameters
    ----------
    verdicts : iterable of Verdict
        Utterances are kept apart from what the voice's curve marks.
    """
    found: dict[tuple[str, int, bool], list[tuple[Verdict, dict[str, Verdict]]]] = {}
    for verdict in verdicts:
        place = (verdict.recording_id, verdict.channel, verdict.target == "utterance")
        items = found.setdefault(place, [])
        shares = [_overlap(verdict, first) for first, _ in items]
        best = int(np.argmax(shares)) if shares else -1
        if not shares or shares[best] < SAME:
            items.append((verdict, {verdict.analyst: verdict}))
            continue
        own = items[best][1]
        if verdict.analyst not in own or own[verdict.analyst].given_at <= verdict.given_at:
            own[verdict.analyst] = verdict
    return tuple(
        Judged(first.recording_id, first.channel, first.start, first.end, votes)
        for items in found.values()
        for first, votes in items
    )


def _overlap(one: Verdict, other: Verdict) -> float:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0.0, shared) / (max(one.end, other.end) - min(one.start, other.start))


def agreement(judged: Sequence[Judged]) -> tuple[Agreement, ...]:
    """Return how far each two analysts agree on whether a stretch sounds angry.

    Cohen (1960), "A coefficient of agreement for nominal scales".

    Returns
    -------
    tuple of Agreement
        Pairs that share a stretch, the one with the most first.
    """
    analysts = sorted({name for item in judged for name in item.verdicts})
    pairs = []
    for first, second in itertools.combinations(analysts, 2):
        both = [item.verdicts for item in judged if first in item.verdicts and second in item.verdicts]
        if both:
            one = np.array([votes[first].angry for votes in both])
            other = np.array([votes[second].angry for votes in both])
            pairs.append(
                Agreement(first, second, len(both), float(np.mean(one == other)), _kappa(one, other))
            )
    return tuple(sorted(pairs, key=lambda pair: (-pair.n, pair.first, pair.second)))


def _kappa(one: np.ndarray, other: np.ndarray) -> float | None:
    from sklearn.metrics import cohen_kappa_score

    if len({*one.tolist(), *other.tolist()}) == 1:  # chance alone would agree always: 0 / 0
        return None
    return float(cohen_kappa_score(one, other))


def precision(
    judged: Sequence[Judged], model_sha256: str, thresholds: Sequence[float] | None = None
) -> tuple[Precision, ...]:
    """Return how often what each threshold marks was right, with intervals.

    Stretches that an analyst marked by hand do not count: nobody chose them by score. What is judged is no
    random sample either where a queue offered it, so this is how it went so far, not how it will go.

    Parameters
    ----------
    judged : sequence of Judged
    model_sha256 : str
        Whose scores.
    thresholds : sequence of float, optional
        0.05 to 0.95 in steps of 0.05 unless given.
    """
    thresholds = [n / 20 for n in range(1, 20)] if thresholds is None else thresholds
    offered = [
        item
        for item in judged
        if any(verdict.target in ("event", "near-miss") for verdict in item.verdicts.values())
    ]
    scored = [(item.score(model_sha256), item.angry) for item in offered]
    known = [(score, angry) for score, angry in scored if score is not None and angry is not None]
    rows = []
    for threshold in thresholds:
        over = [angry for score, angry in known if score >= threshold]
        if over:
            low, high = wilson(sum(over), len(over))
            rows.append(Precision(threshold, len(over), sum(over), sum(over) / len(over), low, high))
        else:
            rows.append(Precision(threshold, 0, 0, None, None, None))
    return tuple(rows)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Parameters
    ----------
    successes, trials : int
        0 <= successes <= trials, trials above 0.

    Returns
    -------
    low, high : float
        In [0, 1].
    """
    if not 0 <= successes <= trials or trials == 0:
        raise LibraryError(f"{successes} of {trials}: expected at least one trial, and no more successes")
    share = successes / trials
    scale = 1 + _Z**2 / trials
    middle = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)
