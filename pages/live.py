"""Live: whether it sounds angry now."""

import streamlit as st

from ui import live_view
from ui.folder import run_by_app

run_by_app()
st.title("Live", anchor=False)
live_view.show()
