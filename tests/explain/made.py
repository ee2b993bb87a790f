"""Models made for tests, whose explanations are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from blipper.explain.background import Background
from blipper.results import ModelInfo
from blipper.voice.frontend import FrontEnd
from blipper.voice.inputs import Inputs
from blipper.voice.models import Calibration, VoiceModel

#: 1.008 s: 100 frames of 24 bands.
FRONT = FrontEnd(mels=24, window=1.022)


def voice_model(make: Callable[[Any, Any], Any], calibration: Calibration | None = None) -> VoiceModel:
    """Wrap ``make(frames, lengths) -> logits`` as a voice model."""
    import keras

    frames = keras.Input((FRONT.frames, FRONT.mels), name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    network = keras.Model([frames, lengths], make(frames, lengths))
    return VoiceModel(
        ModelInfo("made", "0" * 64, 0.5),
        {"front_end": FRONT.to_dict()},
        network,
        FRONT,
        calibration or Calibration(temperature=0.8, slope=1.25, intercept=-0.5),
    )


def linear_model(weights: np.ndarray) -> VoiceModel:
    """Return a model whose aggression logit is the sum of `weights` (100, 24) times the valid input."""
    from keras import ops

    def make(frames: Any, lengths: Any) -> Any:
        numbers = ops.expand_dims(ops.arange(FRONT.frames, dtype="int32"), 0)
        valid = ops.cast(ops.greater(ops.expand_dims(lengths, 1), numbers), "float32")
        weighed = ops.sum(
            frames * ops.expand_dims(valid, 2) * ops.convert_to_tensor(weights.astype("float32")), axis=(1, 2)
        )
        emotions = ops.stack([0.3 * k * weighed for k in range(8)], axis=1)
        return ops.concatenate([emotions, ops.expand_dims(weighed, 1)], axis=1)

    return voice_model(make)


def neutral(rng: np.random.Generator, n: int = 6, frames: int = 70) -> Background:
    """Return windows of noise as a background."""
    windows = tuple(rng.normal(0.5, 0.3, (frames, FRONT.mels)).astype(np.float32) for _ in range(n))
    return Background(windows, FRONT.to_dict(), "noise", ())


def inputs_of(frames: np.ndarray, lengths: np.ndarray) -> Inputs:
    """Wrap pictures as inputs, each a window of its own."""
    return Inputs(
        frames.astype(np.float32),
        lengths.astype(np.int32),
        np.arange(len(frames)),
        np.zeros(len(frames)),
        0.01,
        np.linspace(50, 7600, FRONT.mels + 2),
        15.0,
    )
