"""From a batch into the library: all rows that the table shows, at once. Nothing at all while it is off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from blipper import library as lib
from blipper.batch import Row
from blipper.errors import BlipperError
from blipper.library import place
from ui import library_state
from ui.batch_run import Batch
from ui.text import plain

#: Failures that are named; the number of the others is told.
_NAMED: Final = 10


def show(held: Batch, rows: Sequence[Row]) -> None:
    """Offer to save what the table shows, if the library is on and the batch rests."""
    if held.is_working or not library_state.is_on():
        return
    wanted = [
        row
        for row in rows
        if row.result is not None and held.may_open(row.path) and held.may_open(held.output / row.result)
    ]
    if not wanted:
        return
    some = f"the {len(wanted):,} recordings above" if len(wanted) > 1 else "the recording above"
    with st.expander(f"Save {some} to the library", icon=":material/save:"):
        st.caption(
            "The analysis of every recording that the filter lets through: to search, to judge in the review "
            "queue, and to measure Blipper on. What is there already is not kept twice."
        )
        who = library_state.ask_analyst("batch")
        chosen = place.choices()
        left, right = st.columns(2)
        sound = left.checkbox(
            "Keep their sound too",
            value=chosen.keep_audio,
            key="blipper_batch_keep_sound",
            help="Only with it can they be judged in the review queue. The recordings are read again.",
        )
        days = right.number_input(
            "Delete them after days (0: nobody but a person does)",
            0,
            36_500,
            value=chosen.keep_days or 0,
            key="blipper_batch_keep_days",
            help="After so many days the recordings and all about them are deleted by themselves.",
        )
        tags = st.text_input(
            "Tags, with commas between them",
            key="blipper_batch_tags",
            max_chars=500,
            help="Words by which you find these recordings again in the library.",
        )
        if st.button(
            "Save to the library",
            type="primary",
            key="blipper_batch_save",
            disabled=not who,
            help="Takes longer with their sound. Leaving the page ends it; what was saved stays."
            if who
            else "Type your name first",
        ):
            named = [tag for tag in tags.split(",") if tag.strip()]
            _save(held, wanted, who, sound=sound, days=int(days) or None, tags=named)


def _save(
    held: Batch, rows: Sequence[Row], who: str, *, sound: bool, days: int | None, tags: Sequence[str]
) -> None:
    bar = st.progress(0.0, "Saving…")

    def progress(step: str, completed: float, total: float) -> None:
        bar.progress(completed / total, f"Saving: {completed:,.0f} of {total:,.0f}")

    try:
        done = lib.add_batch(
            library_state.library(),
            held.output,
            analyst=who,
            rows=rows,
            sound=sound,
            keep_days=days,
            tags=tags,
            progress=progress,
        )
    except BlipperError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.success(
        f"{done.new:,} added; {done.known:,} were there. The sound of {done.sounds:,} was kept.",
        icon=":material/check_circle:",
    )
    for _, message in done.failures[:_NAMED]:
        st.warning(plain(message), icon=":material/warning:")
    if len(done.failures) > _NAMED:
        st.warning(f"And {len(done.failures) - _NAMED:,} more of the kind.")
