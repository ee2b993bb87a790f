"""``mel-cnn``: scored by ONNX Runtime, explained by Keras, from the same weights."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32
from blipper.results import ModelInfo
from blipper.voice.frontend import FrontEnd
from blipper.voice.graph import make_graph, tensor_shapes
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration, VoiceModel
from blipper.voice.networks import NetworkSettings, build
from blipper.voice.weights import fill, number, read_tensors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Windows in one call: more are no quicker, and what lies between the layers would leave the cache.
_MOST: Final = 16


class MelVoice(VoiceModel):
    """A ``mel-cnn``, ready to score without TensorFlow; safe to share between threads.

    Parameters
    ----------
    info : ModelInfo
    config : mapping
        The model's ``config.json``.
    weights : bytes
        The checked weights file.
    path : path
        Its path, for messages.

    Raises
    ------
    ModelError
        If configuration and weights do not fit each other.
    """

    def __init__(self, info: ModelInfo, config: Mapping[str, Any], weights: bytes, path: Path) -> None:
        self.info = info
        self.config = config
        self.front = FrontEnd.from_dict(config["front_end"])
        self.calibration = Calibration(
            temperature=number(config, "calibration", "temperature", low=1e-3),
            slope=number(config, "calibration", "slope", low=1e-3),
            intercept=number(config, "calibration", "intercept", low=-1e3),
        )
        self._settings = NetworkSettings.from_dict(config["network"])
        tensors = read_tensors(tensor_shapes(self._settings, self.front.mels), weights, path)
        self._session, self._full = (
            _session(make_graph(self._settings, self.front.frames, self.front.mels, tensors, full=full))
            for full in (False, True)
        )
        self._weights, self._path = weights, path
        self._building = threading.Lock()
        self._built: Any = None

    @property
    def network(self) -> Any:
        """The same network in Keras, built when it is first asked for: TensorFlow takes seconds."""
        with self._building:
            if self._built is None:
                network = build(self._settings, self.front.frames, self.front.mels)
                fill(network, self._weights, self._path)
                self._built = network
            return self._built

    def _batch(self, left: int) -> int:
        return min(left, _MOST)

    def _run(self, frames: Float32, lengths: NDArray[np.int32]) -> Float32:
        if (lengths == self.front.frames).all():
            found = self._full.run(None, {"frames": frames})[0]
        else:
            found = self._session.run(None, {"frames": frames, "lengths": lengths})[0]
        return np.asarray(found[:, : len(EMOTIONS) + 1], dtype=np.float32)


def _session(graph: bytes) -> InferenceSession:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    # A batch's workers are told how many threads each may have.
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    # Threads that wait for work would keep the cores from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(graph, options, providers=["CPUExecutionProvider"])
