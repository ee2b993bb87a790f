"""A worker: one process, one model, one recording after the other.

The parent starts ``python -m blipper.batch.worker`` and talks to it in lines of JSON over its standard
input and output; a plain program rather than ``multiprocessing``, which would import the caller's main
module again (in the app that is its web server's). The worker ends when its parent does, however
that ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from blipper.errors import ModelError, SettingsError


def main() -> None:
    """Serve the parent until it closes the pipe or dies."""
    faulthandler.enable()
    # Ctrl-C is the parent's business; it kills what it wants killed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _volunteer()
    # Libraries that print to standard output must not write into the protocol.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    logging.getLogger("blipper").setLevel(logging.WARNING)
    _serve(lines, replies)


def _serve(lines: queue.SimpleQueue[dict[str, Any]], replies: TextIO) -> None:
    from blipper.batch.work import Task, work
    from blipper.settings import Settings
    from blipper.voice.models import load_model

    first = lines.get()
    settings = Settings.from_dict(first["settings"])
    output = None if first["output"] is None else Path(first["output"])
    try:
        voice = load_model(first["model"])
        _warm(voice)
        engine, readers = _words(settings, first["words"])
    except (ModelError, SettingsError) as error:
        _say(replies, {"unusable": str(error)})
        return
    _say(replies, {"ready": voice.info.sha256})
    while True:
        task = Task(**lines.get())
        outcome = work(task, voice, settings, output, engine=engine, readers=readers)
        _say(replies, {"outcome": asdict(outcome)})


def _words(settings: Any, expected: str | None) -> tuple[Any, Any]:
    """Load what writes and reads the words, once for all recordings; nothing where there are to be none."""
    if expected is None:
        return None, None
    from blipper.batch.words import digest
    from blipper.words.text_loading import load_readers
    from blipper.words.transcribe import load_engine

    if digest(settings) != expected:
        raise ModelError(
            f"the models for words ({settings.transcript}, {settings.text_model}) are not those of the "
            "machine that started the batch, or were changed while it was starting"
        )
    return load_engine(settings.transcript, language=settings.language), load_readers(settings.text_model)


def _warm(voice: Any) -> None:
    """Compile the network and load the speech detector, so that no recording pays for it."""
    import numpy as np

    from blipper import audio
    from blipper.speech import detect_speech

    second = np.zeros(16_000, dtype=np.float32)
    detect_speech(audio.from_samples(second, 16_000))
    voice.score_windows(second, 16_000, [0.0], [1.0])


def _listen(lines: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Take the parent's lines; the pipe's end is the parent's end, and then ours, whatever is being done."""
    with contextlib.suppress(OSError):
        for line in sys.stdin.buffer:
            lines.put(json.loads(line))
    os._exit(0)


def _say(replies: TextIO, message: dict[str, Any]) -> None:
    try:
        replies.write(json.dumps(message) + "\n")
        replies.flush()
    except OSError:  # nobody listens any more
        os._exit(0)


def _volunteer() -> None:
    """Ask Linux to kill this process rather than its parent when the machine runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


if __name__ == "__main__":
    main()
