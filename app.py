"""Blipper's web app: ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

from ui import live_view
from ui.endings import watch_this_session
from ui.engine import engine

# A file, because a browser would fetch Material icons and emoji for its tab from another host.
UI = Path(__file__).with_name("ui")

st.set_page_config(page_title="Blipper", page_icon=UI / "icon.svg", layout="wide")
st.logo(UI / "icon.svg", size="large")
st.html(UI / "page.css")
engine()  # starts the worker, which loads the model while the page is already there
watch_this_session()

page = st.navigation(
    [
        st.Page("pages/review.py", title="Review", icon=":material/hearing:", default=True),
        st.Page("pages/live.py", title="Live", icon=":material/mic:"),
        st.Page("pages/batch.py", title="Batch", icon=":material/folder_copy:"),
        st.Page("pages/signal.py", title="Signal", icon=":material/ssid_chart:"),
        st.Page("pages/explain.py", title="Explain", icon=":material/lightbulb:"),
        st.Page("pages/library.py", title="Library", icon=":material/inventory_2:"),
        st.Page("pages/datasets.py", title="Datasets", icon=":material/dataset:"),
        st.Page("pages/evaluation.py", title="Evaluation", icon=":material/rule:"),
        st.Page("pages/costs.py", title="Costs", icon=":material/savings:"),
        st.Page("pages/guide.py", title="Guide", icon=":material/help:"),
    ],
    position="top",
)
if page.title != "Live":
    live_view.leave()
page.run()
