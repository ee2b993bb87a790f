"""Sections of the Evaluation page about scores: what a threshold does, and whether probabilities hold."""

from __future__ import annotations

import streamlit as st

from blipper import curves
from blipper.figures import precision_recall_figure, reliability_figure, roc_figure
from blipper.training import metrics
from ui.evaluation_data import Figures
from ui.evaluation_table import CHART, share, table, with_interval


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
        width="stretch", key="evaluation_roc", config=CHART, alt="ROC curve of the aggression score",
    )  # fmt: skip
    right.plotly_chart(
        precision_recall_figure(points, now, metrics.pr_auc(angry, selection.aggression)),
        width="stretch", key="evaluation_pr", config=CHART, alt="Precision over recall",
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
            width="stretch", key=f"evaluation_reliability_{of}", config=CHART,
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
