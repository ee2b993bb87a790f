"""The library on the Review page: save what is open, and judge its events. Nothing at all while it is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import AnalysisInfo, Item, Verdict, place
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS
from blipper.wording import clock, moment
from ui import library_state
from ui.player import numbered_events
from ui.session import OpenRecording, shelf
from ui.text import plain, printable, shorten

#: Rows with buttons on one page of them.
_ROWS: Final = 12
_ERROR: Final = "blipper_library_error"


@dataclass(frozen=True)
class Judgeable:
    """A stretch on the page that can be judged: an event, or an utterance."""

    target: str
    channel: int
    start: float
    end: float
    label: str


def show(opened: OpenRecording, analysis: Analysis, channel: int) -> None:
    """Show the section, if the library is on."""
    if not library_state.is_on():
        return
    st.subheader("Library and verdicts", anchor=False)
    if message := st.session_state.pop(_ERROR, None):
        st.error(plain(message), icon=":material/error:")
    try:
        database = library_state.library()
        item = lib.find(database, analysis.provenance.sha256)
    except LibraryError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    who = library_state.ask_analyst(f"review_{opened.id}")
    info = None if item is None else _same(item, analysis)
    _save(opened, item, info, who)
    if item is not None and info is not None:
        given = lib.read_verdicts(database, item.id)
        _judge_rows("Events", _events(analysis, channel), item, info, given, who)
        _judge_rows("Utterances", _utterances(analysis, channel), item, info, given, who)
        _missed(opened, item, info, channel, who)


def _same(item: Item, analysis: Analysis) -> AnalysisInfo | None:
    """Return the kept analysis by the same model of the same channels, to hang verdicts on."""
    channels = analysis.settings.get("channels", "mix")
    return next(
        (i for i in item.analyses if (i.model_sha256, i.channels) == (analysis.model.sha256, channels)), None
    )


def _save(opened: OpenRecording, item: Item | None, info: AnalysisInfo | None, who: str) -> None:
    """Offer to save, or say what is saved already."""
    if item is not None and info is not None:
        sound = "with its sound" if info.channels in item.audio else "without its sound"
        st.markdown(
            f":material/check_circle: In the library since {item.added_at:%Y-%m-%d %H:%M} UTC, {sound}, at "
            "the "
            f"threshold {info.threshold:.2f}. *Delete everything* above forgets this session alone; delete "
            "it "
            "from the library on the Library page."
        )
    changed = info is None or info.settings_sha256 != lib.settings_sha256(opened.marked)
    missing_sound = info is None or item is None or info.channels not in item.audio
    with st.expander(
        "Save to the library" if info is None else "Save these settings, or the sound, as well",
        icon=":material/save:",
        expanded=info is None,
    ):
        if not changed and not missing_sound:
            st.markdown("All of it is there. Saving again updates the transcript and the tags.")
        chosen = place.choices()
        left, right = st.columns(2)
        left.checkbox(
            "Keep its sound too",
            value=chosen.keep_audio,
            key=f"blipper_keep_sound_{opened.id}",
            help="Only with it can events be judged later, and verdicts go back into training",
        )
        right.number_input(
            "Delete it after days (0: nobody but a person does)",
            0,
            36_500,
            value=chosen.keep_days or 0,
            key=f"blipper_keep_days_{opened.id}",
            help="After so many days the recording and all about it are deleted by themselves.",
        )
        st.text_input(
            "Tags, with commas between them",
            key=f"blipper_tags_{opened.id}",
            max_chars=500,
            help="Words by which you find it again in the library.",
        )
        st.button(
            "Save to the library",
            type="primary" if info is None else "secondary",
            key=f"blipper_save_{opened.id}",
            on_click=_keep,
            args=(opened.id, who),
            disabled=not who,
            help=None if who else "Type your name first",
        )
        st.caption(
            f"Kept {'in PostgreSQL' if not place.address().startswith('sqlite') else 'on this server'}: "
            "name, "
            "analysis, tags and verdicts; everybody who can open this app sees them."
        )


def _keep(opened_id: str, who: str) -> None:
    entry = shelf().entries.get(opened_id)
    opened = None if entry is None else entry.opened
    if opened is None:
        return
    tags = [tag for tag in str(st.session_state[f"blipper_tags_{opened_id}"]).split(",") if tag.strip()]
    sound = (
        [held.audio for held in opened.playback]
        if st.session_state[f"blipper_keep_sound_{opened_id}"]
        else []
    )
    days = int(st.session_state[f"blipper_keep_days_{opened_id}"])
    try:
        lib.save(
            library_state.library(),
            opened.marked,
            analyst=who,
            sound=sound,
            keep_days=days or None,
            tags=tags,
        )
    except LibraryError as error:
        st.session_state[_ERROR] = str(error)


def _events(analysis: Analysis, channel: int) -> list[Judgeable]:
    return [
        Judgeable(
            "event",
            channel,
            event.start,
            event.end,
            f"**{number}** · {moment(event.start)} to {moment(event.end)} · peak {event.peak:.2f} · "
            f"{event.emotion}",
        )
        for number, event in numbered_events(analysis, channel)
    ]


def _utterances(analysis: Analysis, channel: int) -> list[Judgeable]:
    transcript = analysis.tracks[channel].transcript
    if transcript is None:
        return []
    return [
        Judgeable(
            "utterance",
            channel,
            said.start,
            said.end,
            f"{clock(said.start)} · {plain(shorten(said.text, 90))}",
        )
        for said in transcript.utterances
        if said.end > said.start
    ]


def _judge_rows(
    title: str,
    rows: Sequence[Judgeable],
    item: Item,
    info: AnalysisInfo,
    given: Sequence[Verdict],
    who: str,
) -> None:
    """Show one row a stretch with its buttons, a page of them at a time."""
    if not rows:
        return
    judged = {(v.target, v.channel, round(v.start, 3), round(v.end, 3)) for v in given if v.analyst == who}
    done = sum(_place(row) in judged for row in rows)
    with st.expander(
        f"{title}: {done} of {len(rows)} judged by you", icon=":material/gavel:", expanded=title == "Events"
    ):
        st.caption(
            "Does it sound angry there? *Another emotion* asks which. A newer verdict of yours takes the "
            "older "
            "one's place."
        )
        pages = -(-len(rows) // _ROWS)
        page = 1
        if pages > 1:
            page = int(
                st.number_input(
                    f"Page of {pages}",
                    1,
                    pages,
                    key=f"blipper_page_{title}_{item.id}",
                    help="More stretches are on further pages.",
                )
            )
        for row in rows[(page - 1) * _ROWS : page * _ROWS]:
            _row(row, item, info, [v for v in given if _of(v, row)], who)


def _place(row: Judgeable) -> tuple[str, int, float, float]:
    return (row.target, row.channel, round(row.start, 3), round(row.end, 3))


def _of(verdict: Verdict, row: Judgeable) -> bool:
    return (verdict.target, verdict.channel, verdict.start, verdict.end) == _place(row)


def _row(row: Judgeable, item: Item, info: AnalysisInfo, given: Sequence[Verdict], who: str) -> None:
    key = f"{row.target}_{item.id}_{row.channel}_{round(row.start * 1000)}_{round(row.end * 1000)}"
    text, right, wrong, more = st.columns([4.6, 1, 1, 1.6], vertical_alignment="center")
    said = "; ".join(f"{plain(v.analyst)}: {_said(v)}" for v in given)
    text.markdown(row.label + (f"  \n:gray[{said}]" if said else ""))
    values = (row, item.id, info.id, who, key)
    own = next((verdict for verdict in given if verdict.analyst == who), None)
    for column, label, answer in ((right, "Right", "right"), (wrong, "Wrong", "wrong")):
        column.button(
            label,
            key=f"blipper_{answer}_{key}",
            on_click=_give,
            args=(*values, answer),
            disabled=not who,
            width="stretch",
            type="primary" if own is not None and own.verdict == answer else "secondary",
            help="Keeps this verdict in the library, with the name and the note beside it.",
        )
    with more.popover(
        "More…",
        width="stretch",
        help="Another emotion, a missed stretch, a note, or taking the verdict back.",
    ):
        st.selectbox(
            "It sounds",
            [name for name in EMOTIONS if name != "angry"],
            key=f"blipper_emotion_{key}",
            help="Which emotion you hear instead of anger.",
        )
        st.button(
            "Another emotion: this one",
            key=f"blipper_other_{key}",
            on_click=_give,
            args=(*values, "other emotion"),
            disabled=not who,
            help="Keeps the verdict that it sounds so and not angry.",
        )
        if row.target == "utterance":
            st.button(
                "Missed: it sounds angry and is no event",
                key=f"blipper_missed_{key}",
                on_click=_give,
                args=(*values, "missed"),
                disabled=not who,
                help="Says that this stretch sounds angry although it was not marked.",
            )
        st.text_area(
            "Note (kept with the next verdict you press)",
            value="" if own is None else own.note,
            key=f"blipper_note_{key}",
            max_chars=10_000,
            help="Kept with the next verdict that you press, and shown beside it.",
        )
        if own is not None:
            st.button(
                "Take my verdict back",
                key=f"blipper_back_{key}",
                on_click=_withdraw,
                args=(own.id, who),
                help="Deletes your verdict on this stretch; those of others stay.",
            )


def _said(verdict: Verdict) -> str:
    answer = verdict.verdict if verdict.emotion is None else f"{verdict.verdict}, {verdict.emotion}"
    return answer + (f" (“{plain(shorten(printable(verdict.note), 60))}”)" if verdict.note else "")


def _give(row: Judgeable, recording_id: str, analysis_id: str, who: str, key: str, answer: str) -> None:
    try:
        lib.judge(
            library_state.library(),
            recording_id,
            target=row.target,  # type: ignore[arg-type]
            start=row.start,
            end=row.end,
            channel=row.channel,
            verdict=answer,  # type: ignore[arg-type]
            emotion=st.session_state[f"blipper_emotion_{key}"] if answer == "other emotion" else None,
            analyst=who,
            analysis_id=analysis_id,
            note=str(st.session_state.get(f"blipper_note_{key}", "")),
        )
    except LibraryError as error:
        st.session_state[_ERROR] = str(error)


def _withdraw(verdict_id: int, who: str) -> None:
    try:
        lib.withdraw(library_state.library(), verdict_id, actor=who)
    except LibraryError as error:
        st.session_state[_ERROR] = str(error)


def _missed(opened: OpenRecording, item: Item, info: AnalysisInfo, channel: int, who: str) -> None:
    """Let the analyst mark a stretch that sounds angry and is no event."""
    end = max(0.5, float(opened.analysis.duration))
    with st.expander("Mark what was missed", icon=":material/add_alert:"):
        start, stop, act = st.columns([1, 1, 1.4], vertical_alignment="bottom")
        start.number_input(
            "From (s)",
            0.0,
            end,
            0.0,
            step=0.5,
            key=f"blipper_missed_from_{opened.id}",
            help="Where the missed stretch begins, in seconds from the start.",
        )
        stop.number_input(
            "To (s)",
            0.0,
            end,
            min(2.0, end),
            step=0.5,
            key=f"blipper_missed_to_{opened.id}",
            help="Where the missed stretch ends, in seconds from the start.",
        )
        act.button(
            "It sounds angry here",
            key=f"blipper_missed_{opened.id}",
            on_click=_mark,
            args=(opened.id, item.id, info.id, channel, who),
            disabled=not who,
            width="stretch",
            help="Keeps the stretch as missed: angry to you, and no event.",
        )


def _mark(opened_id: str, recording_id: str, analysis_id: str, channel: int, who: str) -> None:
    row = Judgeable(
        "marked",
        channel,
        float(st.session_state[f"blipper_missed_from_{opened_id}"]),
        float(st.session_state[f"blipper_missed_to_{opened_id}"]),
        "",
    )
    _give(row, recording_id, analysis_id, who, "", "missed")


__all__: Sequence[str] = ("show",)
