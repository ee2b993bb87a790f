"""Sections of the Evaluation page about scores: what a threshold does, and whether probabilities hold."""

from __future__ import annotations

import numpy as np
import streamlit as st

from blipper import curves, measures
from blipper.figures import figure_of, precision_recall_figure, reliability_figure, roc_figure
from blipper.training import metrics
from blipper.voice.labels import EMOTIONS
from ui.evaluation_data import Figures
from ui.evaluation_kept import kept
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
        step=0.01,
        key=kept(f"evaluation_threshold_{evaluation.name}", own),
        help=f"The model's own threshold is {own:.2f}: "
        f"{evaluation.config.get('threshold_rule', 'chosen on validation speakers')}.",
    )
    now = curves.at_threshold(selection, moved)
    tiles: list[tuple[str, str, str, str]] = [
        ("Precision", share(now.precision), f"{now.right} of {now.called} called angry",
         "Of the clips at or over the threshold, the share acted angry."),
        ("Recall", share(now.found), f"{now.right} of {now.angry} angry clips",
         "Of the clips acted angry, the share at or over the threshold."),
    ]  # fmt: skip
    for kind in curves.QUIET:
        found = curves.alarms(selection.rows, kind, moved)
        name = kind.split()[0]
        help_text = (
            f"{name.capitalize()} clips at or over the threshold, by the hour of such speech. By corpus "
            f"in the "
            "table below."
        )
        if found is None:
            tiles.append((f"False alarms an hour, {name}", "–", "length of speech unknown", help_text))
        else:
            detail = f"{found.alarms} in {found.seconds / 60:.0f} min"
            tiles.append((f"False alarms an hour, {name}", f"{found.per_hour:.1f}", detail, help_text))
    with st.container(horizontal=True):
        for label, value, detail, help_text in tiles:
            st.metric(label, value, delta=detail, delta_color="off", delta_arrow="off", help=help_text,
                      border=True, width=250)  # fmt: skip
    _curves(selection, moved, now)
    st.caption(
        "A clip's score is the mean of its windows. An hour of clips is not an hour of talk: between the "
        "clips here lies no pause, and each is a sentence acted on purpose."
    )
    _by_corpus(data, moved)
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
        hours = [curves.alarms(selection.rows, kind, step) for step in grid]
        columns[f"False alarms/h, {kind.split()[0]}"] = [f"{h.per_hour:.1f}" if h else "–" for h in hours]
    table("thresholds", columns, f"{evaluation.name}-{selection.name}-thresholds", height=280)


def _curves(selection: measures.Selection, moved: float, now: curves.AtThreshold) -> None:
    """Draw ROC and PR curves of the aggression score, or of one emotion against the rest."""
    names = ["aggression", *selection.names]
    of = st.selectbox(
        "Curves of", names, key=kept("evaluation_curves_of", "aggression", names),
        format_func=lambda name: (
            "the aggression score" if name == "aggression" else f"{name} against the rest"
        ),
        help="The threshold is the aggression score's: it is marked on that curve alone.",
    )  # fmt: skip
    positive, scores = selection.angry, selection.aggression
    at: curves.AtThreshold | None = now
    if of != "aggression":
        positive = selection.labels == EMOTIONS.index(of)
        scores = selection.shares()[:, selection.names.index(of)]
        at = None
    title = "angry" if of == "aggression" else of
    points = curves.curve(positive, scores)
    left, right = st.columns(2)
    left.plotly_chart(
        roc_figure(points, at, metrics.roc_auc(positive, scores), title),
        width="stretch", key="evaluation_roc", config=CHART, alt=f"ROC curve of {of}",
    )  # fmt: skip
    right.plotly_chart(
        precision_recall_figure(
            points, at, metrics.pr_auc(positive, scores), title, base=float(positive.mean())
        ),
        width="stretch", key="evaluation_pr", config=CHART, alt=f"Precision over recall of {of}",
    )  # fmt: skip


def _by_corpus(data: Figures, moved: float) -> None:
    """Show what the threshold does in each corpus of the selection."""
    corpora = sorted({row.corpus for row in data.selection.rows})
    st.markdown(f"**By corpus**, at {moved:.2f}")
    columns: dict[str, list[object]] = {
        "Corpus": [], "Precision": [], "Recall": [], "False alarms/h, neutral": [],
        "False alarms/h, happy": [], "Minutes, neutral": [], "Minutes, happy": [],
    }  # fmt: skip
    for corpus in corpora:
        rows = [row for row in data.selection.rows if row.corpus == corpus]
        now = curves.at_threshold(
            data.selection.subset(np.array([row.corpus == corpus for row in data.selection.rows])), moved
        )
        columns["Corpus"].append(measures.TITLES.get(corpus, corpus))
        columns["Precision"].append(share(now.precision))
        columns["Recall"].append(share(now.found))
        for kind in curves.QUIET:
            name = kind.split()[0]
            found = curves.alarms(rows, kind, moved)
            columns[f"False alarms/h, {name}"].append(f"{found.per_hour:.1f}" if found else "–")
            columns[f"Minutes, {name}"].append(f"{found.seconds / 60:.1f}" if found else "–")
    table("thresholds_corpora", columns, f"{data.evaluation.name}-{data.selection.name}-threshold-by-corpus")


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
    _before_and_after(data)
    st.markdown(
        f"{angry.mean():.0%} of these clips are angry; where anger is rarer, a score promises less. "
        f"Brier score: "
        "squared distance of what was said from what was so, 0 is best (for the emotions summed over "
        "them, up "
        "to 2). Calibration was fitted on **validation** speakers; these are test speakers."
    )
    table("bins", columns, f"{data.evaluation.name}-{selection.name}-reliability", height=280)
    st.caption(
        "Points on the dotted line mean what they say; above it the model is too careful, below it too sure. "
        "Bars show how many clips a point stands for."
    )


def _before_and_after(data: Figures) -> None:
    """Show Brier score and calibration error with and without calibration."""
    found = data.calibration()
    columns: dict[str, list[object]] = {
        "Probabilities": [], "Brier score (95 %)": [], "Expected calibration error (95 %)": [],
    }  # fmt: skip
    for of, title in (("aggression", "Aggression score"), ("emotions", "Emotions")):
        for side in ("before", "after"):
            entry = found[of].get(side)
            if entry is None:
                continue
            columns["Probabilities"].append(f"{title}, {side} calibration")
            columns["Brier score (95 %)"].append(with_interval(figure_of(entry["brier"])))
            columns["Expected calibration error (95 %)"].append(
                with_interval(figure_of(entry["calibration_error"]))
            )
    table("before_after", columns, f"{data.evaluation.name}-{data.selection.name}-calibration")
    if "before" not in found["aggression"]:
        st.caption("The predictions of this model do not say what it said before calibration.")
