"""Evaluation: how good each model is on speakers and texts it never met, with every figure's origin."""

import streamlit as st

from ui import evaluation_view
from ui.folder import run_by_app

run_by_app()
st.title("Evaluation")
evaluation_view.show()
