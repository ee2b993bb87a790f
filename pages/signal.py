"""Signal: waveform, spectrograms, MFCC, chroma, pitch and energy of the open recording."""

import streamlit as st

from ui import signal_view
from ui.session import current

st.title("Signal")
opened = current()
if opened is None:
    signal_view.show_nothing_open()
else:
    signal_view.show(opened)
