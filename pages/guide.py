"""Guide: how to use Blipper, how it was made, and what must be minded before it is used on people."""

import streamlit as st

from ui import guide_view
from ui.folder import run_by_app

run_by_app()
st.title("Guide", anchor=False)
guide_view.show()
