"""Voice against words: the slider that weighs them, and what is said of it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from blipper.fusion import BALANCE
from blipper.results import Analysis
from ui.session import OpenRecording, shelf

_STEP: Final = 0.05


def is_fused(analysis: Analysis) -> bool:
    """Return whether words have a score on any channel."""
    return any(track.fused is not None for track in analysis.tracks)


def what_a_score_says(analysis: Analysis) -> str:
    """Return in two sentences what the scores are of, and what they are not."""
    words = ", and how hostile the words read to another model" if is_fused(analysis) else ""
    return (
        f"A score says how much the voice sounds angry to a model that learned from actors{words}. It ranks "
        "what is worth a listen and decides nothing; a person may sound angry and not be."
    )


def show_balance(opened: OpenRecording, analysis: Analysis) -> None:
    """Show the slider where words have a score; a move fuses again before the next run draws it."""
    if not is_fused(analysis):
        return
    key = f"balance_{opened.id}"
    st.session_state.setdefault(key, round(opened.balance / _STEP) * _STEP)
    slider, button = st.columns([5, 1.3], vertical_alignment="bottom")
    slider.slider(
        "Voice ↔ words: 0 is the voice alone, 1 the words alone",
        0.0,
        1.0,
        step=_STEP,
        key=key,
        on_change=_move,
        args=(opened.id,),
        help="How much what is said counts beside how it sounds. At 0.5 both count alike, each by how far it "
        "can be relied on. Where nothing is said that was surely heard, the voice always stands alone.",
    )
    button.button(
        "Both alike",
        on_click=_reset,
        args=(opened.id,),
        disabled=opened.balance == BALANCE,
        key=f"blipper_balance_{opened.id}",
        help=f"Back to {BALANCE}",
        width="stretch",
    )
    st.caption(
        "Scores, events and trend are of voice and words together. Which side carries an event stands in its "
        "row, and the curves above can be shown apart."
    )


# Streamlit keeps callbacks for as long as the session lives, so these hold an id and not the recording.


def _move(opened_id: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is not None:
        opened.weigh(round(float(st.session_state[f"balance_{opened_id}"]), 2))


def _reset(opened_id: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is not None:
        st.session_state[f"balance_{opened_id}"] = BALANCE
        opened.weigh(BALANCE)
