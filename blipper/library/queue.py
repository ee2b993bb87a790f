"""Which stretches to judge next: those that a verdict says most about.

The method is a greedy choice of uncertainty times diversity. *Uncertainty* is closeness to the threshold
(uncertainty sampling: Lewis and Gale 1994, "A sequential algorithm for training text classifiers").
*Diversity* is the distance to the nearest stretch that is judged or already in the queue (farthest-first
traversal: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"; as core-set selection
for learning: Sener and Savarese 2018, arXiv 1708.00489). A queue so chosen is no random sample: what is
measured on it says how the doubtful cases went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.library.values import Stretch, Verdict

#: Most uncertain stretches among which diversity decides; keeps a page quick however large the library is.
POOL: Final = 2000


@dataclass(frozen=True)
class Offer:
    """A stretch worth judging.

    Parameters
    ----------
    stretch : Stretch
    uncertainty : float
        1 at the threshold, 0 at the end of the scale that is further from it.
    distance : float
        To the nearest one judged or offered before, 0 to 1: half the total variation between the emotions,
        and half for another recording.
    """

    stretch: Stretch
    uncertainty: float
    distance: float

    @property
    def value(self) -> float:
        """What the queue is ordered by, 0 to 1."""
        return self.uncertainty * self.distance


def review_queue(
    stretches: Sequence[Stretch],
    verdicts: Sequence[Verdict],
    thresholds: Mapping[str, float],
    *,
    size: int = 20,
    analyst: str | None = None,
) -> tuple[Offer, ...]:
    """Return the most useful stretches first.

    Parameters
    ----------
    stretches : sequence of Stretch
        All that could be judged.
    verdicts : sequence of Verdict
        All that were given.
    thresholds : mapping of str to float
        Each analysis's threshold, by its id.
    size : int
        How many at most.
    analyst : str, optional
        For a second opinion: offer also what others judged, but not this analyst. Without, what nobody did.

    Returns
    -------
    tuple of Offer
    """
    done = are_judged(stretches, verdicts, analyst)
    open_ = np.flatnonzero(~done)
    if not len(open_):
        return ()
    waiting = [stretches[int(i)] for i in open_]
    doubt = np.array([_uncertainty(stretch, thresholds[stretch.analysis_id]) for stretch in waiting])
    order = np.argsort(-doubt, kind="stable")[:POOL]
    pool, doubt = open_[order], doubt[order]
    emotions = np.zeros((len(stretches), len(stretches[0].emotions)))
    for i in (*pool, *np.flatnonzero(done)):  # of the others nothing is asked
        emotions[i] = stretches[i].emotions
    names = np.array([stretch.recording_id for stretch in stretches])
    nearest = np.ones(len(pool))
    for i in np.flatnonzero(done):
        nearest = np.minimum(nearest, _distance(emotions, names, pool, int(i)))
    offers: list[Offer] = []
    left = np.ones(len(pool), dtype=bool)
    while left.any() and len(offers) < size:
        # Among equals (all like something judged) the more doubtful one still comes first.
        best = int(np.argmax(np.where(left, doubt * nearest + 1e-9 * doubt, -1.0)))
        offers.append(Offer(stretches[int(pool[best])], float(doubt[best]), float(nearest[best])))
        left[best] = False
        nearest = np.minimum(nearest, _distance(emotions, names, pool, int(pool[best])))
    return tuple(offers)


def _uncertainty(stretch: Stretch, threshold: float) -> float:
    return 1 - abs(stretch.peak - threshold) / max(threshold, 1 - threshold)


def _distance(
    emotions: NDArray[np.float64], names: NDArray[Any], pool: NDArray[np.int64], other: int
) -> NDArray[np.float64]:
    variation = 0.5 * np.abs(emotions[pool] - emotions[other]).sum(axis=1)
    distance: NDArray[np.float64] = 0.5 * variation + 0.5 * (names[pool] != names[other])
    return distance


def are_judged(
    stretches: Sequence[Stretch], verdicts: Sequence[Verdict], analyst: str | None = None
) -> NDArray[np.bool_]:
    """Return which stretches overlap a verdict of this analyst, or of anybody; utterances do not count.

    Parameters
    ----------
    stretches : sequence of Stretch
    verdicts : sequence of Verdict
    analyst : str, optional

    Returns
    -------
    numpy.ndarray of bool, shape (n_stretches,)
    """
    given: dict[tuple[str, int], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.target != "utterance" and analyst in (None, verdict.analyst):
            given.setdefault((verdict.recording_id, verdict.channel), []).append(verdict)
    return np.array([_is_judged(stretch, given) for stretch in stretches], dtype=np.bool_)


def _is_judged(stretch: Stretch, given: Mapping[tuple[str, int], Sequence[Verdict]]) -> bool:
    own = given.get((stretch.recording_id, stretch.channel), ())
    return any(verdict.start < stretch.end and stretch.start < verdict.end for verdict in own)
