"""Which bands and which seconds carry a whole recording's score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from blipper.errors import SettingsError
from blipper.explain.attribution import Float, Part
from blipper.explain.background import Background, background_of
from blipper.explain.voice import integrated_gradients, thin_out
from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Span
from blipper.voice.models import VoiceModel
from blipper.voice.windows import in_blocks

#: Windows that are explained at most; of a longer recording they are spread evenly.
MOST: Final = 240
#: Longest stretch of sound read at a time, in seconds.
BLOCK: Final = 60.0


@dataclass(frozen=True, eq=False)
class Overview:
    """Contributions over a whole recording.

    Parameters
    ----------
    target : str
    bands : numpy.ndarray, shape (n_bands,)
        Centres in Hz.
    band_profile : numpy.ndarray, shape (n_bands,)
        Mean contribution of each band over the windows, in log-odds; they add up to the mean difference from
        neutral speech, but for the completeness error.
    starts, ends, contributions : numpy.ndarray, shape (n_windows,)
        Each window's times and the sum of its contributions in log-odds.
    scores : numpy.ndarray, shape (n_windows,)
    completeness_error : float
        Mean absolute error of the windows' sums, in log-odds.
    left_out : int
        Windows that were not explained, to keep it quick.
    """

    target: str
    bands: Float
    band_profile: Float
    starts: Float
    ends: Float
    contributions: Float
    scores: Float
    completeness_error: float
    left_out: int


def overview(
    recording: Recording,
    windows: Sequence[Span],
    model: VoiceModel,
    *,
    target: str = "aggression",
    channel: int = 0,
    background: Background | None = None,
    most: int = MOST,
    progress: Progress = silent,
) -> Overview:
    """Sum up integrated gradients over a recording, in blocks of bounded length.

    Parameters
    ----------
    recording : Recording
    windows : sequence of Span
        As an analysis placed them, ordered by start.
    model : VoiceModel
    target : str
    channel : int
    background : Background, optional
        The one that ships beside the model unless given.
    most : int
        Windows to explain at most.
    progress : Progress
        Told windows, as step ``"overview"``.

    Returns
    -------
    Overview

    Raises
    ------
    SettingsError
        If there is no window.
    """
    if not windows:
        raise SettingsError("no window to explain: nobody speaks in this recording")
    neutral = background_of(model) if background is None else background
    kept = thin_out(windows, most)
    profile: Any = 0.0
    parts: list[Part] = []
    bands: Float = np.zeros(0)
    for block in in_blocks(kept, BLOCK):
        first = block[0].start
        progress("overview", len(parts), len(kept))
        found = integrated_gradients(
            model,
            recording.read(first, max(window.end for window in block), channel),
            recording.sampling_rate,
            starts=[window.start - first for window in block],
            ends=[window.end - first for window in block],
            target=target,
            background=neutral,
            origin=first,
            progress=_within(progress, len(parts), len(kept)),
        )
        profile = profile + found.band_profile * len(found.parts) / len(kept)
        bands = found.bands
        parts += found.parts
    progress("overview", len(kept), len(kept))
    return Overview(
        target=target,
        bands=bands,
        band_profile=profile,
        starts=np.array([part.start for part in parts]),
        ends=np.array([part.end for part in parts]),
        contributions=np.array([part.total for part in parts]),
        scores=np.array([part.score for part in parts]),
        completeness_error=float(np.mean([part.error for part in parts])),
        left_out=len(windows) - len(kept),
    )


def _within(progress: Progress, done: int, windows: int) -> Progress:
    def inner(step: str, completed: float, total: float) -> None:
        progress("overview", done + completed, windows)

    return inner
