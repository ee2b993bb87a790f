"""A decoder's own descriptor of a file: only ever of the same file, and let go of in the end."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper import audio
from blipper.audio.limits import Limits
from blipper.audio.source import Source, open_source
from blipper.errors import AudioError

LIMITS = Limits()


@pytest.fixture
def wave(tmp_path: Path) -> Path:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (8000, 2))
    soundfile.write(tmp_path / "wave.flac", samples, 8000)
    return tmp_path / "wave.flac"


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_it_has_a_position_of_its_own(wave: Path) -> None:
    with open_source(wave, None, LIMITS) as source:
        source.seek(10)
        descriptor = source.reopened()
        assert descriptor is not None
        try:
            assert os.read(descriptor, 100) == wave.read_bytes()[:100]
        finally:
            os.close(descriptor)
        assert source.read(100) == wave.read_bytes()[10:110]


def test_there_is_none_of_what_is_no_plain_file(wave: Path, tmp_path: Path) -> None:
    with open_source(wave.read_bytes(), None, LIMITS) as source:
        assert source.reopened() is None
    (tmp_path / "wave.gz").write_bytes(gzip.compress(wave.read_bytes()))
    with gzip.open(tmp_path / "wave.gz") as packed, open_source(packed, None, LIMITS) as source:
        assert source.reopened() is None
        assert audio.load(packed).duration == 1.0


@pytest.mark.parametrize("other", ["file", "pipe", "nothing"])
def test_another_file_of_the_same_name_is_not_read(wave: Path, tmp_path: Path, other: str) -> None:
    expected = audio.load(wave).samples
    with wave.open("rb") as file:
        wave.rename(tmp_path / "gone.flac")
        if other == "file":
            soundfile.write(wave, np.zeros(8000), 8000)
        elif other == "pipe":
            os.mkfifo(wave)
        with open_source(file, None, LIMITS) as source:
            assert source.reopened() is None
        np.testing.assert_array_equal(audio.load(file).samples, expected)


def test_a_disk_that_fails_is_named(wave: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Source) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Source, "sha256", fail)
    with pytest.raises(AudioError, match=r"wave\.flac: reading the file failed .*Input/output error"):
        audio.load(wave)


def test_nothing_stays_open(wave: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.flac").write_bytes(wave.read_bytes()[:60])
    soundfile.write(tmp_path / "many.wav", np.zeros((10, 200)), 8000)
    audio.load(wave)
    before = descriptors()
    for _ in range(5):
        audio.load(wave)
        for name in ("broken.flac", "many.wav"):
            with pytest.raises(AudioError):
                audio.load(tmp_path / name)
    assert descriptors() == before
