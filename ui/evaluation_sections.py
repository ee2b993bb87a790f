"""Sections of the Evaluation page that compare: groups, epochs, models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from blipper.errors import ModelError
from blipper.evaluation import Evaluation
from blipper.figures import Compared, comparison_figure, figure_of, groups_figure, training_figure
from blipper.groups import GROUP_MEASURES, group_measure, groupings
from blipper.measures import POOLS, Figure, selections
from blipper.published import SEEN, published
from ui import evaluation_data
from ui.clips import data_folder
from ui.evaluation_data import Figures
from ui.evaluation_kept import kept
from ui.evaluation_table import CHART, table, with_interval


def groups(data: Figures) -> None:
    """Show how figures differ between groups of speakers and of clips."""
    st.subheader("Gaps between groups")
    selection, evaluation = data.selection, data.evaluation
    known = evaluation_data.demographics(data_folder())
    ways = groupings(selection, known)
    if not ways:
        st.info("All clips of this selection are of one group. Choose several corpora above.")
        return
    left, right = st.columns(2)
    by = left.selectbox(
        "Group by", list(ways), format_func=str.capitalize,
        key=kept(f"evaluation_group_{evaluation.name}_{selection.name}", next(iter(ways)), list(ways)),
        help="Age and race are known of CREMA-D's actors alone, and only where the data folder is there.",
    )  # fmt: skip
    measure = right.selectbox(
        "Figure", list(GROUP_MEASURES), format_func=GROUP_MEASURES.__getitem__,
        key=kept("evaluation_group_measure", "accuracy", list(GROUP_MEASURES)),
        help=f"Shares at or over the threshold use the model's own, {evaluation.threshold:.2f}.",
    )  # fmt: skip
    with st.spinner("Drawing speakers anew for the intervals…"):
        rows = data.by_group(by, measure, known)
    compute = group_measure(selection, measure, evaluation.threshold)
    everything = [i for i, group in enumerate(ways[by]) if group]
    try:
        overall = compute(np.array(everything))
    except ValueError:
        overall = float("nan")
    st.plotly_chart(
        groups_figure(rows, GROUP_MEASURES[measure], overall),
        width="stretch", key="evaluation_groups", config=CHART,
        alt=f"{GROUP_MEASURES[measure]} by {by}",
    )  # fmt: skip
    table(
        "groups",
        {
            by.capitalize(): [row.group for row in rows],
            "Clips": [row.clips for row in rows],
            "Speakers": [row.speakers for row in rows],
            f"{GROUP_MEASURES[measure]} (95 %)": [with_interval(row.figure) for row in rows],
            "Gap to all others (95 %)": [with_interval(row.gap, "+") for row in rows],
        },
        f"{evaluation.name}-{selection.name}-{by}-{measure}",
    )
    apart = [row.group for row in rows if row.gap.interval and not _holds_zero(row.gap.interval)]
    if apart:
        st.markdown(
            f"Gaps whose interval leaves out zero: **{', '.join(apart)}**. With few speakers in the test, a "
            "gap can be theirs and not their group's."
        )
    elif any(row.gap.interval for row in rows):
        st.markdown("Every gap's interval holds zero: these test speakers do not tell the groups apart.")
    else:
        st.markdown("Single speakers: nothing can be said here about others like them.")
    if not known and any(row.corpus == "crema-d" for row in selection.rows):
        st.caption(
            "To see CREMA-D by age band and race, set BLIPPER_DATA to the folder with the corpora; its table "
            "VideoDemographics.csv names both."
        )


def _holds_zero(interval: tuple[float, float]) -> bool:
    return interval[0] <= 0 <= interval[1]


def training(data: Figures) -> None:
    """Show loss and validation figures by epoch."""
    st.subheader("Training curves")
    found = data.evaluation.metrics["training"]
    history, best = found["history"], found.get("best_epoch", 0)
    if not history:
        st.info("metrics.json holds no training history. `blipper train` writes it.")
        return
    st.markdown(
        "On **validation** speakers, who are neither in training nor in the test; the weights of the epoch "
        f"with the best score there were kept: **{best} of {len(history)}**."
    )
    st.plotly_chart(
        training_figure(history, best), width="stretch", key="evaluation_training", config=CHART,
        alt="Training loss and validation figures by epoch",
    )  # fmt: skip
    keys = list(history[0])
    table(
        "history",
        {key.replace("_", " ").capitalize(): [_short(entry.get(key)) for entry in history] for key in keys},
        f"{data.evaluation.name}-training",
        height=280,
    )


def _short(value: float | None) -> object:
    return value if value is None or float(value).is_integer() else float(f"{value:.4g}")


_MEASURES = {"uar": "UAR (mean recall of the emotions)", "accuracy": "Accuracy"}


def comparison(data: Figures) -> None:
    """Show all models side by side with published figures, and how each was measured."""
    st.subheader("Models side by side")
    name = data.selection.name
    own = []
    for model, found in evaluation_data.models().items():
        if isinstance(found, ModelError):
            st.warning(f"{model} is left out: it has no figures that fit its weights.")
        elif not found.matches or name not in selections(found.scored):
            st.warning(f"{model} is left out: it was not measured on these clips with these weights.")
        else:
            own += [
                (found, side, evaluation_data.figures(found, name, side).headline())
                for side in found.sides
                if name in selections(found.rows(side))
            ]
    st.markdown("**Blipper's models**, each on clips of speakers that its weights never met")
    table(
        "models",
        {
            "Model": [found.name for found, *_ in own],
            "Measured on": [found.sides[side] for found, side, _ in own],
            "Clips": [len(evaluation_data.figures(found, name, side).selection) for found, side, _ in own],
            "Parameters": [found.metrics["training"].get("parameters") for found, *_ in own],
            "Accuracy (95 %)": [with_interval(figures["accuracy"]) for *_, figures in own],
            "UAR (95 %)": [with_interval(figures["uar"]) for *_, figures in own],
            "Macro-F1 (95 %)": [with_interval(figures["macro_f1"]) for *_, figures in own],
            "ROC-AUC, angry (95 %)": [
                with_interval(figures["roc_auc"]) if "roc_auc" in figures else "–" for *_, figures in own
            ],
            "Speaker-independent": [
                "no" if side == "shipped" and found.shared_speakers() else "yes" for found, side, _ in own
            ],
        },
        f"{name}-models",
    )
    st.caption(
        "The weights that ship, on the speakers they never met; *folds* where a model was trained anew for "
        "each, which takes in more clips. Compare rows of the same clips. Corpora left out have a section of "
        "their own."
    )
    _events([found for found, side, _ in own if side == "shipped"])
    rows = published(name)
    if not rows:
        pool = "several corpora together" if name in POOLS else "this corpus"
        st.info(
            f"No published figure with a source at hand covers {pool}. Choose RAVDESS, CREMA-D, SAVEE or "
            "TESS above to see those of one corpus."
        )
        return
    st.markdown("**Published figures**, the highest first. Figures that share speakers say little here.")
    for measure, title in _MEASURES.items():
        cited = [row for row in rows if row.measure == measure]
        compared = [_own(found, side, figures[measure]) for found, side, figures in own]
        compared += [
            Compared(row.who, Figure(row.value), row.speaker_independent, row.protocol) for row in cited
        ]
        if cited:
            st.plotly_chart(
                comparison_figure(compared, title), width="stretch", key=f"evaluation_compare_{measure}",
                config=CHART, alt=f"{title} of Blipper's models and of published ones",
            )  # fmt: skip
    words = {"yes": "yes", "unstated": "not stated", "people": "people, not trained"}
    table(
        "published",
        {
            "Who": [row.who for row in rows],
            "Figure": [_MEASURES[row.measure].split()[0] for row in rows],
            "Value": [f"{row.value:.3f}" for row in rows],
            "Emotions": [str(row.classes or "not stated") for row in rows],
            "Speaker-independent": [words[row.speaker_independent] for row in rows],
            "How it was measured": [row.protocol for row in rows],
            "Source": [row.source for row in rows],
            "Link": [row.url for row in rows],
            "How far it was checked": [SEEN[row.seen] for row in rows],
        },
        f"{name}-published",
    )
    st.caption(
        "Blipper's models learned from all four corpora at once; the published figures are mostly of one "
        "corpus alone, and of other splits where the protocol says so. They show the range, not a rank."
    )


_EVENTS = {
    "precision": "Precision (95 %)",
    "recall": "Recall (95 %)",
    "f1": "F1 (95 %)",
    "false_alarms_per_hour": "False alarms/h (95 %)",
    "touched": "Stretches touched (95 %)",
}


def _events(models: Sequence[Evaluation]) -> None:
    """Show the models' events in conversations side by side, where they were measured."""
    measured = [found for found in models if "scenes" in found.metrics]
    if not measured:
        return
    st.markdown("**Events in conversations of known content**, each model at its own threshold")
    columns: dict[str, list[object]] = {"Model of the events": [found.name for found in measured]}
    columns["Threshold"] = [f"{found.metrics['scenes']['threshold']:.2f}" for found in measured]
    columns["Conversations"] = [
        f"{found.metrics['scenes']['recordings']}, seed {found.metrics['scenes']['seed']}"
        for found in measured
    ]
    for key, title in _EVENTS.items():
        columns[title] = [with_interval(figure_of(found.metrics["scenes"][key])) for found in measured]
    table("scenes_models", columns, "models-conversations")
    st.caption(
        "A model that is better at clips need not be better here: noise, rooms and other voices join in."
    )


def _own(found: Evaluation, side: str, figure: Figure) -> Compared:
    name = found.name if side == "shipped" else f"{found.name}, folds"
    return Compared(name, figure, "own", found.sides[side])
