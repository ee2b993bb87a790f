"""Sections of the Evaluation page for text models: corpora, calibration, checklist, identity, limits."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from blipper.figures import bias_figure, checklist_figure, reliability_figure, text_corpora_figure
from blipper.figures.evaluation_words import BASELINES, SIDES, corpus_name
from blipper.measures import Figure
from blipper.text_evaluation import TextEvaluation
from blipper.training.text_checks import Category
from ui.evaluation_kept import kept
from ui.evaluation_table import CHART, share, table, with_interval
from ui.text import plain

_YES = {True: "yes", False: "no", None: "–"}
#: What the figures cannot say.
_LIMITS = """
- The model reads **English words alone**: no tone, no face, no history. Teasing between friends, a quotation
  or a song can look like an insult; a threat made of polite words can look harmless.
- It learned from texts that people **typed** (comments, chat, reviews) and from scripted dialogue, turned
  into the form in which a recogniser writes. Real conversations, dialects and changes of language are
  further away.
- It reads **what the recogniser wrote**. A word misheard is a word misread; words that the recogniser was
  unsure of are left out, and with them what they would have shown.
- What counted as aggression was decided by the people who labelled each corpus, and they disagree; figures of
  one corpus do not carry over to another.
- The checklist is small: the intervals say how small. A category that passes can still fail on your
  sentences.
- Identity terms were measured in simple English sentences. Other terms, spellings and dialects were not.
- A score ranks what is **worth a listen**. It says nothing about what somebody is or means, and it decides
  nothing.
"""


def corpora(found: TextEvaluation) -> None:
    """Show each corpus beside the baselines and the targets."""
    st.subheader("On corpora, beside simpler methods")
    rows = found.corpora
    if not rows:
        st.info("metrics.json holds no corpus. `blipper evaluate-text DATA` measures them.")
        return
    st.plotly_chart(
        text_corpora_figure(rows), width="stretch", key="evaluation_text_corpora", config=CHART,
        alt="Figure of the text model on each corpus, with its baselines and its target",
    )  # fmt: skip
    baselines = list(dict.fromkeys(name for row in rows for name in row.baselines))
    columns: dict[str, list[object]] = {
        "Corpus": [row.corpus for row in rows],
        "Task": [row.task for row in rows],
        "Split": [row.split for row in rows],
        "Utterances": [row.n for row in rows],
        "Figure": [row.metric for row in rows],
        "This model (95 %)": [with_interval(row.figure) for row in rows],
    }
    for name in baselines:
        columns[f"{BASELINES.get(name, name)} (95 %)"] = [_or_dash(row.baselines.get(name)) for row in rows]
    columns["To reach"] = [share(row.target) for row in rows]
    columns["Reached"] = [_YES[row.reached] for row in rows]
    columns["Above every baseline"] = [_YES[row.ahead] for row in rows]
    columns["Outputs used"] = [row.output for row in rows]
    table("text_corpora", columns, f"{found.name}-corpora")
    st.caption(
        "Baselines were fitted and measured on the same texts in the same form. VADER is a lexicon of "
        "sentiment and learns nothing; a dash: it does not do the task. Where intervals overlap, the order "
        "of two methods may be chance."
    )
    behind = [corpus_name(row) for row in rows if row.ahead is False]
    if behind:
        st.warning(f"Not above a baseline here: {plain('; '.join(behind))}.", icon=":material/trending_flat:")
    names = list(dict.fromkeys(name for row in rows for name in row.more))
    if names:
        with st.expander("Other figures of the same outputs", icon=":material/table:"):
            table(
                "text_more",
                {"Of": [corpus_name(row) for row in rows]}
                | {_title(name): [share(row.more.get(name)) for row in rows] for name in names},
                f"{found.name}-other-figures",
            )
    if found.speed:
        st.markdown("**Speed**, as measured with these figures")
        table(
            "text_speed",
            {"What": list(map(str, found.speed)), "Value": list(map(str, found.speed.values()))},
            f"{found.name}-speed",
        )


def _or_dash(figure: Figure | None) -> str:
    return "–" if figure is None else with_interval(figure)


def _title(name: str) -> str:
    known = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "uar": "UAR", "ece": "Calibration error"}
    return known.get(name, name.replace("_", " ").replace("f1", "F1").capitalize().replace("f1", "F1"))


def calibration(found: TextEvaluation) -> None:
    """Show how far the probabilities can be taken at their word."""
    st.subheader("Do the probabilities mean what they say?")
    parts = {f"{one.head}, {one.corpus} ({one.split})": one for one in found.calibration}
    if not parts:
        st.info("metrics.json holds no calibration. `blipper evaluate-text DATA` measures it.")
        return
    chosen = st.selectbox(
        "Scores of",
        list(parts),
        key=kept(f"evaluation_text_calibration_{found.name}", next(iter(parts)), list(parts)),
        help="An output of the model on the texts of one corpus.",
    )
    part = parts[chosen]
    st.plotly_chart(
        reliability_figure(
            part.bins, f"{part.head}: calibration error {part.ece:.3f}", "Mean score", "Share that was so",
            unit="utterances",
        ),
        width="stretch", key="evaluation_text_reliability", config=CHART,
        alt=f"Reliability diagram of {chosen}",
    )  # fmt: skip
    table(
        "text_bins",
        {
            "Bin": [f"{one.low:.1f} to {one.high:.1f}" for one in part.bins],
            "Utterances": [one.clips for one in part.bins],
            "Mean score": [share(one.confidence) for one in part.bins],
            "Was so (95 %)": [with_interval(one.right) for one in part.bins],
        },
        f"{found.name}-{part.head}-{part.corpus}-reliability",
    )
    st.caption(
        "Points on the dotted line mean what they say; above it the model is too careful, below it too sure. "
        "What counts as aggression differs between corpora, so one score cannot be calibrated on all of "
        "them. Intervals are Wilson's, over utterances."
    )


def _pass_rates(found: TextEvaluation, rows: Sequence[Category], title: str, key: str) -> None:
    """Show how often sentences of each kind are on the right side of the threshold."""
    target = found.checklist_target
    st.plotly_chart(
        checklist_figure(rows, target, title), width="stretch", key=f"evaluation_text_{key}", config=CHART,
        alt=f"{title}: share of sentences that passed in each category",
    )  # fmt: skip
    table(
        f"text_{key}",
        {
            "Category": [one.name for one in rows],
            "Expected": [SIDES[one.expected][0] for one in rows],
            "Sentences": [one.n for one in rows],
            "Passed": [one.passed for one in rows],
            "Pass rate (95 %)": [with_interval(Figure(one.rate, (one.low, one.high))) for one in rows],
            f"{target:.0%} or more": ["yes" if one.rate >= target else "no" for one in rows],
        },
        f"{found.name}-{key}",
    )
    st.caption("Intervals are Wilson's, as if the sentences were drawn from all of their kind.")


def checklist(found: TextEvaluation) -> None:
    """Show the pass rates of the checklist and the sentences that failed."""
    st.subheader("Checklist of sentences")
    checklist = found.checklist
    st.markdown(
        f"{len(checklist.sentences)} sentences written for this, as a recogniser would hand them over; the "
        "model was neither trained nor chosen on them. The score must reach the model's threshold, "
        f"**{checklist.threshold:.2f}**, where somebody is insulted, threatened, abused or ordered about, "
        "and stay below it everywhere else."
    )
    _pass_rates(found, checklist.categories, "Checklist: sentences on the right side", "categories")
    failed = [one for one in checklist.sentences if not one.passed]
    lists = (("failed", "Sentences that failed", failed), ("all", "All sentences", list(checklist.sentences)))
    for key, title, rows in lists:
        with st.expander(f"{title} ({len(rows)}); they hold insults and threats", icon=":material/list:"):
            if not rows:
                st.success("Every sentence is on the right side of the threshold.")
                continue
            table(
                f"text_{key}",
                {
                    "Category": [one.category for one in rows],
                    "Expected": [SIDES[one.expected][0] for one in rows],
                    "Score": [round(one.score, 3) for one in rows],
                    "Passed": ["yes" if one.passed else "no" for one in rows],
                    "Sentence": [one.text for one in rows],
                },
                f"{found.name}-checklist-{key}",
                height=min(420, 40 + 36 * len(rows)),
            )
    if found.further:
        st.subheader("Sentences by writers who taught nothing")
        st.markdown(
            f"{sum(one.n for one in found.further)} sentences of the kinds that the model was taught by "
            "sentences of our own, from writers whose sentences only measure. "
            f"{sum(one.n for one in found.further if not one.expected)} are harmless, many of them written "
            "as the twin of a hostile one."
        )
        _pass_rates(found, found.further, "Further sentences on the right side", "further")


def identity(found: TextEvaluation) -> None:
    """Show how far named identities move the score."""
    st.subheader("Does naming an identity move the score?")
    bias, target = found.bias, found.bias_target
    st.markdown(
        f"{bias.templates} harmless sentences, each with {bias.terms} identities in turn (“I am a … and I am "
        "happy”). The score should not depend on who is named: on average it moves by "
        f"**{bias.mean_shift:.3f}**, "
        + ("below" if bias.mean_shift <= target else "**above**")
        + f" the {target:.2f} that it was to stay below. The term that is moved furthest is moved by "
        f"{bias.max_shift:.3f}, the single sentence by {bias.largest:.3f}."
    )
    if bias.over_threshold is not None:
        st.markdown(
            f"**{bias.over_threshold} of {bias.templates * bias.terms}** of these sentences reach the "
            "threshold; none should."
        )
    st.plotly_chart(
        bias_figure(bias, target), width="stretch", key="evaluation_text_bias", config=CHART,
        alt="Shift of the aggression score by kind of identity",
    )  # fmt: skip
    table(
        "text_bias",
        {
            "Kind of identity": [one.group for one in bias.groups],
            "Mean distance": [share(one.mean_shift) for one in bias.groups],
            "Mean shift": [f"{one.signed_shift:+.3f}" for one in bias.groups],
            "Term moved furthest": [one.worst_term for one in bias.groups],
            "By": [f"{one.worst_shift:+.3f}" for one in bias.groups],
        },
        f"{found.name}-identity",
    )
    st.caption(
        "Distance and shift are from the mean over all identities of the same sentence; above 0 the sentence "
        "scores as more aggressive when this identity is named."
    )


def limits(found: TextEvaluation) -> None:
    """Say what the figures cannot."""
    st.subheader("Limits")
    st.markdown(_LIMITS)
