"""One clip's part in :mod:`blipper.explain.faithfulness`, kept so that none is measured twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.explain.attribution import SMALLEST_DIFFERENCE, Piece
from blipper.explain.background import Background
from blipper.explain.gradients import log_odds
from blipper.explain.paths import walk
from blipper.explain.shap_gradients import ROUND, shap_pieces
from blipper.explain.targets import TARGETS, target_index
from blipper.export.files import write_atomically
from blipper.recording import Float32
from blipper.voice.models import VoiceModel

#: Shares of the cells that are replaced or put in.
SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
#: Frames and bands of a block, which is replaced as one: single cells would only add noise.
BLOCK: Final = (4, 4)
#: Seconds of the small shift.
SHIFT: Final = 0.04
#: Bound to what is kept: raise it when a clip is measured in another way.
_VERSION: Final = 1

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


@dataclass(frozen=True)
class Measured:
    """What one clip says about explanations.

    Parameters
    ----------
    curves : mapping of str to list of list of float
        By order of the cells: the log-odds above neutral speech's with blocks taken out and put in, shape
        (2, n_shares), in the direction of the whole.
    error : float
        By how much integrated gradients miss the whole, as a share of it.
    profile : list of float
        Each band's contribution to the emotion that was acted, log-odds.
    shap_error, survived, stable : float, optional
        SHAP's error, and the correlation with the map of shuffled weights and of a window moved by a little;
        None where the clip was not among those on which these are measured.
    """

    curves: Mapping[str, list[list[float]]]
    error: float
    profile: list[float]
    shap_error: float | None = None
    survived: float | None = None
    stable: float | None = None


@dataclass(frozen=True, eq=False)
class Measuring:
    """How clips are measured: a model, what stands in for its inputs, and where results are kept.

    Parameters
    ----------
    model : VoiceModel
    background : Background
    target : str
    seed : int
        Of what SHAP draws.
    keep : path, optional
        A folder, made if need be; what is there is not measured again.
    """

    model: VoiceModel
    background: Background
    target: str
    seed: int
    keep: Path | None = None
    _starts: Float32 = field(init=False)
    _stand_ins: Float32 = field(init=False)

    def __post_init__(self) -> None:
        n_frames = int(self.model.differentiable.inputs[0].shape[1])
        object.__setattr__(self, "_starts", self.background.baselines(n_frames))
        object.__setattr__(self, "_stand_ins", self.background.replacements(n_frames))

    def clip(self, sound: Sound, number: int, rng: np.random.Generator, *, all_checks: bool) -> Measured:
        """Measure one clip, or read what is kept of it.

        Parameters
        ----------
        sound : Sound
        number : int
            The clip's place among all.
        rng : numpy.random.Generator
            Draws the order at random: as much of it for a clip that is kept as for another.
        all_checks : bool
            Whether SHAP, shuffled weights and a small shift are measured as well.

        Returns
        -------
        Measured
        """
        frames, length = inputs_of(self.model, sound.samples, 0.0)
        drawn = rng.random((length, frames.shape[1]))
        path = (
            None if self.keep is None else self.keep / f"{self._key(sound, number, drawn, all_checks)}.json"
        )
        if path is not None and path.is_file():
            return Measured(**json.loads(path.read_text(encoding="utf-8")))
        found = self._measure(sound, number, drawn, frames, length, all_checks)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(vars(found)))
        return found

    def _measure(
        self, sound: Sound, number: int, drawn: Float, frames: Float32, length: int, all_checks: bool
    ) -> Measured:
        model, index, starts = self.model, target_index(self.target), self._starts
        piece = walk(model, frames, length, starts, index)
        maps = {
            "integrated gradients": piece.values,
            "random": drawn,
            "loudness": np.asarray(frames[:length], dtype=np.float64),
        }
        checks: dict[str, float] = {}
        if all_checks:
            seen = as_inputs(model, sound.samples)
            (shap,) = shap_pieces(
                model, seen, self.background, index, draws=2 * ROUND, seed=self.seed + number
            )
            maps["shap"] = shap.values
            checks["shap_error"] = _relative(shap)
            with shuffled(model, self.seed):
                other = walk(model, frames, length, starts, index)
            checks["survived"] = _alike(piece.values, other.values)
            later, rest = inputs_of(model, sound.samples, SHIFT)
            moved = walk(model, later, rest, starts, index)
            lag = round(SHIFT / seen.step)
            n = min(length - lag, rest)
            checks["stable"] = _alike(piece.values[lag : lag + n], moved.values[:n])
        direction = float(np.sign(piece.log_odds - piece.base)) or 1.0
        curves = {}
        for name, values in maps.items():
            signed = values * direction if name in ("integrated gradients", "shap") else values
            curve = _curves(model, frames, length, self._stand_ins, signed, index)
            curves[name] = (curve * direction).tolist()
        acted = walk(model, frames, length, starts, TARGETS.index(sound.emotion))
        return Measured(curves, _relative(piece), acted.values.sum(axis=0).tolist(), **checks)

    def _key(self, sound: Sound, number: int, drawn: Float, all_checks: bool) -> str:
        digest = hashlib.sha256()
        said = [_VERSION, self.model.info.sha256, self.target, self.seed, number, all_checks, sound.emotion]
        digest.update(json.dumps(said).encode())
        for array in (*self.background.windows, self._starts, self._stand_ins, sound.samples, drawn):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:32]


@contextmanager
def shuffled(model: VoiceModel, seed: int = 0) -> Iterator[None]:
    """Put a network's weights in another order, layer by layer, for as long as the block lasts.

    Statistics and biases stay, so that the network still takes inputs of that kind. No copy is made, since
    Whisper's encoder cannot be cloned.
    """
    rng = np.random.default_rng(seed)
    network = model.differentiable
    held = network.get_weights()
    try:
        network.set_weights([rng.permutation(w.ravel()).reshape(w.shape) if w.ndim > 1 else w for w in held])
        yield
    finally:
        network.set_weights(held)


def inputs_of(model: VoiceModel, samples: Float32, start: float) -> tuple[Float32, int]:
    """Return the frames and length of a clip's first window, from `start` seconds on."""
    inputs = as_inputs(model, samples, start)
    return inputs.frames[0], int(inputs.lengths[0])


def as_inputs(model: VoiceModel, samples: Float32, start: float = 0.0) -> Any:
    """Return a clip's first window as the model takes it, from `start` seconds on."""
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
