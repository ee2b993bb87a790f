"""The Evaluation page: what to look at, whose weights and whose voices it is about, and its sections."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from blipper import measures
from blipper.errors import ModelError
from blipper.evaluation import Evaluation
from blipper.paths import models_dir
from ui import (
    evaluation_confusion,
    evaluation_data,
    evaluation_events,
    evaluation_explanations,
    evaluation_scores,
    evaluation_sections,
    evaluation_words,
)
from ui.evaluation_data import Figures
from ui.evaluation_kept import kept
from ui.evaluation_origin import origin
from ui.evaluation_table import table, with_interval
from ui.text import plain

Section = Callable[[Figures], None]


def show() -> None:
    """Show the page: models of the voice, or of words."""
    sides = {"voice": "Voice", "words": "Words"}
    of = st.segmented_control(
        "Models of",
        list(sides),
        format_func=sides.__getitem__,
        required=True,
        key=kept("evaluation_of", "voice", list(sides)),
        help="Voice: how something is said. Words: what is said, as a recogniser writes it.",
    )
    if of == "words":
        evaluation_words.show()
    else:
        _voice()


def _voice() -> None:
    found = evaluation_data.models()
    if not found:
        st.info(
            f"There is no voice model in {plain(str(models_dir()))}. Train one with `blipper train`, or name "
            "a folder of models in the environment variable BLIPPER_MODELS."
        )
        return
    st.markdown(
        "How often the model was right about **actors whose voices it was not trained on**. All of it is "
        "acted English speech in studios: expect less on your own recordings."
    )
    _sections(found)


@st.fragment
def _sections(found: dict[str, Evaluation | ModelError]) -> None:
    model, corpus = st.columns([1, 2])
    name = model.selectbox(
        "Model", list(found), key=kept("evaluation_model", next(iter(found)), list(found)),
        help="Every model in Blipper's folder of models.",
    )  # fmt: skip
    evaluation = found[name]
    if isinstance(evaluation, ModelError):
        st.error(f"The figures of {plain(name)} cannot be shown: {plain(str(evaluation))}")
        st.info(
            "`blipper train` trains a model and measures it on test speakers; it writes `metrics.json` and "
            "`test-predictions.csv` beside the weights. Put both back, or choose another model."
        )
        return
    side = _side(evaluation)
    titles = measures.selections(evaluation.rows(side))
    chosen = corpus.selectbox(
        "Clips of",
        list(titles),
        format_func=titles.__getitem__,
        key=kept(f"evaluation_clips_{name}", next(iter(titles)), list(titles)),
        help="One corpus with the emotions it has, or several over the six emotions that all of them have.",
    )
    if not origin(evaluation):
        return
    data = evaluation_data.figures(evaluation, chosen, side)
    _headline(data)
    section = st.segmented_control(
        "Show",
        list(_SECTIONS),
        required=True,
        key=kept("evaluation_section", "Confusion", list(_SECTIONS)),
        help="Each section is computed from the same clips when it is opened.",
    )
    _SECTIONS[section](data)


def _side(evaluation: Evaluation) -> str:
    """Let people choose between the weights' own test speakers and all folds, where there are folds."""
    sides = evaluation.sides
    if len(sides) == 1:
        return "shipped"
    titles = {"shipped": "These weights", "folds": "Folds (cross-validated)"}
    chosen = st.segmented_control(
        "Measured on",
        list(sides),
        format_func=titles.__getitem__,
        required=True,
        key=kept(f"evaluation_side_{evaluation.name}", "shipped", list(sides)),
        help="These weights on the speakers they never met; or every speaker once, each heard by weights "
        "of a "
        "fold that was trained without them.",
    )
    st.caption(f"Figures are of {sides[chosen]}.")
    return str(chosen)


_NAMES = {
    "accuracy": ("Accuracy", "Share of clips whose acted emotion the model found the likeliest."),
    "uar": ("UAR", "Unweighted average recall: the mean of the emotions' recalls, so that rare ones count."),
    "macro_f1": ("Macro-F1", "Mean of the emotions' F1, which weighs precision and recall alike."),
    "roc_auc": ("ROC-AUC, angry", "How often an angry clip has a higher score than another one."),
    "pr_auc": (
        "PR-AUC, angry",
        "Area under precision over recall for angry clips; compare it with their share.",
    ),
}


def _headline(data: Figures) -> None:
    figures = data.headline()
    speakers = len(set(data.selection.speakers))
    emotions = ", ".join(data.selection.names)
    st.caption(
        f"{len(data.selection):,} clips of {speakers} test speaker{'s' if speakers > 1 else ''}; "
        f"to choose from: {emotions}. Below each figure its 95 % interval over speakers"
        + ("." if speakers > 1 else ", which a single speaker cannot give.")
    )
    with st.container(horizontal=True):
        for name, figure in figures.items():
            label, help_text = _NAMES[name]
            bounds = figure.interval
            st.metric(
                label,
                f"{figure.value:.3f}",
                delta="no interval" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}",
                delta_color="off",
                delta_arrow="off",
                help=help_text,
                border=True,
                width=165,
            )
    written = _written(data)
    if written is not None:
        differing = [name for name, value in written.items() if abs(value - figures[name].value) > 6e-5]
        if differing:
            st.error(
                f"metrics.json has other values for {', '.join(differing)} than the predictions beside it."
            )
    if data.selection.name == "tess":
        st.caption(
            "TESS has two actresses; one of them taught. A single unseen voice says little about others."
        )


def _written(data: Figures) -> dict[str, float] | None:
    """Return the same figures as ``metrics.json`` has them, or None where it has none."""
    test = data.evaluation.written(data.side)
    name = data.selection.name
    entry = test.get(name) if name in measures.POOLS else test.get("corpora", {}).get(name)
    if not isinstance(entry, dict) or "accuracy" not in entry:
        return None
    values = {key: entry[key]["value"] for key in ("accuracy", "uar", "macro_f1")}
    if "angry" in entry:
        values |= {key: entry["angry"][key]["value"] for key in ("roc_auc", "pr_auc")}
    return values


def _report(data: Figures) -> None:
    st.subheader("Classification report")
    rows = data.report()
    table(
        "report",
        {
            "Emotion": [row["emotion"] for row in rows],
            "Clips": [row["clips"] for row in rows],
            "Heard": [row["guessed"] for row in rows],
            "Precision (95 %)": [with_interval(row["precision"]) for row in rows],
            "Recall (95 %)": [with_interval(row["recall"]) for row in rows],
            "F1 (95 %)": [with_interval(row["f1"]) for row in rows],
            "ROC-AUC against the rest (95 %)": [with_interval(row["roc_auc"]) for row in rows],
            "PR-AUC against the rest (95 %)": [with_interval(row["pr_auc"]) for row in rows],
        },
        f"{data.evaluation.name}-{data.selection.name}-report",
    )
    st.caption(
        "Precision: of the clips heard as this emotion, the share acted so. Recall: of the clips acted so, "
        "the share heard so. *Heard* is how often the model chose it. A dash: the model never chose it."
    )


_SECTIONS: dict[str, Section] = {
    "Confusion": evaluation_confusion.show,
    "Report": _report,
    "Threshold": evaluation_scores.threshold,
    "Calibration": evaluation_scores.calibration,
    "Conversations": evaluation_events.scenes,
    "False alarms": evaluation_events.alarms,
    "Groups": evaluation_sections.groups,
    "Other corpora": evaluation_events.corpora,
    "Explanations": evaluation_explanations.show,
    "Training": evaluation_sections.training,
    "Comparison": evaluation_sections.comparison,
}
