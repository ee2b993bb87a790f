"""From a classifier's logits to sentiment and verbal aggression, by its outputs' meanings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.words.text_info import Float64

Outputs = tuple[int, ...]

#: How far below the others a sentiment lies that a model has no output for: a probability of about 1e-13, and
#: still a finite number to compute with.
_ABSENT: Final = 30.0


@dataclass(frozen=True)
class Heads:
    """Which outputs mean what.

    Parameters
    ----------
    sentiment : tuple of three tuples of int, or None
        The outputs that mean negative, neutral and positive; one of them may be empty.
    aggression : tuple of int
        The outputs that mean verbal aggression; empty where there are none.
    activation : {"softmax", "sigmoid"}
        Whether the outputs exclude each other, or each is a yes or no of its own.
    temperature : float
        The sentiment's logits are divided by it (Guo et al. 2017).
    scale, bias : float
        The aggression's log-odds are multiplied by the one, and the other added (Platt 1999).
    """

    sentiment: tuple[Outputs, Outputs, Outputs] | None
    aggression: Outputs
    activation: Literal["softmax", "sigmoid"]
    temperature: float = 1.0
    scale: float = 1.0
    bias: float = 0.0

    def sentiment_logits(self, logits: NDArray[np.floating[Any]]) -> Float64:
        """Return numbers whose softmax is the sentiment.

        Parameters
        ----------
        logits : numpy.ndarray, shape (n, n_outputs)

        Returns
        -------
        numpy.ndarray of float64, shape (n, 3)

        Raises
        ------
        ValueError
            If the outputs say nothing about sentiment.
        """
        if self.sentiment is None:
            raise ValueError("this model does not read sentiment")
        z = np.asarray(logits, dtype=np.float64) / self.temperature
        found = [_log_sum(z[:, group]) if group else None for group in self.sentiment]
        known = [column for column in found if column is not None]
        absent = np.max(known, axis=0) - _ABSENT
        return np.stack([absent if column is None else column for column in found], axis=1)

    def aggression_log_odds(self, logits: NDArray[np.floating[Any]]) -> Float64:
        """Return natural log-odds whose sigmoid is the verbal aggression.

        Parameters
        ----------
        logits : numpy.ndarray, shape (n, n_outputs)

        Returns
        -------
        numpy.ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If the outputs say nothing about aggression.
        """
        if not self.aggression:
            raise ValueError("this model does not read verbal aggression")
        z = np.asarray(logits, dtype=np.float64)
        meant = z[:, self.aggression]
        if self.activation == "sigmoid":
            # Of several independent findings (an insult, a threat) the strongest counts.
            odds: Float64 = meant.max(axis=1)
        else:
            others = [output for output in range(z.shape[1]) if output not in self.aggression]
            odds = _log_sum(meant) - _log_sum(z[:, others])
        return self.scale * odds + self.bias


def softmax(logits: Float64) -> Float64:
    """Return probabilities, rows summing to one, without overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Float64 = powers / powers.sum(axis=1, keepdims=True)
    return shares


def sigmoid(log_odds: Float64) -> Float64:
    """Return probabilities without overflow."""
    shares: Float64 = 0.5 * (1 + np.tanh(log_odds / 2))
    return shares


def _log_sum(z: Float64) -> Float64:
    """Return the logarithm of the sum of exponentials of each row."""
    top = z.max(axis=1)
    summed: Float64 = top + np.log(np.exp(z - top[:, None]).sum(axis=1))
    return summed
