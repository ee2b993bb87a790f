"""Where the Evaluation page's figures come from: whose weights, whose voices, which folds, which files."""

from __future__ import annotations

import streamlit as st

from blipper import measures
from blipper.evaluation import Evaluation
from blipper.training.splits import FOLDS
from ui.evaluation_table import table
from ui.text import plain

#: Predictions that can be taken away.
_FILES = {
    "Predictions of all clips (CSV)": "test-predictions.csv",
    "Predictions of the folds (CSV)": "fold-predictions.csv",
    "Predictions of corpora left out (CSV)": "left-out-predictions.csv",
}


def origin(evaluation: Evaluation) -> bool:
    """Say whose weights and whose voices the figures are of; False where they are not of these weights."""
    if evaluation.matches:
        sha = evaluation.hashes["config.json"][:12]
        st.markdown(
            f":green-badge[:material/check_circle: figures of exactly these weights] SHA-256 `{sha}…`"
        )
    else:
        st.error(
            "These figures are **not** of the weights in the folder: the three hashes below differ. Measure "
            "the weights again with `blipper train`, or put the files back that belong together."
        )
    shared = evaluation.shared_speakers()
    if shared:
        st.error(
            f"Not speaker-independent: {plain(', '.join(shared))} also taught the model or were chosen on."
        )
    with st.expander("Whose weights, whose voices", icon=":material/fingerprint:"):
        table(
            "hashes",
            {
                "SHA-256 of the weights": [
                    "the weights' file itself",
                    "as config.json says",
                    "as metrics.json says (measured)",
                ],
                "Value": list(evaluation.hashes.values()),
            },
            f"{evaluation.name}-hashes",
        )
        split = evaluation.metrics["split"]
        corpora = evaluation.test_speakers()
        sides = split["speakers"]
        table(
            "speakers",
            {
                "Corpus": [measures.TITLES.get(corpus, corpus) for corpus in corpora],
                "Test speakers": [", ".join(names) for names in corpora.values()],
                "Test clips": [sum(row.corpus == corpus for row in evaluation.scored) for corpus in corpora],
                "Speakers in training": [len(sides.get("train", {}).get(corpus, [])) for corpus in corpora],
                "Speakers in validation": [
                    len(sides.get("validation", {}).get(corpus, [])) for corpus in corpora
                ],
                "In both test and another side": [
                    sum(who.startswith(f"{corpus}/") for who in shared) for corpus in corpora
                ],
            },
            f"{evaluation.name}-speakers",
        )
        st.caption(
            f"Fold {plain(str(split.get('fold', '?')))} of the speakers. The weights were trained on the "
            "training speakers, and their epoch, calibration and threshold were chosen on the validation "
            "speakers. Every figure on this page but the training curves is of test speakers. Those of clips "
            "are computed here from their predictions; those of events (conversations, false alarms) come "
            "from metrics.json. "
            "95 % intervals come from drawing speakers anew, so they need two speakers at least."
        )
        _folds()
        if not evaluation.crossed:
            st.caption(
                "Not measured for this model yet: the other folds of the speakers, a whole training run "
                "each. "
                f"`blipper evaluate DATA --model {plain(evaluation.name)} --folds 1-6` runs them."
            )
        for title, file in _FILES.items():
            if (evaluation.folder / file).is_file():
                st.download_button(
                    title,
                    data=(evaluation.folder / file).read_bytes(),
                    file_name=f"{evaluation.name}-{file}",
                    mime="text/csv",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"evaluation_file_{file}",
                    help="What the figures here are computed from: one line a clip, with its scores.",
                )
    return evaluation.matches


def _folds() -> None:
    """Show which speaker is in which fold of which corpus."""
    rows = [
        (measures.TITLES[corpus], number, ", ".join(speakers))
        for corpus, folds in FOLDS.items()
        for number, speakers in enumerate(folds, start=1)
    ]
    table(
        "folds",
        {
            "Corpus of the fold": [row[0] for row in rows],
            "Fold": [row[1] for row in rows],
            "Held out together": [row[2] for row in rows],
        },
        "folds",
        height=220,
    )
