"""The verdicts as a dataset to take away: audformat and CSV in one ZIP, made when it is asked for."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from blipper.library import Database
from blipper.library.exporting import export
from ui import library_state


def show(database: Database) -> None:
    """Offer the download; the audit keeps who took it."""
    st.subheader("Take the verdicts away", anchor=False)
    who = library_state.analyst()
    st.caption(
        "A dataset in audformat's layout (db.yaml with its tables) and as plain CSV: every verdict, and "
        "for each "
        "stretch what most analysts say. Names and notes of analysts are in it, names of recordings are not."
    )
    sound = st.checkbox(
        "With the sound that is kept",
        key="library_dataset_sound",
        help="Puts kept sound into the package; without it only names, times and verdicts are in it.",
    )
    st.download_button(
        "Dataset (ZIP)",
        data=_make(database, who, sound),
        file_name="blipper-library.zip",
        mime="application/zip",
        icon=":material/download:",
        on_click="ignore",
        disabled=not who,
        key="library_dataset",
        help=None if who else "Type your name at the top first: the audit keeps who took it away",
    )


def _make(database: Database, who: str, sound: bool) -> Callable[[], bytes]:
    """Return a function that makes the ZIP when it is asked for, and not at every run."""

    def make() -> bytes:
        packed = io.BytesIO()
        with tempfile.TemporaryDirectory() as place:
            folder = export(database, Path(place) / "blipper-library", actor=who, sound=sound).folder
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                    archive.write(path, path.relative_to(folder.parent))
        return packed.getvalue()

    return make
