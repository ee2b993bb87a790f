"""Library: what was kept, what analysts said of it, and what is worth judging next."""

import streamlit as st

from ui import library_view
from ui.folder import run_by_app

run_by_app()
st.title("Library", anchor=False)
library_view.show()
