"""Do explanations say what the model does? Measured on many clips.

*Deletion*: the cells that matter most by an explanation are replaced, a few at a time, by neutral speech (its
mean frame, or real windows: :mod:`blipper.explain.baselines`); the quicker the score falls to that of neutral
speech, the better the explanation knew.
*Insertion* is the other way round (Petsiuk, Das and Saenko 2018, "RISE"). Both are compared with an order
drawn at random, and with the loudest cells first, which needs no model at all. *Shuffled weights* must give
another map (Adebayo et al. 2018, "Sanity checks for saliency maps"); a *small shift* of the window must not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.explain.attribution import SMALLEST_DIFFERENCE, Piece
from blipper.explain.background import Background
from blipper.explain.gradients import log_odds
from blipper.explain.paths import walk
from blipper.explain.shap_gradients import ROUND, shap_pieces
from blipper.explain.targets import TARGETS, target_index
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.voice.models import Calibration, VoiceModel

#: Shares of the cells that are replaced or put in.
SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
#: Frames and bands of a block, which is replaced as one: single cells would only add noise.
BLOCK: Final = (4, 4)
#: Seconds of the small shift.
SHIFT: Final = 0.04
#: Clips, taken evenly from all, for the checks that cost most.
MANY_CHECKS: Final = 60

Float = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Sound:
    """One clip to explain.

    Parameters
    ----------
    samples : numpy.ndarray of float32, shape (n,)
        At the model's sampling rate; speech alone, at least 0.2 s.
    emotion : str
        As acted.
    speaker : str
        Unlike for all speakers of all corpora.
    """

    samples: Float32
    emotion: str
    speaker: str


def faithfulness(
    model: VoiceModel,
    sounds: Sequence[Sound],
    background: Background,
    *,
    target: str = "aggression",
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Measure how far explanations can be trusted.

    Parameters
    ----------
    model : VoiceModel
    sounds : sequence of Sound
        The first window of each is explained.
    background : Background
    target : str
    seed : int
        Of the random order and of what is drawn.
    progress : Progress
        Told clips, as step ``"faithfulness"``.

    Returns
    -------
    dict
        Plain JSON values. ``curves[method]["deletion"]`` and ``["insertion"]`` hold, for each of
        ``shares``, the mean log-odds by which the score is still away from neutral speech's, in the
        direction of the whole; ``["deletion_area"]`` their mean over the shares (lower is better) and
        ``["insertion_area"]`` likewise (higher is better), each with a 95 % interval over speakers.

    Raises
    ------
    SettingsError
        If there is no sound.
    """
    if not sounds:
        raise SettingsError("no clip to explain")
    index = target_index(target)
    rng = np.random.default_rng(seed)
    checked = set(np.linspace(0, len(sounds) - 1, min(MANY_CHECKS, len(sounds))).round().astype(int).tolist())
    shuffled = shuffle(model, seed)
    paths: dict[str, list[Float]] = {}
    owners: dict[str, list[str]] = {}
    completeness, stable, survived = [], [], []
    shap_errors: list[float] = []
    profiles: dict[str, list[Float]] = {}
    n_frames = int(model.differentiable.inputs[0].shape[1])
    starts, stand_ins = background.baselines(n_frames), background.replacements(n_frames)
    for number, sound in enumerate(sounds):
        progress("faithfulness", number, len(sounds))
        frames, length = _inputs(model, sound.samples, 0.0)
        piece = walk(model, frames, length, starts, index)
        completeness.append(_relative(piece))
        maps = {
            "integrated gradients": piece.values,
            "random": rng.random((length, frames.shape[1])),
            "loudness": np.asarray(frames[:length], dtype=np.float64),
        }
        if number in checked:
            seen = _as_inputs(model, sound.samples)
            (drawn,) = shap_pieces(model, seen, background, index, draws=2 * ROUND, seed=seed + number)
            maps["shap"] = drawn.values
            shap_errors.append(_relative(drawn))
            other = walk(shuffled, frames, length, starts, index)
            survived.append(_alike(piece.values, other.values))
            later, rest = _inputs(model, sound.samples, SHIFT)
            moved = walk(model, later, rest, starts, index)
            lag = round(SHIFT / seen.step)
            n = min(length - lag, rest)
            stable.append(_alike(piece.values[lag : lag + n], moved.values[:n]))
        direction = np.sign(piece.log_odds - piece.base) or 1.0
        for name, values in maps.items():
            signed = values * direction if name in ("integrated gradients", "shap") else values
            curve = _curves(model, frames, length, stand_ins, signed, index)
            paths.setdefault(name, []).append(curve * direction)
            owners.setdefault(name, []).append(sound.speaker)
        acted = walk(model, frames, length, starts, TARGETS.index(sound.emotion))
        profiles.setdefault(sound.emotion, []).append(acted.values.sum(axis=0))
    progress("faithfulness", len(sounds), len(sounds))
    errors = np.array(completeness)
    return {
        "target": target,
        "clips": len(sounds),
        "speakers": len({sound.speaker for sound in sounds}),
        "shares": list(SHARES),
        "curves": {name: _summary(np.array(paths[name]), owners[name], seed) for name in paths},
        "completeness": {
            "median": _figure(np.median(errors)),
            "highest_of_95_percent": _figure(np.quantile(errors, 0.95)),
            "shap_median": _figure(np.median(shap_errors)),
        },
        "shuffled_weights": {"clips": len(survived), "mean_correlation": _figure(np.mean(survived))},
        "small_shift": {
            "clips": len(stable),
            "seconds": SHIFT,
            "mean_correlation": _figure(np.mean(stable)),
            "lowest_of_90_percent": _figure(np.quantile(stable, 0.1)),
        },
        "bands_hz": [_figure(band) for band in _as_inputs(model, sounds[0].samples).bands],
        "band_profiles": {
            emotion: {"clips": len(rows), "mean": [_figure(value) for value in np.mean(rows, axis=0)]}
            for emotion, rows in sorted(profiles.items())
        },
    }


@dataclass(frozen=True, eq=False)
class Shuffled:
    """A network to be explained, without the rest of a voice model."""

    differentiable: Any
    calibration: Calibration


def shuffle(model: VoiceModel, seed: int = 0) -> Shuffled:
    """Return a model's network with the same numbers in another order, layer by layer.

    Statistics and biases stay, so that the network still takes inputs of that kind.
    """
    import keras

    rng = np.random.default_rng(seed)
    network = keras.models.clone_model(model.differentiable)
    held = model.differentiable.get_weights()
    network.set_weights([rng.permutation(w.ravel()).reshape(w.shape) if w.ndim > 1 else w for w in held])
    return Shuffled(network, model.calibration)


def better(summary: Mapping[str, Any], one: str, other: str) -> bool:
    """Say whether one method beats another in both curves by more than their intervals overlap."""
    first, second = summary["curves"][one], summary["curves"][other]
    return bool(
        first["deletion_area"]["high"] < second["deletion_area"]["low"]
        and first["insertion_area"]["low"] > second["insertion_area"]["high"]
    )


def _inputs(model: VoiceModel, samples: Float32, start: float) -> tuple[Float32, int]:
    inputs = _as_inputs(model, samples, start)
    return inputs.frames[0], int(inputs.lengths[0])


def _as_inputs(model: VoiceModel, samples: Float32, start: float = 0.0) -> Any:
    rate = model.front.sampling_rate
    end = min(start + model.front.window, len(samples) / rate)
    return model.inputs_of(samples, rate, [start], [end])


def _relative(piece: Piece) -> float:
    difference = piece.log_odds - piece.base
    return float(abs(piece.values.sum() - difference) / max(abs(difference), SMALLEST_DIFFERENCE))


def _curves(
    model: VoiceModel, frames: Float32, length: int, stand_ins: Float32, values: Float, index: int
) -> Float:
    """Return by how much the log-odds lie above neutral speech's, shape (2, n_shares).

    With blocks taken out and put in, the highest first; the mean over what stands in for them.
    """
    rows, columns = np.arange(length) // BLOCK[0], np.arange(frames.shape[1]) // BLOCK[1]
    width = int(columns[-1]) + 1
    blocks = rows[:, None] * width + columns[None, :]
    sums = np.bincount(blocks.ravel(), values.ravel())
    counts = np.bincount(blocks.ravel())
    ranks = np.empty(len(sums), dtype=int)
    ranks[np.argsort(-sums / counts, kind="stable")] = np.arange(len(sums))
    pictures = np.zeros((len(stand_ins), 2, len(SHARES), *frames.shape), np.float32)
    for i, share in enumerate(SHARES):
        chosen = (ranks < round(share * len(sums)))[blocks]
        for k, other in enumerate(stand_ins):
            pictures[k, 0, i, :length] = np.where(chosen, other[:length], frames[:length])
            pictures[k, 1, i, :length] = np.where(chosen, frames[:length], other[:length])
    flat = pictures.reshape(-1, *frames.shape)
    found = log_odds(model, flat, np.full(len(flat), length, np.int32))[:, index]
    curves = found.reshape(len(stand_ins), 2, len(SHARES)).mean(axis=0)
    return np.asarray(curves - curves[0, -1])  # where all of it is replaced


def _alike(one: Float, other: Float) -> float:
    """Correlate two maps over blocks; 0 where one of them is flat."""
    n = min(len(one), len(other)) // BLOCK[0] * BLOCK[0]
    bands = one.shape[1] // BLOCK[1] * BLOCK[1]
    pooled = [
        cells[:n, :bands]
        .reshape(n // BLOCK[0], BLOCK[0], bands // BLOCK[1], BLOCK[1])
        .mean(axis=(1, 3))
        .ravel()
        for cells in (one, other)
    ]
    if n == 0 or min(cells.std() for cells in pooled) < 1e-12:
        return 0.0
    return float(np.corrcoef(pooled[0], pooled[1])[0, 1])


def _summary(curves: Float, speakers: Sequence[str], seed: int) -> dict[str, Any]:
    """Sum up curves of shape (n_clips, 2, n_shares)."""
    areas: Float = np.asarray(np.trapezoid(curves, SHARES, axis=2))
    intervals = [_interval(areas[:, kind], speakers, seed) for kind in (0, 1)]
    return {
        "clips": len(curves),
        "deletion": [_figure(value) for value in curves[:, 0].mean(axis=0)],
        "insertion": [_figure(value) for value in curves[:, 1].mean(axis=0)],
        "deletion_area": intervals[0],
        "insertion_area": intervals[1],
    }


def _interval(values: Float, speakers: Sequence[str], seed: int) -> dict[str, float]:
    """Return a mean with its 95 % interval by bootstrap over speakers."""
    names, owner = np.unique(np.array(speakers), return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(seed).integers(len(names), size=(2000, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = (_figure(np.quantile(means, share)) for share in (0.025, 0.975))
    return {"mean": _figure(values.mean()), "low": low, "high": high}


def _figure(value: Any) -> float:
    """Round to four significant digits, so that pages, files and notes agree."""
    return float(f"{float(value):.4g}")
