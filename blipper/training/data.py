"""Training windows in batches: drawn evenly from corpora and classes, augmented anew each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32
from blipper.training import augment
from blipper.training.features import Frames
from blipper.training.settings import TrainSettings
from blipper.voice.frontend import band_edges, normalise
from blipper.voice.labels import EMOTIONS

ANGRY = EMOTIONS.index("angry")
#: Windows no longer than a second are drawn now and then, since the app meets short utterances.
_SHORTENED = 0.25


@dataclass(frozen=True, eq=False)
class Examples:
    """What the network learns from; one row a training clip, then one a negative sound.

    Parameters
    ----------
    segments : sequence of numpy.ndarray of int
        Each example's segments.
    versions : tuple of Frames
        Frames of all segments: as they are, then augmented.
    emotions : numpy.ndarray of float32, shape (n, 8)
        Target distributions.
    aggression : numpy.ndarray of float32, shape (n,)
        Target probabilities.
    hints : numpy.ndarray of float32, shape (n, n_hints)
    speech : numpy.ndarray of bool, shape (n,)
        False for negatives, which have an aggression target and neither of the others.
    weight : numpy.ndarray of float64, shape (n,)
        How often an example is drawn, relative to its kind.
    """

    segments: Sequence[NDArray[np.int64]]
    versions: tuple[Frames, ...]
    emotions: Float32
    aggression: Float32
    hints: Float32
    speech: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.segments)


@dataclass(frozen=True, eq=False)
class Batch:
    """Inputs and targets of one step; `share` says how much of a mixed window is speech."""

    frames: Float32
    lengths: NDArray[np.int32]
    emotions: Float32
    aggression: Float32
    hints: Float32
    share: Float32


def sampling_weights(corpora: Sequence[str], emotions: Sequence[str]) -> NDArray[np.float64]:
    """Weigh clips so that small corpora and rare classes are drawn more often, by the square root.

    Parameters
    ----------
    corpora, emotions : sequence of str, one a clip

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
    """
    corpus, emotion = np.array(corpora), np.array(emotions)
    weight = np.ones(len(corpus))
    for name in np.unique(corpus):
        inside = corpus == name
        weight[inside] *= inside.sum() ** -0.5
        for label in np.unique(emotion[inside]):
            both = inside & (emotion == label)
            weight[both] *= (both.sum() / inside.sum()) ** -0.5
    return weight


def batches(examples: Examples, settings: TrainSettings, rng: np.random.Generator) -> Iterator[Batch]:
    """Draw one epoch's batches.

    Parameters
    ----------
    examples : Examples
    settings : TrainSettings
    rng : numpy.random.Generator

    Yields
    ------
    Batch
        Always full, so that one shape is compiled.
    """
    speech, negative = np.flatnonzero(examples.speech), np.flatnonzero(~examples.speech)
    n_negative = round(settings.batch * settings.negatives) if len(negative) else 0
    n_speech = settings.batch - n_negative
    share = examples.weight[speech] / examples.weight[speech].sum()
    for _ in range(steps_an_epoch(examples, settings)):
        chosen = rng.choice(speech, n_speech, p=share)
        if n_negative:
            chosen = np.concatenate([chosen, rng.choice(negative, n_negative)])
        yield _mix(_draw(examples, chosen, settings, rng), settings.mixup, rng)


def steps_an_epoch(examples: Examples, settings: TrainSettings) -> int:
    """Return how many batches an epoch has."""
    return max(1, int(examples.speech.sum()) // settings.batch)


def _draw(
    examples: Examples, chosen: NDArray[np.int64], settings: TrainSettings, rng: np.random.Generator
) -> Batch:
    front = settings.front
    most = front.frames
    bands = band_edges(front)[1:-1]
    frames = np.zeros((len(chosen), most, front.mels), dtype=np.float32)
    lengths = np.zeros(len(chosen), dtype=np.int32)
    for row, i in enumerate(chosen):
        version = examples.versions[rng.integers(len(examples.versions))]
        own = examples.segments[i]
        available = version.length[own].astype(np.float64)
        segment = own[rng.choice(len(own), p=available / available.sum())] if len(own) > 1 else own[0]
        whole = int(version.length[segment])
        length = min(whole, most)
        if length > 100 and rng.random() < _SHORTENED:
            length = int(rng.integers(100, length + 1))
        first = int(rng.integers(whole - length + 1))
        read = np.asarray(version.read(int(segment), first, length), dtype=np.float32)
        read = augment.stretch_range(read, rng, settings.contrast)
        if settings.narrow and rng.random() < settings.narrow:
            read = augment.narrow_band(read, bands, rng)
        frames[row, :length] = normalise(read, front)
        lengths[row] = length
    frames = augment.tilt(frames, rng)
    augment.mask(frames, lengths.astype(np.int64), rng)
    frames[np.arange(most)[np.newaxis] >= lengths[:, np.newaxis]] = 0
    return Batch(
        frames,
        lengths,
        examples.emotions[chosen],
        examples.aggression[chosen],
        examples.hints[chosen],
        examples.speech[chosen].astype(np.float32),
    )


def _mix(batch: Batch, mixup: float, rng: np.random.Generator) -> Batch:
    """Mix every window with another of the batch (Zhang et al. 2018), its targets likewise."""
    if not mixup:
        return batch
    n = len(batch.frames)
    other = rng.permutation(n)
    # Half of the batch stays as it is: what is scored later is never mixed.
    part = np.where(rng.random(n) < 0.5, rng.beta(mixup, mixup, n), 1.0).astype(np.float32)
    part = np.maximum(part, 1 - part)
    rest = 1 - part

    def blend(values: Float32, weight: Float32) -> Float32:
        shape = (-1,) + (1,) * (values.ndim - 1)
        return part.reshape(shape) * values + (rest * weight).reshape(shape) * values[other]

    ones = np.ones(n, dtype=np.float32)
    share = blend(batch.share, ones)
    # Silence in the emotions' targets where a negative was mixed in: the speech's own target counts alone.
    speech = batch.share
    emotions = part[:, None] * speech[:, None] * batch.emotions
    emotions += (rest * speech[other])[:, None] * batch.emotions[other]
    emotions /= np.maximum(emotions.sum(axis=1, keepdims=True), 1e-6)
    return Batch(
        blend(batch.frames, ones),
        np.where(rest > 0, np.maximum(batch.lengths, batch.lengths[other]), batch.lengths).astype(np.int32),
        emotions,
        blend(batch.aggression, ones),
        blend(batch.hints, ones),
        share,
    )
