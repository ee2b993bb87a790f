"""Hear a figure of the signal: a click in it plays the recording from there, with a cursor that runs along.

Streamlit's own events of a chart know selected points alone, which heat maps have none of, and each would run
the page again. So the component listens to the chart beside it, in the browser alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent

_component = st.components.v2.component(
    "blipper_hearing",
    css=(_FOLDER / "hearing.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "hearing.js").read_text(encoding="utf-8"),
)


def show_hearing(key: str, chart: str, sounds: Sequence[tuple[str, str]]) -> None:
    """Show the sound's controls, tied to a chart.

    Parameters
    ----------
    key : str
    chart : str
        Key of a ``st.plotly_chart`` from :func:`blipper.figures.style.stack`, whose x axis is in seconds of
        the recording and whose panels show the sounds in turn.
    sounds : sequence of (str, str)
        Name and address of each channel that the chart shows.
    """
    _component(
        key=key,
        data={
            # The class that Streamlit gives to what has a key.
            "chart": "st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", chart.strip()),
            "sounds": [{"name": name, "address": address} for name, address in sounds],
        },
    )
