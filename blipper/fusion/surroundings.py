"""What surrounds a score counts too: a slip of the model lasts one utterance, anger lasts several.

The curve's log-odds are averaged over the cells with speech around each, also across pauses, with weights
that fall off exponentially both ways. Averaging log-odds is the logarithmic opinion pool (Genest and Zidek
1986, "Combining probability distributions"): a cell that is sure weighs more than one that is not.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from blipper.errors import SettingsError
from blipper.fusion.combining import log_odds
from blipper.results import Float

#: Seconds over which surroundings count less by a factor e; chosen on conversations of validation speakers
#: (docs/research/voice-models.md, "What surrounds a score").
SURROUNDINGS: Final = 0.8
#: Beyond so many times that, up to the next whole cell, nothing counts: a live curve waits no longer.
FARTHEST: Final = 3.0


class Surroundings:
    """The weights, and how many cells they reach.

    Parameters
    ----------
    seconds : float
        Over which they fall off by a factor e; 0 leaves every score as it is.
    step : float
        Of the curve, in seconds, above 0.

    Raises
    ------
    SettingsError
        If `seconds` is outside 0 to 10.
    """

    def __init__(self, seconds: float, step: float) -> None:
        check_surroundings(seconds)
        #: Cells on either side that count.
        self.reach = math.ceil(FARTHEST * seconds / step - 1e-9)
        distances = np.abs(np.arange(-self.reach, self.reach + 1)) * step
        self._weights: Float = np.exp(-distances / seconds) if self.reach else np.ones(1)

    def apply(self, scores: Float) -> Float:
        """Average scores with what surrounds them.

        Parameters
        ----------
        scores : numpy.ndarray, shape (n,)
            In [0, 1]; NaN where nobody speaks.

        Returns
        -------
        numpy.ndarray, shape (n,)
            In [0, 1]; NaN in the same places.
        """
        if not self.reach or not len(scores):
            return scores
        spoken = ~np.isnan(scores)
        inside = slice(self.reach, self.reach + len(scores))
        # Where nobody speaks the log-odds are 0 and the weight is 0, so a pause neither raises nor lowers.
        sums = np.convolve(log_odds(np.where(spoken, scores, 0.5)), self._weights)[inside]
        weights = np.convolve(spoken.astype(np.float64), self._weights)[inside]
        averaged: Float = np.full(len(scores), np.nan)
        averaged[spoken] = 1 / (1 + np.exp(-sums[spoken] / weights[spoken]))
        return averaged


def check_surroundings(seconds: float) -> None:
    """Raise SettingsError unless surroundings are of 0 to 10 seconds."""
    if not 0 <= seconds <= 10:
        raise SettingsError(f"the surroundings are {seconds} s, expected 0 (none) to 10 s")
