"""The curve in which words and voice are fused: its own module, since results and fusion both stand on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Float = NDArray[Any]


@dataclass(frozen=True, eq=False)
class FusedCurve:
    """Aggression from voice and words together, on the grid of the voice's curve, and what each side gave.

    In every cell the log-odds of `aggression` are ``prior + voice + words``. Arrays are of shape (n,) and NaN
    where nobody speaks, but `words_score`, which is NaN also where no words count.

    Parameters
    ----------
    step : float
        Seconds between grid points.
    times : numpy.ndarray
        The middles of the grid's cells: ``(i + 0.5) * step``.
    aggression : numpy.ndarray
        The fused score in [0, 1].
    voice, words : numpy.ndarray
        What each side adds to the prior, in natural log-odds; `words` is 0 where no words count.
    words_score : numpy.ndarray
        The words' own score in [0, 1], whatever weight it had.
    prior : float
        Natural log-odds from which both sides start; see :data:`blipper.fusion.PRIOR`.
    """

    step: float
    times: Float
    aggression: Float
    voice: Float
    words: Float
    words_score: Float
    prior: float
