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
    from blipper.errors import ModelError
    from blipper.settings import Settings
    from blipper.voice.models import load_model

    first = lines.get()
    settings = Settings.from_dict(first["settings"])
    output = None if first["output"] is None else Path(first["output"])
    try:
        voice = load_model(first["model"])
        _warm(voice)
    except ModelError as error:
        _say(replies, {"unusable": str(error)})
        return
    _say(replies, {"ready": voice.info.sha256})
    while True:
        task = Task(**lines.get())
        _say(replies, {"outcome": asdict(work(task, voice, settings, output))})


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
