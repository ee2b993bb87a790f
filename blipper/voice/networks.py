"""The voice networks, built in code: layers here, numbers from a weights file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from blipper.errors import ModelError
from blipper.voice.labels import EMOTIONS


@dataclass(frozen=True)
class NetworkSettings:
    """Size of a ``mel-cnn``.

    Parameters
    ----------
    stem : tuple of int
        Channels of the three two-dimensional convolutions that halve the bands three times and the frames
        twice.
    width : int
        Channels of the one-dimensional residual blocks.
    dilations : tuple of int
        One residual block each, over frames of 40 ms.
    squeeze : int
        Channels of the squeeze-and-excitation and attention bottlenecks.
    embedding : int
        Size of the last hidden layer.
    """

    stem: tuple[int, int, int] = (16, 32, 48)
    width: int = 160
    dilations: tuple[int, ...] = (1, 2, 3, 4)
    squeeze: int = 48
    embedding: int = 160

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkSettings:
        """Rebuild from :meth:`to_dict`'s output.

        Raises
        ------
        ModelError
            If a setting is unknown, missing or no positive whole number.
        """
        if set(values) != set(cls.__dataclass_fields__):
            raise ModelError(
                f"network settings {sorted(values)} are not Blipper's: expected "
                f"{sorted(cls.__dataclass_fields__)}"
            )
        numbers = [n for v in values.values() for n in (v if isinstance(v, (list, tuple)) else [v])]
        if not all(isinstance(n, int) and not isinstance(n, bool) and 0 < n <= 4096 for n in numbers):
            raise ModelError(f"network settings {dict(values)}: expected whole numbers from 1 to 4096")
        if not isinstance(values["stem"], (list, tuple)) or len(values["stem"]) != 3:
            raise ModelError(f"network setting stem is {values['stem']!r}, expected three whole numbers")
        if not isinstance(values["dilations"], (list, tuple)):
            raise ModelError(f"network setting dilations is {values['dilations']!r}, expected a list")
        return cls(
            stem=(values["stem"][0], values["stem"][1], values["stem"][2]),
            width=values["width"],
            dilations=tuple(values["dilations"]),
            squeeze=values["squeeze"],
            embedding=values["embedding"],
        )


def build(settings: NetworkSettings, frames: int, mels: int, *, dropout: float = 0.0, hints: int = 0) -> Any:
    """Build the network, with fresh weights.

    A short two-dimensional stem turns the log-mel picture into frames of 40 ms; dilated residual convolutions
    over time with squeeze-and-excitation (Hu et al. 2018) follow; attentive statistics pooling (Okabe et al.
    2018) turns a window of any length into one vector. Padding takes no part in any mean.

    Parameters
    ----------
    settings : NetworkSettings
    frames, mels : int
        Shape of a full window.
    dropout : float
        Before the last two layers; 0 for inference.
    hints : int
        Size of an extra output that learns to predict a teacher's embedding; none for inference.

    Returns
    -------
    keras.Model
        Inputs: ``frames`` (batch, frames, mels) normalised log-mel, ``lengths`` (batch,) int32 valid frames.
        Output: logits (batch, 8 + 1 + hints): emotions, aggression, hints.
    """
    import keras
    from keras import layers, ops

    inputs = keras.Input((frames, mels), name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")

    def valid(n: int, stride: int) -> Any:
        last = ops.expand_dims((lengths + (stride - 1)) // stride, 1)
        heard = ops.greater(last, ops.expand_dims(ops.arange(n, dtype="int32"), 0))
        return ops.expand_dims(ops.cast(heard, "float32"), 2)

    x = layers.Reshape((frames, mels, 1))(inputs * valid(frames, 1))
    for i, (channels, strides) in enumerate(zip(settings.stem, ((2, 2), (2, 2), (1, 2)), strict=True)):
        name = f"stem{i + 1}"
        x = layers.Conv2D(
            channels, 5 if i == 0 else 3, strides, padding="same", use_bias=False, name=f"{name}_conv"
        )(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm")(x))
    n = x.shape[1]
    kept = valid(n, 4)
    total = ops.maximum(ops.sum(kept, axis=1), 1.0)
    x = layers.Reshape((n, x.shape[2] * x.shape[3]))(x)
    x = layers.Dense(settings.width, use_bias=False, name="mix_dense")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="mix_norm")(x)) * kept
    for i, dilation in enumerate(settings.dilations):
        name = f"block{i + 1}"
        y = layers.Conv1D(
            settings.width, 3, padding="same", dilation_rate=dilation, use_bias=False, name=f"{name}_conv"
        )(x)
        y = layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm")(y))
        squeezed = ops.sum(y * kept, axis=1) / total
        squeezed = layers.Dense(settings.squeeze, activation="relu", name=f"{name}_squeeze")(squeezed)
        gate = layers.Dense(settings.width, activation="sigmoid", name=f"{name}_excite")(squeezed)
        x = (x + y * ops.expand_dims(gate, 1)) * kept

    attention = layers.Dense(settings.squeeze, activation="tanh", name="attention_hidden")(x)
    attention = layers.Dense(settings.width, name="attention_out")(attention) + (kept - 1.0) * 1e4
    weights = ops.softmax(attention, axis=1)
    mean = ops.sum(weights * x, axis=1)
    variance = ops.sum(weights * ops.square(x), axis=1) - ops.square(mean)
    pooled = ops.concatenate([mean, ops.sqrt(ops.maximum(variance, 1e-5))], axis=1)
    pooled = layers.BatchNormalization(name="pool_norm")(pooled)
    if dropout:
        pooled = layers.Dropout(dropout, name="pool_dropout")(pooled)
    hidden = layers.Dense(settings.embedding, activation="relu", name="embedding")(pooled)
    if dropout:
        hidden = layers.Dropout(dropout, name="embedding_dropout")(hidden)
    outputs = [
        layers.Dense(len(EMOTIONS), name="emotions")(hidden),
        layers.Dense(1, name="aggression")(hidden),
    ]
    if hints:
        outputs.append(layers.Dense(hints, name="hints")(pooled))
    return keras.Model([inputs, lengths], ops.concatenate(outputs, axis=1), name="mel-cnn")
