"""What integrated gradients start from: the mean frame of neutral speech, or real windows of it.

A held frame is a picture without events, which is what makes it a good start; but a network that listens to
how speech moves may take it for no speech at all. ``whisper-cnn`` hears in it odds of anger a hundred million
times lower than in neutral speech, so that every voice, calm ones too, would seem to raise the score. For
such a model the walk starts from several real windows of neutral speech, and contributions are averaged
(Sturmfels, Lundberg and Lee 2020, "Visualizing the impact of feature attribution baselines"; with all points
drawn at random it would be the expected gradients of Erion et al. 2021).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.explain.background import Background
from blipper.explain.gradients import Differentiable, log_odds

#: Windows to start from where the mean frame will not do.
MOST: Final = 16
#: The frame lies as far out as the farthest window in ``mel-cnn``, and 2.8 times as far in ``whisper-cnn``.
FARTHEST: Final = 2.0


def settle(model: Differentiable, background: Background) -> Background:
    """Decide what a model's explanations start from, and note it in the background.

    The mean frame, held for a whole window, is kept where the model hears it much as neutral speech: where
    its log-odds, over all targets together, lie at most :data:`FARTHEST` times as far from the median of the
    neutral windows as those of the window that is farthest from it.

    Parameters
    ----------
    model : VoiceModel, or what else is differentiable
    background : Background

    Returns
    -------
    Background
        With :attr:`~blipper.explain.background.Background.typical` empty, or the numbers of up to
        :data:`MOST` windows, at most half of all, those nearest to the median first.
    """
    frames = int(model.differentiable.inputs[0].shape[1])
    plain = replace(background, typical=())
    pictures = np.concatenate([background.tiled(frames), plain.baselines(frames)])
    found = log_odds(model, pictures, np.full(len(pictures), frames, np.int32))
    windows, frame = found[:-1], found[-1]
    middle = np.median(windows, axis=0)
    far = np.abs(windows - middle).sum(axis=1)
    if float(np.abs(frame - middle).sum()) <= FARTHEST * far.max():
        return plain
    kept: NDArray[Any] = np.argsort(far, kind="stable")[: min(MOST, max(1, len(windows) // 2))]
    return replace(background, typical=tuple(int(number) for number in kept))
