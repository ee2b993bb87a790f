"""The Live page's recorder: the browser's microphone, handed to Python in pieces.

The package streamlit-webrtc would do it by WebRTC, with ten more packages, a network path of its own and by
default a foreign STUN server. Pieces of PCM over Streamlit's own connection need none of that, pass every
proxy that the app itself passes, and come whole and in order.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent

_component = st.components.v2.component(
    "blipper_recorder",
    css=(_FOLDER / "recorder.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "recorder.js").read_text(encoding="utf-8"),
)


def show_recorder(key: str, taken: tuple[str, int], *, ready: bool, on_piece: Callable[[], None]) -> None:
    """Show the recorder's button, meter and status.

    Parameters
    ----------
    key : str
        Its state in ``st.session_state[key]["piece"]`` is the newest piece: ``run`` (the stream's random
        name), ``number`` (from 1), ``rate`` (Hz), ``pcm`` (base64 of 16-bit little-endian mono), ``lost``
        (seconds dropped so far) and ``ending`` (None, or why the stream has ended).
    taken : (str, int)
        The run and number of the last piece that was taken; the next one is sent only then.
    ready : bool
        Whether the button may be pressed.
    on_piece : callable
        Called before the script for every new piece.
    """
    run, number = taken
    _component(
        key=key,
        data={"taken": {"run": run, "number": number}, "ready": ready},
        on_piece_change=on_piece,
    )


def piece_of(key: str) -> dict[str, Any] | None:
    """Return the newest piece, None before there is one."""
    state: Any = st.session_state.get(key)
    piece = state.get("piece") if state is not None else None
    return piece if isinstance(piece, dict) else None
