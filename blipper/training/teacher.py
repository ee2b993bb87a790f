"""The teacher: ``whisper-cnn``, whose opinion of a clip counts only where it never met the speaker.

Tiny networks trained on acted labels alone stall. This one learns from a larger model's opinions as well:
heads over Whisper's encoder are trained as ``whisper-cnn`` is, each without one group of the training
speakers, and judge the clips of that group (cross-fitting), so the opinions are honest about which clips are
hard. Validation and test speakers teach nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.training.head_data import HeadMaterial
from blipper.training.head_fit import fit_head, heads_of, score_head
from blipper.training.head_settings import HeadTrainSettings
from blipper.voice.labels import EMOTIONS


def speaker_groups(speakers: Sequence[str], train: NDArray[np.bool_], n: int, seed: int) -> NDArray[np.int64]:
    """Deal the training speakers out to groups at random, corpus by corpus.

    Parameters
    ----------
    speakers : sequence of str
        ``corpus/speaker`` of each clip.
    train : numpy.ndarray of bool, shape (n_clips,)
    n : int
        Groups.
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (n_clips,)
        0 to ``n - 1``; -1 for a clip that does not teach.
    """
    names = np.array(speakers)
    rng = np.random.default_rng(seed)
    # One after another through the corpora: a corpus's speakers are spread as evenly as they can be.
    known = sorted(rng.permutation(np.unique(names[train])), key=lambda name: name.split("/")[0])
    group = {name: i % n for i, name in enumerate(known)}
    return np.array([group[name] if own else -1 for name, own in zip(names, train, strict=True)])


def opinions(
    material: HeadMaterial,
    settings: HeadTrainSettings,
    n_groups: int,
    cache: Path,
    *,
    progress: Progress = silent,
) -> Float32:
    """Judge every clip by heads that never heard its speaker, or read that from the cache.

    Parameters
    ----------
    material : HeadMaterial
        Clips on the training side teach. The others are judged by all the heads, and teach none.
    settings : HeadTrainSettings
        How each head is trained; its seed also decides the groups.
    n_groups : int
        Groups of speakers, and heads.
    cache : path
        Folder for the result and, after an interrupt, for what there is of it.
    progress : Progress
        Told heads, in fractions, as step ``"opinions"``.

    Returns
    -------
    numpy.ndarray of float32, shape (n_clips, 9)
        Probabilities of the eight emotions, then of anger, as the head for aggression has it.
    """
    speakers = [f"{clip.corpus}/{clip.speaker}" for clip in material.clips]
    group = speaker_groups(speakers, material.sides == "train", n_groups, settings.seed)
    described = json.dumps([settings.to_dict(), n_groups, material.segments.fingerprint], sort_keys=True)
    digest = hashlib.sha256(described.encode() + group.tobytes() + material.targets.tobytes())
    for heard in (
        *material.versions,
        *material.besides,
        *([material.negatives] if material.negatives else []),
    ):
        digest.update(heard.read(0).tobytes())  # tells encoders, noises and rooms apart
    key = digest.hexdigest()[:16]
    totals = np.zeros((len(group), len(EMOTIONS) + 1), dtype=np.float32)
    counts = np.zeros(len(group), dtype=np.float32)
    for g in range(n_groups):
        judged = np.flatnonzero((group == g) | (group < 0))
        file = cache / f"opinions-{key}-{g}.npy"
        if not file.exists():
            _save(file, _judge(material, settings, g, group, judged, file, n_groups, progress))
        totals[judged] += np.load(file)
        counts[judged] += 1
        progress("opinions", g + 1, n_groups)
    return totals / counts[:, np.newaxis]


def _judge(
    material: HeadMaterial,
    settings: HeadTrainSettings,
    g: int,
    group: NDArray[np.int64],
    judged: NDArray[np.int64],
    file: Path,
    n_groups: int,
    progress: Progress,
) -> Float32:
    """Train a head without group `g`, and return its probabilities."""
    weight = np.where(group == g, 0.0, material.weight)
    sides = material.sides.copy()
    sides[group == g] = "test"
    own = replace(material, sides=sides, weight=weight / weight.sum())
    checkpoint = file.with_name(f"checkpoint-{file.stem}.npz")
    head = fit_head(
        own,
        settings,
        0,
        checkpoint,
        progress=lambda step, done, total: progress("opinions", g + done / total, n_groups),
    )
    logits = score_head(heads_of([head], settings), material.hearings, judged).astype(np.float64)
    checkpoint.unlink(missing_ok=True)
    named = np.exp(logits[:, : len(EMOTIONS)] - logits[:, : len(EMOTIONS)].max(axis=1, keepdims=True))
    angry = 1 / (1 + np.exp(-logits[:, len(EMOTIONS) :]))
    return np.hstack([named / named.sum(axis=1, keepdims=True), angry]).astype(np.float32)


def _save(file: Path, values: Float32) -> None:
    partial = file.with_suffix(".partial.npy")
    np.save(partial, values)
    partial.replace(file)


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
