"""What the sections of the Explain page share: a figure, a file to take away, a sentence."""

from __future__ import annotations

from typing import Any

import streamlit as st

from blipper.explain.wording import Told
from ui.session import OpenRecording
from ui.text import plain, safe_stem

_ICONS = {"good": ":material/check_circle:", "fair": ":material/error:", "poor": ":material/cancel:"}


def show_told(told: Told, *, first: bool = True) -> None:
    """Show a sentence and how sure it is; smaller where it is not the first."""
    st.markdown(f"#### {plain(told.sentence)}" if first else plain(told.sentence))
    st.caption(f"{_ICONS[told.certainty]} Certainty {told.certainty}. {plain(told.reason)}")


def offer(label: str, text: str, opened: OpenRecording, name: str, key: str) -> None:
    """Offer a file to take away."""
    st.download_button(
        label,
        text.encode("utf-8", "backslashreplace"),
        file_name=f"{safe_stem(opened.name)}-{name}",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        help=f"Saves {name} with every number of what is shown, for a spreadsheet or a program.",
    )


def chart(figure: Any, key: str, opened: OpenRecording, alt: str) -> None:
    """Show a figure; its camera saves it as a picture."""
    st.plotly_chart(
        figure,
        width="stretch",
        theme="streamlit",
        key=f"{key}_{opened.id}",
        alt=alt,
        config=chart_config(opened, key.removeprefix("explain_")),
    )


def chart_config(opened: OpenRecording, name: str) -> dict[str, Any]:
    """Return a figure's toolbar, whose camera saves a picture in the chosen format."""
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {
            "format": st.session_state.get("explain_picture") or "svg",
            "filename": f"{safe_stem(opened.name)}-{name}",
        },
    }
