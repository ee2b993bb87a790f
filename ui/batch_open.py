"""A row of a batch on the Review page: its sound decoded anew, its result as the batch computed it."""

from __future__ import annotations

import functools
import json
import time
from pathlib import Path

import streamlit as st

from blipper import audio
from blipper.batch import Row
from blipper.errors import AudioError, BatchError
from blipper.progress import Progress
from blipper.results import Analysis
from blipper.settings import Channels
from ui import playback
from ui.batch_run import Batch
from ui.engine import engine, session_gone
from ui.jobs import Job
from ui.session import OpenRecording, shelf

#: Which recording of the shelf shows which row, by the row's path.
_KEY = "blipper_batch_opened"


def open_row(held: Batch, row: Row) -> None:
    """Make a row the session's open recording; it is on the shelf once its sound is decoded.

    Raises
    ------
    BatchError
        If its file is not one that this session may open.
    """
    opened: dict[str, str] = st.session_state.setdefault(_KEY, {})
    recordings = shelf()
    if opened.get(row.path) in recordings.entries:
        recordings.open_id = opened[row.path]
        return
    result = held.output / (row.result or "")
    if not (held.may_open(row.path) and held.may_open(result)):
        raise BatchError(
            f"{held.shown(row.path)}: is neither uploaded here nor below the root, so it stays closed"
        )
    entry = recordings.add(held.shown(row.path))
    work = functools.partial(load, entry.id, entry.name, Path(row.path), result)
    entry.job = Job(work, abandoned=session_gone())
    opened[row.path] = recordings.open_id = entry.id
    engine().worker.submit(entry.job)


def load(entry_id: str, name: str, path: Path, result: Path, progress: Progress) -> OpenRecording:
    """Decode a recording and make the player ready; no model runs.

    Raises
    ------
    AudioError
        If the recording cannot be read, or is another one than the batch analysed.
    BatchError
        If its result cannot be read.
    """
    started = time.monotonic()
    try:
        analysis = Analysis.from_dict(json.loads(result.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BatchError(f"{name}: the batch's result cannot be read ({error})") from error
    channels: Channels = "separate" if analysis.settings.get("channels") == "separate" else "mix"
    recording = audio.load(path, name=name, channels=channels, progress=progress)
    if recording.provenance.sha256 != analysis.provenance.sha256:
        raise AudioError(f"{name}: the file has changed since the batch analysed it; run the batch again")
    prepared = tuple(
        playback.prepare(recording, track, channel, progress) for channel, track in enumerate(analysis.tracks)
    )
    return OpenRecording(entry_id, name, recording, analysis, prepared, time.monotonic() - started)
