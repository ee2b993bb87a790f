"""The Costs page: what a volume takes on this machine, in a person's hours, and at cloud services."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from blipper.costs import (
    CLOUD_PRICES,
    WRITTEN,
    Estimate,
    Pace,
    Review,
    Volume,
    estimate,
    measure_pace,
    review,
)
from blipper.figures.costs import costs_figure
from blipper.progress import Progress
from blipper.words.transcribe import load_engine
from blipper.words.weights import installed
from ui.engine import engine, session_gone
from ui.evaluation_table import CHART, as_csv
from ui.intake import SAMPLE, automatic, usable_models
from ui.jobs import Job
from ui.session import shelf
from ui.text import plain

_JOB: Final = "costs_job"
_PACE: Final = "costs_pace"
_ERROR: Final = "costs_error"

_ENGINES: Final = {"none": "Without a transcript", "pocketsphinx": "PocketSphinx (a rough draft)"}

#: Seconds between two looks at the measurement.
_INTERVAL: Final = 0.3

#: Least sound, in seconds, of which a session's own events an hour are a guess worth making.
_ENOUGH: Final = 600.0

#: The table's columns by name for people, and the field that each shows.
_COLUMNS: Final = {
    "service": "Service",
    "gives": "What it gives",
    "per_minute": "USD a minute",
    "source": "Source",
    "seen": "Seen",
}


def show() -> None:
    """Show the inputs, the measurement, and what they come to."""
    st.markdown(
        "What would it take to listen to all of it? Measure this machine, set your volume, and compare. "
        "Every number can be changed; nothing is sent anywhere."
    )
    volume = _volume()
    _measurement()
    pace: Pace | None = st.session_state.get(_PACE)
    mine = None if pace is None else estimate(pace, volume)
    if mine is None:
        st.info("Press **Measure this machine**: it takes under half a minute.", icon=":material/speed:")
    else:
        _machine(pace, volume, mine)
    _listening(volume)
    _cloud(volume, mine)


def _volume() -> Volume:
    st.subheader("Your volume", anchor=False)
    minutes, share, workers, price = st.columns(4)
    return Volume(
        minutes=minutes.number_input(
            "Minutes of sound",
            1.0,
            1e9,
            100_000.0,
            step=1000.0,
            format="%.0f",
            key="costs_minutes",
            help="How much is to be analysed, pauses included.",
        ),
        speech_share=share.number_input(
            "Share of it that is speech (%)",
            0.0,
            100.0,
            60.0,
            step=5.0,
            format="%.0f",
            key="costs_share",
            help="The voice model works on speech alone. Review shows how much of a recording is speech.",
        )
        / 100,
        workers=int(
            workers.number_input(
                "Workers side by side",
                1,
                100_000,
                os.cpu_count() or 1,
                key="costs_workers",
                help="Processes, each with a model of its own; as many as the machine has cores, or more on "
                "several machines. The estimate takes each for as fast as the one that was measured.",
            )
        ),
        hourly_price=price.number_input(
            "Price of the machine (USD an hour)",
            0.0,
            1e6,
            0.0,
            step=0.1,
            key="costs_price",
            help="Rent for an hour of the machine with all its workers; 0 for one that you own.",
        ),
    )


def _measurement() -> None:
    left, right = st.columns(2)
    usual, _ = automatic()
    voice = left.selectbox(
        "Voice model",
        ["auto", *usable_models()],
        format_func=lambda name: usual if name == "auto" else name,
        key="costs_model",
        help="Which voice model is measured; a change counts after the next measurement.",
    )
    words = right.selectbox(
        "Transcript",
        ["none", "pocketsphinx", *(f"whisper:{size}" for size in installed())],
        format_func=lambda name: _ENGINES.get(name, name.replace("whisper:", "Whisper ")),
        key="costs_engine",
        help="Writing down what is said takes many times longer than scoring the voice. Whisper is offered "
        "where its weights are on this machine.",
    )
    job: Job[Pace] | None = st.session_state.get(_JOB)
    if job is not None:
        _follow()
        return
    if st.button(
        "Measure this machine",
        icon=":material/speed:",
        key="costs_measure",
        help="Analyses made speech for some seconds on the machine that runs Blipper, and times it.",
    ):
        st.session_state[_ERROR] = ""
        job = Job(functools.partial(_measure, voice, words), abandoned=session_gone())
        st.session_state[_JOB] = job
        engine().worker.submit(job)
        st.rerun()
    if error := st.session_state.get(_ERROR):
        st.error(f"The machine could not be measured: {plain(error)}", icon=":material/error:")


def _measure(voice: str, words: str, progress: Progress) -> Pace:
    writer = None if words == "none" else load_engine(words, language="en", progress=progress)
    return measure_pace(SAMPLE, engine().model(voice), engine=writer, progress=progress)


@st.fragment(run_every=_INTERVAL)
def _follow() -> None:
    job: Job[Pace] | None = st.session_state.get(_JOB)
    if job is None or job.over:
        if job is not None:
            st.session_state[_JOB] = None
            if job.status == "done":
                st.session_state[_PACE] = job.result
            st.session_state[_ERROR] = job.error
        st.rerun()
    bar, stop = st.columns([7, 1.2], vertical_alignment="center")
    bar.progress(
        job.fraction, "Waiting for its turn" if job.status == "waiting" else "Measuring this machine"
    )
    if stop.button("Cancel", width="stretch", key="costs_cancel", help="Stop measuring"):
        job.cancel()
        st.session_state[_JOB] = None
        st.rerun()


def _machine(pace: Pace, volume: Volume, mine: Estimate) -> None:
    st.subheader("On this machine", anchor=False)
    time, speed, price = st.columns(3)
    time.metric("Takes", duration(mine.hours), border=True)
    speed.metric("Times real time", f"{mine.times_real_time:,.0f}", border=True)
    price.metric("Machine", f"${mine.price:,.2f}", border=True)
    note = (
        f"Measured just now with `{pace.model}`, medians of {pace.repeats} runs on the synthetic sample, "
        f"repeated to {pace.seconds / 60:.0f} min ({100 * pace.speech_share:.0f} % speech): "
        f"{1000 * pace.per_sound:.2f} ms for a second of sound, {1000 * pace.per_speech:.2f} ms more for a "
        "second of speech. "
    )
    if pace.engine is None:
        note += "No transcript is counted."
    else:
        note += (
            f"A transcript by {plain(pace.engine)} takes {1000 * pace.per_words:.0f} ms more for a second of "
            f"speech, by one run over up to {WRITTEN:.0f} s of it."
        )
    if volume.workers > 1:
        note += (
            " A single run uses more than one core at times, so several workers on one machine come to less "
            "than their number."
        )
    st.caption(note)


def _listening(volume: Volume) -> None:
    st.subheader("A person's hours", anchor=False)
    default, origin = events_per_hour()
    rate, length, wage = st.columns(3)
    result = review(
        volume,
        events_per_hour=rate.number_input(
            "Events in an hour of sound",
            0.0,
            1e5,
            default,
            step=1.0,
            format="%.1f",
            key="costs_events",
            help="How many stretches an hour are marked at your threshold; each is to be listened to.",
        ),
        seconds_per_event=length.number_input(
            "Seconds to judge one",
            0.0,
            3600.0,
            20.0,
            step=5.0,
            format="%.0f",
            key="costs_seconds",
            help="With what comes before and after it, and a note.",
        ),
        hourly_wage=wage.number_input(
            "Wage (USD an hour)",
            0.0,
            1e4,
            20.0,
            step=1.0,
            key="costs_wage",
            help="What an hour of listening costs you.",
        ),
    )
    st.caption(origin)
    owed, saved, price = st.columns(3)
    owed.metric(f"To judge {result.events:,.0f} events", duration(result.hours), border=True)
    saved.metric(_saved_label(result), duration(abs(result.saved)), border=True)
    price.metric("Listening", f"${result.price:,.2f}", border=True)


def _saved_label(result: Review) -> str:
    return "Saved against hearing it all" if result.saved >= 0 else "More than hearing it all"


def events_per_hour() -> tuple[float, str]:
    """Return a default for the events an hour, and where it comes from."""
    opened = shelf().finished
    seconds = sum(recording.analysis.duration for recording in opened)
    if seconds >= _ENOUGH:
        events = sum(len(recording.marked.events) for recording in opened)
        return (
            round(3600 * events / seconds, 1),
            f"The events an hour are those of the {len(opened)} recordings of this session, "
            f"{seconds / 60:.0f} min, at the thresholds set there.",
        )
    return (
        10.0,
        "Ten events an hour is only a place to begin: analyse ten minutes or more of your own recordings in "
        "Review, and their number stands here, at the threshold that you set there.",
    )


def _cloud(volume: Volume, mine: Estimate | None) -> None:
    st.subheader("Beside cloud services", anchor=False)
    st.markdown(
        "List prices without discounts, as the linked pages named them on the day given. **Not like for "
        "like:** these services turn speech into text, and none of them hears how it was said; Blipper's "
        "figure is for the voice, with the transcript that was measured, if any. Change a price, or add a "
        "row of your own."
    )
    edited = st.data_editor(
        pd.DataFrame(
            [[getattr(price, field) for field in _COLUMNS] for price in CLOUD_PRICES],
            columns=list(_COLUMNS.values()),
        ),
        num_rows="dynamic",
        hide_index=True,
        key="costs_prices",
        column_config={
            "Service": st.column_config.TextColumn(required=True, max_chars=80),
            "USD a minute": st.column_config.NumberColumn(
                required=True, min_value=0.0, max_value=1000.0, format="%.5f"
            ),
            "Source": st.column_config.LinkColumn(validate=r"^https?://\S+$"),
        },
    )
    rows = priced(edited.to_dict("records"), volume)
    own = [] if mine is None else [("Blipper, this machine", mine.price)]
    st.plotly_chart(costs_figure(own, rows), config=CHART, key="costs_chart")
    st.download_button(
        "These prices (CSV)",
        data=as_csv(
            {
                "service": [name for name, _ in (*own, *rows)],
                "usd": [round(price, 2) for _, price in (*own, *rows)],
                "minutes": [volume.minutes] * (len(own) + len(rows)),
            }
        ),
        file_name="blipper-costs.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="costs_download",
        help="Saves the table above with its sources.",
    )


def priced(records: Sequence[dict[Any, Any]], volume: Volume) -> list[tuple[str, float]]:
    """Return each service's price of the volume, from the cheapest, of the rows with a name and a price."""
    rows = [
        (str(record["Service"]), float(record["USD a minute"]) * volume.minutes)
        for record in records
        if record["Service"] and record["USD a minute"] is not None and math.isfinite(record["USD a minute"])
    ]
    return sorted(rows, key=lambda row: row[1])


def duration(hours: float) -> str:
    """Return hours in words that fit their size."""
    if hours < 1 / 60:
        return f"{3600 * hours:.0f} s"
    if hours < 1:
        return f"{60 * hours:.0f} min"
    if hours < 48:
        return f"{hours:,.1f} h"
    return f"{hours / 24:,.1f} days"
