"""Recordings made in memory for tests."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import soundfile
import soxr

from blipper.recording import Provenance, Recording

RATE = 16_000


def recording(*channels: np.ndarray, name: str = "test.wav", rate: int = RATE) -> Recording:
    """Wrap sample arrays, one a channel, as a Recording."""
    samples = np.stack([np.asarray(channel, dtype=np.float32) for channel in channels])
    names = ("mix",) if len(channels) == 1 else tuple(f"channel {i + 1}" for i in range(len(channels)))
    provenance = Provenance(name, "0" * 64, samples.nbytes, "array", "float32", rate, len(channels), "array")
    return Recording(samples, rate, names, provenance)


def read_16k(path: Path) -> np.ndarray:
    """Read a file as mono float32 at 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate, RATE), dtype=np.float32)


def silence(seconds: float) -> np.ndarray:
    """Return digital silence."""
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def heed_ctrl_c() -> None:
    """Undo what a shell does to what it starts in the background, where Ctrl-C passes by; a `preexec_fn`."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
