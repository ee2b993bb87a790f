"""The microphone, with a stand-in for sounddevice that delivers what a test gives it."""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any

import numpy as np
import pytest

from blipper.errors import AudioError, BlipperError
from blipper.live import sources
from blipper.live.sources import Microphone


class PortAudioError(Exception):
    pass


class Stream:
    def __init__(self, *, samplerate: int, device: Any, channels: int, dtype: str, callback: Any) -> None:
        self.samplerate, self.device, self.callback = samplerate, device, callback
        self.channels = channels
        self.closed = False

    def start(self) -> None:
        self.give(np.array([[0.1], [0.2], [0.3]], np.float32).repeat(self.channels, axis=1))

    def give(self, samples: np.ndarray, *, overflow: bool = False) -> None:
        self.callback(samples, len(samples), None, types.SimpleNamespace(input_overflow=overflow))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("sounddevice")

    def query_devices(chosen: Any, kind: str) -> dict[str, Any]:
        if chosen == "none":
            raise ValueError("No input device matching 'none'")
        if chosen == 99:
            raise PortAudioError("Error querying device 99")
        return {"name": "Test mic", "default_samplerate": 384_000.0 if chosen == 7 else 44_100.0}

    module.__dict__.update(PortAudioError=PortAudioError, InputStream=Stream, query_devices=query_devices)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_blocks_come_as_they_were_recorded(device: types.ModuleType) -> None:
    microphone = Microphone()
    block = next(microphone.blocks(lambda: False))
    np.testing.assert_allclose(block, [[0.1, 0.2, 0.3]])
    assert microphone.form.sampling_rate == 44_100
    assert microphone.name == "microphone Test mic"
    microphone.close()
    assert microphone._stream.closed


def test_a_line_with_two_channels(device: types.ModuleType) -> None:
    microphone = Microphone(n_channels=2)
    assert microphone.form.n_channels == 2
    np.testing.assert_allclose(next(microphone.blocks(lambda: False)), [[0.1, 0.2, 0.3]] * 2)


def test_its_rate_stays_within_the_limits(device: types.ModuleType) -> None:
    assert Microphone("7").form.sampling_rate == 192_000
    assert Microphone(None, 16_000).form.sampling_rate == 16_000


def test_lost_sound_is_counted(device: types.ModuleType) -> None:
    microphone = Microphone()
    microphone._stream.give(np.zeros((3, 1), np.float32), overflow=True)
    assert microphone.lost == 1
    for _ in range(300):
        microphone._stream.give(np.zeros((3, 1), np.float32))
    assert microphone.lost == 1 + 2 + 300 - 256


def test_a_microphone_that_falls_silent_is_told(
    device: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_GONE", 0.2)
    with pytest.raises(AudioError, match="microphone Test mic: no sound has come"):
        list(Microphone().blocks(lambda: False))


@pytest.mark.parametrize(("chosen", "named"), [("none", "microphone 'none': No input"), ("99", "device 99")])
def test_no_such_microphone(device: types.ModuleType, chosen: str, named: str) -> None:
    with pytest.raises(AudioError, match=named):
        Microphone(chosen)


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (ImportError("no"), r"requirements-live\.txt"),
        (OSError("PortAudio library not found"), "libportaudio2"),
    ],
)
def test_what_is_missing_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception, cure: str
) -> None:
    original = builtins.__import__

    def imports(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise error
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", imports)
    with pytest.raises(BlipperError, match=cure):
        Microphone()
