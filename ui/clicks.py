"""What a click on a chart chose, when the same choice can be made in a field beside it.

A field that is told another value by a click must be a new one to the browser, under a new key. Drawing what
was chosen takes the chart's selection back, and the browser says so at once, together with what its fields
hold. On a busy machine that is still the value from before the click: for a field that kept its key, the
click would be lost.
"""

from __future__ import annotations

from typing import Any

import streamlit as st


def take(chart: str, value: Any) -> None:
    """Note what was chosen on the chart with this key, for the fields that `field` names from now on."""
    number, _ = st.session_state.get(_name(chart), (0, None))
    st.session_state[_name(chart)] = (number + 1, value)


def taken(chart: str, otherwise: Any) -> Any:
    """Return what the last click on a chart chose; `otherwise` before the first."""
    number, value = st.session_state.get(_name(chart), (0, None))
    return value if number else otherwise


def field(key: str, chart: str) -> str:
    """Return the key of a field that a chart fills as well: another one after each click."""
    number, _ = st.session_state.get(_name(chart), (0, None))
    return f"{key}_{number}" if number else key


def _name(chart: str) -> str:
    return f"{chart}_clicks"
