"""Batch: many recordings in one go, the ones most worth a listen first."""

import streamlit as st

from ui import batch_view
from ui.folder import run_by_app

run_by_app()
st.title("Batch")
batch_view.show()
