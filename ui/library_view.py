"""The Library page: off with a plain statement, or on with its four parts."""

from __future__ import annotations

from typing import Final

import streamlit as st

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, place
from ui import library_figures, library_queue, library_state, library_table
from ui.evaluation_table import table
from ui.text import plain

_PARTS: Final = {
    "recordings": (":material/folder_open: Recordings", library_table.show),
    "queue": (":material/checklist: Review queue", library_queue.show),
    "figures": (":material/query_stats: Agreement and precision", library_figures.show),
}

_WHAT = """
When it is on, **nothing is kept by itself**: recordings come in when somebody presses *Save to the
library* on the Review or the Batch page. Then these are stored, until somebody deletes them or their day
comes:

- the recording's name, length and SHA-256, and **its sound only if you say so**;
- the whole analysis: scores, events, settings, model, and the transcript where there is one;
- verdicts and notes, tags, who gave them and when.

Deleting clears the content from the database's files too. The audit keeps that something was deleted,
when and by whom, without content. Copies in backups or on the disk below the file system are out of
Blipper's reach.
"""


def show() -> None:
    """Show the page."""
    if not library_state.is_on():
        _show_off()
        return
    try:
        database = library_state.library()
        _show_on(database)
    except LibraryError as error:
        st.error(plain(str(error)), icon=":material/error:")
        _turn_off(None)


def _where() -> str:
    address = place.address()
    if address.startswith("sqlite"):
        return (
            f"in a file on the machine that runs Blipper, **{plain(str(place.folder() / 'library.sqlite'))}**"
        )
    return "in the **PostgreSQL database** that the environment variable BLIPPER\\_LIBRARY\\_URL names"


_SHARED = (
    "The library belongs to this server: **whoever can open this app sees, changes and deletes all of it**. "
    "There is no login; the name beside a verdict is a signature, no proof."
)


def _show_off() -> None:
    st.markdown(
        "The library is **off**: Blipper keeps nothing beyond your browser session. Turn it on to keep "
        "analyses, to judge events, and to measure Blipper on your own recordings."
    )
    st.markdown(_WHAT)
    st.info(f"It would be kept {_where()}. {_SHARED}", icon=":material/info:")
    if st.button(
        "Turn the library on",
        type="primary",
        key="library_on",
        icon=":material/toggle_on:",
        help="Creates the library on the machine that runs Blipper; nothing is kept before that.",
    ):
        try:
            chosen = place.choices()
            library_state.library()
            place.choose(place.Choices(True, chosen.keep_audio, chosen.keep_days))
        except LibraryError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()


def _show_on(database: Database) -> None:
    number = lib.count(database)
    st.markdown(
        f"The library is **on**: {number:,} recording{'' if number == 1 else 's'}, kept {_where()}. {_SHARED}"
    )
    library_state.ask_analyst("library")
    showing = st.session_state.get("library_part", "recordings")
    if not showing == st.session_state.get("library_shown") == "recordings":
        # Else the filters are lost while another part is shown. Not while they are: it takes back what is
        # being typed.
        for key in library_table.FILTERS:
            if key in st.session_state:
                st.session_state[key] = st.session_state[key]
    part = st.segmented_control(
        "Part of the library",
        [*_PARTS, "settings"],
        default="recordings",
        required=True,
        format_func=lambda name: (
            _PARTS[name][0] if name in _PARTS else ":material/settings: Settings and audit"
        ),
        key="library_part",
        label_visibility="collapsed",
        help="Which part of the library is shown below.",
    )
    if part == "settings":
        _settings(database)
    else:
        _PARTS[part or "recordings"][1](database)
    st.session_state["library_shown"] = showing


def _settings(database: Database) -> None:
    chosen = place.choices()
    st.subheader("What is kept unless you say otherwise", anchor=False)
    keep_audio = st.checkbox(
        "Keep the sound with a recording",
        value=chosen.keep_audio,
        key="library_keep_audio",
        help="As FLAC of what was decoded, 16 kHz. Without it, events can be judged only while the "
        "recording is "
        "open in a session.",
    )
    expire = st.checkbox(
        "Delete recordings after some days",
        value=chosen.keep_days is not None,
        key="library_expire",
        help="New recordings get a day on which they are deleted by themselves.",
    )
    days = None
    if expire:
        days = int(
            st.number_input(
                "Days",
                1,
                36_500,
                value=chosen.keep_days or 30,
                key="library_days",
                help="Counted from the day on which a recording is added.",
            )
        )
        st.caption("They are deleted at the first use of the library after that day.")
    if (keep_audio, days) != (chosen.keep_audio, chosen.keep_days):
        place.choose(place.Choices(True, keep_audio, days))
    with st.expander("What is stored and where", icon=":material/info:"):
        st.markdown(_WHAT)
        st.markdown(f"Kept {_where()}.")
    st.subheader("Turn off, delete", anchor=False)
    _turn_off(database)
    st.subheader("Audit", anchor=False)
    st.caption("Deletions and changes of how long something is kept, without content. The ids are random.")
    entries = lib.audit(database)
    if not entries:
        st.markdown("Nothing was deleted yet.")
        return
    table(
        "library_audit",
        {
            "When (UTC)": [f"{entry.at:%Y-%m-%d %H:%M:%S}" for entry in entries],
            "Who": [entry.actor for entry in entries],
            "What": [entry.action for entry in entries],
            "Recording's id": [entry.recording_id or "all" for entry in entries],
            "How much": [
                ", ".join(f"{n} {k}".replace("_", " ") for k, n in e.counts.items()) for e in entries
            ],
        },
        "blipper-library-audit",
    )


def _turn_off(database: Database | None) -> None:
    left, right = st.columns(2)
    if left.button(
        "Turn off, keep what is there",
        key="library_off",
        width="stretch",
        help="Nothing more is kept; what is in the library stays until it is turned on again.",
    ):
        chosen = place.choices()
        library_state.close()
        place.choose(place.Choices(False, chosen.keep_audio, chosen.keep_days))
        st.rerun()
    if database is None:
        return
    with right.popover(
        "Delete everything in it…",
        icon=":material/delete:",
        width="stretch",
        help="Asks once more before anything is deleted.",
    ):
        st.markdown(
            "All recordings, analyses, verdicts, notes and tags, of everybody. This cannot be undone."
        )
        who = library_state.analyst()
        if not who:
            st.caption("Type your name above first: the audit keeps who deleted.")
        if st.button(
            "Delete everything now",
            key="library_delete_all",
            type="primary",
            disabled=not who,
            help="Deletes all recordings, analyses, verdicts and tags for good.",
        ):
            with st.spinner("Deleting, and clearing the database's files…"):
                gone = lib.delete_everything(database, actor=who)
            tell(gone)
            st.rerun()


def tell(gone: lib.Deleted) -> None:
    """Say what was deleted, and whether the files are cleared of it."""
    if gone.cleared:
        st.toast("Deleted, and cleared from the database's files.", icon=":material/delete:")
    else:
        st.toast(
            "Deleted. Somebody else is reading the database, so its files are cleared at the next "
            "opportunity.",
            icon=":material/hourglass:",
        )
