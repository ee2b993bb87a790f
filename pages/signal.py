"""Signal: waveform, spectrograms, MFCC, chroma, pitch and energy of the open recording."""

import streamlit as st

from ui import signal_view
from ui.folder import run_by_app
from ui.session import current

run_by_app()
st.title("Signal")
opened = current()
if opened is None:
    signal_view.show_nothing_open()
else:
    signal_view.show(opened)
