"""Adapting Whisper's encoder to voices: low-rank adapters and the head are trained together, end to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training.augment import mask
from blipper.training.head_data import HeadBatch, HeadMaterial, make_batch, pad, shown
from blipper.training.head_fit import (
    FittedHead,
    TrainingState,
    head_figures,
    learning_rate,
    make_step,
    run_id,
    score_head,
    tensors_of,
)
from blipper.training.head_settings import Adapting, HeadTrainSettings
from blipper.training.heard import Heard, encode_all, encoder_runner, pooled_blocks
from blipper.voice import whisper
from blipper.voice.adapters import PREFIX, adapted_layers, merge
from blipper.voice.heads import POOL, build_head, head_variables
from blipper.voice.whisper_files import read_file

#: Batches whose clips are sorted by length together, so that little is spent on padding.
_SORTED: Final = 8


@dataclass(frozen=True, eq=False)
class Adapted:
    """A head and the encoder that it was trained with.

    Parameters
    ----------
    head : FittedHead
    adapters : dict of str to numpy.ndarray of float32
        Named as by :func:`blipper.voice.adapters.adapter_shapes`.
    history : list of dict
        One an epoch, with figures on validation speakers.
    """

    head: FittedHead
    adapters: dict[str, Float32]
    history: list[dict[str, float]]


def adapt(
    material: HeadMaterial,
    settings: HeadTrainSettings,
    begun: FittedHead,
    encoder: Path,
    checkpoint: Path | None,
    *,
    progress: Progress = silent,
) -> Adapted:
    """Train adapters inside the encoder and the head over it, going on from a checkpoint of the same run.

    Parameters
    ----------
    material : HeadMaterial
        With what goes into the blocks that are adapted.
    settings : HeadTrainSettings
        With ``adapting``.
    begun : FittedHead
        Trained on what the encoder hears as it is.
    encoder : path
        Whisper's weights.
    checkpoint : path, optional
        File written after every epoch; None writes none.
    progress : Progress
        Told epochs in fractions, as step ``"adapt"``.

    Returns
    -------
    Adapted
    """
    import keras
    import tensorflow as tf

    how = settings.adapting
    assert how is not None
    seed = settings.seed + 5000
    keras.utils.set_random_seed(seed)
    tensors = read_file(encoder)
    network = whisper.load_encoder(tensors, encoder, first=how.first, rank=how.rank)
    learning = adapters_of(network, how.first)
    extras = material.aside.shape[1] if settings.aside else 0
    head = build_head(settings.network, dropout=settings.dropout, extras=extras)
    average = build_head(settings.network)
    learning |= head_variables(head)
    kept: dict[str, Any] = head_variables(average)
    kept |= {
        name: keras.Variable(variable.numpy(), name="mean")
        for name, variable in learning.items()
        if name.startswith(f"{PREFIX}/")
    }
    for name, values in begun.weights.items():
        learning[name].assign(values)
        kept[name].assign(values)
    for layer in head.listen.layers:
        # Batches of clips of like length are of like corpora: their own means would mislead.
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    trained = [
        *head.listen.trainable_variables, *head.judge.trainable_variables, *network.trainable_variables
    ]  # fmt: skip
    optimizer = keras.optimizers.AdamW(
        how.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "share"])
    optimizer.build(trained)
    live = [*head.listen.variables, *head.judge.variables, *network.trainable_variables, *optimizer.variables]
    state = TrainingState(live, kept, run_id(material, settings, seed))
    if checkpoint is not None:
        state.restore(checkpoint)

    def listen(inputs: Any, training: bool) -> Any:
        frames, lengths = inputs
        heard = pooled_blocks(network, tf.cast(frames, tf.float32), lengths, training=training)
        return head.listen([heard, -(-lengths // finer(how))], training=training)

    step = make_step(
        tf, listen, head.judge, trained, optimizer, [(learning[n], kept[n]) for n in kept], settings
    )
    n_steps = max(1, len(material.side("train")) // how.batch)
    while len(state.history) < how.epochs:
        began, epoch = time.perf_counter(), len(state.history)
        losses: list[float] = []
        rng = np.random.default_rng((seed, 7, epoch))
        for i, batch in enumerate(deep_batches(material, settings, how, n_steps, rng)):
            done = epoch * n_steps + i
            rate = learning_rate(done / (how.epochs * n_steps), how.learning_rate)
            optimizer.learning_rate.assign(rate)
            decay = min(settings.average, (1 + done) / (10 + done))
            losses.append(float(step(*tensors_of(batch), np.float32(decay))))
            progress("adapt", epoch + (i + 1) / n_steps, how.epochs)
        rows = material.side("validation")
        found = {name: kept[name].numpy() for name in kept if name.startswith(f"{PREFIX}/")}
        heard = heard_by(material, encoder, found, rows)
        record = {"epoch": epoch + 1, "learning_rate": rate, "loss": float(np.mean(losses))}
        record |= head_figures(score_head([average], [heard], rows), material, rows)
        record["seconds"] = time.perf_counter() - began
        state.history.append(record)
        if checkpoint is not None:
            state.save(checkpoint)
    weights = {name: variable.numpy() for name, variable in kept.items()}
    adapters = {name: weights.pop(name) for name in list(weights) if name.startswith(f"{PREFIX}/")}
    return Adapted(FittedHead(weights, begun.history), adapters, state.history)


def adapters_of(network: Any, first: int) -> dict[str, Any]:
    """Let an encoder's adapters learn, and nothing else in it.

    Parameters
    ----------
    network : keras.Model
        Of :func:`blipper.voice.whisper.build_encoder`, with a rank.
    first : int
        The first block that is adapted.

    Returns
    -------
    dict of str to keras.Variable
        Named as by :func:`blipper.voice.adapters.adapter_shapes`.
    """
    network.trainable = True
    for layer in network.layers:
        layer.trainable = layer.name.endswith(("_a", "_b"))
    return {
        f"{PREFIX}/{name}/{part}": network.get_layer(f"{name}_{part}").kernel
        for name, _, _ in adapted_layers(first)
        for part in "ab"
    }


def heard_by(
    material: HeadMaterial, encoder: Path, adapters: dict[str, Float32], rows: NDArray[np.int64]
) -> Heard:
    """Encode some clips, as they are, with an adapted encoder.

    Parameters
    ----------
    material : HeadMaterial
        With what goes into the blocks that are adapted.
    encoder : path
        Whisper's weights.
    adapters : dict of str to numpy.ndarray of float32
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    Heard
        With a place for every clip; those not asked for are empty.
    """
    given = [material.deeper[0].read(int(row)) for row in rows]
    first = 0 if given[0].ndim == 2 else given[0].shape[1]
    found = encode_all(encoder_runner(merge(read_file(encoder), adapters), encoder, first=first), given)
    length = np.zeros(len(material.clips), dtype=np.int64)
    length[rows] = [len(frames) for frames in found]
    start = np.zeros_like(length)
    start[rows] = np.cumsum(length[rows]) - length[rows]
    return Heard((np.concatenate(found),), np.zeros_like(length), start, length)


def with_adapted(material: HeadMaterial, encoder: Path, adapted: Adapted) -> HeadMaterial:
    """Return the material as the adapted encoder hears it, but for the training clips."""
    rows = np.flatnonzero(material.sides != "train")
    return replace(material, versions=(heard_by(material, encoder, adapted.adapters, rows),))


def finer(how: Adapting) -> int:
    """Return how many frames of the input last as long as one of the head's, 80 ms."""
    return POOL if how.first else 2 * POOL


def deep_batches(
    material: HeadMaterial,
    settings: HeadTrainSettings,
    how: Adapting,
    n_steps: int,
    rng: np.random.Generator,
) -> Iterator[HeadBatch]:
    """Draw one epoch's batches of the encoder's input, each of clips of like length."""
    n_negative = round(how.batch * settings.negatives) if material.deeper_negatives is not None else 0
    n_speech = how.batch - n_negative
    for first in range(0, n_steps, _SORTED):
        count = min(_SORTED, n_steps - first)
        drawn = rng.choice(len(material.clips), n_speech * count, p=material.weight)
        noise = rng.uniform(0.9, 1.1, len(drawn))
        order = np.argsort(material.deeper[0].length[drawn] * noise, kind="stable")
        for part in rng.permutation(count):
            rows = drawn[order[part * n_speech : (part + 1) * n_speech]]
            pieces = [
                shown(
                    material.deeper[rng.integers(len(material.deeper))].read(int(row)),
                    settings,
                    rng,
                    finer=finer(how),
                )
                for row in rows
            ]
            if material.deeper_negatives is not None:
                pieces += [
                    shown(material.deeper_negatives.read(int(i)), settings, rng, finer=finer(how))
                    for i in rng.integers(len(material.deeper_negatives), size=n_negative)
                ]
            yield make_batch(material, rows, *_padded(pieces, how, rng), settings, rng)


def _padded(
    pieces: list[NDArray[np.float16]], how: Adapting, rng: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """Put pieces into one array; of log-mel, bands and stretches are masked (Park et al. 2019)."""
    padded, lengths = pad(pieces)
    rest = -padded.shape[1] % (finer(how) * 2)  # few lengths, so that few shapes are traced
    frames = np.pad(padded, ((0, 0), (0, rest), *[(0, 0)] * (padded.ndim - 2)))
    if not how.first:
        whole = frames.astype(np.float32)
        mask(whole, lengths.astype(np.int64), rng)
        frames = whole.astype(np.float16)
    return frames, lengths
