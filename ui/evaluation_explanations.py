"""The Evaluation page's section on explanations: how far to trust them, which bands emotions rest on."""

from __future__ import annotations

import streamlit as st

from blipper.errors import ModelError
from blipper.explain.companion_summary import read_summary
from blipper.explain.features import GROUPS, read_companion
from blipper.explain.reports import companion_accuracy
from blipper.explain.targets import TARGETS
from blipper.explain.trust import conclusions, read_explanations
from blipper.figures.explain import band_profiles_figure, faithfulness_figure
from blipper.figures.explain_named import rests_on_figure, summary_figure
from blipper.results import ModelInfo
from ui.evaluation_data import Figures
from ui.evaluation_table import CHART, table
from ui.text import plain


def show(data: Figures) -> None:
    """Show what was measured of the weights' explanations, whatever clips are chosen above."""
    st.subheader("Explanations")
    _weights(data)
    _companion()


def _weights(data: Figures) -> None:
    evaluation = data.evaluation
    info = ModelInfo(evaluation.name, str(evaluation.config["sha256"]), evaluation.threshold)
    try:
        found = read_explanations(info, evaluation.folder.parent)
    except ModelError as error:
        st.error(plain(str(error)))
        return
    if found is None:
        st.info(
            f"Nobody has measured the explanations of {plain(evaluation.name)} yet. `blipper evaluate DATA "
            "--model NAME --explanations` does."
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


def _companion() -> None:
    """Show which named features each emotion rests on, by the companion."""
    st.subheader("Explanations: named features")
    try:
        summary, companion = read_summary(), read_companion()
    except ModelError as error:
        st.error(plain(str(error)))
        return
    clips = sum(summary.clips.values())
    target = st.selectbox(
        "Score that the companion explains",
        ("aggression", *TARGETS[:-1]),
        format_func=str.capitalize,
        key="evaluation_companion_target",
        help="Each dot of the figure below is one clip; the figure after it shows all emotions at once.",
    )
    st.caption(
        f"{plain(companion_accuracy(companion, target))}. It is the same for every voice model. Below: its "
        f"SHAP values on {clips} clips of the {plain(summary.split)}, of which {len(summary.deviations)} are "
        "dots."
    )
    st.plotly_chart(
        summary_figure(summary, target),
        width="stretch",
        key="evaluation_companion",
        config=CHART,
        alt="SHAP summary plot: what each group of named features gives the score, clip by clip",
    )
    st.plotly_chart(
        rests_on_figure(summary),
        width="stretch",
        key="evaluation_rests_on",
        config=CHART,
        alt="Mean contribution of each group of named features to each emotion's own score",
    )
    st.caption(
        "What each group gives an emotion's own score, on average over the clips acted in it, compared with "
        "what is usual for the speaker."
    )
    columns: dict[str, list[object]] = {"Feature group": [group.name for group in GROUPS]}
    for k, name in enumerate(TARGETS):
        acted = summary.clips.get("angry" if name == "aggression" else name, 0)
        columns[f"{name.capitalize()} ({acted} clips)"] = [float(value) for value in summary.own[k]]
    table("named", columns, "companion-features")
