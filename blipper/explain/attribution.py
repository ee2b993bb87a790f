"""What an explanation of the voice yields: contributions over time and frequency, and how they add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.explain.targets import probability
from blipper.voice.inputs import Inputs

Float = NDArray[np.floating[Any]]
Method = Literal["integrated gradients", "shap"]

#: A difference in log-odds below which a relative error says nothing; it divides by this at least.
SMALLEST_DIFFERENCE: Final = 0.25


@dataclass(frozen=True)
class Part:
    """One window's share of an explanation.

    Parameters
    ----------
    start, end : float
        Seconds from the recording's start.
    score : float
        What the model gives, in [0, 1].
    log_odds : float
        ``log(score / (1 - score))``; the mean of its pieces' for a window longer than the network's.
    base : float
        The log-odds of what it was compared with.
    total : float
        Sum of its contributions.
    """

    start: float
    end: float
    score: float
    log_odds: float
    base: float
    total: float

    @property
    def difference(self) -> float:
        """What the contributions should add up to."""
        return self.log_odds - self.base

    @property
    def error(self) -> float:
        """By how much they miss it, in log-odds."""
        return abs(self.total - self.difference)


@dataclass(frozen=True, eq=False)
class Attribution:
    """What moved a score, cell by cell of the model's own input.

    Parameters
    ----------
    method : {"integrated gradients", "shap"}
    target : str
        ``"aggression"`` or an emotion.
    start : float
        Seconds from the recording's start to the first frame.
    step : float
        Seconds from one frame to the next.
    edges : numpy.ndarray, shape (n_bands + 2,)
        Hz; see :class:`blipper.voice.inputs.Inputs`.
    values : numpy.ndarray, shape (n_frames, n_bands)
        Contributions in log-odds: over several windows their mean, so that all cells add up to the mean
        difference. Zero where no window listened.
    inputs : numpy.ndarray, shape (n_frames, n_bands)
        What the network saw, in decibels, levelled as the network wants it; NaN where no window listened.
    neutral : numpy.ndarray, shape (n_bands,)
        The mean frame of neutral speech, in the same decibels.
    parts : tuple of Part
        The windows, in order.
    steps : int
        Points on each path from what it was compared with (integrated gradients), or random draws (SHAP).
    uncertainty : float
        Standard error of the sum of all contributions that comes from drawing at random; 0 for integrated
        gradients, which draws nothing.
    model : str
        The model's name.
    """

    method: Method
    target: str
    start: float
    step: float
    edges: Float
    values: Float
    inputs: Float
    neutral: Float
    parts: tuple[Part, ...]
    steps: int
    uncertainty: float
    model: str

    @property
    def bands(self) -> Float:
        """Centres of the bands in Hz, shape (n_bands,)."""
        return self.edges[1:-1]

    @property
    def times(self) -> Float:
        """Starts of the frames in seconds from the recording's start, shape (n_frames,)."""
        times: Float = self.start + self.step * np.arange(len(self.values))
        return times

    @property
    def end(self) -> float:
        """Seconds from the recording's start to the end of the last frame's step."""
        return self.start + self.step * len(self.values)

    @property
    def score(self) -> float:
        """Mean score of the windows, in [0, 1]."""
        return float(np.mean([part.score for part in self.parts]))

    @property
    def log_odds(self) -> float:
        """Mean log-odds of the windows."""
        return float(np.mean([part.log_odds for part in self.parts]))

    @property
    def base(self) -> float:
        """Mean log-odds of what the windows were compared with."""
        return float(np.mean([part.base for part in self.parts]))

    @property
    def base_score(self) -> float:
        """The base as a score, in (0, 1)."""
        return float(probability(self.base))

    @property
    def total(self) -> float:
        """Sum of all contributions, in log-odds."""
        return float(self.values.sum(dtype=np.float64))

    @property
    def difference(self) -> float:
        """What the contributions should add up to: the log-odds less those of the base."""
        return self.log_odds - self.base

    @property
    def completeness_error(self) -> float:
        """By how much the contributions miss the difference, in log-odds: the windows' mean absolute error.

        An average of the windows' own errors, so that opposite ones do not hide each other.
        """
        return float(np.mean([part.error for part in self.parts]))

    @property
    def relative_error(self) -> float:
        """The completeness error as a share of the mean absolute difference."""
        size = float(np.mean([abs(part.difference) for part in self.parts]))
        return self.completeness_error / max(size, SMALLEST_DIFFERENCE)

    @property
    def band_profile(self) -> Float:
        """Contribution of each band, shape (n_bands,)."""
        profile: Float = self.values.sum(axis=0)
        return profile

    @property
    def time_profile(self) -> Float:
        """Contribution of each frame, shape (n_frames,)."""
        profile: Float = self.values.sum(axis=1)
        return profile

    def to_dict(self, *, cells: bool = False) -> dict[str, Any]:
        """Return it as plain JSON values, with every cell if `cells` is set."""
        plain: dict[str, Any] = {
            "method": self.method,
            "model": self.model,
            "target": self.target,
            "unit": "log-odds",
            "start": round(self.start, 4),
            "end": round(self.end, 4),
            "step": self.step,
            "score": self.score,
            "log_odds": self.log_odds,
            "compared_with": {"log_odds": self.base, "score": self.base_score},
            "total": self.total,
            "completeness_error": self.completeness_error,
            "relative_error": self.relative_error,
            "uncertainty": self.uncertainty,
            "steps": self.steps,
            "bands_hz": [round(float(band), 1) for band in self.bands],
            "band_profile": [round(float(value), 6) for value in self.band_profile],
            "time_profile": [round(float(value), 6) for value in self.time_profile],
            "windows": [
                {
                    "start": part.start,
                    "end": part.end,
                    "score": part.score,
                    "log_odds": part.log_odds,
                    "compared_with": part.base,
                    "total": part.total,
                }
                for part in self.parts
            ],
        }
        if cells:
            plain["values"] = [[round(float(value), 6) for value in row] for row in self.values]
        return plain


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece's contributions, before pieces are laid over each other.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_frames, n_bands)
        Valid frames alone.
    log_odds, base : float
    variance : float
        Of the sum's estimate.
    steps : int
    """

    values: Float
    log_odds: float
    base: float
    variance: float
    steps: int


def join(
    inputs: Inputs,
    pieces: Sequence[Piece],
    starts: Float,
    ends: Float,
    neutral: Float,
    *,
    method: Method,
    target: str,
    model: str,
    origin: float = 0.0,
) -> Attribution:
    """Lay pieces over each other on one grid of frames.

    Parameters
    ----------
    inputs : Inputs
        What the network saw.
    pieces : sequence of Piece
        One for each of `inputs`.
    starts, ends : numpy.ndarray, shape (n_windows,)
        Seconds in the stretch of sound.
    neutral : numpy.ndarray, shape (n_bands,)
        The mean frame of neutral speech, in the network's units.
    method, target, model
        Copied.
    origin : float
        Seconds from the recording's start to the stretch's first sample.

    Returns
    -------
    Attribution
    """
    n_windows = len(starts)
    counts = np.bincount(inputs.owners, minlength=n_windows)
    firsts = np.round(inputs.starts / inputs.step).astype(int)
    lengths = inputs.lengths.astype(int)
    low, high = int(firsts.min()), int((firsts + lengths).max())
    bands = inputs.frames.shape[2]
    values = np.zeros((high - low, bands))
    seen = np.zeros((high - low, bands))
    looks = np.zeros((high - low, 1))
    for row, piece in enumerate(pieces):
        cells = slice(firsts[row] - low, firsts[row] - low + lengths[row])
        values[cells] += piece.values / (counts[inputs.owners[row]] * n_windows)
        seen[cells] += inputs.frames[row, : lengths[row]]
        looks[cells] += 1
    with np.errstate(invalid="ignore"):
        shown = np.where(looks > 0, inputs.decibels * seen / np.maximum(looks, 1), np.nan)
    owned: list[list[Piece]] = [[] for _ in range(n_windows)]
    for owner, piece in zip(inputs.owners, pieces, strict=True):
        owned[owner].append(piece)
    parts = tuple(_part(window, owned[window], starts, ends, origin) for window in range(n_windows))
    variance = sum(
        piece.variance / (counts[owner] * n_windows) ** 2
        for piece, owner in zip(pieces, inputs.owners, strict=True)
    )
    return Attribution(
        method=method,
        target=target,
        start=origin + low * inputs.step,
        step=inputs.step,
        edges=inputs.edges,
        values=values,
        inputs=shown,
        neutral=inputs.decibels * neutral,
        parts=parts,
        steps=max(piece.steps for piece in pieces),
        uncertainty=float(np.sqrt(variance)),
        model=model,
    )


def _part(window: int, pieces: Sequence[Piece], starts: Float, ends: Float, origin: float) -> Part:
    log_odds = np.array([piece.log_odds for piece in pieces])
    return Part(
        start=origin + float(starts[window]),
        end=origin + float(ends[window]),
        score=float(probability(log_odds).mean()),
        log_odds=float(log_odds.mean()),
        base=float(np.mean([piece.base for piece in pieces])),
        total=float(np.mean([piece.values.sum(dtype=np.float64) for piece in pieces])),
    )
