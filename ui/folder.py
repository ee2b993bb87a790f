"""Keeps Streamlit from taking the ``pages/`` folder for its legacy navigation.

A freshly started server that is asked for a page's address before anybody opened ``/`` runs that page's file
by itself, with Streamlit's old sidebar and without ``app.py``. Every page therefore calls :func:`run_by_app`
first; see ``PagesManager.uses_pages_directory`` in Streamlit, which ``st.navigation`` clears likewise.
"""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def run_by_app() -> None:
    """Start again through ``app.py`` if this page was run by itself."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
