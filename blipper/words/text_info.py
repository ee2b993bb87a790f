"""What a text model is called, what it reads, and what it gives: values without any model behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

#: The order of sentiments in every array.
SENTIMENTS: Final = ("negative", "neutral", "positive")

#: What a model may read a text for.
ROLES: Final = ("sentiment", "aggression")


@dataclass(frozen=True)
class TextModelInfo:
    """Which text model gave the scores.

    Parameters
    ----------
    name : str
        ``"text-small"``, a Hugging Face name (``"org/name"``), or a folder's own name.
    sha256 : str
        Of its weights; of the digests of its parts, in order, where the weights are several files.
    revision : str or None
        The commit of a model from a hub; None for the built-in one and for a folder.
    labels : mapping of str to str
        Every output of the model by its own name, and what it is taken for, in words for people.
    threshold : float
        Verbal aggression in (0, 1] from which an utterance is worth a listen.
    calibrated : bool
        Whether its scores were calibrated on held-out texts; never so for a chosen model.
    languages : tuple of str
        ISO 639-1 codes of what it reads; empty where nobody says.
    reads : tuple of str
        Which of :data:`ROLES` it was used for.
    """

    name: str
    sha256: str
    revision: str | None
    labels: Mapping[str, str]
    threshold: float
    calibrated: bool
    languages: tuple[str, ...]
    reads: tuple[str, ...] = ROLES

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "revision": self.revision,
            "labels": dict(self.labels),
            "threshold": float(self.threshold),
            "calibrated": self.calibrated,
            "languages": list(self.languages),
            "reads": list(self.reads),
        }


@dataclass(frozen=True, eq=False)
class TextScores:
    """What a model makes of some texts.

    Parameters
    ----------
    sentiment : numpy.ndarray of float64, shape (n, 3), or None
        Probabilities in the order of :data:`SENTIMENTS`; None where the model does not read it.
    aggression : numpy.ndarray of float64, shape (n,), or None
        Probability of verbal aggression; None where the model does not read it.
    """

    sentiment: Float64 | None
    aggression: Float64 | None
