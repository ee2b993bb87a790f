"""The Evaluation page's section on explanations: how far to trust them, which bands emotions rest on."""

from __future__ import annotations

import streamlit as st

from blipper.errors import ModelError
from blipper.explain.trust import conclusions, read_explanations
from blipper.figures.explain import band_profiles_figure, faithfulness_figure
from blipper.results import ModelInfo
from ui.evaluation_data import Figures
from ui.evaluation_table import CHART, table
from ui.text import plain


def show(data: Figures) -> None:
    """Show what was measured of the weights' explanations, whatever clips are chosen above."""
    st.subheader("Explanations")
    evaluation = data.evaluation
    info = ModelInfo(evaluation.name, str(evaluation.config["sha256"]), evaluation.threshold)
    try:
        found = read_explanations(info, evaluation.folder.parent)
    except ModelError as error:
        st.error(plain(str(error)))
        return
    if found is None:
        st.info(
            "Nobody has measured the explanations of this model yet. `blipper evaluate DATA --explanations` "
            "does."
        )
        return
    st.caption(
        f"{found['clips']} clips of {found['speakers']} speakers: {plain(found['split'])}, whatever clips "
        "are chosen above."
    )
    st.plotly_chart(
        band_profiles_figure(found),
        width="stretch",
        key="evaluation_bands",
        config=CHART,
        alt="Mean contribution of each band to each emotion's own score",
    )
    st.caption(
        "What each band gives an emotion's own score, compared with neutral speech, by integrated gradients, "
        "on average over the clips acted in it."
    )
    st.plotly_chart(
        faithfulness_figure(found),
        width="stretch",
        key="evaluation_faithfulness",
        config=CHART,
        alt="Deletion and insertion curves of each order of blocks",
    )
    for line in conclusions(found):
        st.markdown(f"- {plain(line)}")
    profiles = found["band_profiles"]
    table(
        "bands",
        {"Band (Hz)": found["bands_hz"]}
        | {f"{name.capitalize()} ({part['clips']} clips)": part["mean"] for name, part in profiles.items()},
        f"{evaluation.name}-explanations",
    )
