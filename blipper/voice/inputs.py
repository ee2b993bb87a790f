"""What a network sees of windows of sound: the ground on which explanations stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32


@dataclass(frozen=True, eq=False)
class Inputs:
    """A model's own inputs for some windows, as its network takes them.

    A window longer than the network's becomes several pieces, and the window's score is the mean of theirs.

    Parameters
    ----------
    frames : numpy.ndarray of float32, shape (n_pieces, n_frames, n_bands)
        Log-mel as normalised for the network; the lowest band first. Rows beyond a piece's length are zero.
    lengths : numpy.ndarray of int32, shape (n_pieces,)
        Valid frames of each piece.
    owners : numpy.ndarray of int, shape (n_pieces,)
        Index of the window that each piece belongs to.
    starts : numpy.ndarray of float, shape (n_pieces,)
        Seconds from the first sample to each piece's first frame.
    step : float
        Seconds from one frame to the next.
    edges : numpy.ndarray of float, shape (n_bands + 2,)
        Hz: band ``i`` is a triangle that rises from ``edges[i]`` and is back at zero at ``edges[i + 2]``.
    decibels : float
        Decibels to one unit of `frames`.
    """

    frames: Float32
    lengths: NDArray[np.int32]
    owners: NDArray[np.int64]
    starts: NDArray[np.floating[Any]]
    step: float
    edges: NDArray[np.floating[Any]]
    decibels: float

    @property
    def bands(self) -> NDArray[np.floating[Any]]:
        """Centres of the bands in Hz, shape (n_bands,)."""
        return self.edges[1:-1]

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.lengths)
