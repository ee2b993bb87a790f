"""Leave one piece out: the score without each word, or each short piece, of what was said.

A piece is taken out on the model's own input, where its frames take the value of the mean neutral frame: the
window stays as long as it was, and no click or silence, which would be a cue of its own, comes in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.explain.background import Background, background_of, check_shape
from blipper.explain.gradients import BATCH, log_odds
from blipper.explain.targets import probability, target_index
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Span
from blipper.voice.inputs import Inputs
from blipper.voice.models import VoiceModel

#: Seconds of a piece where there is no transcript: about a word's length.
PIECE: Final = 0.3


@dataclass(frozen=True)
class LeftOut:
    """What a score would be without one piece.

    Parameters
    ----------
    start, end : float
        Seconds from the recording's start.
    text : str
        The word; empty for a fixed piece.
    score : float
        Mean score of the windows without it, in [0, 1].
    effect : float
        Log-odds with it less those without: above 0, it raises the score.
    """

    start: float
    end: float
    text: str
    score: float
    effect: float


def leave_one_out(
    model: VoiceModel,
    samples: Float32,
    sampling_rate: int,
    windows: Sequence[Span],
    *,
    words: Sequence[tuple[float, float, str]] = (),
    target: str = "aggression",
    background: Background | None = None,
    origin: float = 0.0,
    progress: Progress = silent,
) -> tuple[LeftOut, ...]:
    """Score windows again and again, each time without one piece.

    Parameters
    ----------
    model : VoiceModel
    samples : numpy.ndarray of float32, shape (n,)
    sampling_rate : int
        Hz; the model's own.
    windows : sequence of Span
        Seconds from ``samples[0]``.
    words : sequence of (start, end, text)
        Seconds from ``samples[0]``; without any, fixed pieces of :data:`PIECE` seconds.
    target : str
    background : Background, optional
        The one that ships beside the model unless given.
    origin : float
        Seconds from the recording's start to ``samples[0]``.
    progress : Progress
        Told pieces, as step ``"pieces"``.

    Returns
    -------
    tuple of LeftOut
        Ordered by start; words that no window hears are left out.

    Raises
    ------
    SettingsError
        If there is no window or no such target.
    """
    index = target_index(target)
    if not windows:
        raise SettingsError("no window to cut: nobody speaks there")
    neutral = background_of(model) if background is None else background
    inputs = model.inputs_of(
        samples, sampling_rate, [window.start for window in windows], [window.end for window in windows]
    )
    check_shape(neutral, inputs.frames.shape[2], model.info.name)
    whole = log_odds(model, inputs.frames, inputs.lengths)[:, index]
    cuts = [cut for piece in sorted(words or _fixed(windows)) if (cut := _cut(inputs, *piece)) is not None]
    found: list[LeftOut] = []
    for together in _filling_batches(cuts):
        progress("pieces", len(found), len(cuts))
        rows = np.concatenate([cut.rows for cut in together])
        frames = inputs.frames[rows].copy()
        for row, (first, last) in enumerate(bound for cut in together for bound in cut.bounds):
            frames[row, first:last] = neutral.frame
        scored = log_odds(model, frames, inputs.lengths[rows])[:, index]
        ends = np.cumsum([len(cut.rows) for cut in together])
        for cut, now in zip(together, np.split(scored, ends[:-1]), strict=True):
            without = whole.copy()
            without[cut.rows] = now
            found.append(
                LeftOut(
                    start=origin + cut.start,
                    end=origin + cut.end,
                    text=cut.text,
                    score=float(probability(without).mean()),
                    effect=float((whole[cut.rows] - now).mean()),
                )
            )
    progress("pieces", len(cuts), len(cuts))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Cut:
    """A piece, the rows of the input that hear it, and the first frame and the one after the last in each."""

    start: float
    end: float
    text: str
    rows: NDArray[np.intp]
    bounds: list[tuple[int, int]]


def _cut(inputs: Inputs, start: float, end: float, text: str) -> _Cut | None:
    """Say where a piece lies on the model's input; None where no window hears it."""
    first = np.ceil((start - inputs.starts) / inputs.step - 1e-6).astype(int)
    last = np.ceil((end - inputs.starts) / inputs.step - 1e-6).astype(int)
    rows = np.flatnonzero((last > 0) & (first < inputs.lengths) & (last > first))
    if not len(rows):
        return None
    bounds = [(max(0, int(first[row])), min(int(last[row]), int(inputs.lengths[row]))) for row in rows]
    return _Cut(start, end, text, rows, bounds)


def _filling_batches(cuts: Sequence[_Cut]) -> Iterator[list[_Cut]]:
    """Take pieces together while they fit one batch: a batch costs the same, however few rows are in it."""
    together: list[_Cut] = []
    for cut in cuts:
        if together and sum(len(one.rows) for one in together) + len(cut.rows) > BATCH:
            yield together
            together = []
        together.append(cut)
    if together:
        yield together


def _fixed(windows: Sequence[Span]) -> list[tuple[float, float, str]]:
    """Cut what the windows cover into pieces of about equal length."""
    merged: list[list[float]] = []
    for window in sorted(windows, key=lambda span: span.start):
        if merged and window.start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], window.end)
        else:
            merged.append([window.start, window.end])
    pieces = []
    for start, end in merged:
        n = max(1, math.ceil((end - start) / PIECE - 1e-6))
        edges = np.linspace(start, end, n + 1)
        pieces += [(float(a), float(b), "") for a, b in itertools.pairwise(edges)]
    return pieces
