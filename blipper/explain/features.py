"""Named features: a small companion model that says "louder than usual", "pitch raised", "harsher timbre".

The companion is no part of the score. It is a logistic regression on the features of
:func:`blipper.extract_features` and on the speech rate (:mod:`blipper.rate`), learned from the same corpora,
and it hears less than the network does; its own accuracy on speakers whom it never met stands in its file and
is shown with what it says.

Each feature is taken relative to what is usual for the recording: the mean over its stretches of speech.
So a microphone, a room and a voice's own height fall out, and a recording in which all is alike says
nothing. Contributions are SHAP values (:class:`shap.LinearExplainer`; Lundberg and Lee 2017), in
log-odds, summed within groups of features that people have names for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError, SettingsError
from blipper.explain.targets import TARGETS, probability, target_index
from blipper.export.files import write_atomically
from blipper.export.json import layout
from blipper.features import PITCH_CLASSES, extract_features, feature_names
from blipper.progress import Progress, silent
from blipper.rate import syllable_rate
from blipper.recording import Float32, Recording
from blipper.results import Span

Float = NDArray[np.floating[Any]]

#: The companion that ships.
COMPANION: Final = Path(__file__).with_name("companion.json")
#: Syllables a second, by :func:`blipper.rate.syllable_rate`.
RATE: Final = "syllable_rate"
#: What :func:`measure` gives, by name.
MEASURED: Final = (*feature_names(), RATE)
#: Stretches of speech from which the usual is computed at most, and the shortest that counts, in seconds.
USUAL_STRETCHES, USUAL_SECONDS = 24, 0.8
#: Stretches that there must be besides the one explained.
USUAL_LEAST: Final = 3


@dataclass(frozen=True)
class Group:
    """Features that go by one name.

    Parameters
    ----------
    name : str
    more, less : str
        What is said where the key features lie above or below the usual.
    features : tuple of str
        Of :data:`MEASURED`.
    key : tuple of str
        Those whose mean decides between `more` and `less`.
    """

    name: str
    more: str
    less: str
    features: tuple[str, ...]
    key: tuple[str, ...]


def _mfcc(statistic: str) -> tuple[str, ...]:
    return tuple(f"mfcc_{i:02}_{statistic}" for i in range(1, 20))


_CONTRAST = tuple(f"contrast_{i}_mean" for i in range(7))

GROUPS: Final = (
    Group("loudness", "louder than usual", "quieter than usual", ("rms_mean", "mfcc_00_mean"), ("rms_mean",)),
    Group(
        "swings of loudness",
        "stronger swings of loudness",
        "evener loudness",
        ("rms_std", "mfcc_00_std"),
        ("rms_std",),
    ),
    Group(
        "pitch",
        "pitch raised",
        "pitch lowered",
        ("f0_mean", "f0_median", "f0_p05", "f0_p95"),
        ("f0_median", "f0_p95"),
    ),
    Group("melody", "livelier melody", "flatter melody", ("f0_std",), ("f0_std",)),
    Group("rate", "faster speech", "slower speech", (RATE,), (RATE,)),
    Group("voicing", "voiced for longer", "more breaks and breath", ("voiced_share",), ("voiced_share",)),
    Group(
        "brightness",
        "brighter, harsher timbre",
        "darker, softer timbre",
        ("zcr_mean", "zcr_std"),
        ("zcr_mean",),
    ),
    Group("timbre", "timbre (MFCC)", "timbre (MFCC)", _mfcc("mean"), ("mfcc_01_mean",)),
    Group("movement", "quicker changes of sound", "steadier sound", _mfcc("std"), _mfcc("std")),
    Group(
        "clearness",
        "clearer tones",
        "rougher, noisier tones",
        (*_CONTRAST, *(f"contrast_{i}_std" for i in range(7))),
        _CONTRAST,
    ),
    Group(
        "chroma",
        "tonal colour (chroma)",
        "tonal colour (chroma)",
        tuple(f"chroma_{name}_{statistic}" for statistic in ("mean", "std") for name in PITCH_CLASSES),
        ("chroma_C_mean",),
    ),
)

#: The features that the companion hears, in the order of its weights.
USED: Final = tuple(name for group in GROUPS for name in group.features)


@dataclass(frozen=True, eq=False)
class Companion:
    """A logistic regression for each target.

    Parameters
    ----------
    scale : numpy.ndarray, shape (n_features,)
        Standard deviations; features are divided by them after the usual is taken away.
    weights : numpy.ndarray, shape (9, n_features)
        In the order of :data:`blipper.explain.targets.TARGETS` and :data:`USED`.
    intercepts : numpy.ndarray, shape (9,)
    figures : mapping
        How good it is on speakers whom it never met, and which.
    """

    scale: Float
    weights: Float
    intercepts: Float
    figures: Mapping[str, Any]

    def log_odds(self, relative: Float) -> Float:
        """Return the log-odds of every target, shape (n, 9), for features (n, n_features) less the usual."""
        found: Float = (relative / self.scale) @ self.weights.T + self.intercepts
        return found


@dataclass(frozen=True)
class GroupShare:
    """What one group of features gives.

    Parameters
    ----------
    name, label : str
        ``"pitch"`` and, by its direction here, ``"pitch raised"``.
    value : float
        Sum of its features' SHAP values, in log-odds.
    deviation : float
        Mean of its key features' distance from the usual, in standard deviations.
    """

    name: str
    label: str
    value: float
    deviation: float


@dataclass(frozen=True)
class Named:
    """What named features say of a stretch of speech.

    Parameters
    ----------
    target : str
    score, usual_score : float
        The companion's own score of the stretch, and of speech that is wholly usual, in (0, 1).
    base : float
        Log-odds of usual speech; with all shares they add up to the log-odds of `score`.
    shares : tuple of GroupShare
        The strongest first.
    stretches : int
        From how many stretches the usual was computed.
    """

    target: str
    score: float
    usual_score: float
    base: float
    shares: tuple[GroupShare, ...]
    stretches: int


def measure(samples: Float32, sampling_rate: int) -> Float:
    """Measure a stretch of speech, shape (n,), in the order of :data:`MEASURED`."""
    from blipper import audio

    vector = extract_features(audio.from_samples(samples, sampling_rate))
    return np.append(vector.astype(np.float64), syllable_rate(samples, sampling_rate))


def select(vectors: Float) -> Float:
    """Pick :data:`USED` out of what :func:`measure` gives, shape (n, n_measured) to (n, n_used)."""
    index = {name: i for i, name in enumerate(MEASURED)}
    picked: Float = np.asarray(vectors, dtype=np.float64)[..., [index[name] for name in USED]]
    return picked


def explain_features(
    recording: Recording,
    stretch: Span,
    speech: Sequence[Span],
    companion: Companion,
    *,
    target: str = "aggression",
    channel: int = 0,
    progress: Progress = silent,
) -> Named | None:
    """Say by named features how a stretch differs from the recording's usual.

    Parameters
    ----------
    recording : Recording
    stretch : Span
    speech : sequence of Span
        Where somebody speaks on that channel.
    companion : Companion
    target : str
    channel : int
    progress : Progress
        Told stretches, as step ``"features"``.

    Returns
    -------
    Named or None
        None where there is too little other speech to know what is usual.
    """
    from blipper.explain.voice import thin_out

    target_index(target)
    others = [
        span
        for span in speech
        if span.duration >= USUAL_SECONDS and (span.end <= stretch.start or span.start >= stretch.end)
    ]
    if len(others) < USUAL_LEAST:
        return None
    chosen = thin_out(others, USUAL_STRETCHES)
    vectors = []
    for done, span in enumerate([*chosen, stretch]):
        progress("features", done, len(chosen) + 1)
        vectors.append(_vector(recording, span, channel))
    # The stretch itself belongs to the recording, too.
    rows = select(np.array(vectors))
    return explain_vector(rows[-1] - rows.mean(axis=0), companion, target=target, stretches=len(rows))


def explain_vector(relative: Float, companion: Companion, *, target: str, stretches: int = 0) -> Named:
    """Explain one vector of :data:`USED` features, less the usual."""
    import shap

    index = target_index(target)
    scaled = np.asarray(relative, dtype=np.float64) / companion.scale
    explainer = shap.LinearExplainer(
        (companion.weights[index], float(companion.intercepts[index])), np.zeros((1, len(scaled)))
    )
    values = np.asarray(explainer.shap_values(scaled[np.newaxis]))[0]
    sums, deviations = by_group(values), group_deviations(scaled)
    shares = [
        GroupShare(group.name, group.more if away >= 0 else group.less, float(value), float(away))
        for group, value, away in zip(GROUPS, sums, deviations, strict=True)
    ]
    base = float(companion.intercepts[index])
    total = base + sum(share.value for share in shares)
    return Named(
        target=target,
        score=float(probability(total)),
        usual_score=float(probability(base)),
        base=base,
        shares=tuple(sorted(shares, key=lambda share: -abs(share.value))),
        stretches=stretches,
    )


def by_group(values: Float) -> Float:
    """Sum values of :data:`USED` within :data:`GROUPS`, shape (..., n_used) to (..., n_groups)."""
    return np.stack([values[..., _places(group.features)].sum(axis=-1) for group in GROUPS], axis=-1)


def group_deviations(scaled: Float) -> Float:
    """Return the mean distance of each group's key features from the usual, in standard deviations."""
    return np.stack([scaled[..., _places(group.key)].mean(axis=-1) for group in GROUPS], axis=-1)


def _places(names: Sequence[str]) -> list[int]:
    return [USED.index(name) for name in names]


def write_companion(companion: Companion, path: Path = COMPANION) -> None:
    """Write a companion as JSON; the file is whole or not there."""
    document = {
        "features": list(USED),
        "targets": list(TARGETS),
        "scale": [float(f"{value:.6g}") for value in companion.scale],
        "intercepts": [float(f"{value:.6g}") for value in companion.intercepts],
        "weights": [[float(f"{value:.6g}") for value in row] for row in companion.weights],
        "figures": dict(companion.figures),
    }
    write_atomically(path, layout(document) + "\n")


def read_companion(path: Path = COMPANION) -> Companion:
    """Read what :func:`write_companion` wrote.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or was made for other features.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        features, targets = tuple(held["features"]), tuple(held["targets"])
        companion = Companion(
            np.array(held["scale"], dtype=np.float64),
            np.array(held["weights"], dtype=np.float64),
            np.array(held["intercepts"], dtype=np.float64),
            held["figures"],
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as a companion model ({error!r})") from error
    n = len(USED)
    shapes = (companion.scale.shape, companion.weights.shape, companion.intercepts.shape)
    if features != USED or targets != TARGETS or shapes != ((n,), (len(TARGETS), n), (len(TARGETS),)):
        raise ModelError(
            f"{path}: was made for other features than those of this version; "
            "'blipper explain-setup DATA --companion' makes it anew"
        )
    finite = all(
        np.isfinite(part).all() for part in (companion.scale, companion.weights, companion.intercepts)
    )
    if not finite or (companion.scale <= 0).any():
        raise ModelError(f"{path}: holds numbers that are not finite, or scales that are not above 0")
    return companion


def _vector(recording: Recording, span: Span, channel: int) -> Float:
    samples = recording.read(span.start, span.end, channel)
    if not len(samples):
        raise SettingsError(f"{span.start} to {span.end} s: there is no sound")
    return measure(samples, recording.sampling_rate)
