"""Explain: what in the sound moved a score, to be seen, heard and checked."""

import streamlit as st

from ui import explain_view
from ui.folder import run_by_app
from ui.session import current

run_by_app()
st.title("Explain")
opened = current()
if opened is None:
    explain_view.show_nothing_open()
elif not opened.analysis.has_speech:
    st.info(
        "Nobody was heard to speak in this recording, so there is no score to explain. Open another one on "
        "the Review page."
    )
    st.page_link("pages/review.py", label="Go to Review", icon=":material/arrow_forward:")
else:
    explain_view.show(opened)
