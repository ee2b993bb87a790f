"""What the verdicts add up to: agreement between analysts, and precision so far at each threshold."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from blipper import library as lib
from blipper.figures.library import precision_figure
from blipper.library import Database, Verdict
from blipper.library.agreement import Judged, agreement, group, precision
from ui import library_dataset
from ui.evaluation_table import CHART, share, table
from ui.text import plain, printable


def show(database: Database) -> None:
    """Show both, or say what to do first."""
    given = lib.read_verdicts(database)
    verdicts = [verdict for verdict in given if verdict.target != "utterance"]
    if not given:
        st.info(
            "There are no verdicts yet. Give some on the Review page below the events, or in the review "
            "queue.",
            icon=":material/gavel:",
        )
        return
    judged = group(verdicts)
    st.subheader("Precision so far at each threshold", anchor=False)
    models = lib.read_models(database)
    scored = sorted({v.model_sha256 for v in verdicts if v.model_sha256 is not None})
    if not scored:
        st.markdown("No verdict was given on a stretch with a score.")
    else:
        sha256 = st.selectbox(
            "Model",
            scored,
            format_func=lambda key: f"{printable(models.get(key, 'a deleted one'))} ({key[:8]}…)",
            key="library_precision_model",
            help="Whose events the verdicts are counted for.",
        )
        rows = precision(judged, sha256)
        st.caption(
            "Of the judged stretches that score at least the threshold, how many sound angry to most who "
            "judged them. Stretches with a tie and those marked by hand do not count. The review queue "
            "offers "
            "doubtful stretches first, so this is no random sample: it says how it went so far. Intervals "
            "are 95 %, after Wilson."
        )
        st.plotly_chart(precision_figure(rows, _own(database, sha256)), config=CHART, key="library_precision")
        table(
            "library_precision",
            {
                "Threshold": [f"{row.threshold:.2f}" for row in rows],
                "Judged": [row.judged for row in rows],
                "Right": [row.right for row in rows],
                "Precision": [share(row.precision) for row in rows],
                "95 % from": [share(row.low) for row in rows],
                "95 % to": [share(row.high) for row in rows],
            },
            "blipper-precision-so-far",
        )
    _agreement(group(given), given)
    library_dataset.show(database)


def _agreement(judged: Sequence[Judged], verdicts: Sequence[Verdict]) -> None:
    st.subheader("Agreement between analysts", anchor=False)
    pairs = agreement(judged)
    if not pairs:
        names = sorted({verdict.analyst for verdict in verdicts})
        st.markdown(
            f"Nothing was judged by two people yet; {plain(', '.join(names))} judged so far. In the review "
            "queue, *Second opinions* offers what others judged."
        )
        return
    st.caption(
        "On whether a stretch or an utterance sounds angry. Cohen's kappa is 1 for full agreement and 0 for "
        "what chance gives; it is undefined where both always say the same."
    )
    table(
        "library_agreement",
        {
            "First": [printable(pair.first) for pair in pairs],
            "Second": [printable(pair.second) for pair in pairs],
            "Judged by both": [pair.n for pair in pairs],
            "Agreed": [f"{pair.agreed:.0%}" for pair in pairs],
            "Cohen's kappa": ["undefined" if p.kappa is None else f"{p.kappa:.2f}" for p in pairs],
        },
        "blipper-agreement",
    )


def _own(database: Database, model_sha256: str) -> float | None:
    """Return the model's own threshold, as the newest analysis by it has it."""
    for item in lib.search(database, lib.Query(model=model_sha256), limit=1):
        for info in item.analyses:
            if info.model_sha256 == model_sha256:
                return lib.read_analysis(database, info.id).model.threshold
    return None
