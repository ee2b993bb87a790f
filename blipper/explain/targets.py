"""What is explained: the calibrated log-odds of aggression or of one emotion."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.errors import SettingsError
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration

#: Everything that can be explained; the order of :func:`all_log_odds`'s columns.
TARGETS: Final = (*EMOTIONS, "aggression")


def target_index(target: str) -> int:
    """Return a target's column.

    Raises
    ------
    SettingsError
        If there is no such target.
    """
    if target not in TARGETS:
        raise SettingsError(f"explaining {target!r}: expected one of {', '.join(TARGETS)}")
    return TARGETS.index(target)


def all_log_odds(logits: Any, calibration: Calibration) -> Any:
    """Turn a network's logits into the calibrated log-odds of every target; gradients flow through.

    Parameters
    ----------
    logits : Keras tensor, shape (n, 9 or more)
        Emotions, then aggression; more columns are passed over.
    calibration : Calibration

    Returns
    -------
    Keras tensor, shape (n, 9)
        The sigmoid of a column is the probability that :meth:`Calibration.apply` gives, since for a softmax
        ``log(p / (1 - p))`` is the logit less the log-sum-exp of the others.
    """
    from keras import ops

    scaled = logits[:, : len(EMOTIONS)] / calibration.temperature
    columns = []
    for k in range(len(EMOTIONS)):
        others = ops.concatenate([scaled[:, :k], scaled[:, k + 1 :]], axis=1)
        columns.append(scaled[:, k] - ops.logsumexp(others, axis=1))
    columns.append(calibration.slope * logits[:, len(EMOTIONS)] + calibration.intercept)
    return ops.stack(columns, axis=1)


def probability(log_odds: ArrayLike) -> NDArray[np.float64]:
    """Turn log-odds into the score that is shown, in (0, 1), without overflow."""
    values: NDArray[np.float64] = 0.5 * (1 + np.tanh(np.asarray(log_odds, dtype=np.float64) / 2))
    return values
