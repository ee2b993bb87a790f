"""The teacher: a two-layer perceptron on what Whisper's encoder hears.

Tiny networks trained on acted labels alone stall. This one learns from the perceptron's opinions as well:
each training clip is judged by perceptrons that never met its speaker (cross-fitting), so the opinions are
honest about which clips are hard. Validation and test speakers teach nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Float32


def opinions(
    embeddings: Float32,
    emotions: NDArray[np.int64],
    speakers: Sequence[str],
    train: NDArray[np.bool_],
    *,
    seed: int,
    n_groups: int = 5,
    n_models: int = 2,
    epochs: int = 30,
    progress: Progress = silent,
) -> Float32:
    """Judge every clip by perceptrons that never saw its speaker.

    Parameters
    ----------
    embeddings : numpy.ndarray of float32, shape (n_clips, n)
    emotions : numpy.ndarray of int, shape (n_clips,)
        Index into the labels.
    speakers : sequence of str
        One a clip, unique over all corpora.
    train : numpy.ndarray of bool, shape (n_clips,)
        Clips that may teach. Those of other speakers are judged by all the perceptrons and teach none.
    seed : int
    n_groups : int
        Groups of speakers for cross-fitting.
    n_models : int
        Perceptrons a group, averaged.
    epochs : int
    progress : Progress
        Told perceptrons, as step ``"opinions"``.

    Returns
    -------
    numpy.ndarray of float32, shape (n_clips, 8)
    """
    names = np.array(speakers)
    known = np.unique(names[train])
    rng = np.random.default_rng(seed)
    groups = dict(zip(rng.permutation(known), np.arange(len(known)) % n_groups, strict=True))
    group = np.array([groups.get(name, -1) for name in names])
    totals = np.zeros((len(names), 8), dtype=np.float32)
    counts = np.zeros(len(names), dtype=np.float32)
    for g in range(n_groups):
        learn = train & (group != g)
        judged = (group == g) | ~train
        for m in range(n_models):
            progress("opinions", g * n_models + m, n_groups * n_models)
            totals[judged] += _perceptron(
                embeddings[learn], emotions[learn], embeddings[judged], seed + 100 * g + m, epochs
            )
            counts[judged] += 1
    progress("opinions", n_groups * n_models, n_groups * n_models)
    return totals / counts[:, np.newaxis]


def _perceptron(
    x: Float32, y: NDArray[np.int64], judged: Float32, seed: int, epochs: int, mixup: float = 0.3
) -> Float32:
    """Train one perceptron with dropout and mixup, and return its probabilities."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-3
    x, judged = (x - mean) / deviation, (judged - mean) / deviation
    target = np.eye(8, dtype=np.float32)[y]
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(384, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(8),
        ]
    )
    batch = 128
    steps = max(1, len(x) // batch)
    rate = keras.optimizers.schedules.CosineDecay(1e-3, steps * epochs)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-2)
    optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any) -> None:
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(epochs):
        order = rng.permutation(len(x))
        for first in range(0, steps * batch, batch):
            chosen = order[first : first + batch]
            other = rng.permutation(chosen)
            share = rng.beta(mixup, mixup, size=(len(chosen), 1)).astype(np.float32)
            step(
                share * x[chosen] + (1 - share) * x[other],
                share * target[chosen] + (1 - share) * target[other],
            )
    return np.asarray(tf.nn.softmax(model(judged, training=False)), dtype=np.float32)


def components(embeddings: Float32, train: NDArray[np.bool_], n: int) -> Float32:
    """Return the principal components of embeddings, fitted on the training clips alone.

    Parameters
    ----------
    embeddings : numpy.ndarray of float32, shape (n_clips, d)
    train : numpy.ndarray of bool, shape (n_clips,)
    n : int

    Returns
    -------
    numpy.ndarray of float32, shape (n_clips, n)
        Scaled together, so that the mean square over the training clips is 1.
    """
    if n == 0:
        return np.zeros((len(embeddings), 0), dtype=np.float32)
    mean, deviation = embeddings[train].mean(axis=0), embeddings[train].std(axis=0) + 1e-3
    standard = (embeddings - mean) / deviation
    covariance = standard[train].T @ standard[train]
    _, vectors = np.linalg.eigh(covariance.astype(np.float64))
    n = min(n, embeddings.shape[1])
    found = standard @ vectors[:, ::-1][:, :n].astype(np.float32)
    # The square root of each component's deviation is kept: large ones count more, but not all.
    spread = found[train].std(axis=0) + 1e-6
    found = found / np.sqrt(spread)
    return np.asarray(found / np.sqrt(np.mean(found[train] ** 2)), dtype=np.float32)
