"""Keeps Streamlit from taking the ``pages/`` folder for its legacy navigation.

A freshly started server that is asked for a page's address before anybody opened ``/`` runs that page's file
by itself, with Streamlit's old sidebar and without ``app.py``. Every page therefore calls :func:`run_by_app`
first; see ``PagesManager.uses_pages_directory`` in Streamlit, which ``st.navigation`` clears likewise.
"""

import runpy
from pathlib import Path

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.pages_manager import PagesManager

_APP = Path(__file__).resolve().parent.parent / "app.py"


def run_by_app() -> None:
    """Run ``app.py`` instead, which runs this page again, if the page was run by itself.

    In the same run and not by a rerun, which would lose the click that asked for it. Streamlit's AppTest has
    no server and puts the legacy flag back before every run, so pages are tested by themselves there.
    """
    if PagesManager.uses_pages_directory and type(Runtime._instance) is Runtime:
        runpy.run_path(str(_APP))  # calls st.navigation, which clears the flag
        st.stop()
