"""The real worker with a light model, and with recordings that kill it by their names.

The model is replaced for speed: it gives every window the loudness of its sound as score.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from blipper import audio
from blipper.batch import places, worker
from blipper.export import files
from blipper.results import ModelInfo
from blipper.voice import models
from blipper.voice.labels import EMOTIONS
from blipper.voice.windows import Margins

_load = audio.load
_write = files.write_atomically
_kept: list[bytearray] = []


class LightModel:
    """Scores loudness, and calls itself what the real model is called."""

    why = ""

    def __init__(self, name: str) -> None:
        config = models.read_config(models.find_model(name) / models.CONFIG)
        self.info = ModelInfo(config["name"], config["sha256"], 0.5)

    margins = Margins()

    def threshold_on(self, *, telephone: bool) -> float:
        return self.info.threshold

    def score_windows(self, samples: Any, sampling_rate: int, starts: Any, ends: Any) -> Any:
        loudness = [
            float(np.sqrt(np.mean(samples[round(a * sampling_rate) : round(b * sampling_rate)] ** 2)))
            for a, b in zip(starts, ends, strict=True)
        ]
        emotions = np.full((len(loudness), len(EMOTIONS)), 1 / len(EMOTIONS), dtype=np.float32)
        return emotions, np.clip(np.array(loudness, dtype=np.float32) * 5, 0, 1)


def poisoned_load(source: Any, **options: Any) -> Any:
    name = options.get("name") or Path(source).name
    if name.startswith("crash"):
        ctypes.string_at(0)  # a segmentation fault, as a decoder's bug would be
    if name.startswith("hang"):
        time.sleep(3600)
    if name.startswith("bomb"):
        while True:
            _kept.append(bytearray(os.urandom(1 << 20) * 32))
            time.sleep(0.01)
    if name.startswith("fault"):
        raise RuntimeError("a library's own fault")
    if os.environ.get("TEST_KILL") == "worker decodes":
        kill_parent()
    if name.startswith("slow"):
        time.sleep(0.5)
    return _load(source, **options)


def kill_parent() -> None:
    """Kill the batch while this worker is in the middle of something; the worker goes on for a moment."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.2)


def killing_write(path: Path, content: str) -> None:
    if os.environ.get("TEST_KILL") == "worker is about to write":
        kill_parent()
    if os.environ.get("TEST_KILL") == "worker and parent die over half a file":
        path.with_name(f".{path.name}.x.part").write_text(content[: len(content) // 2], encoding="utf-8")
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    _write(path, content)
    if os.environ.get("TEST_KILL") == "worker has written":
        kill_parent()


if __name__ == "__main__":
    _kept.append(bytearray(b"\1") * (int(os.environ.get("TEST_BALLAST", "0")) << 20))
    files.write_atomically = killing_write
    models.load_model = LightModel
    audio.load = poisoned_load
    places._SETTLED = float(os.environ.get("TEST_SETTLED", places._SETTLED))
    worker.main()
