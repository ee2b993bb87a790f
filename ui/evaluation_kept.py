"""Choices on the Evaluation page outlive a visit to another page, where Streamlit would forget them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def kept(key: str, default: Any, options: Sequence[Any] | None = None) -> str:
    """Put a control's last value back, and return its key.

    Parameters
    ----------
    key : str
        Of the control, which must be given no value of its own.
    default : object
    options : sequence, optional
        What may be chosen; a value that is no longer among it gives way to the default.
    """
    values: dict[str, Any] = st.session_state.setdefault("evaluation_kept", {})
    if key in st.session_state:
        values[key] = st.session_state[key]
    else:
        st.session_state[key] = values.get(key, default)
    if options is not None and st.session_state[key] not in options and st.session_state[key] is not None:
        st.session_state[key] = default
    return key
