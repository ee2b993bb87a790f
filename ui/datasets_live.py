"""Which summary the Datasets page shows: the one that ships, or one made from a folder on this machine."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from blipper.datasets.measure import summarize_folder
from blipper.datasets.summary import COMMAND, Summary, shipped_summary
from blipper.progress import Progress
from ui.engine import session_gone
from ui.jobs import Job, Worker
from ui.text import plain, shorten

#: Addresses that only the machine itself can reach.
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_KEY: Final = "blipper_datasets"

_WAYS: Final = {
    "shipped": ":material/inventory_2: The summary that ships",
    "folder": ":material/folder_open: A folder on this machine",
}

#: Seconds between two looks at the job.
_INTERVAL: Final = 0.3


@dataclass(eq=False)
class Reading:
    """What one browser session has read: the job under way, the last summary, the last failure."""

    folder: str = ""
    job: Job[Summary] | None = None
    summary: Summary | None = None
    error: str = ""

    def collect(self) -> bool:
        """Take over what the job has brought to an end; return whether it has."""
        job = self.job
        if job is None or not job.over:
            return False
        self.job = None
        if job.status == "done":
            self.summary = job.result
        elif job.status == "failed":
            self.error = job.error
        return True

    def cancel(self) -> None:
        """Stop the job."""
        if self.job is not None:
            self.job.cancel()
            self.job = None


def choose() -> Summary | None:
    """Show the ways in and return the summary to show, or None while there is none."""
    way = st.segmented_control(
        "What to look at",
        list(_WAYS),
        default=st.session_state.get("datasets_way_kept", "shipped"),
        required=True,
        format_func=_WAYS.__getitem__,
        key="datasets_way",
        help="Blipper ships the numbers of complete copies of all four corpora, without their audio. Your "
        "own copies are decoded and counted on this machine.",
    )
    st.session_state["datasets_way_kept"] = way
    if way == "folder":
        return _folder()
    summary = _shipped()
    st.caption(
        f"Counted from complete copies of {len(summary.corpora)} corpora, {summary.clips():,} clips; "
        f"numbers only, no audio. Made by `{summary.made_by}`; lengths and loudness "
        "are those of copies that were converted to 16 kHz mono Opus."
    )
    return summary


def local_only() -> bool:
    """Say whether nobody but this machine can reach the app, so that paths typed here are its user's own."""
    forwarded = "X-Forwarded-For" in st.context.headers or "Forwarded" in st.context.headers
    return st.get_option("server.address") in _LOOPBACK and not forwarded


def _folder() -> Summary | None:
    if not local_only():
        st.warning(
            "This app can be reached from other machines, so it reads no folder by a path typed into a "
            "page. Start it on the machine that holds the corpora, with its address left at `localhost`. Or "
            f"run `{COMMAND}` there, which writes the same numbers to a file.",
            icon=":material/lock:",
        )
        return None
    held: Reading = st.session_state.setdefault(_KEY, Reading())
    held.collect()
    with st.form("datasets_folder_form", border=False):
        field, button = st.columns([7, 1.6], vertical_alignment="bottom")
        typed = field.text_input(
            "Folder on the machine that runs Blipper",
            value=held.folder,
            placeholder="for example /home/me/corpora",
            key="datasets_folder",
            help="RAVDESS, CREMA-D, TESS and SAVEE are found below it by the names of their files, at any "
            "depth and in any sound format. Nothing is changed, copied or sent.",
        )
        asked = button.form_submit_button(
            "Read it",
            icon=":material/play_arrow:",
            width="stretch",
            help="Reads the folder anew and draws the same figures from it.",
        )
    if asked:
        _start(held, typed)
    if held.job is not None:
        _follow()
        return None
    if held.error:
        st.error(f"The folder could not be read: {plain(held.error)}", icon=":material/error:")
    if held.summary is None:
        if not held.error:
            st.info(
                "Name the folder that your copies lie in and press **Read it**. Every clip is decoded "
                "once: twelve thousand take about a minute and a half on two cores.",
                icon=":material/folder_open:",
            )
        return None
    st.caption(f"Counted from {plain(shorten(held.folder, 80))}: {held.summary.clips():,} clips.")
    return held.summary


def _start(held: Reading, typed: str) -> None:
    held.cancel()
    held.folder, held.summary, held.error = typed.strip(), None, ""
    if not held.folder:
        held.error = "no folder is named; type the path of one on the machine that runs Blipper"
        return
    try:
        path = Path(held.folder).expanduser()
    except RuntimeError:  # "~somebody" without such a user
        held.error = f"{held.folder}: there is no such home folder; type the whole path"
        return
    held.job = Job(_work(path), abandoned=session_gone())
    _reader().submit(held.job)


def _work(path: Path) -> Callable[[Progress], Summary]:
    return lambda progress: summarize_folder(path, progress=progress)


@st.fragment(run_every=_INTERVAL)
def _follow() -> None:
    """Show how far the job has come, and run the page again when it is over."""
    held: Reading = st.session_state[_KEY]
    job = held.job
    if held.collect() or job is None:
        st.rerun()
    bar, stop = st.columns([7, 1.2], vertical_alignment="center")
    if job.status == "waiting":
        bar.progress(0.0, "Waits for another folder to be read")
    elif job.step == "measure":
        bar.progress(job.fraction, f"Decoding and measuring clips: {100 * job.fraction:.0f} %")
    else:
        bar.progress(0.0, "Looking for corpora")
    if stop.button("Cancel", width="stretch", key="datasets_cancel", help="Stop reading the corpora"):
        held.cancel()
        st.rerun()


@st.cache_resource(show_spinner=False)
def _reader() -> Worker:
    """Return the process's reader of folders: a thread of its own, so that recordings need not wait."""
    return Worker()


@functools.cache
def _shipped() -> Summary:
    return shipped_summary()
