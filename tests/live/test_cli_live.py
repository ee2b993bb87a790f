"""``blipper live`` as it is used: a real process, real pipes, real signals."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import blipper
from blipper.live import LiveChannels
from blipper.results import Analysis
from blipper.settings import Settings
from tests.conftest import ROOT
from tests.helpers import RATE, heed_ctrl_c
from tests.live.helpers import conversation

COMMAND = (sys.executable, "-m", "blipper", "live", "--stdin")


@pytest.fixture(scope="module")
def scene(data_dir: Path) -> np.ndarray:
    pcm = (conversation(data_dir)[: 14 * RATE] * 32767).round()
    return pcm.astype("<i2")


@pytest.fixture(scope="module")
def offline(scene: np.ndarray) -> Analysis:
    found = blipper.analyze(io.BytesIO(wav(scene)))
    assert found.events
    return found


def wav(samples: np.ndarray) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def start(*arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen((*COMMAND, *arguments), cwd=ROOT, preexec_fn=heed_ctrl_c, **streams)


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_wav_and_raw_samples_give_the_offline_numbers(scene: np.ndarray, offline: Analysis) -> None:
    raw = start("--rate", str(RATE))
    first, errors = raw.communicate(scene.tobytes(), timeout=600)
    assert (raw.returncode, errors) == (0, b"")
    second, _ = start("--curve").communicate(wav(scene), timeout=600)
    found = lines(first)
    assert [line for line in lines(second)[1:] if line["kind"] != "curve"] == found[1:]

    head, tail = found[0], found[-1]
    assert (head["kind"], head["sampling_rate"], head["model"]) == ("listening", RATE, "mel-cnn")
    assert head["model_sha256"] == offline.model.sha256
    assert tail == {"kind": "ended", "duration": 14.0, "reason": "end of input", "lost": 0}

    track = offline.tracks[0]
    windows = [line for line in found if line["kind"] == "window"]
    np.testing.assert_allclose([window["start"] for window in windows], track.windows.start, atol=0.001)
    np.testing.assert_allclose(
        [window["aggression"] for window in windows], track.windows.aggression, atol=0.02
    )
    closed = [line for line in found if line["kind"] == "event-closed"]
    assert [(event["start"], event["end"], event["emotion"]) for event in closed] == [
        (event.start, event.end, event.emotion) for event in offline.events
    ]
    assert len([line for line in found if line["kind"] == "event-opened"]) == len(closed)
    curve = [line["aggression"] for line in lines(second) if line["kind"] == "curve"]
    assert [point is None for point in curve] == np.isnan(track.curve.aggression).tolist()


def read_until(process: subprocess.Popen[bytes], kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    assert process.stdout is not None
    while not found or found[-1]["kind"] != kind:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        found.append(json.loads(line))
    return found


def test_ctrl_c_ends_the_stream_and_closes_the_open_event(scene: np.ndarray, offline: Analysis) -> None:
    event = offline.events[0]
    process = start("--rate", str(RATE))
    assert process.stdin is not None
    process.stdin.write(scene[: round((event.end - 0.3) * RATE)].tobytes())
    process.stdin.flush()
    read_until(process, "event-opened")
    process.send_signal(signal.SIGINT)  # while it waits for sound that never comes
    rest = read_until(process, "ended")
    assert process.wait(120) == 0
    assert [line["kind"] for line in rest][-2:] == ["event-closed", "ended"]
    assert rest[-1]["reason"] == "interrupted"
    process.stdin.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_a_reader_who_leaves_ends_it(scene: np.ndarray) -> None:
    process = start("--rate", str(RATE))
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(scene[:RATE].tobytes())
    process.stdin.flush()
    read_until(process, "listening")
    process.stdout.close()
    deadline = time.monotonic() + 300
    while process.poll() is None:
        assert time.monotonic() < deadline
        try:
            process.stdin.write(scene.tobytes())
        except BrokenPipeError:
            break
    assert process.wait(120) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "data", "code", "named"),
    [
        ((), b"ID3\x04 no wav at all", 1, "does not begin as a WAV file does"),
        ((), b"", 1, "it is empty"),
        (("--format", "s16le"), b"", 2, "need their --rate"),
        (("--rate", "16000", "--format", "mp3"), b"", 2, "'mp3'"),
        (("--rate", "100"), b"", 2, "100 Hz"),
        (("--device", "1"), b"", 2, "--device is for the microphone"),
        (("--threshold", "2"), b"", 2, "the threshold is 2.0"),
        (("--surroundings", "11"), b"", 2, "the surroundings are 11.0 s"),
        (
            ("--rate", "16000", "--format", "f32le"),
            np.float32("nan").tobytes() * 20_000,
            1,
            "NaN or infinite",
        ),
    ],
)
def test_what_cannot_be_listened_to(
    run_live: Any, arguments: tuple[str, ...], data: bytes, code: int, named: str
) -> None:
    result = run_live(arguments, data)
    assert (result[0], named in result[1]) == (code, True), result


@pytest.fixture
def run_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command in this process, with a file as standard input."""
    from typer.testing import CliRunner

    from blipper.cli import app
    from blipper.live import sources

    def run(arguments: tuple[str, ...], data: bytes) -> tuple[int, str]:
        path = tmp_path / "input"
        path.write_bytes(data)
        with path.open("rb") as stream:
            original = sources.StandardInput
            monkeypatch.setattr(
                sources, "StandardInput", lambda form, stopped: original(form, stopped, stream.fileno())
            )
            result = CliRunner().invoke(app, ["live", "--stdin", *arguments])
            time.sleep(0.05)  # the reading thread has seen the end
        return result.exit_code, result.stderr

    return run


def test_channels_kept_apart_give_the_offline_numbers_each(scene: np.ndarray) -> None:
    call = np.column_stack([scene, np.roll(scene, 3 * RATE)])
    offline = blipper.analyze(io.BytesIO(wav(call)), settings=Settings(channels="separate"))
    process = start("--rate", str(RATE), "--channels", "2", "--separate")
    output, errors = process.communicate(call.tobytes(), timeout=600)
    assert (process.returncode, errors) == (0, b"")
    found = lines(output)
    assert (found[0]["channels"], found[0]["separate"]) == (2, ["left", "right"])
    assert "channel" not in found[-1]
    for number, track in enumerate(offline.tracks):
        own = [line for line in found[1:-1] if line["channel"] == track.name]
        assert list(own[0])[:2] == ["kind", "channel"]
        scored = [line["aggression"] for line in own if line["kind"] == "window"]
        np.testing.assert_allclose(scored, track.windows.aggression, atol=0.02)
        closed = [(line["start"], line["end"]) for line in own if line["kind"] == "event-closed"]
        events = [event for event in offline.events if event.channel == number]
        assert closed == [(event.start, event.end) for event in events]
    assert {event.channel for event in offline.events} == {0, 1}
    mixed, _ = start("--rate", str(RATE), "--channels", "2").communicate(call.tobytes(), timeout=600)
    assert all("channel" not in line for line in lines(mixed))


def test_one_channel_cannot_be_kept_apart(scene: np.ndarray) -> None:
    process = start("--separate")
    output, errors = process.communicate(wav(scene[:RATE]), timeout=600)
    assert (process.returncode, output) == (2, b"")
    assert "standard input has one channel" in " ".join(errors.decode().split())


def test_a_block_of_other_channels_is_refused() -> None:
    stream = LiveChannels(RATE, 2)
    with pytest.raises(ValueError, match=r"shape \(3, 10\), expected \(2, n\)"):
        stream.add(np.zeros((3, 10)))
    stream.add(np.zeros((2, RATE)))
    assert (stream.names, stream.duration) == (("left", "right"), 1.0)
    assert [name for name, _ in stream.finish()] == ["left", "right"]  # the last, silent cell of each
