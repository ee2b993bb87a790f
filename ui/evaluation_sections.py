"""Sections of the Evaluation page: threshold, calibration, groups, training, comparison."""

from __future__ import annotations

import numpy as np
import streamlit as st

from blipper import curves
from blipper.errors import ModelError
from blipper.evaluation import Evaluation
from blipper.figures import (
    Compared,
    comparison_figure,
    groups_figure,
    precision_recall_figure,
    reliability_figure,
    roc_figure,
    training_figure,
)
from blipper.groups import GROUP_MEASURES, group_measure, groupings
from blipper.measures import POOLS, Figure, selections
from blipper.published import SEEN, published
from blipper.training import metrics
from ui import evaluation_data
from ui.clips import data_folder
from ui.evaluation_data import Figures
from ui.evaluation_table import share, table, with_interval

_CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def threshold(data: Figures) -> None:
    """Show ROC and PR curves with a threshold to move, and what it does."""
    st.subheader("Threshold")
    selection, evaluation = data.selection, data.evaluation
    angry = selection.angry
    if not angry.any() or angry.all():
        st.info("A threshold needs angry clips and others; this selection lacks one of them. Choose another.")
        return
    own = evaluation.threshold
    moved = st.slider(
        "Aggression score from which a clip counts as sounding angry",
        0.0,
        1.0,
        own,
        0.01,
        key=f"evaluation_threshold_{evaluation.name}",
        help=f"The model's own threshold is {own:.2f}: "
        f"{evaluation.config.get('threshold_rule', 'chosen on validation speakers')}.",
    )
    now = curves.at_threshold(selection, moved)
    false_alarms = evaluation.metrics["false_alarms"]
    tiles: list[tuple[str, str, str, str]] = [
        ("Precision", share(now.precision), f"{now.right} of {now.called} called angry",
         "Of the clips at or over the threshold, the share acted angry."),
        ("Recall", share(now.found), f"{now.right} of {now.angry} angry clips",
         "Of the clips acted angry, the share at or over the threshold."),
    ]  # fmt: skip
    for kind in curves.QUIET:
        found = curves.alarms(evaluation.scored, false_alarms, kind, moved)
        name = kind.split()[0]
        help_text = (
            f"{name.capitalize()} clips at or over the threshold, by the hour of such speech. Test speakers "
            "of all corpora, since the length of speech is known for all of them together alone."
        )
        if found is None:
            tiles.append((f"False alarms an hour, {name}", "–", "length of speech unknown", help_text))
        else:
            detail = f"{found.alarms} in {found.seconds / 60:.0f} min, all corpora"
            tiles.append((f"False alarms an hour, {name}", f"{found.per_hour:.1f}", detail, help_text))
    with st.container(horizontal=True):
        for label, value, detail, help_text in tiles:
            st.metric(label, value, delta=detail, delta_color="off", delta_arrow="off", help=help_text,
                      border=True, width=250)  # fmt: skip
    points = curves.curve(angry, selection.aggression)
    left, right = st.columns(2)
    left.plotly_chart(
        roc_figure(points, now, metrics.roc_auc(angry, selection.aggression)),
        width="stretch", key="evaluation_roc", config=_CONFIG, alt="ROC curve of the aggression score",
    )  # fmt: skip
    right.plotly_chart(
        precision_recall_figure(points, now, metrics.pr_auc(angry, selection.aggression)),
        width="stretch", key="evaluation_pr", config=_CONFIG, alt="Precision over recall",
    )  # fmt: skip
    st.caption(
        "A clip's score is the mean of its windows. An hour of clips is not an hour of talk: between the "
        "clips here lies no pause, and each is a sentence acted on purpose."
    )
    st.markdown("**Over a range of thresholds**")
    grid = [round(0.05 * i, 2) for i in range(1, 20)]
    counts = [curves.at_threshold(selection, step) for step in grid]
    columns: dict[str, list[object]] = {
        "Threshold": [f"{step:.2f}" for step in grid],
        "Precision": [share(count.precision) for count in counts],
        "Recall": [share(count.found) for count in counts],
        "Others called angry": [share(count.false_share) for count in counts],
    }
    for kind in curves.QUIET:
        hours = [curves.alarms(evaluation.scored, false_alarms, kind, step) for step in grid]
        columns[f"False alarms/h, {kind.split()[0]}"] = [f"{h.per_hour:.1f}" if h else "–" for h in hours]
    table("thresholds", columns, f"{evaluation.name}-{selection.name}-thresholds", height=280)
    st.markdown(f"**Alarms on sounds without anger**, at the model's own threshold of {own:.2f}")
    names = list(false_alarms)
    table(
        "alarms",
        {
            "Sounds": names,
            "Files": [false_alarms[name].get("files") for name in names],
            "Seconds heard": [false_alarms[name].get("seconds") for name in names],
            "Files with an alarm": [false_alarms[name].get("files_with_alarm") for name in names],
            "Alarms": [false_alarms[name].get("alarms") for name in names],
            "Alarms an hour": [false_alarms[name].get("alarms_per_hour") for name in names],
            "Highest window": [false_alarms[name].get("highest") for name in names],
        },
        f"{evaluation.name}-alarms",
        height=280,
    )
    st.caption(
        "From metrics.json, counted in runs of windows as training measured them. *Put to the network* "
        "skips the detector of speech, which lets hardly any noise through."
    )


def calibration(data: Figures) -> None:
    """Show reliability diagrams of the aggression score and of the emotions."""
    st.subheader("Do the probabilities mean what they say?")
    selection = data.selection
    angry = selection.angry
    left, right = st.columns(2)
    parts = (
        (left, "aggression", "Aggression score", "Mean score", "Share acted angry", angry,
         selection.aggression),
        (right, "emotions", "Likeliest emotion", "Mean probability", "Share guessed right",
         selection.labels == selection.guessed, selection.confidence),
    )  # fmt: skip
    columns: dict[str, list[object]] = {
        "Of": [], "Bin": [], "Clips": [], "Mean said": [], "Was so (95 %)": [],
    }  # fmt: skip
    for column, of, title, said, so, truth, confidence in parts:
        bins = data.reliability(of)
        error = metrics.calibration_error(truth, confidence)
        column.plotly_chart(
            reliability_figure(bins, f"{title}: calibration error {error:.3f}", said, so),
            width="stretch", key=f"evaluation_reliability_{of}", config=_CONFIG,
            alt=f"Reliability diagram of the {title.lower()}",
        )  # fmt: skip
        for part in bins:
            columns["Of"].append(title)
            columns["Bin"].append(f"{part.low:.1f} to {part.high:.1f}")
            columns["Clips"].append(part.clips)
            columns["Mean said"].append(share(part.confidence))
            columns["Was so (95 %)"].append(with_interval(part.right))
    st.markdown(
        f"Brier score of the aggression score: **{metrics.brier(angry, selection.aggression):.3f}** (mean "
        f"squared distance, 0 is best). {angry.mean():.0%} of these clips are angry; where anger is rarer, "
        "a score promises less."
    )
    validation = data.evaluation.metrics["validation"]
    before, after = validation.get("calibration_error_before"), validation.get("calibration_error_after")
    if before and after:
        st.markdown(
            "On the **validation** speakers, whom the calibration was fitted on, the expected calibration "
            f"error went from {before['aggression']:.3f} to {after['aggression']:.3f} for aggression, and "
            f"from {before['emotions']:.3f} to {after['emotions']:.3f} for the emotions."
        )
    table("bins", columns, f"{data.evaluation.name}-{selection.name}-reliability", height=280)
    st.caption(
        "Points on the dotted line mean what they say; above it the model is too careful, below it too sure. "
        "Bars show how many clips a point stands for."
    )


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
        key=f"evaluation_group_{evaluation.name}_{selection.name}",
        help="Age and race are known of CREMA-D's actors alone, and only where the data folder is there.",
    )  # fmt: skip
    measure = right.selectbox(
        "Figure", list(GROUP_MEASURES), format_func=GROUP_MEASURES.__getitem__,
        key="evaluation_group_measure",
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
        width="stretch", key="evaluation_groups", config=_CONFIG,
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
        training_figure(history, best), width="stretch", key="evaluation_training", config=_CONFIG,
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
            own.append((found, evaluation_data.figures(found, name).headline()))
    st.markdown("**Blipper's models**, on these test clips")
    table(
        "models",
        {
            "Model": [found.name for found, _ in own],
            "Parameters": [found.metrics["training"].get("parameters") for found, _ in own],
            "Accuracy (95 %)": [with_interval(figures["accuracy"]) for _, figures in own],
            "UAR (95 %)": [with_interval(figures["uar"]) for _, figures in own],
            "Macro-F1 (95 %)": [with_interval(figures["macro_f1"]) for _, figures in own],
            "ROC-AUC, angry (95 %)": [
                with_interval(figures["roc_auc"]) if "roc_auc" in figures else "–" for _, figures in own
            ],
            "Speaker-independent": ["no" if found.shared_speakers() else "yes" for found, _ in own],
        },
        f"{name}-models",
    )
    st.caption(
        "Not measured yet, so not shown: other folds of the speakers, and training on three corpora with "
        "the test on the fourth, which is closest to what your own recordings are like."
    )
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
        compared = [_own(found, figures[measure]) for found, figures in own]
        compared += [
            Compared(row.who, Figure(row.value), row.speaker_independent, row.protocol) for row in cited
        ]
        if cited:
            st.plotly_chart(
                comparison_figure(compared, title), width="stretch", key=f"evaluation_compare_{measure}",
                config=_CONFIG, alt=f"{title} of Blipper's models and of published ones",
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
        "Blipper's figures are of one fold's speakers and of weights that learned from all four corpora; the "
        "published ones are of other splits, mostly of one corpus alone. They show the range, not a rank."
    )


def _own(found: Evaluation, figure: Figure) -> Compared:
    return Compared(found.name, figure, "own", "test speakers that its weights never met")
