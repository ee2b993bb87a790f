"""Sections of the Evaluation page about what an analyst meets: conversations, false alarms, other corpora."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from blipper import measures
from blipper.figures import conditions_figure, corpora_figure, figure_of, scenes_figure
from ui.evaluation_data import Figures
from ui.evaluation_kept import kept
from ui.evaluation_table import CHART, share, table, with_interval


def _missing(data: Figures, what: str, option: str) -> None:
    st.info(
        f"{what} not measured for this model yet: its metrics.json has no such part. With the corpora at "
        f"hand, "
        f"`blipper evaluate DATA --model {data.evaluation.name} {option}` measures it and writes it there."
    )


def scenes(data: Figures) -> None:
    """Show how events in conversations of known content were found."""
    st.subheader("Conversations of known content")
    found = data.evaluation.metrics.get("scenes")
    if not found:
        _missing(data, "Conversations were", "--scenes")
        return
    st.markdown(
        f"**{found['recordings']} conversations**, {found['seconds'] / 3600:.1f} hours, put together "
        f"from clips "
        f"of {len(found['speakers'])} test speakers: two or three people of at least two corpora take turns, "
        f"most with noise, half in a room, and in {found['stretches']} stretches somebody sounds angry. Each "
        "was analysed as an uploaded recording is, so this is what an analyst meets."
    )
    steps = sorted({*found["thresholds"], f"{found['threshold']:.2f}"})
    own = f"{found['threshold']:.2f}"
    key = kept(f"evaluation_scenes_{data.evaluation.name}", own, steps)
    chosen = st.select_slider(
        "Threshold of an event", steps, key=key,
        help=f"The model's own is {own}. Moving it marks the events again; the model does not run.",
    )  # fmt: skip
    now = found if chosen == own else found["thresholds"][chosen]
    tiles = (
        ("Precision", "precision", "Of the events, the share of which half lies in an angry stretch."),
        ("Recall", "recall", "Of the angry stretches, the share half covered by such events."),
        ("F1", "f1", "Harmonic mean of both."),
        ("False alarms/h", "false_alarms_per_hour", "Other events, by the hour outside the stretches."),
        ("Stretches touched", "touched", "Of the angry stretches, the share that any event touches."),
        ("Delay (s)", "delay", "Median seconds from a stretch's start to the start of its first event."),
    )  # fmt: skip
    with st.container(horizontal=True):
        for title, name, help_text in tiles:
            figure = figure_of(now[name])
            digits = 1 if name.endswith("hour") else 2 if "Delay" in title else 3
            st.metric(
                title,
                "–" if math.isnan(figure.value) else f"{figure.value:.{digits}f}",
                delta=_range(figure, digits),
                delta_color="off", delta_arrow="off", help=help_text, border=True, width=165,
            )  # fmt: skip
    st.plotly_chart(
        scenes_figure(found["thresholds"], float(chosen)), width="stretch", key="evaluation_scenes_chart",
        config=CHART, alt="Precision, recall, F1 and false alarms an hour of events, by threshold",
    )  # fmt: skip
    columns = _columns("Threshold", found["thresholds"], tiles)
    table("scenes", columns, f"{data.evaluation.name}-scenes", height=280)
    _shortest(data, found, tiles)
    st.caption(
        f"Half overlap on both sides, as in the intersection-based scores of Bilen et al. 2020. "
        f"Intervals draw "
        f"conversations anew. Seed {found['seed']}: the same command builds the same conversations."
    )


def _shortest(data: Figures, found: Mapping[str, Any], tiles: Sequence[tuple[str, str, str]]) -> None:
    """Show what another shortest event does at the model's own threshold."""
    if "shortest" not in found:
        return
    mean = found["angry_seconds"] / found["stretches"]
    st.markdown(
        f"**Another shortest event**, at the threshold of {found['threshold']:.2f}. The angry stretches here "
        f"last {mean:.0f} s in the mean: what finds them as often with fewer false alarms loses most "
        "outbursts of one sentence, which these conversations do not have."
    )
    columns = _columns("Shortest event (s)", found["shortest"], tiles)
    table("scenes_shortest", columns, f"{data.evaluation.name}-scenes-shortest")


def _columns(
    first: str, entries: Mapping[str, Mapping[str, Any]], tiles: Sequence[tuple[str, str, str]]
) -> dict[str, list[object]]:
    """Return a table of figures with intervals, a row an entry."""
    columns: dict[str, list[object]] = {first: list(entries)}
    for title, name, _ in tiles:
        columns[f"{title} (95 %)"] = [with_interval(figure_of(entry[name])) for entry in entries.values()]
    return columns


def _range(figure: measures.Figure, digits: int) -> str:
    if figure.interval is None:
        return "no interval"
    return " to ".join(f"{bound:.{digits}f}" for bound in figure.interval)


def alarms(data: Figures) -> None:
    """Show false alarms as events, by condition and by class of sound."""
    st.subheader("False alarms")
    found = data.evaluation.metrics.get("alarms")
    if not found:
        _missing(data, "False alarms were", "--false-alarms")
        return
    st.markdown(
        f"Events at the model's own threshold of **{found['threshold']:.2f}** where nobody sounds angry, "
        f"as the "
        "app marks them. Speech: the test speakers' neutral and happy clips, joined with pauses, with "
        "noise and "
        "through a telephone's band; beside it the share of their angry clips found in the same sound."
    )
    speech: Mapping[str, Any] = found["speech"]
    for condition, part in speech.items():
        if (own := part.get("threshold", found["threshold"])) != found["threshold"]:
            st.markdown(
                f"The condition *{condition}* has a threshold of its own, **{own:.2f}**, chosen in the same "
                "way on the same validation speech."
            )
    st.plotly_chart(
        conditions_figure(speech), width="stretch", key="evaluation_conditions", config=CHART,
        alt="False alarms an hour on neutral and happy speech, and angry clips found, by condition",
    )  # fmt: skip
    table(
        "conditions",
        {
            "Condition": list(speech),
            "Threshold": [f"{part.get('threshold', found['threshold']):.2f}" for part in speech.values()],
            "Neutral, alarms an hour (95 %)": [_rate(part["neutral"]) for part in speech.values()],
            "Happy, alarms an hour (95 %)": [_rate(part["happy"]) for part in speech.values()],
            "Angry clips found (95 %)": [
                with_interval(figure_of(part["angry"]["share"])) for part in speech.values()
            ],
            "Minutes of neutral speech": [
                f"{part['neutral']['seconds'] / 60:.1f}" for part in speech.values()
            ],
        },
        f"{data.evaluation.name}-alarms-speech",
    )
    plain = speech["as recorded"]
    st.markdown("**By corpus**, as recorded")
    corpora = list(plain["neutral"]["corpora"])
    table(
        "alarms_corpora",
        {
            "Corpus": [measures.TITLES.get(name, name) for name in corpora],
            "Neutral, alarms an hour (95 %)": [_rate(plain["neutral"]["corpora"][name]) for name in corpora],
            "Happy, alarms an hour (95 %)": [
                _rate(plain["happy"]["corpora"].get(name, {})) for name in corpora
            ],
            "Angry clips found (95 %)": [
                with_interval(figure_of(plain["angry"]["corpora"].get(name, {}).get("share", {})))
                for name in corpora
            ],
            "Speakers": [plain["neutral"]["corpora"][name]["speakers"] for name in corpora],
        },
        f"{data.evaluation.name}-alarms-corpora",
    )
    sounds: Mapping[str, Any] = found["sounds"]
    st.markdown("**Sounds without words**, each file a recording of its own")
    table(
        "alarms_sounds",
        {
            "Sounds": list(sounds),
            "Files": [part["files"] for part in sounds.values()],
            "Seconds": [part["seconds"] for part in sounds.values()],
            "Heard as speech": [part["with_speech"] for part in sounds.values()],
            "Alarms": [part["alarms"] for part in sounds.values()],
            "Alarms an hour": [
                "–" if part["per_hour"] is None else f"{part['per_hour']:.1f}" for part in sounds.values()
            ],
            "Highest score": [share(part["highest"]) for part in sounds.values()],
        },
        f"{data.evaluation.name}-alarms-sounds",
        height=280,
    )
    st.caption(
        "Sounds that training kept out; of screams all, since training leaves them out. What the detector of "
        "speech does not take for speech gets no score, so it raises no alarm: nor do most wordless screams."
    )
    _choice(data)


def _choice(data: Figures) -> None:
    """Say what the default threshold was chosen on."""
    evidence = data.evaluation.metrics["validation"].get("false_alarms")
    if not evidence:
        return
    found = "" if evidence["found"] is None else f"; it finds {evidence['found']:.0%} of their angry clips"
    st.markdown(
        f"**How the threshold was chosen**: {data.evaluation.config.get('threshold_rule', 'not stated')}. On "
        f"{evidence['seconds'] / 60:.1f} minutes of it there were {evidence['alarms']} alarms"
        f"{found}. So little speech cannot rule out up to {evidence['upper']:.0f} an hour (95 %)."
    )


def _rate(part: Mapping[str, Any]) -> str:
    figure = figure_of(part.get("per_hour", {}))
    if math.isnan(figure.value):
        return "–"
    bounds = "" if figure.interval is None else f" [{figure.interval[0]:.1f}, {figure.interval[1]:.1f}]"
    return f"{figure.value:.1f}{bounds}"


_MEASURES = {
    "accuracy": "Accuracy, six common emotions",
    "uar": "UAR, six common emotions",
    "roc_auc": "ROC-AUC, angry against the rest",
}


def corpora(data: Figures) -> None:
    """Show each corpus left out whole, beside figures with its other speakers in training."""
    st.subheader("A corpus never heard")
    evaluation = data.evaluation
    found = evaluation.metrics.get("left_out")
    if not found:
        _missing(data, "Training on three corpora with the test on the fourth was", "--leave-out all")
        return
    st.markdown(
        "Trained on three corpora, tested on **all speakers of the fourth**: other voices, rooms, "
        "microphones "
        "and sentences at once. This is the closest here to what your own recordings are like."
    )
    measure = st.selectbox(
        "Figure", list(_MEASURES), format_func=_MEASURES.__getitem__,
        key=kept("evaluation_corpora_measure", "accuracy", list(_MEASURES)),
        help="All over the six emotions that every corpus has, so that the corpora compare.",
    )  # fmt: skip
    side = "folds" if evaluation.crossed else "shipped"
    within = {name: _within(data, name, side) for name in found}
    rows = []
    for name, parts in found.items():
        inside = within[name].get(measure)
        rows.append((measures.TITLES.get(name, name), _entry(parts["common"], measure), inside))
    st.plotly_chart(
        corpora_figure(rows, _MEASURES[measure]), width="stretch", key="evaluation_corpora_chart",
        config=CHART,
        alt=f"{_MEASURES[measure]} of every corpus left out, beside its other speakers in training",
    )  # fmt: skip
    columns: dict[str, list[object]] = {
        "Corpus left out": [name for name, *_ in rows],
        "Clips": [parts["common"]["clips"] for parts in found.values()],
        "Speakers": [parts["common"]["speakers"] for parts in found.values()],
    }
    for key, title in _MEASURES.items():
        columns[f"{title} (95 %)"] = [with_interval(_entry(parts["common"], key)) for parts in found.values()]
        columns[f"{title}, its other speakers taught"] = [
            with_interval(within[name][key]) if key in within[name] else "–" for name in found
        ]
    columns["UAR, its own emotions (95 %)"] = [
        with_interval(figure_of(parts["own"]["uar"])) for parts in found.values()
    ]
    table("corpora", columns, f"{evaluation.name}-left-out")
    st.caption(
        f"*Its other speakers taught*: {evaluation.sides[side]}, on the same corpus. An emotion that the "
        f"other "
        "three corpora lack (calm, without RAVDESS) cannot be found, which counts in the last column."
    )


def _entry(part: Mapping[str, Any], name: str) -> measures.Figure:
    return figure_of(part.get("angry", {}).get(name, {}) if name == "roc_auc" else part[name])


def _within(data: Figures, corpus: str, side: str) -> dict[str, measures.Figure]:
    """Compute the same figures of a corpus whose other speakers were taught."""
    rows = [row for row in data.evaluation.rows(side) if row.corpus == corpus]
    if not rows:
        return {}
    return data.once(
        ("within", corpus, side),
        lambda: measures.headline(measures.select(rows, "all"), seed=data.seed, resamples=data.resamples),
    )
