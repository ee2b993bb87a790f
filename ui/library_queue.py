"""The review queue: one stretch after the other, heard and judged by key."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import soundfile as sf
import streamlit as st

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, Item, Stretch
from blipper.library.queue import Offer, are_judged, review_queue
from blipper.voice.labels import EMOTIONS
from blipper.wording import moment
from ui import library_state
from ui.replay import listen_for
from ui.session import shelf
from ui.text import plain, shorten

#: Seconds heard before and after a stretch, since nobody can judge a cut-off word.
_AROUND: Final = 1.0
_SKIPPED: Final = "library_skipped"
_LAST: Final = "library_last_verdict"
_OTHER: Final = "library_queue_emotion"
_NOTE: Final = "library_queue_note"
_PLACE: Final = "library_queue_sound"

_METHOD = """
Offered first is the stretch whose verdict says most: close to the threshold, and unlike what is judged or
offered already (uncertainty sampling, Lewis and Gale 1994; farthest-first traversal, Gonzalez 1985). Each
stretch counts its closeness to the threshold times its distance to the nearest of those: half the
difference of the emotions, half for another recording. Stretches just below the threshold are offered
too, so that misses are found. The score is hidden until you have judged, lest it sways you.
"""


def show(database: Database) -> None:
    """Show the most useful stretch, or say why there is none."""
    who = library_state.analyst()
    st.caption(
        "Listen, then press a key: **1** sounds angry, **2** does not, **3** another emotion, **4** skip, "
        "**U** takes your last verdict back, **P** plays the stretch again or stops it. Keys work while no "
        "text field is being typed in."
    )
    second = st.toggle(
        "Second opinions: offer also what others judged",
        key="library_second_opinions",
        help="For the agreement between analysts",
    )
    _undo(database, who)
    offers, items, unheard = _offers(database, who if second else None)
    if unheard:
        st.caption(
            f"{unheard} more cannot be heard here, because their sound is not kept; open their recordings "
            "from "
            "**Recordings** to judge them on the Review page."
        )
    if not offers:
        st.success(
            "Nothing is left to judge here. Save more recordings on the Review or the Batch page, with their "
            "sound, or take up what you skipped.",
            icon=":material/task_alt:",
        )
        if st.session_state.get(_SKIPPED):
            st.button(
                "Take up what I skipped",
                key="library_unskip",
                on_click=_unskip,
                help="Offers the skipped stretches again.",
            )
        return
    _offer(database, offers[0], items[offers[0].stretch.recording_id], who, len(offers))
    with st.expander("How the queue chooses", icon=":material/info:"):
        st.markdown(_METHOD)


def _offers(database: Database, analyst: str | None) -> tuple[tuple[Offer, ...], dict[str, Item], int]:
    stretches, items = library_state.judgeable(database)
    infos = {info.id: info for item in items.values() for info in item.analyses}
    known = [row for row in stretches if row.analysis_id in infos and row.recording_id in items]
    here = {opened.recording.provenance.sha256 for opened in shelf().finished}
    heard = [
        row
        for row in known
        if infos[row.analysis_id].channels in items[row.recording_id].audio
        or items[row.recording_id].sha256 in here
    ]
    thresholds = {own: info.threshold for own, info in infos.items()}
    verdicts = lib.read_verdicts(database)
    skipped = st.session_state.get(_SKIPPED, set())
    waiting = [row for row in heard if _key(row) not in skipped]
    offers = review_queue(waiting, verdicts, thresholds, size=50, analyst=analyst)
    ids = {_key(row) for row in heard}
    unheard = [row for row in known if _key(row) not in ids]
    return offers, items, int((~are_judged(unheard, verdicts, analyst)).sum())


def _key(stretch: Stretch) -> tuple[str, int, float]:
    return (stretch.recording_id, stretch.channel, stretch.start)


def _offer(database: Database, offer: Offer, item: Item, who: str, left: int) -> None:
    stretch = offer.stretch
    with st.container(border=True):
        channel = f", channel {stretch.channel + 1}" if stretch.channel else ""
        st.markdown(
            f"**{plain(shorten(item.name, 60))}**, {moment(stretch.start)} to {moment(stretch.end)}{channel} "
            f":gray[· {left if left < 50 else '50 or more'} to judge]"
        )
        sound = _sound(database, item, stretch)
        if sound is None:
            st.warning("The sound is no longer here; skip this one.")
        else:
            with st.container(key=_PLACE):
                st.audio(sound, format="audio/flac", autoplay=bool(st.session_state.get("library_autoplay")))
            listen_for("P", _PLACE)
            st.caption(f"The stretch is heard with {_AROUND:g} s before and after it.")
        _buttons(stretch, who, sound is not None)
        note, autoplay = st.columns([3, 1.2], vertical_alignment="bottom")
        note.text_input(
            "Note, kept with the verdict",
            key=_NOTE,
            max_chars=1000,
            help="A few words about why; kept with the next verdict that you press.",
        )
        autoplay.toggle(
            "Play by itself", key="library_autoplay", help="Each stretch is played as soon as it is shown."
        )


def _buttons(stretch: Stretch, who: str, heard: bool) -> None:
    if not who:
        st.caption("Type your name above first: it stands beside your verdicts.")
    blocked = not who or not heard
    angry, calm, other, skip = st.columns(4)
    yes = "right" if stretch.kind == "event" else "missed"
    angry.button(
        "Sounds angry",
        key="library_yes",
        shortcut="1",
        on_click=_judge,
        args=(stretch, who, yes),
        disabled=blocked,
        width="stretch",
        help="Keeps the verdict that it sounds angry, and goes on to the next stretch (key 1).",
    )
    calm.button(
        "Does not",
        key="library_no",
        shortcut="2",
        on_click=_judge,
        args=(stretch, who, "wrong"),
        disabled=blocked,
        width="stretch",
        help="Keeps the verdict that it does not, and goes on to the next stretch (key 2).",
    )
    other.button(
        "Another emotion",
        key="library_other",
        shortcut="3",
        on_click=_judge,
        args=(stretch, who, "other emotion"),
        disabled=blocked,
        width="stretch",
        help="The one chosen below",
    )
    skip.button(
        "Skip",
        key="library_skip",
        shortcut="4",
        on_click=_skip,
        args=(stretch,),
        width="stretch",
        help="Goes on without a verdict; what was skipped can be taken up again (key 4).",
    )
    st.selectbox(
        "Which other emotion it sounds like",
        [emotion for emotion in EMOTIONS if emotion != "angry"],
        key=_OTHER,
        help="Choose what you hear; it is kept beside the verdict.",
    )


def _judge(stretch: Stretch, who: str, answer: str) -> None:
    try:
        given = lib.judge(
            library_state.library(),
            stretch.recording_id,
            target=stretch.kind,
            start=stretch.start,
            end=stretch.end,
            channel=stretch.channel,
            verdict=answer,  # type: ignore[arg-type]
            emotion=st.session_state[_OTHER] if answer == "other emotion" else None,
            analyst=who,
            analysis_id=stretch.analysis_id,
            note=str(st.session_state.get(_NOTE, "")),
        )
    except LibraryError as error:
        st.session_state[_LAST] = (None, str(error))
        return
    said = "no score" if given.score is None else f"its score was {given.score:.2f}"
    st.session_state[_LAST] = (given.id, f"Kept: {given.verdict}; {said}.")
    st.session_state[_NOTE] = ""


def _skip(stretch: Stretch) -> None:
    st.session_state.setdefault(_SKIPPED, set()).add(_key(stretch))


def _unskip() -> None:
    st.session_state.pop(_SKIPPED, None)


def _undo(database: Database, who: str) -> None:
    last = st.session_state.get(_LAST)
    if last is None:
        return
    verdict_id, message = last
    said, button = st.columns([5, 1.6], vertical_alignment="center")
    said.markdown(plain(message))
    if verdict_id is not None:
        button.button(
            "Take it back",
            key="library_undo",
            shortcut="U",
            on_click=_take_back,
            args=(verdict_id, who),
            width="stretch",
            help="Takes the last verdict back and shows its stretch again (key U).",
        )


def _take_back(verdict_id: int, who: str) -> None:
    try:
        lib.withdraw(library_state.library(), verdict_id, actor=who)
    except LibraryError as error:
        st.session_state[_LAST] = (None, str(error))
    else:
        st.session_state.pop(_LAST)


def _sound(database: Database, item: Item, stretch: Stretch) -> bytes | None:
    """Return the stretch with what is around it: from this session's recording, or from the library."""
    start, end = stretch.start - _AROUND, stretch.end + _AROUND
    info = next((info for info in item.analyses if info.id == stretch.analysis_id), None)
    for opened in shelf().finished:
        recording = opened.recording
        same = info is not None and opened.analysis.settings.get("channels") == info.channels
        if recording.provenance.sha256 == item.sha256 and same:
            return _flac(recording.read(start, end, stretch.channel), recording.sampling_rate)
    if info is None:
        return None
    clip = lib.read_clip(database, item.id, info.channels, stretch.channel, start, end)
    return None if clip is None else _flac(*clip)


def _flac(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    sf.write(file, np.clip(samples, -1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


__all__: Sequence[str] = ("show",)
