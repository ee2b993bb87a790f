"""What is under way, and what went wrong."""

from __future__ import annotations

import streamlit as st

from ui.engine import STEPS, engine
from ui.jobs import Job
from ui.session import Entry, OpenRecording, Shelf, shelf
from ui.text import plain, shorten

#: Seconds between two looks at the jobs.
_INTERVAL = 0.3


@st.fragment(run_every=_INTERVAL)
def follow() -> None:
    """Show every job's progress, and run the page again when one comes to its end."""
    held = shelf()
    if held.collect():
        st.rerun()
    for entry in held.working:
        if entry.job is not None:
            _show(held, entry, entry.job)


def show_failures(held: Shelf) -> None:
    """Show why recordings could not be analysed, each until it is put away."""
    for entry in held.failed:
        message, put_away = st.columns([7, 1.2], vertical_alignment="center")
        reason = (entry.error or "").removeprefix(f"{entry.name}: ")
        message.error(
            f"**{plain(shorten(entry.name, 80))}** could not be analysed: {plain(reason)}",
            icon=":material/error:",
        )
        if put_away.button(
            "Put away",
            icon=":material/close:",
            help="Put this message away",
            key=f"blipper_put_away_{entry.id}",
            width="stretch",
        ):
            held.remove(entry.id)
            st.rerun()


def _show(held: Shelf, entry: Entry, job: Job[OpenRecording]) -> None:
    bar, stop = st.columns([7, 1.2], vertical_alignment="center")
    name = plain(shorten(entry.name))
    if job.status == "waiting":
        ahead = engine().worker.ahead_of(job)
        if ahead:
            text = f"**{name}** waits for {ahead} other {'analysis' if ahead == 1 else 'analyses'}"
        else:
            text = f"**{name}** waits for the model, which is loaded once after the start"
        bar.progress(0.0, text)
    else:
        names = list(STEPS)
        position = names.index(job.step) if job.step in names else 0
        done = (position + job.fraction) / len(names)
        text = f"**{name}**: {STEPS.get(job.step, 'Starting')} ({position + 1} of {len(names)})"
        bar.progress(min(1.0, done), text)
    if stop.button(
        "Cancel",
        width="stretch",
        key=f"blipper_cancel_{entry.id}",
        help="Stop this analysis; the recording is put away.",
    ):
        held.remove(entry.id)
        st.rerun()
