"""Datasets: what the corpora hold that voice models learn from, and where they are out of balance."""

import streamlit as st

from ui import datasets_live, datasets_view
from ui.folder import run_by_app

run_by_app()
st.title("Datasets")
datasets_view.show_introduction()
chosen = datasets_live.choose()
if chosen is not None:
    datasets_view.show(chosen)
