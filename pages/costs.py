"""Costs: what a hundred thousand minutes would take, here and elsewhere."""

import streamlit as st

from ui import costs_view
from ui.folder import run_by_app

run_by_app()
st.title("Costs", anchor=False)
costs_view.show()
