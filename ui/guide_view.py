"""The Guide: the Markdown under ``docs/guide``, a chapter at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import streamlit as st

#: Where the chapters lie: the same files that a reader of the repository opens.
FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "guide"

#: The chapters by file stem, in the order in which a newcomer wants them, with their short names.
CHAPTERS: Final = {
    "manual": ":material/menu_book: Manual",
    "research": ":material/science: Research",
    "ethics": ":material/balance: Ethics",
    "law": ":material/gavel: Law",
    "maintenance": ":material/build: Maintenance",
}

_KEY: Final = "guide_chapter"


def read_chapter(stem: str) -> str:
    """Return a chapter's Markdown.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return (FOLDER / f"{stem}.md").read_text(encoding="utf-8")


def show() -> None:
    """Show the chapter that was chosen, or that the address names: ``/guide?chapter=law``."""
    if _KEY not in st.session_state:
        asked = st.query_params.get("chapter", "manual")
        st.session_state[_KEY] = asked if asked in CHAPTERS else "manual"
    chapter = st.segmented_control(
        "Chapter",
        list(CHAPTERS),
        format_func=CHAPTERS.__getitem__,
        required=True,
        key=_KEY,
        help="Which chapter is shown below.",
    )
    st.query_params["chapter"] = chapter
    try:
        text = read_chapter(chapter)
    except OSError as error:
        st.error(f"The chapter {chapter}.md cannot be read: {error.strerror}. It belongs in docs/guide.")
        return
    with st.container(width=820):
        st.markdown(text)
