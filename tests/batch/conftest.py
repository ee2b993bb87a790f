from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.batch import places, process
from tests.conftest import ROOT
from tests.helpers import RATE, read_16k

#: The worker with a light model; see its docstring.
DOUBLE = "tests.batch.worker_double"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe time stamps at once: the tests write files just before they read them."""
    monkeypatch.setattr(places, "_SETTLED", -1.0)
    monkeypatch.setenv("TEST_SETTLED", "-1")


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers run with the light model."""
    monkeypatch.setattr(process, "WORKER", DOUBLE)


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Return eight seconds of the synthetic sample."""
    return read_16k(ROOT / "ui" / "sample" / "scene.ogg")[: 8 * RATE]


@pytest.fixture
def calls(tmp_path: Path, speech: np.ndarray) -> Path:
    """Return a folder with six recordings of different content, one of them without an ending."""
    folder = tmp_path / "calls"
    (folder / "deeper").mkdir(parents=True)
    for i in range(6):
        place = folder / "deeper" if i > 3 else folder
        write_call(place / f"call{i}.wav", speech, i)
    (folder / "call2.wav").rename(folder / "call2")
    (folder / "notes.txt").write_text("no recording", encoding="utf-8")
    return folder


def write_call(path: Path, speech: np.ndarray, i: int) -> Path:
    """Write the sample at a level of its own, so that each has its own content and score."""
    soundfile.write(path, speech * (0.5 + 0.05 * i), RATE, format="WAV")
    return path
