"""``whisper-cnn``: our own heads over Whisper's frozen encoder, behind the interface of all voice models."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.errors import ModelError, SettingsError
from blipper.recording import Float32
from blipper.results import ModelInfo
from blipper.voice import whisper
from blipper.voice.adapters import adapter_shapes, merge
from blipper.voice.frontend import FrontEnd, band_edges
from blipper.voice.heads import POOL, Head, HeadSettings, all_variables, build_heads
from blipper.voice.inputs import Inputs
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration, VoiceModel
from blipper.voice.speeds import check_speed, faster, faster_in_graph
from blipper.voice.weights import number, read_tensors
from blipper.voice.whisper_files import SIZE, read_encoder
from blipper.voice.windows import Margins

#: How ``config.json`` tells this kind of model.
KIND: Final = "whisper-cnn"
#: Whisper's log-mel in the terms of a front end: 80 bands, 80 dB deep, 40 dB (4 powers of ten) to one unit.
#: It has no window of its own; the number is the longest piece that explanations look at.
FRONT: Final = FrontEnd(
    fft=whisper.FFT, hop=whisper.HOP, mels=80, f_min=0.0, f_max=8000.0, floor=80.0, scale=40.0, levelling=0.0
)
#: Windows in one call of the heads, stretches in one call of the encoder.
_WINDOWS: Final = 32
_STRETCHES: Final = 8
#: Most speeds beside the sound's own: a model file must not make listening as slow as it likes.
_HEARINGS: Final = 8
#: Log-mel frames are padded to a multiple of this many, so that few shapes are met.
_BUCKET: Final = 80


@dataclass(frozen=True)
class Listening:
    """How ``whisper-cnn`` listens; the ``front_end`` of its ``config.json``.

    Parameters
    ----------
    sampling_rate : int
        Hz.
    mels : int
    pool : int
        Encoder frames of 20 ms averaged into one frame of the heads.
    context : float
        Seconds of speech that are encoded in one go: windows that overlap or touch, as those of one utterance
        do, are cut out of one encoding of so much. A window that is longer is encoded alone.
    longest : float
        Seconds; a longer window is scored as the mean of evenly placed pieces of this length.
    speeds : tuple of float
        Speeds at which each window is heard besides; its logits are the mean over all hearings. Every one
        costs as much as the first. See :mod:`blipper.voice.speeds`.
    before, after : float
        Seconds around an utterance that its windows hear as well; see :class:`blipper.voice.windows.Margins`.
    """

    sampling_rate: int = whisper.SAMPLING_RATE
    mels: int = 80
    pool: int = POOL
    context: float = 8.0
    longest: float = 15.0
    speeds: tuple[float, ...] = ()
    before: float = 0.0
    after: float = 0.0

    @property
    def margins(self) -> Margins:
        """What windows hear of the sound around an utterance."""
        return Margins(self.before, self.after)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        values = asdict(self) | {"speeds": list(self.speeds)}
        for name in ("speeds", "before", "after"):
            if not values[name]:
                del values[name]  # as before there were any: backgrounds of explanations go by these values
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Listening:
        """Rebuild from the plain values.

        Raises
        ------
        ModelError
            If a setting is unknown, or is not what this version can do.
        """
        try:
            built = cls(**values)
        except TypeError as error:
            raise ModelError(f"front-end settings {dict(values)} are not Blipper's: {error}") from error
        if (built.sampling_rate, built.mels, built.pool) != (whisper.SAMPLING_RATE, 80, POOL):
            raise ModelError(
                f"front-end settings {dict(values)}: expected a sampling rate of {whisper.SAMPLING_RATE} Hz, "
                f"80 mels and a pool of {POOL}"
            )
        for name in ("context", "longest"):
            value = getattr(built, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 30:
                raise ModelError(f"front-end setting {name} is {value!r}, expected 1 to 30 s")
        if not isinstance(built.speeds, (list, tuple)) or len(built.speeds) > _HEARINGS:
            raise ModelError(
                f"front-end setting speeds is {built.speeds!r}, expected a list of at most {_HEARINGS}"
            )
        speeds = tuple(check_speed(speed, "front-end setting speeds") for speed in built.speeds)
        try:
            Margins(built.before, built.after)
        except SettingsError as error:
            raise ModelError(f"front-end settings: {error}") from error
        encoded = max(built.context, built.longest)
        if (slowest := encoded / min((1.0, *speeds))) > whisper.LONGEST:
            raise ModelError(
                f"front-end setting speeds is {list(speeds)}: at the slowest, {encoded:g} s last "
                f"{slowest:g} s, expected at most {whisper.LONGEST:g} s"
            )
        return replace(built, speeds=speeds)


class WhisperVoice(VoiceModel):
    """A ``whisper-cnn``, ready to score; safe to share between threads.

    Windows of one utterance are cut out of one encoding of up to 8 s, so what is said around a window without
    a pause has a small say in its score, and what lies beyond a pause has none. A model may hear every window
    at other speeds as well.

    Parameters
    ----------
    info : ModelInfo
    config : mapping
        The model's ``config.json``.
    encoder : keras.Model
        Of :func:`blipper.voice.whisper.build_encoder`, filled.
    heads : list of Head
        Their logits are averaged.
    listening : Listening
    calibration : Calibration
    """

    def __init__(
        self,
        info: ModelInfo,
        config: Mapping[str, Any],
        encoder: Any,
        heads: list[Head],
        listening: Listening,
        calibration: Calibration,
    ) -> None:
        import tensorflow as tf

        self.info = info
        self.config = config
        # The margins are heard in one piece with a window of the usual length.
        self.front = replace(FRONT, window=FRONT.window + listening.before + listening.after)
        self.listening = listening
        self.margins = listening.margins
        self.calibration = calibration
        self._network = heads
        self.encoder = encoder
        self._tracing = threading.Lock()
        self._differentiable: Any = None
        mels, blocks, width = listening.mels, heads[0].listen.inputs[0].shape[2], 384
        self._encode = tf.function(
            lambda frames, lengths: tf.stack(encoder([frames, lengths], training=False)[:blocks], axis=2),
            input_signature=[
                tf.TensorSpec((None, None, mels), tf.float32),
                tf.TensorSpec((None,), tf.int32),
            ],
        )
        self._judge = tf.function(
            lambda frames, lengths: _mean_logits(heads, frames, lengths),
            input_signature=[
                tf.TensorSpec((None, None, blocks, width), tf.float32),
                tf.TensorSpec((None,), tf.int32),
            ],
        )

    def logits(self, pieces: Sequence[Any]) -> Float32:
        """Run the heads over windows of encoded frames.

        Parameters
        ----------
        pieces : sequence of list of numpy.ndarray, each of shape (n_frames, blocks, width)
            Means of four encoder frames each; one array for each speed at which the window is heard.

        Returns
        -------
        numpy.ndarray of float32, shape (n_pieces, 9)
            Emotions, then aggression; before calibration. The mean over the speeds.
        """
        hearings = [
            self._judged([piece[k] for piece in pieces]) for k in range(1 + len(self.listening.speeds))
        ]
        return np.asarray(np.mean(hearings, axis=0), dtype=np.float32)

    def _judged(self, pieces: list[Float32]) -> Float32:
        """Run the heads over one hearing of each window."""
        out = np.empty((len(pieces), len(EMOTIONS) + 1), dtype=np.float32)
        for first in range(0, len(pieces), _WINDOWS):
            part = pieces[first : first + _WINDOWS]
            lengths = np.array([len(piece) for piece in part], dtype=np.int32)
            frames = np.zeros((len(part), int(lengths.max()), *part[0].shape[1:]), dtype=np.float32)
            for row, piece in enumerate(part):
                frames[row, : len(piece)] = piece
            out[first : first + len(part)] = self._call(self._judge, frames, lengths)
        return out

    def inputs_of(self, samples: Float32, sampling_rate: int, starts: ArrayLike, ends: ArrayLike) -> Inputs:
        """Return what the network sees of some windows; see the base class.

        Each piece of at most 3 s, and its margins, is heard alone, without what is said around it.
        """
        samples, first, last = self._checked(samples, sampling_rate, starts, ends)
        rate, most = self.listening.sampling_rate, round(self.front.window * self.listening.sampling_rate)
        mels, owners, begins = [], [], []
        for i, (start, end) in enumerate(zip(first, last, strict=True)):
            for begin, stop in _split(round(start * rate), min(round(end * rate), len(samples)), most):
                mels.append(whisper.log_mel(whisper.levelled(samples[begin:stop]), self.listening.mels))
                owners.append(i)
                begins.append(begin / rate)
        frames = np.zeros((len(mels), most // whisper.HOP, self.listening.mels), dtype=np.float32)
        for row, mel in enumerate(mels):
            frames[row, : len(mel)] = mel[: frames.shape[1]]
        return Inputs(
            frames=frames,
            lengths=np.array([min(len(mel), frames.shape[1]) for mel in mels], dtype=np.int32),
            owners=np.array(owners, dtype=np.int64),
            starts=np.array(begins),
            step=whisper.HOP / rate,
            edges=band_edges(FRONT),
            decibels=FRONT.scale,
        )

    @property
    def differentiable(self) -> Any:
        """The whole graph from log-mel through the encoder to logits; see the base class."""
        with self._tracing:
            if self._differentiable is None:
                self._differentiable = _whole(self.encoder, self.network, self.listening, self.front)
            return self._differentiable

    def _pieces(
        self, samples: Float32, starts: NDArray[np.float64], ends: NDArray[np.float64]
    ) -> tuple[list[Any], NDArray[np.int64]]:
        """Encode the stretches around windows and cut the windows out of them.

        Windows share a stretch only where they overlap or touch, as those of one utterance do: the heads
        learned from single utterances, and an encoder that hears another voice and a pause beside one tells
        them much less of it. By their margins alone windows of two utterances may overlap: that much does
        not count.
        """
        apart = round((self.margins.before + self.margins.after) * self.listening.sampling_rate)
        rate, context = (
            self.listening.sampling_rate,
            round(self.listening.context * self.listening.sampling_rate),
        )
        longest = round(self.listening.longest * rate)
        cuts: list[tuple[int, int]] = []
        owners: list[int] = []
        for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
            cuts += _split(round(start * rate), min(round(end * rate), len(samples)), longest)
            owners += [i] * (len(cuts) - len(owners))
        order = sorted(range(len(cuts)), key=cuts.__getitem__)
        stretches: list[list[int]] = []
        reached = 0
        for i in order:
            begin, end = cuts[i]
            joins = begin <= reached - apart
            if stretches and joins and max(reached, end) - cuts[stretches[-1][0]][0] <= context:
                stretches[-1].append(i)
                reached = max(reached, end)
            else:
                stretches.append([i])
                reached = end
        pieces: list[list[Float32]] = [[] for _ in cuts]
        speeds = (1.0, *self.listening.speeds)
        for first in range(0, len(stretches), _STRETCHES):
            group = stretches[first : first + _STRETCHES]
            spans = [(cuts[inside[0]][0], max(cuts[i][1] for i in inside)) for inside in group]
            for inside, span, heard in zip(group, spans, self._heard(samples, spans), strict=True):
                for i in inside:
                    pieces[i] = [
                        _pooled(frames, cuts[i], span, speed)
                        for frames, speed in zip(heard, speeds, strict=True)
                    ]
        return pieces, np.array(owners, dtype=np.int64)

    def _heard(self, samples: Float32, spans: list[tuple[int, int]]) -> list[list[Float32]]:
        """Encode stretches of samples: (n, blocks, width) for each and each speed, frames of 20 ms."""
        mels = []
        for begin, stop in spans:
            mel = whisper.log_mel(whisper.levelled(samples[begin:stop]), self.listening.mels)
            mels += [mel, *(faster(mel, speed) for speed in self.listening.speeds)]
        lengths = np.array([len(mel) for mel in mels], dtype=np.int32)
        most = -(-int(lengths.max()) // _BUCKET) * _BUCKET
        frames = np.zeros((len(mels), most, self.listening.mels), dtype=np.float32)
        for row, mel in enumerate(mels):
            frames[row, : len(mel)] = mel
        blocks = self._call(self._encode, frames, lengths)
        encoded = [blocks[row, : whisper.encoder_frames(int(n))] for row, n in enumerate(lengths)]
        each = 1 + len(self.listening.speeds)
        return [encoded[i : i + each] for i in range(0, len(encoded), each)]

    def _call(self, function: Any, *arrays: Any) -> Float32:
        with self._tracing:  # tf.function traces once; two threads at the start would trace twice
            function.get_concrete_function()
        return np.asarray(function(*arrays).numpy(), dtype=np.float32)


def _split(begin: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cut a window that is too long into evenly placed pieces; samples."""
    n = max(1, -(-(end - begin) // most))
    if n == 1:
        return [(begin, end)]
    offsets = [round(k * (end - begin - most) / (n - 1)) for k in range(n)]
    return [(begin + offset, begin + offset + most) for offset in offsets]


def _pooled(heard: Float32, cut: tuple[int, int], span: tuple[int, int], speed: float) -> Float32:
    """Cut a window's frames out of its stretch's and average four each, the rest at the end among itself."""
    step = whisper.STEP * whisper.SAMPLING_RATE * speed
    first = min(round((cut[0] - span[0]) / step), len(heard) - 1)
    last = max(first + 1, min(math.ceil((cut[1] - span[0]) / step), len(heard)))
    frames = heard[first:last]
    whole = len(frames) // POOL * POOL
    pooled = [frames[:whole].reshape(-1, POOL, *frames.shape[1:]).mean(axis=1)]
    if whole < len(frames):
        pooled.append(frames[whole:].mean(axis=0, keepdims=True))
    return np.concatenate(pooled)


def _mean_logits(heads: list[Head], frames: Any, lengths: Any) -> Any:
    outs = [head.judge(head.listen([frames, lengths], training=False), training=False) for head in heads]
    return sum(outs[1:], outs[0]) / len(outs)


def _whole(encoder: Any, heads: list[Head], listening: Listening, front: FrontEnd) -> Any:
    """Join encoder, pooling and heads into one Keras model of one piece of log-mel."""
    import keras
    from keras import layers

    n = round(front.window * listening.sampling_rate) // whisper.HOP
    frames = keras.Input((n, listening.mels), name="frames")
    lengths = keras.Input((), dtype="int32", name="lengths")
    hearings = [(frames, lengths), *(faster_in_graph(frames, lengths, speed) for speed in listening.speeds)]
    outs = []
    for played in hearings:
        pooled = _pooled_in_graph(encoder, heads[0].listen.inputs[0].shape[2], *played)
        outs += [head.judge(head.listen(pooled)) for head in heads]
    mean = outs[0] if len(outs) == 1 else layers.Average()(outs)
    return keras.Model([frames, lengths], mean, name=KIND)


def _pooled_in_graph(encoder: Any, n_blocks: int, frames: Any, lengths: Any) -> list[Any]:
    """Encode within the network and average four frames each; return the means and how many are sound."""
    from keras import layers, ops

    halved = (lengths + 1) // 2
    x = ops.stack(encoder([frames, lengths])[:n_blocks], axis=2)
    half = whisper.encoder_frames(frames.shape[1])
    padded = -(-half // POOL) * POOL
    x = ops.pad(x, [[0, 0], [0, padded - half], [0, 0], [0, 0]])
    places = ops.expand_dims(ops.arange(padded, dtype="int32"), 0)
    heard = ops.cast(ops.greater(ops.expand_dims(halved, 1), places), "float32")
    heard = ops.expand_dims(ops.expand_dims(heard, 2), 3)
    shape = (padded // POOL, POOL, *x.shape[2:])
    total = ops.sum(layers.Reshape(shape)(x * heard), axis=2)
    count = ops.sum(layers.Reshape((padded // POOL, POOL, 1, 1))(heard), axis=2)
    return [total / ops.maximum(count, 1.0), (halved + (POOL - 1)) // POOL]


def load_whisper_cnn(
    config: Mapping[str, Any], info: ModelInfo, data: bytes, path: Path, encoder: Path | None = None
) -> WhisperVoice:
    """Build a model of this kind.

    Parameters
    ----------
    config : mapping
        The checked ``config.json``; its ``encoder`` names the digest that the encoder's tensors must have.
    info : ModelInfo
    data : bytes
        The heads' weights file.
    path : path
        Its path, for messages.
    encoder : path, optional
        The encoder's weights; looked for on this machine unless given.

    Raises
    ------
    ModelError
        If Whisper's weights are not on this machine, or something does not fit.
    """
    described = config.get("encoder")
    digest = described.get("sha256") if isinstance(described, dict) else None
    if not isinstance(digest, str) or described is None or described.get("name") != SIZE:
        raise ModelError(
            f"{path.parent.name}: encoder is {described!r}, expected the name {SIZE} and a sha256"
        )
    listening = Listening.from_dict(config["front_end"])
    settings = HeadSettings.from_dict(config["network"])
    rank = int(number({"rank": 0, **config}, None, "rank", low=0, high=384))
    first = int(number({"adapted_from": 0, **config}, None, "adapted_from", low=0, high=3))
    heads = build_heads(settings)
    variables = all_variables(heads)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    found = read_tensors(shapes | adapter_shapes(rank, first), data, path)
    for name, variable in variables.items():
        variable.assign(found.pop(name))
    tensors, source = read_encoder(digest, encoder)
    network = whisper.load_encoder(merge(tensors, found), source, inner=settings.inner)
    calibration = Calibration(
        temperature=number(config, "calibration", "temperature", low=1e-3),
        slope=number(config, "calibration", "slope", low=1e-3),
        intercept=number(config, "calibration", "intercept", low=-1e3),
    )
    return WhisperVoice(info, config, network, heads, listening, calibration)
