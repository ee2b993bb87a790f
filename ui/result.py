"""A finished analysis on the page: the sentence, the sound's quality, the player, the tables."""

from __future__ import annotations

import gc
from typing import Final

import numpy as np
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from blipper.expectation import expectation
from blipper.fusion import EventSettings
from blipper.results import Analysis, Quality
from blipper.wording import length, summary_sentence, trend_sentence
from ui import hear_all, library_review
from ui.balance import show_balance, what_a_score_says
from ui.batch_run import forget as forget_batch
from ui.details import show_origin, show_quality, show_windows
from ui.downloads import show_downloads
from ui.player import numbered_events, show_events, show_player
from ui.session import OpenRecording, Shelf, shelf
from ui.speakers_view import show_speakers
from ui.text import WHAT_A_SCORE_IS, plain, shorten
from ui.transcript import show_transcript

#: What the session's state holds beside the shelf, by the beginning of its key.
_HELD_KEYS = ("threshold_", "shortest_", "balance_", "channel_", "label_", "blipper_listening")
#: Seconds at the end of the slider of the shortest event, but for a result that has a longer one.
_LONGEST_SHORTEST: Final = 15.0


def show_shelf(held: Shelf) -> None:
    """Show the session's recordings when there are several, to choose which is open."""
    finished = held.finished
    if len(finished) < 2:
        return
    st.subheader("Recordings")
    # Scores of two models do not compare, so each is named once there are two.
    several = len({opened.analysis.model.name for opened in finished}) > 1
    with st.container(height=280 if len(finished) > 4 else "content", border=True):
        for opened in finished:
            name, sentence, peak, act = st.columns([3, 6, 2, 1.4], vertical_alignment="center")
            name.markdown(f"**{plain(shorten(opened.name, 32))}**")
            sentence.markdown(summary_sentence(opened.marked))
            highest = peak_score(opened.analysis)
            peak.markdown("no score" if highest is None else f"peak {highest:.2f}")
            if several:
                peak.caption(plain(opened.analysis.model.name))
            is_open = opened.id == held.open_id
            if act.button(
                "Open" if not is_open else "Shown",
                key=f"blipper_open_{opened.id}",
                disabled=is_open,
                width="stretch",
                help="Shows this recording below and on the other pages.",
            ):
                held.open_id = opened.id
                st.rerun()


def show(opened: OpenRecording) -> None:
    """Show one finished analysis."""
    title, delete = st.columns([5, 1.3], vertical_alignment="center")
    title.markdown(f":gray[{plain(shorten(opened.name, 80))} · {length(opened.recording.duration)}]")
    if delete.button(
        "Delete everything",
        icon=":material/delete:",
        key="blipper_delete",
        width="stretch",
        help="Forget every recording and result of this browser session",
    ):
        delete_everything()
    _result(opened.id)


def peak_score(analysis: Analysis) -> float | None:
    """Return the highest point of all curves; None without speech."""
    scores = [track.scored.aggression for track in analysis.tracks]
    peaks = [np.nanmax(curve) for curve in scores if not np.isnan(curve).all()]
    return float(max(peaks)) if peaks else None


def delete_everything() -> None:
    """Forget recordings, results, uploads and what the browser could still fetch; then start afresh."""
    shelf().clear()
    forget_batch()
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        instance = runtime.get_instance()
        instance.uploaded_file_mgr.remove_session_files(context.session_id)
        instance.media_file_mgr.clear_session_refs(context.session_id)
        instance.media_file_mgr.remove_orphaned_files()
    for key in [key for key in st.session_state if str(key).startswith(_HELD_KEYS)]:
        del st.session_state[key]
    gc.collect()  # closes the unlinked files behind long recordings now, not some time later
    st.toast("Everything is deleted.", icon=":material/delete:")
    st.rerun()


@st.fragment
def _result(opened_id: str) -> None:
    """Everything that the threshold and the channel change; reruns without the rest of the page."""
    opened = shelf().entries[opened_id].opened
    if opened is None:
        return
    threshold = opened.shown_threshold
    analysis = opened.marked
    st.header(summary_sentence(analysis), anchor=False)
    st.caption(what_a_score_says(analysis))
    for notice in analysis.notices:
        if notice.code == "model":  # of every recording: worth knowing, not worth a box
            st.caption(plain(notice.message))
        else:
            (st.warning if notice.severity == "warning" else st.info)(plain(notice.message))
    # Before any score but the sentence's, since it limits what the others are worth.
    show_quality(_qualities(analysis))
    show_speakers(opened, analysis)
    channel = _choose_channel(opened, analysis)
    track = analysis.tracks[channel]
    show_player(opened, analysis, channel, threshold, hear_all.show(opened))
    _choose_events(opened)
    if (known := expectation(analysis)) is not None:
        st.caption(f"{plain(known.sentence)} Other recordings may differ; Evaluation has every threshold.")
    show_balance(opened, analysis)
    st.markdown(trend_sentence(track.trend) + ".")
    if numbered_events(analysis, channel):
        show_events(opened, analysis, channel, threshold)
    elif track.speech:
        st.info("No stretch of this channel reaches the threshold for long enough to be an event.")
    show_transcript(opened, analysis, channel)
    library_review.show(opened, analysis, channel)
    show_downloads(opened, analysis)
    show_windows(track.windows)
    show_origin(opened, analysis)
    with st.expander("What a score is, and what it is not", icon=":material/info:"):
        st.markdown(WHAT_A_SCORE_IS)
    st.session_state[_drawn(opened)] = _channel_labels(analysis)


def _choose_channel(opened: OpenRecording, analysis: Analysis) -> int:
    """Ask which channel to show when they were kept apart; the only one otherwise."""
    if len(analysis.tracks) == 1:
        return 0

    labels = _channel_labels(analysis)
    key = f"channel_{opened.id}"
    # Set when labels change with names or counts, since the browser knows a choice by its label; not at every
    # run, which would take back what was chosen while the page was drawn anew.
    if key not in st.session_state or st.session_state.get(_drawn(opened)) != labels:
        st.session_state[key] = st.session_state.get(key, opened.channel)
    opened.channel = st.radio(
        "Channel",
        range(len(labels)),
        format_func=labels.__getitem__,
        horizontal=True,
        key=key,
        help="Each channel was analysed by itself and has scores of its own.",
    )
    return opened.channel


def _drawn(opened: OpenRecording) -> str:
    """Return the name of the labels that the browser has of the channels, by a run that came to its end."""
    return f"channel_labels_{opened.id}"


def _channel_labels(analysis: Analysis) -> list[str]:
    return [_channel_label(analysis, channel) for channel in range(len(analysis.tracks))]


def _channel_label(analysis: Analysis, channel: int) -> str:
    count = len(numbered_events(analysis, channel))
    return f"{_channel_name(analysis, channel)}: {count} event{'s' if count != 1 else ''}"


def _channel_name(analysis: Analysis, channel: int) -> str:
    track = analysis.tracks[channel]
    names = list(dict.fromkeys(turn.speaker for turn in track.turns))
    return plain(names[0] if names and names != [track.name] else track.name.capitalize())


def _qualities(analysis: Analysis) -> dict[str, Quality]:
    """Return each channel's quality by its name; channels whose speakers are named alike stay apart."""
    found: dict[str, Quality] = {}
    for channel, track in enumerate(analysis.tracks):
        name = _channel_name(analysis, channel)
        found[f"{name} ({track.name})" if name in found else name] = track.quality
    return found


# Streamlit keeps callbacks for as long as the session lives, so these hold an id and not the recording.


def _move_threshold(opened_id: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is not None:
        chosen = float(st.session_state[f"threshold_{opened_id}"])
        # The model's own threshold has more decimals than the slider.
        opened.mark(None if chosen == round(opened.analysis.model.threshold, 2) else chosen)


def _reset_threshold(opened_id: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is not None:
        st.session_state[f"threshold_{opened_id}"] = round(opened.analysis.model.threshold, 2)
        opened.mark(None)


def _drop_shorter(opened_id: str) -> None:
    opened = shelf().entries[opened_id].opened
    if opened is not None:
        opened.drop_shorter(float(st.session_state[f"shortest_{opened_id}"]))


def _choose_events(opened: OpenRecording) -> None:
    """Show the sliders; a move marks the events again before the next run draws them."""
    own = opened.analysis.model.threshold
    key = f"threshold_{opened.id}"
    st.session_state.setdefault(key, round(own if opened.threshold is None else opened.threshold, 2))

    slider, button, shortest = st.columns([4, 1.3, 2.2], vertical_alignment="bottom")
    slider.slider(
        "Threshold: mark stretches that score at least",
        0.05,
        0.95,
        step=0.01,
        key=key,
        on_change=_move_threshold,
        args=(opened.id,),
        help="Events are marked again at once; the scores stay. The model's own threshold is "
        f"{own:.2f}. Lower marks more and errs more, higher misses more.",
    )
    button.button(
        f"Back to {own:.2f}",
        on_click=_reset_threshold,
        args=(opened.id,),
        disabled=opened.threshold is None,
        key=f"blipper_reset_{opened.id}",
        help="Back to the model's own threshold",
        width="stretch",
    )
    key = f"shortest_{opened.id}"
    st.session_state.setdefault(key, opened.min_duration)
    shortest.slider(
        "Shortest event (s)",
        0.0,
        max(_LONGEST_SHORTEST, opened.min_duration),
        step=0.5,
        format="%.1f",
        key=key,
        on_change=_drop_shorter,
        args=(opened.id,),
        help=f"Shorter ones are not marked; {EventSettings.min_duration:g} s is usual. With 3 s fewer alarms "
        "are false, and most outbursts of one sentence are lost; the Evaluation page has figures.",
    )
