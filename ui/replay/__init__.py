"""A key that plays a sound of the page again, or stops it, without running the script."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "blipper_replay", js=(Path(__file__).parent / "replay.js").read_text(encoding="utf-8")
)


def listen_for(key: str, container: str) -> None:
    """Let a key play the sound in a container from its beginning, and stop it when pressed again.

    Parameters
    ----------
    key : str
        One letter; it does nothing while something is being typed.
    container : str
        Key of the ``st.container`` with the sound.
    """
    # The class that Streamlit gives to what has a key.
    place = "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", container)
    _component(key=f"{container}_replay", data={"key": key.lower(), "place": place})
