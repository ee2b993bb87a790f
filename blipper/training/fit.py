"""The training loop: steps, running mean of the weights, checkpoints after every epoch, early stopping."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.training.data import Batch, Examples, batches, steps_an_epoch
from blipper.training.settings import TrainSettings
from blipper.voice.labels import EMOTIONS
from blipper.voice.networks import build
from blipper.voice.weights import named_weights

#: Share of all steps in which the learning rate rises.
_WARM_UP: Final = 0.04
#: The learning rate ends at this share of its highest.
_LOWEST: Final = 0.01

#: Takes a network with the averaged weights, gives figures; ``"score"`` decides which epoch is kept.
Validate = Callable[[Any], dict[str, float]]
#: Is told an epoch's record; may raise to end the run there.
AfterEpoch = Callable[[dict[str, float]], None]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network's weights, and how they came about.

    Parameters
    ----------
    weights : dict of str to numpy.ndarray
        Of the best epoch, named as by :func:`blipper.voice.weights.named_weights`, less what only trains.
    history : list of dict
        One an epoch.
    best_epoch : int
        From 1.
    """

    weights: dict[str, NDArray[np.float32]]
    history: list[dict[str, float]]
    best_epoch: int


def fit(
    examples: Examples,
    validate: Validate,
    settings: TrainSettings,
    checkpoint: Path,
    *,
    after_epoch: AfterEpoch | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Train a network, going on from the checkpoint if there is one of the same run.

    Parameters
    ----------
    examples : Examples
    validate : callable
    settings : TrainSettings
    checkpoint : path
        File written after every epoch; it is left in place.
    after_epoch : callable, optional
        Told every epoch, those of the checkpoint too.
    progress : Progress
        Told epochs, in fractions, as step ``"train"``.

    Returns
    -------
    Fitted
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    network = build(
        settings.network,
        settings.front.frames,
        settings.front.mels,
        dropout=settings.dropout,
        hints=examples.hints.shape[1],
    )
    average = build(settings.network, settings.front.frames, settings.front.mels)
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(network.trainable_variables)
    learning, kept = named_weights(network), named_weights(average)
    for name, variable in kept.items():
        variable.assign(learning[name])
    state = _State(network, optimizer, kept, _run_id(examples, settings))
    state.restore(checkpoint)
    step = _make_step(tf, network, optimizer, [(learning[name], kept[name]) for name in kept])
    n_steps = steps_an_epoch(examples, settings)
    if after_epoch is not None:
        for record in state.history:
            after_epoch(record)

    while state.epoch < settings.epochs and state.epoch - state.best_epoch < settings.patience:
        began = time.perf_counter()
        epoch = state.epoch
        rng = np.random.default_rng((settings.seed, 7, epoch))
        losses: list[float] = []
        for i, batch in enumerate(batches(examples, settings, rng)):
            done = epoch * n_steps + i
            rate = learning_rate(done / (settings.epochs * n_steps), settings.learning_rate)
            optimizer.learning_rate.assign(rate)
            # The mean of very few steps would still be mostly the first, random weights.
            decay = min(settings.average, (1 + done) / (10 + done))
            losses.append(float(step(*_tensors(batch, settings, decay))))
            progress("train", epoch + (i + 1) / n_steps, settings.epochs)
        figures = validate(average)
        record = {"epoch": epoch + 1, "learning_rate": rate, "loss": float(np.mean(losses)), **figures}
        record["seconds"] = time.perf_counter() - began
        state.finish_epoch(record)
        state.save(checkpoint)
        if after_epoch is not None:
            after_epoch(record)
    progress("train", settings.epochs, settings.epochs)
    return Fitted(state.best, state.history, state.best_epoch)


def learning_rate(part: float, highest: float) -> float:
    """Return the learning rate when `part` (0 to 1) of all steps is done: a warm-up, then a cosine."""
    if part < _WARM_UP:
        return highest * (part / _WARM_UP * 0.95 + 0.05)
    falling = 0.5 * (1 + math.cos(math.pi * (part - _WARM_UP) / (1 - _WARM_UP)))
    return highest * (_LOWEST + (1 - _LOWEST) * falling)


def _tensors(batch: Batch, settings: TrainSettings, decay: float) -> tuple[Any, ...]:
    return (
        batch.frames,
        batch.lengths,
        batch.emotions,
        batch.aggression,
        batch.hints,
        batch.share,
        np.float32(settings.hint_weight),
        np.float32(decay),
    )


def _make_step(tf: Any, network: Any, optimizer: Any, averaged: list[tuple[Any, Any]]) -> Any:
    n = len(EMOTIONS)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(
        frames: Any,
        lengths: Any,
        emotions: Any,
        aggression: Any,
        hints: Any,
        share: Any,
        hint: Any,
        decay: Any,
    ) -> Any:
        with tf.GradientTape() as tape:
            out = network([frames, lengths], training=True)
            named = tf.nn.softmax_cross_entropy_with_logits(emotions, out[:, :n])
            loss = tf.reduce_sum(named * share) / tf.reduce_sum(share)
            loss += tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(aggression, out[:, n]))
            if hints.shape[1]:
                distance = tf.reduce_mean(tf.square(hints - out[:, n + 1 :]), axis=1)
                loss += hint * tf.reduce_sum(distance * share) / tf.reduce_sum(share)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        for learned, mean in averaged:
            mean.assign(decay * mean + (1 - decay) * learned)
        return loss

    return step


def _run_id(examples: Examples, settings: TrainSettings) -> str:
    """Identify a run, so that a checkpoint of other data or settings is never continued."""
    digest = hashlib.sha256(json.dumps(settings.to_dict(), sort_keys=True).encode())
    for array in (examples.emotions, examples.aggression, examples.hints, examples.weight):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class _State:
    """Everything that a later process needs to go on."""

    def __init__(self, network: Any, optimizer: Any, kept: dict[str, Any], run: str) -> None:
        self.run = run
        self.history: list[dict[str, float]] = []
        self.best: dict[str, NDArray[np.float32]] = {}
        self.best_epoch = 0
        self._kept = kept
        # Random seeds of the dropout layers are variables of the network and so travel with it.
        self._live = [*network.variables, *optimizer.variables]

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    def finish_epoch(self, record: dict[str, float]) -> None:
        """Note an epoch, and keep its weights if they are the best."""
        best = max((entry["score"] for entry in self.history), default=-math.inf)
        self.history.append(record)
        if record["score"] > best or not self.best:
            self.best_epoch = self.epoch
            self.best = {name: variable.numpy() for name, variable in self._kept.items()}

    def save(self, path: Path) -> None:
        """Write everything, so that an interrupt leaves the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        arrays = {f"live/{i}": variable.numpy() for i, variable in enumerate(self._live)}
        arrays |= {f"kept/{name}": variable.numpy() for name, variable in self._kept.items()}
        arrays |= {f"best/{name}": values for name, values in self.best.items()}
        note = {"run": self.run, "history": self.history, "best_epoch": self.best_epoch}
        np.savez(partial, note=np.array(json.dumps(note)), **arrays)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a file, if it is there and of this run."""
        if not path.is_file():
            return
        with np.load(path) as arrays:
            note = json.loads(str(arrays["note"]))
            if note["run"] != self.run:
                return
            for i, variable in enumerate(self._live):
                variable.assign(arrays[f"live/{i}"])
            for name, variable in self._kept.items():
                variable.assign(arrays[f"kept/{name}"])
            self.best = {name: arrays[f"best/{name}"] for name in self._kept}
        self.history, self.best_epoch = note["history"], note["best_epoch"]
