"""Explanations of the voice on the model's own input: time by mel band, for any emotion and for aggression.

Two methods, both from the log-mel picture through the whole network to the calibrated log-odds, whose sigmoid
is the score that is shown. (The probability itself would hide what mattered where it saturates: at a score of
0.99 its slope is a hundredth of that at 0.5.)

*Integrated gradients* (Sundararajan, Taly and Yan 2017) walk straight from a baseline to the input. The
baseline is the mean frame of neutral speech, held for as long as the window lasts: the average spectrum of
neutral voices with nothing happening in it. Sturmfels, Lundberg and Lee (2020, "Visualizing the impact of
feature attribution baselines") show why silence, the usual zero, is a poor one: what equals the baseline gets
no credit, so quiet parts could never matter. A model that takes this frame for something else than neutral
speech, as ``whisper-cnn`` does, starts from several real windows instead (:mod:`blipper.explain.baselines`).

*SHAP* here is :class:`shap.GradientExplainer`, expected gradients (Erion et al. 2021): the same walk, from
many real windows of neutral speech, drawn at random. It answers "unlike neutral speech, how?" and says how
sure the answer is, since every draw is a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.errors import SettingsError
from blipper.explain.attribution import Attribution, Method, join
from blipper.explain.background import Background, background_of, check_shape
from blipper.explain.gradients import BATCH
from blipper.explain.paths import STEPS, walk
from blipper.explain.shap_gradients import ROUND, shap_pieces
from blipper.explain.targets import target_index
from blipper.progress import Progress, silent
from blipper.recording import Float32, Recording
from blipper.results import Span
from blipper.voice.inputs import Inputs
from blipper.voice.models import VoiceModel
from blipper.voice.windows import place_windows

#: Random draws of neutral speech for one window.
DRAWS: Final = 4 * ROUND
#: Longest stretch that is explained cell by cell, in seconds.
LONGEST: Final = 120.0


def integrated_gradients(
    model: VoiceModel,
    samples: Float32,
    sampling_rate: int,
    *,
    starts: ArrayLike | None = None,
    ends: ArrayLike | None = None,
    target: str = "aggression",
    background: Background | None = None,
    origin: float = 0.0,
    steps: int = STEPS[0],
    progress: Progress = silent,
) -> Attribution:
    """Explain windows of sound by integrated gradients from neutral speech.

    Parameters
    ----------
    model : VoiceModel
    samples : numpy.ndarray of float32, shape (n,)
        Mono, at most :data:`LONGEST` seconds.
    sampling_rate : int
        Hz; the model's own.
    starts, ends : array-like of float, shape (n_windows,), optional
        Seconds from ``samples[0]``. Unless given, all of `samples` counts as speech and gets windows as an
        analysis would place them.
    target : str
        ``"aggression"`` or an emotion.
    background : Background, optional
        The one that ships beside the model unless given.
    origin : float
        Seconds from the recording's start to ``samples[0]``; added to all times of the result.
    steps : int
        Points on the path at first, a multiple of 32; doubled, up to 256, for a window whose contributions
        miss the difference by more than 2 % and 0.01. Where the walk starts from several windows of neutral
        speech, each path has 8 points, and 8 more if the contributions miss more than 5 % and 0.05.
    progress : Progress
        Told windows' pieces, in fractions, as step ``"explain"``; what it raises ends the work there.

    Returns
    -------
    Attribution

    Raises
    ------
    ModelError
        If the background or a window does not fit.
    SettingsError
        If the target, the steps or the length lies outside its domain.
    """
    if steps < BATCH or steps % BATCH or steps > STEPS[1]:
        raise SettingsError(f"{steps} steps: expected a multiple of {BATCH} up to {STEPS[1]}")
    index = target_index(target)
    neutral = background_of(model) if background is None else background
    first, last, inputs = _inputs(model, samples, sampling_rate, starts, ends, neutral)
    baselines = neutral.baselines(inputs.frames.shape[1])
    pieces = []
    for row in range(len(inputs)):
        progress("explain", row, len(inputs))
        pieces.append(
            walk(
                model,
                inputs.frames[row],
                int(inputs.lengths[row]),
                baselines,
                index,
                steps,
                progress=_part_of(progress, row, len(inputs)),
            )
        )
    progress("explain", len(inputs), len(inputs))
    return join(
        inputs,
        pieces,
        first,
        last,
        neutral.frame,
        method="integrated gradients",
        target=target,
        model=model.info.name,
        origin=origin,
    )


def shap_values(
    model: VoiceModel,
    samples: Float32,
    sampling_rate: int,
    *,
    starts: ArrayLike | None = None,
    ends: ArrayLike | None = None,
    target: str = "aggression",
    background: Background | None = None,
    origin: float = 0.0,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = silent,
) -> Attribution:
    """Explain windows of sound by SHAP's expected gradients over neutral speech.

    Parameters
    ----------
    model, samples, sampling_rate, starts, ends, target, background, origin
        As for :func:`integrated_gradients`.
    draws : int
        Random draws for each piece, a multiple of 50 from 100 to 5000.
    seed : int
        Of the draws.
    progress : Progress
        Told rounds of 50 draws, as step ``"shap"``; what it raises ends the work there.

    Returns
    -------
    Attribution
        Its uncertainty is the standard error of the sum over the draws.

    Raises
    ------
    ModelError, SettingsError
        As :func:`integrated_gradients` does.
    """
    if draws < 2 * ROUND or draws % ROUND or draws > 100 * ROUND:
        raise SettingsError(
            f"{draws} draws: expected a multiple of {ROUND} from {2 * ROUND} to {100 * ROUND}"
        )
    index = target_index(target)
    neutral = background_of(model) if background is None else background
    first, last, inputs = _inputs(model, samples, sampling_rate, starts, ends, neutral)
    pieces = shap_pieces(model, inputs, neutral, index, draws=draws, seed=seed, progress=progress)
    return join(
        inputs,
        pieces,
        first,
        last,
        neutral.frame,
        method="shap",
        target=target,
        model=model.info.name,
        origin=origin,
    )


def explain(
    recording: Recording,
    windows: Sequence[Span],
    model: VoiceModel,
    *,
    method: Method = "integrated gradients",
    target: str = "aggression",
    channel: int = 0,
    background: Background | None = None,
    progress: Progress = silent,
) -> Attribution:
    """Explain windows of a recording.

    Parameters
    ----------
    recording : Recording
    windows : sequence of Span
        Ordered by start; from the first one's start to the last one's end at most :data:`LONGEST` seconds.
    model : VoiceModel
    method : {"integrated gradients", "shap"}
    target, background, progress
        As for :func:`integrated_gradients`.
    channel : int

    Returns
    -------
    Attribution
        Times count from the recording's start.

    Raises
    ------
    SettingsError
        If there is no window, or the method is unknown.
    """
    if method not in ("integrated gradients", "shap"):
        raise SettingsError(f"method {method!r}: expected 'integrated gradients' or 'shap'")
    if not windows:
        raise SettingsError("no window to explain: nobody speaks there")
    first, last = windows[0].start, max(window.end for window in windows)
    run = integrated_gradients if method == "integrated gradients" else shap_values
    return run(
        model,
        recording.read(first, last, channel),
        recording.sampling_rate,
        starts=[window.start - first for window in windows],
        ends=[window.end - first for window in windows],
        target=target,
        background=background,
        origin=first,
        progress=progress,
    )


def windows_in(starts: NDArray[np.floating], ends: NDArray[np.floating], span: Span) -> list[Span]:
    """Choose an analysis's windows for a stretch: those whose middle lies in it, or else the nearest one.

    Parameters
    ----------
    starts, ends : numpy.ndarray, shape (n,)
        Seconds, ordered by start.
    span : Span

    Returns
    -------
    list of Span
        Empty if there are no windows at all.
    """
    if not len(starts):
        return []
    middles = (starts + ends) / 2
    inside = np.flatnonzero((middles >= span.start) & (middles < span.end))
    if not len(inside):
        inside = np.array([np.abs(middles - (span.start + span.end) / 2).argmin()])
    return [Span(float(starts[i]), float(ends[i])) for i in inside]


def thin_out(windows: Sequence[Span], most: int) -> list[Span]:
    """Take at most so many windows, evenly spread, the first and the last among them."""
    if len(windows) <= most:
        return list(windows)
    chosen = np.unique(np.linspace(0, len(windows) - 1, most).round().astype(int))
    return [windows[i] for i in chosen]


def _part_of(progress: Progress, row: int, rows: int) -> Progress:
    def told(step: str, completed: float, total: float) -> None:
        progress("explain", row + completed / total, rows)

    return told


def _inputs(
    model: VoiceModel,
    samples: Float32,
    sampling_rate: int,
    starts: ArrayLike | None,
    ends: ArrayLike | None,
    background: Background,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Inputs]:
    seconds = len(samples) / sampling_rate
    if seconds > LONGEST + 1:
        raise SettingsError(
            f"{seconds:.0f} s in one explanation: expected at most {LONGEST:.0f} s; "
            "blipper.explain.overview explains longer recordings"
        )
    if starts is None or ends is None:
        placed = place_windows([Span(0.0, seconds)])
        starts, ends = [span.start for span in placed], [span.end for span in placed]
    first = np.atleast_1d(np.asarray(starts, dtype=np.float64))
    last = np.atleast_1d(np.asarray(ends, dtype=np.float64))
    inputs = model.inputs_of(samples, sampling_rate, first, last)
    if not len(inputs):
        raise SettingsError("no window to explain: nobody speaks there")
    check_shape(background, inputs.frames.shape[2], model.info.name)
    return first, last, inputs
