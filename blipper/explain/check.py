"""How far an explanation can be trusted, measured."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.explain.attribution import Attribution
from blipper.explain.background import Background
from blipper.explain.voice import explain
from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Span
from blipper.voice.models import VoiceModel

#: Seconds by which the small shift of :func:`stability` moves the windows: 4 frames, the network's own grid.
SHIFT: Final = 0.04


def stability(
    recording: Recording,
    attribution: Attribution,
    model: VoiceModel,
    *,
    channel: int = 0,
    background: Background | None = None,
    progress: Progress = silent,
) -> float | None:
    """Correlate an explanation with that of the same sound in slightly shifted windows.

    Parameters
    ----------
    recording : Recording
    attribution : Attribution
        Of windows of that recording; the shifted ones are explained by integrated gradients where it was made
        so, else by SHAP.
    model, channel, background, progress
        As for :func:`blipper.explain.voice.explain`.

    Returns
    -------
    float or None
        Pearson's correlation over the cells that both explained, in [-1, 1]; contributions are averaged over
        squares of 4 frames and 2 bands first, since nobody reads a map cell by cell. None where there is too
        little in common.
    """
    most = recording.duration
    # Windows at the recording's end keep their end and lose the shift at their start.
    windows = [Span(part.start + SHIFT, min(part.end + SHIFT, most)) for part in attribution.parts]
    other = explain(
        recording,
        windows,
        model,
        method=attribution.method,
        target=attribution.target,
        channel=channel,
        background=background,
        progress=progress,
    )
    return alike(attribution, other)


def alike(one: Attribution, other: Attribution) -> float | None:
    """Correlate two maps of the same sound where both listened; see :func:`stability`."""
    first = max(one.start, other.start)
    last = min(one.end, other.end)
    n = round((last - first) / one.step)
    cells = []
    for each in (one, other):
        begin = round((first - each.start) / each.step)
        cells.append(each.values[begin : begin + n])
    n = min(len(cell) for cell in cells)
    if n < 4:
        return None
    squares = [_pool(cell[:n]) for cell in cells]
    if min(square.std() for square in squares) < 1e-12:
        return None
    return float(np.corrcoef(squares[0].ravel(), squares[1].ravel())[0, 1])


def _pool(cells: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    rows, columns = len(cells) // 4, cells.shape[1] // 2
    blocks = cells[: 4 * rows, : 2 * columns].reshape(rows, 4, columns, 2)
    pooled: NDArray[np.floating[Any]] = blocks.mean(axis=(1, 3))
    return pooled
