"""From the library back into Review: with its kept sound, or with the file, known by its hash."""

from __future__ import annotations

import functools
import time

import streamlit as st

from blipper import audio
from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import AnalysisInfo, Database, Item
from blipper.progress import Progress
from blipper.results import Analysis
from ui import playback
from ui.engine import engine, session_gone
from ui.jobs import Job
from ui.session import OpenRecording, shelf
from ui.text import plain


def show(database: Database, item: Item, info: AnalysisInfo) -> None:
    """Offer to open an analysis in Review; ask for the file where its sound is not kept."""
    held = next((o for o in shelf().finished if o.recording.provenance.sha256 == item.sha256), None)
    if info.channels in item.audio:
        if st.button(
            "Open in Review",
            icon=":material/hearing:",
            key=f"library_open_{info.id}",
            type="primary",
            shortcut="O",
            help="With its kept sound",
        ):
            _submit(database, item, info, None)
        return
    if held is not None and held.analysis.settings.get("channels") == info.channels:
        st.caption("This recording is open on the Review page of this session.")
        if st.button(
            "Go to Review",
            icon=":material/hearing:",
            key=f"library_go_{info.id}",
            type="primary",
            help="Opens it there with the analysis that is kept (key O).",
            shortcut="O",
        ):
            shelf().open_id = held.id
            st.switch_page("pages/review.py")
        return
    file = st.file_uploader(
        "Its sound is not kept. To open it in Review, choose its file again: its content has to be the same, "
        "its name does not matter.",
        key=f"library_file_{info.id}",
        help="The file must be the same, byte for byte; its SHA-256 is compared.",
    )
    if file is not None:
        _submit(database, item, info, file.getvalue())


def _submit(database: Database, item: Item, info: AnalysisInfo, data: bytes | None) -> None:
    analysis = lib.read_analysis(database, info.id)
    if data is not None:
        import hashlib

        if hashlib.sha256(data).hexdigest() != item.sha256:
            st.error(
                f"This is another file than **{plain(item.name)}**: its content differs (SHA-256 "
                f"{item.sha256[:12]}… is expected). Choose the file that was analysed.",
                icon=":material/error:",
            )
            return
    held = shelf()
    entry = held.add(item.name)
    work = functools.partial(_work, entry.id, database, item, analysis, data)
    entry.job = Job(work, abandoned=session_gone())
    held.open_id = entry.id
    engine().worker.submit(entry.job)
    st.switch_page("pages/review.py")


def _work(
    entry_id: str,
    database: Database,
    item: Item,
    analysis: Analysis,
    data: bytes | None,
    progress: Progress,
) -> OpenRecording:
    """Decode the sound and make the player ready; the analysis is the kept one, no model runs."""
    started = time.monotonic()
    channels = "separate" if analysis.settings.get("channels") == "separate" else "mix"
    if data is None:
        progress("decode", 0, 1)
        recording = lib.read_recording(database, item.id, analysis)
        if recording is None:
            raise LibraryError(f"{item.name}: its sound was deleted from the library in the meantime")
    else:
        recording = audio.load(data, name=item.name, channels=channels, progress=progress)
    prepared = tuple(
        playback.prepare(recording, track, channel, progress) for channel, track in enumerate(analysis.tracks)
    )
    threshold = analysis.settings.get("threshold")
    opened = OpenRecording(entry_id, item.name, recording, analysis, prepared, time.monotonic() - started)
    if threshold is not None and threshold != analysis.model.threshold:
        opened.mark(float(threshold))
    return opened
