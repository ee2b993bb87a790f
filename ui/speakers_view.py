"""All speakers at once: their lanes, who talked how much and over whom, and what they are called."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import streamlit as st

from blipper.errors import SettingsError
from blipper.export.csv import interruptions_csv, talk_csv, turns_csv
from blipper.figures.lanes import lanes_figure
from blipper.results import Analysis
from blipper.speakers.talk import LONGEST_LABEL, Talk, speaker_of_event, speakers, talk
from blipper.wording import length, moment
from ui.session import OpenRecording, shelf
from ui.text import plain, printable, safe_stem


def show_speakers(opened: OpenRecording, analysis: Analysis) -> None:
    """Show one lane a speaker, the tables, and the labels; says why where there are no lanes."""
    summed = talk(analysis)
    if summed is None:
        return
    guessed = any(notice.code == "speakers-guessed" for notice in analysis.notices)
    st.subheader("Speakers, as guessed" if guessed else "Speakers", anchor=False)
    if summed.same_sound:
        st.warning(
            "The channels overlap almost throughout: they seem to carry the same sound, so the figures below "
            "do not tell speakers apart."
        )
    st.plotly_chart(lanes_figure(analysis), key=f"blipper_lanes_{opened.id}")
    _talk_table(summed)
    _interruptions_table(summed)
    _events_table(analysis)
    with st.container(horizontal=True):
        for label, write, ending in (
            ("Talk time (CSV)", talk_csv, ".talk.csv"),
            ("Turns (CSV)", turns_csv, ".turns.csv"),
            ("Interruptions (CSV)", interruptions_csv, ".interruptions.csv"),
        ):
            st.download_button(
                label,
                data=_written(write, analysis),
                file_name=safe_stem(opened.name) + ending,
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key=f"blipper_speakers{ending}_{opened.id}",
                help="Saves who speaks when, for other programs.",
            )
    _labels(opened, analysis)


def _written(write: Callable[[Analysis], str], analysis: Analysis) -> Callable[[], bytes]:
    """Return a function that writes a table once it is asked for, and does not keep the result alive."""
    reference = weakref.ref(analysis)

    def written() -> bytes:
        held = reference()
        if held is None:
            raise RuntimeError("this result was deleted; reload the page")
        return write(held).encode()

    return written


def _talk_table(summed: Talk) -> None:
    rows = summed.speakers
    st.dataframe(
        {
            "Speaker": [printable(one.speaker) for one in rows],
            "Talk": [length(one.seconds) for one in rows],
            "Share (%)": [round(100 * one.share) for one in rows],
            "Turns": [one.turns for one in rows],
            "Longest turn": [length(one.longest) for one in rows],
            "Takes over": [one.interruptions for one in rows],
            "Is taken over": [one.interrupted for one in rows],
            "Loudness (LUFS)": [one.level for one in rows],
            "Loudest turn (LUFS)": [one.loudest for one in rows],
            "Loudest at": ["" if one.loudest_time is None else moment(one.loudest_time) for one in rows],
        },
        hide_index=True,
    )
    st.caption(
        f"{length(summed.overlap)} were spoken by several at once. A turn **takes over** when it begins "
        "while another's goes on and outlasts it (Heldner and Edlund 2010); a short “mhm” in between does "
        "not count. Whether anybody minded, no sound tells. Loudness compares within one channel; between "
        "channels it also depends on microphones."
    )


def _interruptions_table(summed: Talk) -> None:
    """Show each interruption: when, who, whom."""
    taken = summed.interruptions
    if not taken:
        return
    with st.expander(
        f"{len(taken)} time{'s' if len(taken) > 1 else ''} somebody took over", icon=":material/list:"
    ):
        st.dataframe(
            {
                "At": [moment(one.time) for one in taken],
                "Takes over": [printable(one.speaker) for one in taken],
                "From": [printable(one.interrupted) for one in taken],
                "Both speak (s)": [round(one.overlap, 1) for one in taken],
            },
            hide_index=True,
        )


def _events_table(analysis: Analysis) -> None:
    """Show the events of all speakers in one table."""
    if not analysis.events:
        return
    with st.expander(f"All {len(analysis.events)} events with their speakers", icon=":material/list:"):
        st.dataframe(
            {
                "Event": list(range(1, len(analysis.events) + 1)),
                "Speaker": [
                    printable(speaker_of_event(analysis, event) or "unknown") for event in analysis.events
                ],
                "From": [moment(event.start) for event in analysis.events],
                "Length (s)": [round(event.duration, 1) for event in analysis.events],
                "Peak score": [round(event.peak, 2) for event in analysis.events],
                "Leading emotion": [event.emotion for event in analysis.events],
            },
            hide_index=True,
        )


# Streamlit keeps callbacks for as long as the session lives, so these hold an id and not the recording.


def _rename(opened_id: str, old: str, key: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is None:
        return
    try:
        opened.rename({old: str(st.session_state[key])})
    except SettingsError as error:
        st.session_state[f"label_fault_{opened_id}"] = str(error)
    else:
        st.session_state.pop(f"label_fault_{opened_id}", None)


def _labels(opened: OpenRecording, analysis: Analysis) -> None:
    with st.expander("Name the speakers", icon=":material/edit:"):
        st.caption("“Agent” and “Customer”, say. The names stay in the result and go into every file.")
        names = speakers(analysis)
        for column, (number, name) in zip(st.columns(max(2, len(names))), enumerate(names), strict=False):
            key = f"label_{opened.id}_{number}_{name}"
            column.text_input(
                f"Speaker {number + 1}",
                name,
                max_chars=LONGEST_LABEL,
                key=key,
                on_change=_rename,
                args=(opened.id, name, key),
                help="A name of your choice for this speaker; it goes into reports and files.",
            )
        fault = st.session_state.get(f"label_fault_{opened.id}")
        if fault:
            st.error(plain(fault))
