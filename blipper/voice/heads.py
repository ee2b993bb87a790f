"""The head of ``whisper-cnn``: from what Whisper's encoder hears to emotions, built in code in Keras.

Each block's frames are standardised and joined; convolutions over time with attentive statistics pooling
(Okabe et al. 2018) say what stands out, plain means and deviations of every block say how the whole sounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from blipper.errors import ModelError
from blipper.voice.labels import EMOTIONS
from blipper.voice.whisper import INNER, Dimensions

#: Encoder frames averaged into one of the head's: 4 * 20 ms = 80 ms.
POOL: Final = 4


@dataclass(frozen=True)
class HeadSettings:
    """Size of a head.

    Parameters
    ----------
    blocks, width : int
        How many of the encoder's blocks it hears, from the first one on, and their channels.
    channels : int
        Of the convolutions.
    dilations : tuple of int
        One residual convolution each, over frames of 80 ms; none leaves the attention on projected frames.
    squeeze : int
        Channels of the attention's bottleneck.
    plain : int
        1 to hear plain means and deviations of the blocks as well, 0 to leave them out.
    embedding : int
        Size of the last hidden layer.
    members : int
        Networks of this kind trained from different seeds, whose logits are averaged.
    perceptrons : int
        Further members, which hear the plain means and deviations alone.
    plain_from : int
        The first block whose plain means and deviations are heard, from 0.
    inner : tuple of int
        Blocks whose inner layers are heard as well, from 0, in ascending order: the plain means of
        what the encoder's perceptrons hold after the GELU. Needs all four blocks.
    """

    blocks: int = 4
    width: int = 384
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 3)
    squeeze: int = 32
    plain: int = 1
    embedding: int = 384
    members: int = 1
    perceptrons: int = 0
    plain_from: int = 0
    inner: tuple[int, ...] = ()

    @property
    def slices(self) -> int:
        """How many tensors of `width` channels are heard: the blocks, and each inner layer in four."""
        return self.blocks + INNER * len(self.inner)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        values = asdict(self) | {"dilations": list(self.dilations), "inner": list(self.inner)}
        for name in ("perceptrons", "plain_from", "inner"):
            if not values[name]:
                del values[name]  # as before there were any: models and checkpoints go by these values
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HeadSettings:
        """Rebuild from :meth:`to_dict`'s output.

        Raises
        ------
        ModelError
            If a setting is unknown, missing, or outside its domain.
        """
        values = {"perceptrons": 0, "plain_from": 0, "inner": [], **values}
        if set(values) != set(cls.__dataclass_fields__):
            raise ModelError(
                f"head settings {sorted(values)} are not Blipper's: expected "
                f"{sorted(cls.__dataclass_fields__)}"
            )
        for name in ("dilations", "inner"):
            if not isinstance(values[name], (list, tuple)):
                raise ModelError(f"head setting {name} is {values[name]!r}, expected a list")
        for name, value in values.items():
            low = 0 if name in ("plain", "perceptrons", "plain_from", "inner") else 1
            numbers = value if isinstance(value, (list, tuple)) else [value]
            if not all(isinstance(n, int) and not isinstance(n, bool) and low <= n <= 4096 for n in numbers):
                raise ModelError(f"head setting {name} is {value!r}, expected {low} to 4096")
        inner = list(values["inner"])
        last = Dimensions().blocks - 1
        if inner != sorted(set(inner)) or (inner and inner[-1] > last):
            raise ModelError(
                f"head setting inner is {values['inner']!r}, expected different blocks from 0 to {last}, in "
                "ascending order"
            )
        if inner and values["blocks"] != last + 1:
            raise ModelError(
                f"head setting blocks is {values['blocks']}; with inner layers expected all {last + 1}"
            )
        if values["plain_from"] >= values["blocks"]:
            raise ModelError(
                f"head setting plain_from is {values['plain_from']}, expected 0 to {values['blocks'] - 1}"
            )
        if (values["perceptrons"] or inner) and not values["plain"]:
            raise ModelError(
                "head setting plain is 0; perceptrons and inner layers are heard by nothing else, expected 1"
            )
        return cls(**{**values, "dilations": tuple(values["dilations"]), "inner": tuple(inner)})


@dataclass(frozen=True)
class Head:
    """A head in two parts, which training needs apart, since it mixes what lies between them.

    Parameters
    ----------
    listen : keras.Model
        Inputs: ``blocks`` (batch, n, slices, width), means of four encoder frames each, and ``lengths``
        (batch,) int32, how many of them are sound. Output: one vector each.
    judge : keras.Model
        From these vectors to logits (batch, 8 + 1 + extras): emotions, aggression, extras.
    """

    listen: Any
    judge: Any


def build_head(
    settings: HeadSettings,
    *,
    dropout: float = 0.0,
    extras: int = 0,
    prefix: str = "",
    perceptron: bool = False,
) -> Head:
    """Build a head, with fresh weights.

    Parameters
    ----------
    settings : HeadSettings
    dropout : float
        Before the last two layers; 0 for inference.
    extras : int
        Further outputs, for training alone.
    prefix : str
        Put before every layer's name.
    perceptron : bool
        Whether it hears the plain means and deviations alone.

    Returns
    -------
    Head
    """
    import keras
    from keras import layers, ops

    class Standardise(keras.layers.Layer):  # type: ignore[misc]
        """Subtracts means and multiplies by inverse deviations that were measured on training clips."""

        def build(self, shape: Any) -> None:
            size = (settings.slices, settings.width)
            self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False)
            self.scale = self.add_weight(name="scale", shape=size, initializer="ones", trainable=False)

        def call(self, x: Any) -> Any:
            return (x - self.mean) * self.scale

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape, dtype="float32")

    class Heard(keras.layers.Layer):  # type: ignore[misc]
        """Says which frames are sound: 1.0 or 0.0, shape (batch, n, 1)."""

        def call(self, x: Any, lengths: Any) -> Any:
            places = ops.arange(ops.shape(x)[1], dtype="int32")
            return ops.cast(places[None, :, None] < ops.cast(lengths, "int32")[:, None, None], "float32")

        def compute_output_spec(self, x: Any, lengths: Any) -> Any:
            return keras.KerasTensor((*x.shape[:2], 1), dtype="float32")

    class WeightedSum(keras.layers.Layer):  # type: ignore[misc]
        """A learned convex combination of the blocks, as in ELMo (Peters et al. 2018)."""

        def build(self, shape: Any) -> None:
            self.share = self.add_weight(name="share", shape=(settings.blocks, 1), initializer="zeros")

        def call(self, x: Any) -> Any:
            return ops.sum(x * ops.softmax(self.share, axis=0), axis=2)

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor((*x.shape[:2], x.shape[3]), dtype="float32")

    def named(name: str) -> str:
        return prefix + name

    def stood_out(x: Any, kept: Any) -> Any:
        """Put convolutions over the blocks' blend, and pool what stands out."""
        y = WeightedSum(name=named("blend"))(x[:, :, : settings.blocks])
        if dropout:
            y = layers.SpatialDropout1D(dropout / 2, name=named("frame_dropout"))(y)
        y = layers.Dense(settings.channels, use_bias=False, name=named("project"))(y)
        y = layers.ReLU()(layers.BatchNormalization(name=named("project_norm"))(y)) * kept
        for i, dilation in enumerate(settings.dilations):
            name = named(f"block{i + 1}")
            z = layers.Conv1D(
                settings.channels,
                3,
                padding="same",
                dilation_rate=dilation,
                use_bias=False,
                name=f"{name}_conv",
            )(y)
            y = (y + layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm")(z))) * kept
        attention = layers.Dense(settings.squeeze, activation="tanh", name=named("attention_hidden"))(y)
        attention = (
            layers.Dense(settings.channels, name=named("attention_out"))(attention) + (kept - 1.0) * 1e4
        )
        weights = ops.softmax(attention, axis=1)
        mean = ops.sum(weights * y, axis=1)
        variance = ops.sum(weights * ops.square(y), axis=1) - ops.square(mean)
        both = ops.concatenate([mean, ops.sqrt(ops.maximum(variance, 1e-4))], axis=1)
        return layers.BatchNormalization(name=named("pool_norm"))(both)

    blocks = keras.Input((None, settings.slices, settings.width), name="blocks")
    lengths = keras.Input((), dtype="int32", name="lengths")
    x = Standardise(name=named("standard"))(blocks)
    kept = Heard(name=named("heard"))(x, lengths)
    wide = ops.expand_dims(kept, 3)
    pooled = []
    if settings.plain:
        total = ops.maximum(ops.sum(wide, axis=1), 1.0)
        mean = ops.sum(x * wide, axis=1) / total
        upper = slice(settings.plain_from, settings.blocks)
        square = ops.square(x[:, :, upper] - ops.expand_dims(mean[:, upper], 1))
        variance = ops.sum(square * wide, axis=1) / total
        both = ops.concatenate([mean[:, upper], ops.sqrt(variance + 1e-4)], axis=2)
        size = (settings.blocks - settings.plain_from) * settings.width * 2
        both = layers.Reshape((size,), name=named("plain_flat"))(both)
        if settings.inner:
            size = (settings.slices - settings.blocks) * settings.width
            inner = layers.Reshape((size,), name=named("inner_flat"))(mean[:, settings.blocks :])
            both = ops.concatenate([both, inner], axis=1)
        pooled.append(layers.BatchNormalization(name=named("plain_norm"))(both))
    if not perceptron:
        pooled.append(stood_out(x, kept))
    vector = ops.concatenate(pooled, axis=1) if len(pooled) > 1 else pooled[0]
    listen = keras.Model([blocks, lengths], vector, name=named("listen"))

    vectors = keras.Input((vector.shape[1],), name="vectors")
    z = vectors
    if dropout:
        z = layers.Dropout(dropout, name=named("pool_dropout"))(z)
    z = layers.Dense(settings.embedding, activation="relu", name=named("embedding"))(z)
    if dropout:
        z = layers.Dropout(dropout, name=named("embedding_dropout"))(z)
    outputs = [
        layers.Dense(len(EMOTIONS), name=named("emotions"))(z),
        layers.Dense(1, name=named("aggression"))(z),
    ]
    if extras:
        outputs.append(layers.Dense(extras, name=named("extras"))(z))
    judge = keras.Model(vectors, ops.concatenate(outputs, axis=1), name=named("judge"))
    return Head(listen, judge)


def head_variables(head: Head, prefix: str = "") -> dict[str, Any]:
    """Name a head's variables by layer, ``"embedding/kernel"``, less what only trains.

    Parameters
    ----------
    head : Head
    prefix : str
        Taken off the layers' names.

    Returns
    -------
    dict of str to keras.Variable
    """
    return {
        f"{layer.name.removeprefix(prefix)}/{variable.name}": variable
        for model in (head.listen, head.judge)
        for layer in model.layers
        for variable in layer.weights
        if "seed_generator" not in variable.path and layer.name != f"{prefix}extras"
    }


def build_heads(settings: HeadSettings) -> list[Head]:
    """Build all members, for inference, the perceptrons last."""
    return [
        build_head(settings, prefix=f"member{i}_", perceptron=i >= settings.members)
        for i in range(settings.members + settings.perceptrons)
    ]


def all_variables(heads: list[Head]) -> dict[str, Any]:
    """Name the variables of :func:`build_heads`'s members: ``"0/embedding/kernel"``."""
    return {
        f"{i}/{name}": variable
        for i, head in enumerate(heads)
        for name, variable in head_variables(head, f"member{i}_").items()
    }
