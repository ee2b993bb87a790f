"""The training loop of a head: steps, mixing of pooled vectors, running mean of weights, checkpoints."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training import metrics
from blipper.training.fit import AfterEpoch
from blipper.training.head_data import (
    ANGRY,
    HeadBatch,
    HeadMaterial,
    head_batches,
    make_batch,
    pad,
    steps_an_epoch,
)
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.heard import Heard
from blipper.voice.heads import Head, build_head, head_variables
from blipper.voice.labels import COMMON_EMOTIONS, EMOTIONS

#: Share of all steps in which the learning rate rises.
_WARM_UP: Final = 0.05
#: Training clips whose frames give the means and deviations of the standardisation.
_MEASURED: Final = 1500
#: Clips scored at once.
_BATCH: Final = 64
#: Epochs between two looks at the validation speakers.
_LOOK: Final = 4
_COMMON: Final = tuple(EMOTIONS.index(emotion) for emotion in COMMON_EMOTIONS)


@dataclass(frozen=True, eq=False)
class FittedHead:
    """One trained member.

    Parameters
    ----------
    weights : dict of str to numpy.ndarray of float32
        Running means at the end of training, named as by :func:`blipper.voice.heads.head_variables`.
    history : list of dict
        One an epoch; figures on validation speakers in some of them.
    """

    weights: dict[str, NDArray[np.float32]]
    history: list[dict[str, float]]


def fit_head(
    material: HeadMaterial,
    settings: HeadTrainSettings,
    member: int,
    checkpoint: Path | None,
    *,
    after_epoch: AfterEpoch | None = None,
    progress: Progress = silent,
) -> FittedHead:
    """Train one member, going on from the checkpoint if there is one of the same run.

    Parameters
    ----------
    material : HeadMaterial
    settings : HeadTrainSettings
    member : int
        From 0; decides the seed.
    checkpoint : path, optional
        File written after every epoch; None writes none.
    after_epoch : callable, optional
        Told every epoch, those of the checkpoint too, each with figures on validation speakers.
    progress : Progress
        Told epochs over all members, in fractions, as step ``"train"``.

    Returns
    -------
    FittedHead
    """
    import keras
    import tensorflow as tf

    seed = settings.seed + member
    keras.utils.set_random_seed(seed)
    extras = material.aside.shape[1] if settings.aside else 0
    head = build_head(settings.network, dropout=settings.dropout, extras=extras)
    average = build_head(settings.network)
    learning, kept = head_variables(head), head_variables(average)
    learning["standard/mean"].assign(_standard(material)[0])
    learning["standard/scale"].assign(_standard(material)[1])
    for name, variable in kept.items():
        variable.assign(learning[name])
    trained = [*head.listen.trainable_variables, *head.judge.trainable_variables]
    optimizer = keras.optimizers.AdamW(
        settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "share"])
    optimizer.build(trained)
    live = [*head.listen.variables, *head.judge.variables, *optimizer.variables]
    state = TrainingState(live, kept, run_id(material, settings, seed))
    if checkpoint is not None:
        state.restore(checkpoint)
    step = make_step(
        tf, head.listen, head.judge, trained, optimizer, [(learning[n], kept[n]) for n in kept], settings
    )
    n_steps = steps_an_epoch(material, settings)
    total = settings.epochs * settings.network.members
    if after_epoch is not None:
        for record in state.history:
            after_epoch(record)
    while len(state.history) < settings.epochs:
        began, epoch = time.perf_counter(), len(state.history)
        losses: list[float] = []
        for i, batch in enumerate(head_batches(material, settings, np.random.default_rng((seed, 7, epoch)))):
            done = epoch * n_steps + i
            rate = learning_rate(done / (settings.epochs * n_steps), settings.learning_rate)
            optimizer.learning_rate.assign(rate)
            # The mean of very few steps would still be mostly the first, random weights.
            decay = min(settings.average, (1 + done) / (10 + done))
            losses.append(float(step(*tensors_of(batch), np.float32(decay))))
            progress("train", member * settings.epochs + epoch + (i + 1) / n_steps, total)
        record = {"epoch": epoch + 1, "learning_rate": rate, "loss": float(np.mean(losses))}
        if (epoch + 1) % _LOOK == 0 or epoch + 1 == settings.epochs or after_epoch is not None:
            rows = material.side("validation")
            logits = score_head([average], material.hearings, rows)
            record |= head_figures(logits, material, rows)
        record["seconds"] = time.perf_counter() - began
        state.history.append(record)
        if checkpoint is not None:
            state.save(checkpoint)
        if after_epoch is not None:
            after_epoch(record)
    if settings.judge_epochs:
        refit_judge(average, material, settings, seed)
    return FittedHead({name: variable.numpy() for name, variable in kept.items()}, state.history)


def fit_perceptrons(material: HeadMaterial, settings: HeadTrainSettings) -> list[FittedHead]:
    """Train the members that hear plain means and deviations of whole clips alone.

    Parameters
    ----------
    material : HeadMaterial
    settings : HeadTrainSettings

    Returns
    -------
    list of FittedHead
        Trained for ``judge_epochs``; without a history.
    """
    measured: dict[str, Any] = {}  # the same for all: they differ by what is behind it
    found = []
    for i in range(settings.network.perceptrons):
        head = build_head(settings.network, perceptron=True)
        variables = head_variables(head)
        if not measured:
            mean, scale = _standard(material)
            measured = {"standard/mean": mean, "standard/scale": scale}
            for name, values in measured.items():
                variables[name].assign(values)
            vectors = vectors_of(head, material.versions[0], material.side("train")).astype(np.float32)
            measured["plain_norm/moving_mean"] = vectors.mean(axis=0)
            measured["plain_norm/moving_variance"] = vectors.var(axis=0)
        for name, values in measured.items():
            variables[name].assign(values)
        seed = settings.seed + settings.network.members + i
        refit_judge(head, material, settings, seed, perceptron=True)
        found.append(FittedHead({name: variable.numpy() for name, variable in variables.items()}, []))
    return found


def heads_of(members: list[FittedHead], settings: HeadTrainSettings) -> list[Head]:
    """Build the heads of trained members, for :func:`score_head`."""
    heads = []
    for member in members:
        head = build_head(settings.network, perceptron="blend/share" not in member.weights)
        for name, variable in head_variables(head).items():
            variable.assign(member.weights[name])
        heads.append(head)
    return heads


def refit_judge(
    head: Head, material: HeadMaterial, settings: HeadTrainSettings, seed: int, *, perceptron: bool = False
) -> None:
    """Train a head's last layers anew, for much longer, on what its frozen first part makes of whole clips.

    A step costs a hundredth of one through the whole head, and the last layers hold nine tenths of the
    weights.

    Parameters
    ----------
    head : Head
        Its judge is replaced in place.
    material : HeadMaterial
    settings : HeadTrainSettings
    seed : int
    perceptron : bool
        Whether the head is one.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed + 1000)
    rng = np.random.default_rng((seed, 8))
    rows = material.side("train")
    versions = [vectors_of(head, heard, rows) for heard in material.versions]
    count = 0 if material.negatives is None else len(material.negatives)
    negatives = (
        vectors_of(head, material.negatives, np.arange(count)) if material.negatives is not None else None
    )
    extras = material.aside.shape[1] if settings.aside else 0
    fresh = build_head(settings.network, dropout=settings.dropout, extras=extras, perceptron=perceptron)
    learning, kept = head_variables(fresh), head_variables(head)
    names = [name for name in kept if name.split("/")[0] in {layer.name for layer in head.judge.layers}]
    for name in names:
        kept[name].assign(learning[name])
    n = 2 * settings.batch
    n_negative = round(n * settings.negatives) if negatives is not None else 0
    n_steps = settings.judge_epochs * max(1, len(rows) // n)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, n_steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, global_clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    trained = fresh.judge.trainable_variables
    optimizer.build(trained)
    averaged = [(learning[name], kept[name]) for name in names]
    step = make_step(tf, _as_it_is, fresh.judge, trained, optimizer, averaged, settings)
    share = material.weight[rows] / material.weight[rows].sum()
    for done in range(n_steps):
        chosen = rng.choice(len(rows), n - n_negative, p=share)
        which = rng.integers(len(versions), size=len(chosen))
        vectors = np.stack([versions[v][i] for v, i in zip(which, chosen, strict=True)])
        if negatives is not None:
            vectors = np.concatenate([vectors, negatives[rng.integers(count, size=n_negative)]])
        lengths = np.ones(n, dtype=np.int32)
        batch = make_batch(material, rows[chosen], vectors, lengths, settings, rng)
        step(*tensors_of(batch), np.float32(min(settings.average, (1 + done) / (10 + done))))


def vectors_of(head: Head, heard: Heard, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    """Run a head's first part over whole clips; one vector each."""
    import tensorflow as tf

    run = tf.function(
        lambda blocks, lengths: head.listen([blocks, lengths], training=False), reduce_retracing=True
    )
    found = np.zeros((len(rows), head.listen.outputs[0].shape[1]), dtype=np.float16)
    order = np.argsort(heard.length[rows], kind="stable")
    for first in range(0, len(rows), _BATCH):
        chosen = order[first : first + _BATCH]
        found[chosen] = run(*pad([heard.read(int(rows[i])) for i in chosen])).numpy()
    return found


def _as_it_is(inputs: Any, training: bool) -> Any:
    """Stand in for a head's first part where its vectors are the input."""
    return inputs[0]


def score_head(heads: list[Head], hearings: Sequence[Heard], rows: NDArray[np.int64]) -> Float32:
    """Run heads over whole clips.

    Parameters
    ----------
    heads : list of Head
        Their logits are averaged.
    hearings : sequence of Heard
        Over them too.
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    numpy.ndarray of float32, shape (n, 9)
    """
    import tensorflow as tf

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(blocks: Any, lengths: Any) -> Any:
        outs = [head.judge(head.listen([blocks, lengths], training=False), training=False) for head in heads]
        return tf.add_n(outs) / len(outs)

    found = np.zeros((len(rows), len(EMOTIONS) + 1), dtype=np.float32)
    for heard in hearings:
        order = np.argsort(heard.length[rows], kind="stable")
        for first in range(0, len(rows), _BATCH):
            chosen = order[first : first + _BATCH]
            out = run(*pad([heard.read(int(rows[i])) for i in chosen])).numpy()
            found[chosen] += out[:, : len(EMOTIONS) + 1] / len(hearings)
    return found


def head_figures(logits: Float32, material: HeadMaterial, rows: NDArray[np.int64]) -> dict[str, float]:
    """Sum up logits of some clips, each corpus over the classes that it has.

    Parameters
    ----------
    logits : numpy.ndarray of float32, shape (n, 9)
    material : HeadMaterial
    rows : numpy.ndarray of int, shape (n,)

    Returns
    -------
    dict of str to float
        ``accuracy_common`` (six emotions, all corpora together), ``angry_roc_auc``, ``uar_<corpus>``, and
        ``score``: the mean of the corpora's UAR and of the two, which is what levers are judged by.
    """
    labels = material.labels[rows]
    corpora = np.array([material.clips[i].corpus for i in rows])
    emotions = logits[:, : len(EMOTIONS)].astype(np.float64)
    found = {
        f"uar_{corpus}": metrics.uar(
            labels[corpora == corpus],
            metrics.choose(emotions[corpora == corpus], labels[corpora == corpus]),
        )
        for corpus in np.unique(corpora)
    }
    common = np.isin(labels, _COMMON)
    guessed = np.array(_COMMON)[emotions[:, _COMMON].argmax(axis=1)]
    angry = labels == ANGRY
    found["accuracy_common"] = float((guessed == labels)[common].mean()) if common.any() else 0.0
    found["angry_roc_auc"] = (
        metrics.roc_auc(angry, logits[:, len(EMOTIONS)].astype(np.float64))
        if 0 < angry.sum() < len(angry)
        else 0.5
    )
    return {"score": float(np.mean(list(found.values()))), **found}


def _standard(material: HeadMaterial) -> tuple[Float32, Float32]:
    """Measure each channel's mean and inverse deviation on training clips, spread evenly."""
    rows = material.side("train")
    rows = rows[np.linspace(0, len(rows) - 1, min(_MEASURED, len(rows))).round().astype(int)]
    frames = np.concatenate([material.versions[0].read(int(i))[::4] for i in rows]).astype(np.float32)
    return frames.mean(axis=0), 1 / (frames.std(axis=0) + np.float32(1e-3))


def learning_rate(part: float, highest: float) -> float:
    """Return the learning rate when `part` (0 to 1) of all steps is done: a warm-up, then a cosine."""
    if part < _WARM_UP:
        return highest * (part / _WARM_UP * 0.95 + 0.05)
    return highest * max(0.5 * (1 + math.cos(math.pi * (part - _WARM_UP) / (1 - _WARM_UP))), 1e-3)


def tensors_of(batch: HeadBatch) -> tuple[Any, ...]:
    """Return a batch as the arguments of :func:`make_step`'s function."""
    return (
        batch.blocks,
        batch.lengths,
        batch.targets,
        batch.own,
        batch.aggression,
        batch.speech,
        batch.aside,
        batch.asked,
        batch.other,
        batch.part,
    )


def make_step(
    tf: Any,
    listen: Any,
    judge: Any,
    trained: list[Any],
    optimizer: Any,
    averaged: list[tuple[Any, Any]],
    settings: HeadTrainSettings,
) -> Any:
    """Make the function that takes one step and moves the running means."""
    n = len(EMOTIONS)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(
        blocks: Any,
        lengths: Any,
        targets: Any,
        own: Any,
        aggression: Any,
        speech: Any,
        aside: Any,
        asked: Any,
        other: Any,
        part: Any,
        decay: Any,
    ) -> Any:
        rest = 1.0 - part

        def mixed(values: Any, weight: Any = None) -> Any:
            ours, theirs = (
                (part, rest) if weight is None else (part * weight, rest * tf.gather(weight, other))
            )
            shape = [-1] + [1] * (len(values.shape) - 1)
            return tf.reshape(ours, shape) * values + tf.reshape(theirs, shape) * tf.gather(values, other)

        with tf.GradientTape() as tape:
            vectors = tf.cast(listen([blocks, lengths], training=True), tf.float32)
            out = judge(mixed(vectors), training=True)
            share = mixed(speech)
            # A negative says nothing of emotions: the speech that it was mixed with counts alone.
            wanted = mixed(targets, speech) / tf.maximum(share, 1e-6)[:, tf.newaxis]
            allowed = tf.maximum(own, tf.gather(own, other))
            named = tf.nn.softmax_cross_entropy_with_logits(wanted, out[:, :n] + (allowed - 1.0) * 1e4)
            loss = tf.reduce_sum(named * share) / tf.maximum(tf.reduce_sum(share), 1e-6)
            loss += tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(mixed(aggression), out[:, n]))
            if settings.aside:
                known = mixed(asked)
                told = mixed(aside * asked) / tf.maximum(known, 1e-6)
                further = tf.nn.sigmoid_cross_entropy_with_logits(told, out[:, n + 1 :])
                loss += settings.aside * tf.reduce_mean(further * known)
        gradients = tape.gradient(loss, trained)
        optimizer.apply_gradients(zip(gradients, trained, strict=True))
        for learned, mean in averaged:
            mean.assign(decay * mean + (1 - decay) * learned)
        return loss

    return step


def run_id(material: HeadMaterial, settings: HeadTrainSettings, seed: int) -> str:
    """Identify a run, so that a checkpoint of other data or settings is never continued."""
    described = settings.to_dict()
    del described["judge_epochs"]  # what comes after the last checkpoint
    del described["network"]["members"]  # each is a run of its own
    described["network"].pop("perceptrons", None)
    digest = hashlib.sha256(json.dumps([described, seed], sort_keys=True).encode())
    for array in (material.targets, material.own, material.weight, material.aside):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(material.segments.fingerprint.encode())
    return digest.hexdigest()


class TrainingState:
    """Everything that a later process needs to go on."""

    def __init__(self, live: list[Any], kept: dict[str, Any], run: str) -> None:
        self.run = run
        self.history: list[dict[str, float]] = []
        self._live, self._kept = live, kept

    def save(self, path: Path) -> None:
        """Write everything, so that an interrupt leaves the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        arrays = {f"live/{i}": variable.numpy() for i, variable in enumerate(self._live)}
        arrays |= {f"kept/{name}": variable.numpy() for name, variable in self._kept.items()}
        note = {"run": self.run, "history": self.history}
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
        self.history = note["history"]
