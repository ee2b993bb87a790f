"""SHAP's GradientExplainer on a voice model: expected gradients over neutral speech.

``GradientExplainer`` wants one input and one shape. The lengths of windows therefore travel in one more
column of the frames: 1 in a window's valid frames and 0 beyond, and 0 everywhere in the background. On the
way from background to window the column is the share gone so far, above zero in valid frames alone, so the
network hears the window's own length on the whole way; and as counting has no gradient, the column gets no
credit.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from blipper.explain.attribution import Piece
from blipper.explain.background import Background
from blipper.explain.gradients import log_odds
from blipper.explain.shap_state import generator_lent
from blipper.explain.targets import all_log_odds
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.voice.inputs import Inputs
from blipper.voice.models import VoiceModel

#: Draws in one go; progress is told in between.
ROUND: Final = 50

_explainers: WeakKeyDictionary[VoiceModel, tuple[Background, Any]] = WeakKeyDictionary()


def shap_pieces(
    model: VoiceModel,
    inputs: Inputs,
    background: Background,
    target: int,
    *,
    draws: int,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Piece]:
    """Explain pieces of windows.

    Parameters
    ----------
    model : VoiceModel
    inputs : Inputs
    background : Background
    target : int
        Index into :data:`blipper.explain.targets.TARGETS`.
    draws : int
        Of each piece, a multiple of :data:`ROUND` from twice that on.
    seed : int
    progress : Progress
        Told rounds, as step ``"shap"``.

    Returns
    -------
    list of Piece
        Their base is the mean log-odds of the background at the piece's length.
    """
    rounds = draws // ROUND
    pieces = []
    for row in range(len(inputs)):
        length = int(inputs.lengths[row])
        picture = with_length(inputs.frames[row], length)[np.newaxis]
        found = []
        for number in range(rounds):
            progress("shap", row * rounds + number, len(inputs) * rounds)
            found.append(_round(model, background, picture, target, seed + 7919 * number)[:length])
        stack = np.stack(found)
        sums = stack.sum(axis=(1, 2), dtype=np.float64)
        variance = float(sums.var(ddof=1) / rounds)
        here, base = _ends(model, inputs.frames[row], length, background, target)
        pieces.append(Piece(stack.mean(axis=0), here, base, variance, draws))
    progress("shap", len(inputs) * rounds, len(inputs) * rounds)
    return pieces


def with_length(frames: Float32, length: int) -> Float32:
    """Append the column that marks valid frames: (n_frames, n_bands) becomes (n_frames, n_bands + 1)."""
    marks = (np.arange(len(frames)) < length).astype(np.float32)
    return np.concatenate([frames, marks[:, np.newaxis]], axis=1)


def _ends(
    model: VoiceModel, frames: Float32, length: int, background: Background, target: int
) -> tuple[float, float]:
    n_frames = len(frames)
    neutral = np.zeros((len(background.windows), *frames.shape), np.float32)
    neutral[:, :length] = background.tiled(n_frames)[:, :length]
    together = np.concatenate([neutral, frames[np.newaxis]])
    values = log_odds(model, together, np.full(len(together), length, np.int32))[:, target]
    return float(values[-1]), float(values[:-1].mean())


def _round(model: VoiceModel, background: Background, picture: Float32, target: int, seed: int) -> Float32:
    with generator_lent():
        held = _explainers.get(model)
        if held is None or held[0] is not background:
            held = (background, _explainer(model, background))
            _explainers[model] = held
        values, _ = held[1].shap_values(
            picture,
            nsamples=ROUND,
            ranked_outputs=np.array([[target]]),
            output_rank_order="custom",
            rseed=seed % 2**31,
        )
    result: Float32 = np.asarray(values)[0, :, :-1, 0].astype(np.float32)
    return result


def _explainer(model: VoiceModel, background: Background) -> Any:
    import keras
    import shap
    from keras import ops

    network = model.differentiable
    frames, bands = network.inputs[0].shape[1:]
    marked = keras.Input((frames, bands + 1))
    lengths = ops.sum(ops.cast(marked[:, :, -1] > 0, "int32"), axis=1)
    outputs = all_log_odds(network([marked[:, :, :-1], lengths], training=False), model.calibration)
    neutral = background.tiled(frames)
    unmarked = np.zeros((*neutral.shape[:2], 1), np.float32)
    return shap.GradientExplainer(
        keras.Model([marked], outputs), np.concatenate([neutral, unmarked], axis=2), batch_size=ROUND
    )
