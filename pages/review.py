"""Review: where does a recording sound angry, and let me hear it."""

import streamlit as st

from ui import intake, result, waiting
from ui.folder import run_by_app
from ui.session import current, shelf

run_by_app()
held = shelf()
held.collect()

st.title("Review", anchor=False)
intake.show(held)
if held.working:
    waiting.follow()
waiting.show_failures(held)
result.show_shelf(held)
opened = current()
if opened is not None:
    result.show(opened)
elif not held.working:
    intake.show_introduction()
