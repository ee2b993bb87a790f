"""Making the text model's outputs mean what they say, on validation lines.

Sentiment: one temperature (Guo et al. 2017). Aggression: a line through the log-odds (Platt 1999). Both are
numbers in ``blipper.json``; calibration holds for the mix of corpora that it was fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import ModelError
from blipper.training.text.corpora import Line
from blipper.training.text.scoring import Logits

#: Which corpora say themselves whether a line attacks somebody, and by which label.
SAYING: Final = {
    "convabuse": "abuse",
    "insults": "insult",
    "trac1-en": "trac",
    "conda": "explicit",
    "detoxy-common-voice": "toxic",
    "templates": "aggression",
    "sentences": "aggression",
}


@dataclass(frozen=True)
class TextCalibration:
    """How logits become probabilities.

    Parameters
    ----------
    temperature : float
        The sentiment's logits are divided by it.
    scale, bias : float
        The aggression's log-odds are ``scale * logit + bias``.
    threshold : float
        Score from which an utterance is marked.
    """

    temperature: float
    scale: float
    bias: float
    threshold: float


def attacks(line: Line) -> float | None:
    """Return 1.0 if its corpus calls a line aggressive, 0.0 if not, None where it is silent or unsure."""
    label = SAYING.get(line.corpus.partition(":")[0])
    if label is None or label not in line.labels:
        return None
    value = line.labels[label]
    if label == "trac":
        return None if value == 1 else float(value == 2)  # covert aggression is neither
    return float(value > 0.5)


def calibrate_text(logits: Logits, lines: Sequence[Line]) -> TextCalibration:
    """Fit the calibration and choose the threshold.

    The threshold is the multiple of 0.05 with the best macro-F1, the lowest of equals, between 0.3 and 0.7.

    Parameters
    ----------
    logits : numpy.ndarray, shape (n, n_outputs)
    lines : sequence of Line
        Of validation.

    Raises
    ------
    ModelError
        If the lines lack a class.
    """
    from scipy.optimize import minimize, minimize_scalar
    from scipy.special import expit, log_softmax
    from sklearn.metrics import f1_score

    said = np.array([line.labels.get("sentiment", -1) for line in lines], dtype=np.int64)
    attack = np.array([np.nan if (value := attacks(line)) is None else value for line in lines])
    known, rated = ~np.isnan(attack), said >= 0
    if len(set(attack[known])) < 2 or len(set(said[rated])) < 3:
        raise ModelError(
            "validation lines lack a class: calibration needs attacks, others and all sentiments"
        )
    wanted, feelings = logits[known, 3], logits[rated, :3]

    def sentiment_loss(log_temperature: float) -> float:
        chances = log_softmax(feelings / np.exp(log_temperature), axis=1)
        return -float(chances[np.arange(len(chances)), said[rated]].mean())

    def attack_loss(line: np.ndarray) -> float:
        odds = np.exp(line[0]) * wanted + line[1]
        return float(np.mean(np.logaddexp(0, odds) - attack[known] * odds))

    temperature = float(np.exp(minimize_scalar(sentiment_loss, bounds=(-2, 2), method="bounded").x))
    log_scale, bias = minimize(attack_loss, np.zeros(2), method="Nelder-Mead").x
    scale = float(np.exp(log_scale))
    scores = expit(scale * wanted + bias)
    grid = np.round(np.arange(0.30, 0.701, 0.05), 2)
    worth = [f1_score(attack[known] > 0.5, scores >= one, average="macro") for one in grid]
    return TextCalibration(
        round(temperature, 4), round(scale, 4), round(float(bias), 4), float(grid[int(np.argmax(worth))])
    )
