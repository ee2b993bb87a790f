"""The command ``blipper live``: listen to a microphone or to standard input, and print JSON lines."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blipper.cli_options import MinDurationOption
from blipper.errors import SettingsError
from blipper.terminal import complain, exit_codes, inform, without_chatter, write_out

if TYPE_CHECKING:
    from blipper.live.sources import Source
    from blipper.voice.models import VoiceModel

LIVE_EPILOG = (
    "Raw sound from a program: 'arecord -q -f S16_LE -r 16000 -t raw | blipper live --stdin --rate 16000'; "
    "'sox -q -d -t raw -r 16000 -e signed -b 16 -c 1 - | blipper live --stdin --rate 16000'. With a WAV "
    "header neither rate nor format are needed: 'ffmpeg -loglevel error -i SOURCE -f wav - | blipper live "
    "--stdin'. One JSON object a line: 'listening' first, then 'window', 'event-opened' and 'event-closed', "
    "'ended' last; times are seconds from the first sample. Ctrl-C ends the stream, closes an open event and "
    "gives exit code 0."
)


def live(
    stdin: Annotated[
        bool,
        typer.Option("--stdin", help="Read standard input: WAV, or raw samples with --rate and --format."),
    ] = False,
    rate: Annotated[
        int | None,
        typer.Option(
            "--rate",
            help="Hz: of raw samples on --stdin, or what the microphone is asked for.",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            "--format", help="Of raw samples: u8, s16le (unless given), s24le, s32le, f32le, f64le."
        ),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(
            "--channels",
            help="Of raw samples, interleaved, or what the microphone is asked for; mixed to one unless "
            "--separate is given.",
        ),
    ] = None,
    separate: Annotated[
        bool,
        typer.Option(
            "--separate",
            help="Keep the channels apart, one speaker each (a stereo call); lines name it.",
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", help="The microphone's number or a part of its name; the default otherwise."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Score from which to mark a stretch; the model's own unless given."),
    ] = None,
    min_duration: MinDurationOption = None,
    surroundings: Annotated[
        float | None,
        typer.Option(
            "--surroundings",
            help="How far scores take in what lies around them, in seconds; 0.8 unless given. With 0 alerts "
            "come 2.5 s sooner, and more of them are false.",
        ),
    ] = None,
    curve: Annotated[bool, typer.Option("--curve", help="Also print the points of the curve.")] = False,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Name of an installed model; unless given the one that keeps up."),
    ] = None,
) -> None:
    """Listen while it is said, and print a line of JSON for every window and event.

    Listens to the microphone, or with --stdin to standard input. Nothing of the sound is kept.
    """
    with exit_codes():
        from blipper.live.pcm import PcmFormat
        from blipper.live.sources import Microphone, StandardInput
        from blipper.settings import Settings

        wanted = {"threshold": threshold, "min_duration": min_duration, "surroundings": surroundings}
        settings = Settings.from_dict({name: value for name, value in wanted.items() if value is not None})
        if not stdin and encoding is not None:
            raise SettingsError("--format is for raw samples on --stdin")
        if stdin and device is not None:
            raise SettingsError("--device is for the microphone, not for --stdin")
        if stdin and rate is None and (encoding is not None or channels is not None):
            raise SettingsError("raw samples need their --rate, such as --rate 16000")
        raw = PcmFormat(rate, encoding or "s16le", channels or 1) if stdin and rate is not None else None
        with _stop_by_ctrl_c() as stopped:
            voice = _load(model)
            source: Source = StandardInput(raw, stopped) if stdin else Microphone(device, rate, channels or 1)
            try:
                _listen(source, voice, settings, stopped, curve=curve, separate=separate)
            finally:
                source.close()


def _load(name: str | None) -> VoiceModel:
    import numpy as np

    with without_chatter():
        from blipper.live.analyser import light_model

        voice = light_model(name)
        # The first call of a network compiles it; a stream should not wait for that.
        voice.score_windows(np.zeros(16_000, dtype=np.float32), 16_000, [0.0], [1.0])
    return voice


def _listen(
    source: Source,
    voice: VoiceModel,
    settings: Any,
    stopped: Callable[[], bool],
    *,
    curve: bool,
    separate: bool,
) -> None:
    from blipper.live import CurvePoint, LiveAnalyser, LiveChannels
    from blipper.live.lines import update_dict

    rate, n_channels = source.form.sampling_rate, source.form.n_channels
    if separate and n_channels == 1:
        raise SettingsError(f"--separate: {source.name} has one channel; ask for more with --channels 2")
    analyser = (
        LiveChannels(rate, n_channels, model=voice, settings=settings)
        if separate
        else LiveAnalyser(rate, model=voice, settings=settings)
    )
    _line(
        {
            "kind": "listening",
            "source": source.name,
            "sampling_rate": rate,
            "channels": n_channels,
            **({"separate": list(analyser.names)} if isinstance(analyser, LiveChannels) else {}),
            "model": voice.info.name,
            "model_sha256": voice.info.sha256,
            "threshold": analyser.threshold,
            "settings": settings.to_dict(),
            "started": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        }
    )
    if sys.stderr is not None and sys.stderr.isatty():
        inform(f"Listening to {source.name}. Ctrl-C ends it. Nothing of the sound is kept.")

    def show(updates: Any) -> None:
        for each in updates:
            channel, update = each if separate else (None, each)
            if curve or not isinstance(update, CurvePoint):
                _line(update_dict(update, channel))

    warned = 0
    for block in source.blocks(stopped):
        show(analyser.add(block))
        if source.lost > 2 * warned:  # the first time, then at every doubling
            warned = source.lost
            complain(
                f"sound was lost {warned} times: this machine is too slow or too busy, and times run late",
                kind="Warning",
            )
    show(analyser.finish())
    _line(
        {
            "kind": "ended",
            "duration": round(analyser.duration, 3),
            "reason": "interrupted" if stopped() else "end of input",
            "lost": source.lost,
        }
    )


def _line(value: dict[str, Any]) -> None:
    write_out(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def _stop_by_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C end the stream in peace; leave a second one to Python."""
    pressed = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not under nohup, say
    )
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
