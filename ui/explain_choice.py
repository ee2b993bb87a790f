"""What to explain: an event, a moment or an utterance; which score; by which method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import streamlit as st

from blipper.explain.attribution import Method
from blipper.explain.choice import Choice, of_event
from blipper.explain.decomposition import peak_in
from blipper.explain.reports import moments_csv
from blipper.explain.targets import TARGETS
from blipper.explain.voice import thin_out, windows_in
from blipper.figures.explain import moments_figure
from blipper.results import Span
from blipper.wording import clock, moment
from ui import clicks
from ui.explain_show import chart_config, offer
from ui.player import numbered_events
from ui.session import OpenRecording
from ui.text import plain, printable, shorten

METHODS: Final[dict[Method, str]] = {
    "integrated gradients": "Integrated gradients",
    "shap": "SHAP (slower)",
}


@dataclass(frozen=True)
class Chosen:
    """What is to be explained.

    Parameters
    ----------
    choice : Choice
        The windows of the voice.
    time : float or None
        The moment whose fused score is taken apart, in seconds; None where there is no score.
    utterance : int or None
        The utterance that was chosen, where one was.
    """

    choice: Choice
    time: float | None
    utterance: int | None = None


def choose_score() -> tuple[str, Method]:
    """Ask which score to explain and how."""
    left, right = st.columns([1, 1.4])
    target = left.selectbox(
        "Score",
        ("aggression", *TARGETS[:-1]),
        format_func=str.capitalize,
        key=kept("target", "aggression"),
        help="Aggression is the score of the Review page; the others are what the model gives each emotion.",
    )
    method = right.segmented_control(
        "Method",
        list(METHODS),
        format_func=METHODS.__getitem__,
        required=True,
        key=kept("method", "integrated gradients"),
        help="Both compare with neutral speech. Integrated gradients walk from its average spectrum, or, for "
        "a model that does not take this for speech, from several real neutral voices; SHAP compares with "
        "many real neutral voices, drawn at random, and says how sure the sum is.",
    )
    return target, cast(Method, method or "integrated gradients")


def choose_windows(opened: OpenRecording, target: str) -> Chosen | None:
    """Ask for an event, a moment or an utterance; None where there is nothing to explain."""
    channel = _channel(opened)
    track = opened.analysis.tracks[channel]
    if not len(track.windows):
        st.info(
            "Nobody was heard to speak on this channel, so there is no score to explain. Choose another "
            "channel."
        )
        return None
    events = numbered_events(opened.marked, channel)
    utterances = [] if track.transcript is None else list(track.transcript.utterances)
    ways = {"event": "An event", "moment": "A moment"} | ({"utterance": "An utterance"} if utterances else {})
    way = st.segmented_control(
        "What to explain",
        list(ways),
        format_func=ways.__getitem__,
        required=True,
        key=kept(f"way_{opened.id}_{channel}", "event" if events else "moment"),
        help="An event is a stretch that reaches the threshold. A moment is one window of a few seconds, "
        "chosen by a click on the curve or by its time.",
    )
    if way == "moment":
        return _moment(opened, channel, target)
    if way == "utterance" and utterances:
        number = st.selectbox(
            "Utterance",
            range(len(utterances)),
            format_func=lambda i: (
                f"{clock(utterances[i].start)}  {shorten(printable(utterances[i].text), 80)}"
            ),
            key=kept(f"utterance_{opened.id}_{channel}", 0),
            help="What was said, from the transcript.",
        )
        said = utterances[number]
        span = Span(said.start, said.end)
        inside = windows_in(track.windows.start, track.windows.end, span)
        return Chosen(Choice(channel, tuple(thin_out(inside, 40))), peak_in(track, span), number)
    if not events:
        st.info(
            "This channel has no event at the threshold in force. Choose a moment instead, or lower the "
            "threshold on the Review page."
        )
        return None
    numbers = [number for number, _ in events]
    by_number = dict(events)
    number = st.selectbox(
        "Event",
        numbers,
        format_func=lambda n: (
            f"Event {n}: {moment(by_number[n].start)} to {moment(by_number[n].end)}, "
            f"peak {by_number[n].peak:.2f}"
        ),
        key=kept(f"event_{opened.id}_{channel}", numbers[0], among=numbers),
        help="Numbered as on the Review page.",
    )
    event = by_number[number]
    return Chosen(of_event(opened.marked, event), peak_in(track, Span(event.start, event.end)))


def kept(name: str, default: Any = None, among: Any = None) -> str:
    """Return a widget's key whose value outlives a visit to another page; `among` are the values allowed.

    The browser is told the value until a run that drew it has come to its end, since one that ends early may
    not have told it. Not at every run: to be told takes back what was chosen while the page was drawn anew,
    and the next poll then says so to the app.
    """
    held: dict[str, Any] = st.session_state.setdefault("explain_kept", {})
    drawn, told = _drawn_and_told()
    key = f"explain_{name}"
    drawn.add(key)
    if key in st.session_state:
        held[name] = st.session_state[key]
        if key not in told:
            st.session_state[key] = held[name]
    else:
        told.discard(key)
        st.session_state[key] = held.get(name, default)
    if among is not None and st.session_state[key] not in among:
        st.session_state[key] = default
    return key


def begin() -> None:
    """Begin to draw: no widget is drawn yet."""
    _drawn_and_told()[0].clear()


def end() -> None:
    """Note that everything was drawn, so that the browser knows what the widgets hold."""
    drawn, told = _drawn_and_told()
    told |= drawn


def _drawn_and_told() -> tuple[set[str], set[str]]:
    found: tuple[set[str], set[str]] = st.session_state.setdefault("explain_told", (set(), set()))
    return found


def _channel(opened: OpenRecording) -> int:
    tracks = opened.analysis.tracks
    if len(tracks) == 1:
        return 0
    return st.radio(
        "Channel",
        range(len(tracks)),
        format_func=lambda index: plain(tracks[index].name.capitalize()),
        horizontal=True,
        key=kept(f"channel_{opened.id}", 0),
        help="Each channel has scores of its own.",
    )


def _moment(opened: OpenRecording, channel: int, target: str) -> Chosen:
    windows = opened.analysis.tracks[channel].windows
    middles = (windows.start + windows.end) / 2
    scores = windows.aggression if target == "aggression" else windows.emotions[:, TARGETS.index(target)]
    strongest = float(middles[int(scores.argmax())])
    chart = f"explain_curve_{opened.id}_{channel}"
    key = kept(clicks.field(f"time_{opened.id}_{channel}", chart), clicks.taken(chart, round(strongest, 2)))
    chosen = windows_in(windows.start, windows.end, Span(st.session_state[key], st.session_state[key]))
    st.plotly_chart(
        moments_figure(
            np.asarray(middles),
            np.asarray(scores),
            threshold=opened.shown_threshold,
            chosen=(chosen[0].start, chosen[0].end),
            target=target,
        ),
        width="stretch",
        theme="streamlit",
        key=chart,
        on_select=lambda: _clicked(chart),
        selection_mode="points",
        config=chart_config(opened, "moments"),
        alt=f"Score for {target} of each window over time",
    )
    offer("These scores (CSV)", moments_csv(windows, scores), opened, "moments.csv", "explain_moments_csv")
    st.number_input(
        "Time (s)",
        0.0,
        float(opened.recording.duration),
        step=0.5,
        key=key,
        help="The window whose middle is nearest is explained. A click on the curve sets this, too.",
    )
    time, track = float(st.session_state[key]), opened.analysis.tracks[channel]
    here = peak_in(track, Span(time, time + 1e-6))
    if here is None:  # a time in a pause has no score of its own: then it is the nearest window's
        here = peak_in(track, chosen[0])
    return Chosen(Choice(channel, tuple(chosen)), here)


def _clicked(chart: str) -> None:
    """Take the time of the point that was clicked, before the next run draws the field."""
    points = st.session_state[chart]["selection"]["points"]
    if points:
        clicks.take(chart, round(float(points[0]["x"]), 2))
