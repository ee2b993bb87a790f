"""Voice models on disk: finding, checking, loading, and scoring windows of speech.

A model is a folder with ``weights.safetensors`` and ``config.json``. The network is built in code from the
configuration and filled from the weights, whose SHA-256 stands in the configuration: nothing in the folder is
ever executed, and whatever does not fit is a :class:`~blipper.errors.ModelError` instead of a wrong number.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.errors import ModelError
from blipper.paths import TEXT_DESCRIPTION, models_dir
from blipper.recording import Float32
from blipper.results import ModelInfo
from blipper.voice.frontend import FrontEnd, band_edges, log_mel, normalise
from blipper.voice.inputs import Inputs
from blipper.voice.labels import EMOTIONS
from blipper.voice.weights import CONFIG, WEIGHTS, number, read_config
from blipper.voice.windows import Margins

__all__ = [
    "CONFIG",
    "TELEPHONE_THRESHOLD",
    "WEIGHTS",
    "Calibration",
    "VoiceModel",
    "available_models",
    "find_model",
    "load_folder",
    "load_model",
    "read_config",
]

#: Windows in one call of the network: few sizes, so that few shapes are ever compiled. A window by itself
#: takes a fifth of what eight take, and a short recording or a live one has no more at a time.
_BATCHES: Final = (64, 8, 4, 2, 1)
#: In ``config.json``: the threshold on telephone lines, where the model has one.
TELEPHONE_THRESHOLD: Final = "threshold_telephone"


@dataclass(frozen=True)
class Calibration:
    """Numbers that turn logits into probabilities.

    Parameters
    ----------
    temperature : float
        The emotions' logits are divided by it (Guo et al. 2017).
    slope, intercept : float
        Aggression is ``sigmoid(slope * logit + intercept)`` (Platt 1999).
    """

    temperature: float = 1.0
    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, logits: NDArray[np.floating[Any]]) -> tuple[Float32, Float32]:
        """Turn logits (n, 9) into emotions (n, 8) and aggression (n,)."""
        logits = np.asarray(logits, dtype=np.float64)
        scaled = logits[:, : len(EMOTIONS)] / self.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        emotions = powers / powers.sum(axis=1, keepdims=True)
        raised = self.slope * logits[:, len(EMOTIONS)] + self.intercept
        aggression = 0.5 * (1 + np.tanh(raised / 2))  # the sigmoid, without overflow
        return emotions.astype(np.float32), aggression.astype(np.float32)


class VoiceModel:
    """A voice model, ready to score; safe to share between threads.

    Parameters
    ----------
    info : ModelInfo
    config : mapping
        The model's ``config.json``.
    network : keras.Model
    front : FrontEnd
    calibration : Calibration

    Attributes
    ----------
    why : str
        One sentence on why this model was taken, where ``"auto"`` had a choice; else empty.
    margins : Margins
        What its windows hear of the sound around an utterance.
    """

    why: str = ""
    margins: Margins = Margins()

    def __init__(
        self,
        info: ModelInfo,
        config: Mapping[str, Any],
        network: Any,
        front: FrontEnd,
        calibration: Calibration,
    ) -> None:
        import tensorflow as tf

        self.info = info
        self.config = config
        self.front = front
        self.calibration = calibration
        self._network = network
        signature = [
            tf.TensorSpec((None, front.frames, front.mels), tf.float32),
            tf.TensorSpec((None,), tf.int32),
        ]
        self._forward = tf.function(
            lambda frames, lengths: network([frames, lengths], training=False), input_signature=signature
        )
        self._tracing = threading.Lock()
        self._traced = False

    def threshold_on(self, *, telephone: bool) -> float:
        """Return the model's own threshold, on a telephone line or elsewhere.

        Parameters
        ----------
        telephone : bool
            Whether the sound reaches hardly beyond a telephone's band, where neutral voices score higher. A
            model without a threshold for such lines has the same everywhere.
        """
        own = self.config.get(TELEPHONE_THRESHOLD) if telephone else None  # checked when it was loaded
        return self.info.threshold if own is None else max(self.info.threshold, float(own))

    @property
    def network(self) -> Any:
        """The network itself: a ``keras.Model``, or the heads over an encoder."""
        return self._network

    def __repr__(self) -> str:
        """Name the model and the start of its hash."""
        return f"VoiceModel({self.info.name!r}, sha256={self.info.sha256[:12]!r})"

    def score_windows(
        self, samples: Float32, sampling_rate: int, starts: ArrayLike, ends: ArrayLike
    ) -> tuple[Float32, Float32]:
        """Score windows of one stretch of sound.

        Parameters
        ----------
        samples : numpy.ndarray of float32, shape (n,)
            Mono.
        sampling_rate : int
            Hz; the model's own, 16,000.
        starts, ends : array-like of float, shape (n_windows,)
            Seconds from ``samples[0]``. Nothing outside a window touches its score. Windows longer than the
            network's (3 s) are scored as the mean of evenly placed ones of that length.

        Returns
        -------
        emotions : numpy.ndarray of float32, shape (n_windows, 8)
            Probabilities in the order of :data:`blipper.voice.labels.EMOTIONS`.
        aggression : numpy.ndarray of float32, shape (n_windows,)
            Calibrated probability that the voice sounds angry.

        Raises
        ------
        ModelError
            If the sampling rate or the shapes do not fit, or a sample is not finite.
        """
        samples, first, last = self._checked(samples, sampling_rate, starts, ends)
        if not len(first):
            return np.zeros((0, len(EMOTIONS)), dtype=np.float32), np.zeros(0, dtype=np.float32)
        pieces, owners = self._pieces(samples, first, last)
        emotions, aggression = self.calibration.apply(self.logits(pieces))
        counts = np.bincount(owners, minlength=len(first)).astype(np.float32)
        sums = np.zeros((len(first), len(EMOTIONS)), dtype=np.float32)
        np.add.at(sums, owners, emotions)
        angry = np.zeros(len(first), dtype=np.float32)
        np.add.at(angry, owners, aggression)
        return sums / counts[:, np.newaxis], angry / counts

    def inputs_of(self, samples: Float32, sampling_rate: int, starts: ArrayLike, ends: ArrayLike) -> Inputs:
        """Return what the network sees of some windows, for explanations.

        Parameters
        ----------
        samples, sampling_rate, starts, ends
            As for :meth:`score_windows`.

        Returns
        -------
        Inputs
            ``differentiable([inputs.frames, inputs.lengths])`` gives their logits.

        Raises
        ------
        ModelError
            As :meth:`score_windows` does.
        """
        samples, first, last = self._checked(samples, sampling_rate, starts, ends)
        front = self.front
        pieces, owners, begins = self._cut(log_mel(samples, front), len(samples), first, last)
        frames = np.zeros((len(pieces), front.frames, front.mels), dtype=np.float32)
        for row, piece in enumerate(pieces):
            frames[row, : len(piece)] = normalise(piece, front)
        return Inputs(
            frames=frames,
            lengths=np.array([len(piece) for piece in pieces], dtype=np.int32),
            owners=owners,
            starts=begins * (front.hop / front.sampling_rate),
            step=front.hop / front.sampling_rate,
            edges=band_edges(front),
            decibels=front.scale,
        )

    @property
    def differentiable(self) -> Any:
        """The network from :class:`~blipper.voice.inputs.Inputs` to logits, through which gradients flow.

        A ``keras.Model`` of the inputs ``[frames, lengths]`` whose first 9 outputs are the logits of the
        emotions and of aggression, before calibration.
        """
        return self.network

    def logits(self, pieces: Sequence[Any]) -> Float32:
        """Run the network over windows of frames.

        Parameters
        ----------
        pieces : sequence of numpy.ndarray, shape (n_frames, mels)
            Log-mel in decibels as :func:`blipper.voice.frontend.log_mel` gives it; no piece longer than
            ``front.frames``.

        Returns
        -------
        numpy.ndarray of float32, shape (n_pieces, 9)
            Emotions, then aggression; before calibration.
        """
        out = np.empty((len(pieces), len(EMOTIONS) + 1), dtype=np.float32)
        # Full windows together: batches without padding can be had for less.
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]) != self.front.frames)
        first = 0
        while first < len(pieces):
            size = self._batch(len(pieces) - first)
            chosen = order[first : first + size]
            part = [pieces[i] for i in chosen]
            frames = np.zeros((size, self.front.frames, self.front.mels), dtype=np.float32)
            lengths = np.ones(size, dtype=np.int32)
            for row, piece in enumerate(part):
                frames[row, : len(piece)] = normalise(piece, self.front)
                lengths[row] = len(piece)
            out[chosen] = self._run(frames, lengths)[: len(part)]
            first += size
        return out

    def _batch(self, left: int) -> int:
        """Return how many windows go into the next call, of so many that are left."""
        if _BATCHES[0] // 2 < left < _BATCHES[0]:
            return _BATCHES[0]  # one padded large batch is quicker than many small ones
        return next((size for size in _BATCHES if left >= size), _BATCHES[-1])

    def _run(self, frames: Float32, lengths: NDArray[np.int32]) -> Float32:
        if not self._traced:
            with self._tracing:  # tf.function traces once; two threads at the start would trace twice
                found = self._forward(frames, lengths).numpy()
                self._traced = True
        else:
            found = self._forward(frames, lengths).numpy()
        return np.asarray(found[:, : len(EMOTIONS) + 1], dtype=np.float32)

    def _checked(
        self, samples: Float32, sampling_rate: int, starts: ArrayLike, ends: ArrayLike
    ) -> tuple[Float32, NDArray[np.float64], NDArray[np.float64]]:
        if sampling_rate != self.front.sampling_rate:
            raise ModelError(
                f"{self.info.name} hears sound at {self.front.sampling_rate} Hz, not at {sampling_rate} Hz"
            )
        samples = np.asarray(samples, dtype=np.float32)
        first = np.atleast_1d(np.asarray(starts, dtype=np.float64))
        last = np.atleast_1d(np.asarray(ends, dtype=np.float64))
        if samples.ndim != 1 or first.ndim != 1 or first.shape != last.shape:
            raise ModelError(
                f"samples of shape {samples.shape}, starts {first.shape} and ends {last.shape} do not fit: "
                "expected (n,), (n_windows,) and (n_windows,)"
            )
        if len(first):
            self._check_windows(samples, first, last)
        return samples, first, last

    def _check_windows(
        self, samples: Float32, starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> None:
        duration = len(samples) / self.front.sampling_rate
        wrong = ~((starts >= 0) & (ends > starts) & (ends <= duration + 0.02))
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise ModelError(
                f"window {i} from {starts[i]} s to {ends[i]} s does not lie within the {duration:.3f} s of "
                "sound; expected 0 <= start < end <= duration"
            )
        if not np.isfinite(samples).all():
            raise ModelError("the sound holds NaN or infinite samples")

    def _pieces(
        self, samples: Float32, starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> tuple[list[Any], NDArray[np.int64]]:
        """Return what :meth:`logits` needs of each window, and the windows that own the pieces."""
        pieces, owners, _ = self._cut(log_mel(samples, self.front), len(samples), starts, ends)
        return pieces, owners

    def _cut(
        self, frames: Float32, n_samples: int, starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> tuple[list[Float32], NDArray[np.int64], NDArray[np.int64]]:
        """Cut windows out of the stretch's frames; a long one becomes several, owned by their window.

        Returns the pieces, the windows that own them, and the numbers of their first frames.
        """
        front, most = self.front, self.front.frames
        pieces: list[Float32] = []
        owners: list[int] = []
        begins: list[int] = []
        for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
            begin = min(round(start * front.sampling_rate / front.hop), len(frames) - 1)
            inside = min(round(end * front.sampling_rate), n_samples) - begin * front.hop
            length = min(front.count(inside), len(frames) - begin)
            n = math.ceil(length / most)
            for k in range(n):
                offset = round(k * (length - most) / (n - 1)) if n > 1 else 0
                pieces.append(frames[begin + offset : begin + min(offset + most, length)])
                owners.append(i)
                begins.append(begin + offset)
        return pieces, np.array(owners, dtype=np.int64), np.array(begins, dtype=np.int64)


def available_models(directory: str | Path | None = None) -> tuple[str, ...]:
    """Name the voice models in a folder, sorted.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.
    """
    folder = models_dir() if directory is None else Path(directory)
    if not folder.is_dir():
        return ()
    # A text model lies beside them, in Hugging Face's format, which has a config.json as well.
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if (path / CONFIG).is_file() and not (path / TEXT_DESCRIPTION).is_file()
        )
    )


def load_model(name: str = "auto", directory: str | Path | None = None) -> VoiceModel:
    """Load a voice model.

    Parameters
    ----------
    name : str
        A folder's name in `directory`; ``"auto"`` takes the best that can run here, see
        :func:`blipper.voice.choice.choose`.
    directory : path, optional
        :func:`blipper.models_dir` unless given.

    Returns
    -------
    VoiceModel

    Raises
    ------
    ModelError
        If there is no such model, or its files are missing, damaged, or do not fit each other.
    """
    if name != "auto":
        return load_folder(find_model(name, directory))
    from blipper.voice.choice import choose

    folder = models_dir() if directory is None else Path(directory)
    choice = choose(folder)
    model = load_folder(folder / choice.name)
    model.why = choice.why
    return model


def find_model(name: str = "auto", directory: str | Path | None = None) -> Path:
    """Return the folder of the model that :func:`load_model` would load, without loading it.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    folder = models_dir() if directory is None else Path(directory)
    names = available_models(folder)
    if name == "auto":
        from blipper.voice.choice import choose

        name = choose(folder).name
    if name not in names:
        known = ", ".join(names) if names else "none"
        raise ModelError(f"{folder}: no voice model named {name!r}; available: {known}")
    return folder / name


def load_folder(folder: Path) -> VoiceModel:
    """Load the model in one folder; see :func:`load_model`."""
    config = read_config(folder / CONFIG)
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"{path}: missing; {CONFIG} beside it names its SHA-256 {config['sha256'][:12]}…")
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != config["sha256"]:
        raise ModelError(
            f"{path}: SHA-256 is {found[:12]}…, {CONFIG} says {config['sha256'][:12]}…; one of the two files "
            "was changed or damaged"
        )
    kind = config.get("kind", "mel-cnn")
    if kind == "whisper-cnn":
        from blipper.voice.whisper_cnn import load_whisper_cnn

        return load_whisper_cnn(config, _info(config), data, path)
    if kind != "mel-cnn":
        raise ModelError(f"{folder / CONFIG}: kind is {kind!r}, expected 'mel-cnn' or 'whisper-cnn'")
    from blipper.voice.mel_cnn import MelVoice

    return MelVoice(_info(config), config, data, path)


def _info(config: Mapping[str, Any]) -> ModelInfo:
    # Wrong numbers are refused here, and not in the middle of an analysis.
    if config.get(TELEPHONE_THRESHOLD) is not None:
        number(config, None, TELEPHONE_THRESHOLD, low=1e-6, high=1.0)
    threshold = number(config, None, "threshold", low=1e-6, high=1.0)
    return ModelInfo(config["name"], config["sha256"], threshold)
