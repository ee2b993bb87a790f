"""The Live page: a microphone, the last two minutes, an alert, and the events so far."""

from __future__ import annotations

from typing import Final

import streamlit as st

from blipper.csv_cells import score, seconds, table
from blipper.errors import BlipperError, ModelError
from blipper.figures.live import live_figure
from blipper.fusion import STEP, SURROUNDINGS, Surroundings
from blipper.settings import Settings
from blipper.wording import length
from ui.engine import engine
from ui.listening import SHOWN, Alert, Listening, begin
from ui.recorder import piece_of, show_recorder
from ui.text import WHAT_A_SCORE_IS, plain

_RECORDER: Final = "blipper_recorder"
_HELD: Final = "blipper_listening"
_FAULT: Final = "blipper_listening_fault"
_THRESHOLD: Final = "blipper_live_threshold"
_SHORTEST: Final = "blipper_live_shortest"
_PATIENT: Final = "blipper_live_patient"
#: Seconds that a score waits for what follows it.
_WAIT: Final = Surroundings(SURROUNDINGS, STEP).reach * STEP

_ENDINGS: Final = {
    "stopped": "Stopped.",
    "unplugged": "The microphone is gone, so listening has ended.",
    "left": "Listening ended when you left this page.",
}
_COLUMNS: Final = (
    "began_at",
    "start_s",
    "end_s",
    "duration_s",
    "peak_score",
    "mean_score",
    "leading_emotion",
)


def show() -> None:
    """Show the page."""
    st.markdown(
        "Listen to a microphone and see where it sounds angry **while it is said**. An alert comes once the "
        "score has stayed high for a while."
    )
    st.caption(
        ":material/lock: **Nothing of the live sound is kept.** It goes from your browser to the machine "
        "that runs Blipper and nowhere else; a few seconds are held while they are scored, then dropped. "
        "Scores and events stay in this browser tab until you close it. Tell everybody who can be heard: in "
        "many places the law asks for their consent."
    )
    held = _held()
    if held is not None and held.ended is None and _RECORDER not in st.session_state:
        held.finish("left")  # the recorder went away with the page, and with it the microphone
    warm = engine().worker.warm.is_set()
    st.fragment(_stream, run_every=None if warm else 1.0)()
    with st.expander("What a score is, and what it is not", icon=":material/info:"):
        st.markdown(WHAT_A_SCORE_IS)


def leave() -> None:
    """End a stream whose page was left; called wherever another page is shown."""
    held = _held()
    if held is not None and held.ended is None:
        held.finish("left")


def _held() -> Listening | None:
    held: Listening | None = st.session_state.get(_HELD)
    return held


def _stream() -> None:
    """Everything that a piece of sound changes; reruns without the rest of the page."""
    held = _held()
    going_on = held is not None and held.ended is None
    ready = engine().worker.warm.is_set()
    try:
        own = round(engine().live_model().info.threshold, 2) if ready else 0.5
    except ModelError as error:
        st.error(plain(f"{error}. Without a model there is nothing to listen with."))
        return
    _controls(own, disabled=going_on)
    taken = ("", 0) if held is None else (held.run, held.number)
    show_recorder(_RECORDER, taken, ready=ready, on_piece=_take)
    if not ready:
        st.info("The model is being loaded; this takes a few seconds.", icon=":material/hourglass_top:")
    fault = st.session_state.get(_FAULT)
    if fault:
        st.error(plain(fault))
    if held is None:
        st.info("Press **Start listening**; your browser asks whether this page may use the microphone.")
        return
    _alert(held)
    if held.ended is not None:
        st.info(f"{_ENDINGS.get(held.ended, 'Listening has ended.')} {length(held.now)} were heard.")
    if held.lost >= 0.05:
        st.warning(
            f"{length(held.lost)} of sound were lost: the connection or the machine was too slow for a "
            "while. Times after that run early by as much."
        )
    open_until = [(held.alert.start, held.alert.until)] if held.alert and held.alert.going_on else []
    figure = live_figure(
        held.points,
        held.analyser.provisional if going_on else [],
        [*((event.start, event.end) for event in held.events if event.end > held.now - SHOWN), *open_until],
        now=held.now,
        threshold=held.analyser.threshold,
        shown=SHOWN,
    )
    st.plotly_chart(figure, key="blipper_live_chart")
    _events(held)


def _controls(own: float, *, disabled: bool) -> None:
    threshold, shortest = st.columns(2)
    threshold.slider(
        "Threshold: mark what scores at least",
        0.05,
        0.95,
        value=own,
        step=0.01,
        key=_THRESHOLD,
        disabled=disabled,
        help=f"The model's own threshold is {own:.2f}. It can be moved before listening starts.",
    )
    shortest.slider(
        "Shortest event that raises an alert (s)",
        1.0,
        15.0,
        value=2.0,
        step=0.5,
        format="%.1f",
        key=_SHORTEST,
        disabled=disabled,
        help="A shorter flare-up raises no alert and is no event.",
    )
    st.toggle(
        f"Judge each moment by the {_WAIT:g} s around it",
        value=True,
        key=_PATIENT,
        disabled=disabled,
        help=f"As the Review page does: fewer alerts are false. Off, alerts come {_WAIT:g} s sooner.",
    )


def _take() -> None:
    """Take the recorder's newest piece; called before the page is drawn."""
    piece = piece_of(_RECORDER)
    if piece is None:
        return
    try:
        held = _held()
        if held is None or held.run != piece["run"]:
            settings = Settings(
                threshold=float(st.session_state[_THRESHOLD]),
                min_duration=float(st.session_state[_SHORTEST]),
                surroundings=SURROUNDINGS if st.session_state[_PATIENT] else 0.0,
            )
            held = begin(piece, engine().live_model(), settings)
            st.session_state[_HELD] = held
            st.session_state[_FAULT] = ""
        held.take(piece)
    except BlipperError as error:
        st.session_state[_FAULT] = f"Listening has ended: {error}"
        held = _held()
        if held is not None:
            held.ended = held.ended or "failed"


def _alert(held: Listening) -> None:
    alert: Alert | None = held.alert
    if alert is None:
        st.success("No alert: nothing stayed above the threshold of late.", icon=":material/check_circle:")
        return
    began = held.clock(alert.start).strftime("%H:%M:%S")
    span = f"{length(max(0.1, alert.until - alert.start))}, peak {alert.peak:.2f}"
    if alert.going_on and held.ended is None:
        st.error(f"**Sounds angry** since {began} ({span}): worth a listen now.", icon=":material/campaign:")
    else:
        st.warning(f"Sounded angry from {began} on ({span}); it is over.", icon=":material/history:")


def _events(held: Listening) -> None:
    if not held.events:
        return
    st.subheader("Events so far", anchor=False)
    newest = list(reversed(held.events))
    st.dataframe(
        {
            "Began at": [held.clock(event.start).strftime("%H:%M:%S") for event in newest],
            "Length (s)": [round(event.duration, 1) for event in newest],
            "Peak score": [round(event.peak, 2) for event in newest],
            "Mean score": [round(event.mean, 2) for event in newest],
            "Leading emotion": [event.emotion for event in newest],
        },
        hide_index=True,
    )
    st.download_button(
        "Events (CSV)",
        data=events_csv(held),
        file_name="live-events.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="blipper_live_download",
        help="Saves the events so far with their times and scores.",
    )


def events_csv(held: Listening) -> bytes:
    """Return the stream's events as a table."""
    rows = (
        (
            held.clock(event.start).isoformat(timespec="seconds"),
            *(seconds(event.start), seconds(event.end), seconds(event.duration)),
            *(score(event.peak), score(event.mean), event.emotion),
        )
        for event in held.events
    )
    return table(_COLUMNS, rows).encode()
