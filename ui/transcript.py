"""What is said in the open recording: ask for a transcript, follow it, correct it, see what was left out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

import streamlit as st

from blipper.errors import BlipperError
from blipper.results import Analysis
from blipper.words import weights
from blipper.words.cues import tidy
from blipper.words.files import ACCEPTED, MAX_CHARACTERS, FileEngine
from blipper.words.sentiment import BUILT_IN, NONE
from blipper.words.transcribe import auto_choice, transcribe_channels
from blipper.words.transcript import Transcript
from ui.engine import engine
from ui.player import show_words
from ui.session import OpenRecording, shelf
from ui.text import plain, shorten
from ui.transcript_models import choose_text_model, show_readers

#: Seconds between two looks at the job.
_INTERVAL = 0.5

_SIZES: Final = ("tiny.en", "tiny", "base.en", "base", "small.en", "small", "turbo")

_STEPS: Final = {
    "download": "Downloading the weights",
    "words": "Writing the transcript",
    "reading": "Scoring the words",
}

_TIMING: Final = {
    "words": "times of words from the engine",
    "utterances": "times of words estimated within utterances",
    "spread": "times are a guess: spread over the speech",
}


def show_transcript(opened: OpenRecording, analysis: Analysis, channel: int) -> None:
    """Show one channel's transcript, or the ways to get one."""
    st.subheader("What is said", anchor=False)
    if opened.words is not None:
        _follow(opened.id)
    if opened.words_error:
        st.error(plain(opened.words_error), icon=":material/error:")
    transcript = analysis.tracks[channel].transcript
    if transcript is None:
        if opened.words is None:
            st.markdown(
                "There is no transcript of this recording yet. Writing one takes far longer than scoring the "
                "voice, so it is done when you ask for it."
            )
            _ways(opened)
        return
    _show_origin(transcript)
    show_readers(transcript)
    if transcript.utterances:
        show_words(opened, analysis, channel, functools.partial(_correct, opened.id, channel))
    else:
        st.info("Nobody was understood on this channel.")
    _show_dropped(transcript)
    with st.expander("Another transcript", icon=":material/replace_audio:"):
        _ways(opened)


def _show_origin(transcript: Transcript) -> None:
    badges = [f":gray-badge[:material/edit_note: {plain(transcript.engine)}]"]
    if transcript.draft:
        badges.insert(0, ":orange-badge[:material/warning: Rough draft]")
    if transcript.confidence is not None:
        badges.append(f":gray-badge[mean confidence {transcript.confidence:.2f}]")
    if transcript.language:
        badges.append(f":gray-badge[language {plain(transcript.language)}]")
    badges.append(f":gray-badge[{_TIMING[transcript.timing]}]")
    if transcript.edited:
        badges.append(":blue-badge[:material/edit: corrected by hand]")
    st.markdown(" ".join(badges))
    for notice in transcript.notices:
        (st.warning if notice.severity == "warning" else st.caption)(plain(notice.message))


def _show_dropped(transcript: Transcript) -> None:
    """List what was not believed, in a table: a cell shows text as it stands."""
    if not transcript.dropped:
        return
    with st.expander(f"Left out: {len(transcript.dropped)}", icon=":material/visibility_off:"):
        st.caption("Text that does not belong to this recording, as far as Blipper can tell, and why.")
        st.dataframe(
            {
                "Start (s)": [round(one.start, 2) for one in transcript.dropped],
                "End (s)": [round(one.end, 2) for one in transcript.dropped],
                "Text": [one.text for one in transcript.dropped],
                "Why": [one.reason for one in transcript.dropped],
            },
            hide_index=True,
        )


def _ways(opened: OpenRecording) -> None:
    """Offer the engines, and the upload of a transcript."""
    choices = engine_choices()
    by, tongue, write = st.columns([3, 2, 2], vertical_alignment="bottom")
    chosen = by.selectbox(
        "Written by",
        list(choices),
        format_func=choices.__getitem__,
        key=f"blipper_words_engine_{opened.id}",
        help="Whisper is far better and slower; a larger size errs less. Its weights are kept on the machine "
        "that runs Blipper; the recording never leaves it.",
    )
    language = tongue.text_input(
        "Language code",
        placeholder="detected",
        key=f"blipper_words_language_{opened.id}",
        max_chars=3,
        help="Such as en, de or ar; left empty, an engine that knows several detects it. It also holds for a "
        "transcript that you add, and for scoring the words again.",
    )
    spoken = language.strip().lower() or None
    fits = spoken is None or (len(spoken) > 1 and spoken.isalpha())
    if not fits:
        st.error(
            f"Language code {plain(language)}: expected two or three letters, such as en",
            icon=":material/error:",
        )
    reads, again = st.columns([5, 2], vertical_alignment="bottom")
    with reads:
        text_model = choose_text_model(opened.id)
    if write.button(
        "Write the transcript",
        icon=":material/subtitles:",
        key=f"blipper_words_write_{opened.id}",
        disabled=opened.words is not None or text_model is None or not fits,
        width="stretch",
        help="Writes down what is said on the machine that runs Blipper; it can be stopped.",
    ):
        engine().transcribe(opened, chosen, spoken, text_model or NONE)
        st.rerun()
    if opened.has_transcript and again.button(
        "Score the words again",
        icon=":material/psychology:",
        key=f"blipper_words_again_{opened.id}",
        disabled=opened.words is not None or text_model is None or not fits,
        width="stretch",
        help="Lets the chosen model read the transcript that is there; the text stays as it is.",
    ):
        engine().read(opened, text_model or NONE, language=spoken)
        st.rerun()
    file = st.file_uploader(
        f"Or add a transcript that you have: {ACCEPTED}",
        key=f"blipper_words_file_{opened.id}",
        help="What the file is gets decided from its content. A plain text is spread over the speech.",
    )
    if file is not None and fits and shelf().take(file.file_id):
        _read(opened, PurePath(file.name).name, file.getvalue(), text_model or BUILT_IN, spoken)
        st.rerun()


def _read(
    opened: OpenRecording, name: str, content: bytes, text_model: str = NONE, language: str | None = None
) -> None:
    """Lay an uploaded transcript beside the recording, and have its words scored."""
    try:
        loaded = FileEngine(content, name=shorten(name, 80), language=language)
    except BlipperError as error:
        opened.words_error = str(error)
        return
    if opened.words is not None:
        opened.words.cancel()
        opened.words = None
    speech = [track.speech for track in opened.analysis.tracks]
    opened.set_transcripts(transcribe_channels(opened.recording, speech, loaded), name, language)
    engine().read(opened, text_model)


def engine_choices() -> dict[str, str]:
    """Return what can write a transcript, in words, by the name that asks for it."""
    automatic, _ = auto_choice()
    found = weights.installed()
    best = automatic.removeprefix("whisper:")
    meant = "PocketSphinx, a rough draft" if automatic == "pocketsphinx" else f"Whisper {best}"
    choices = {"auto": f"Automatic: {meant}"}
    for size in dict.fromkeys((*found, *_SIZES)):
        known = weights.checkpoint(size)
        state = "on this machine" if size in found else f"downloads about {known.megabytes:,} MB first"
        tongue = "English" if size.endswith(".en") else "99 languages"
        choices[f"whisper:{size}"] = f"Whisper {size} ({tongue}; {state})"
    choices["pocketsphinx"] = "PocketSphinx (English; a rough draft)"
    return choices


@st.fragment(run_every=_INTERVAL)
def _follow(opened_id: str) -> None:
    """Show the job's progress, and run the page again when it comes to its end."""
    entry = shelf().entries.get(opened_id)
    opened = entry.opened if entry is not None else None
    if opened is None:
        return
    if opened.collect_words() or opened.words is None:
        st.rerun()
    job = opened.words
    bar, stop = st.columns([7, 1.2], vertical_alignment="center")
    if job.status == "waiting":
        bar.progress(0.0, f"Waits for {engine().writer.ahead_of(job)} other transcripts")
    else:
        bar.progress(job.fraction, _STEPS.get(job.step, "Loading the engine"))
    if stop.button(
        "Cancel",
        width="stretch",
        key=f"blipper_words_cancel_{opened.id}",
        help="Stop writing; nothing of it is kept.",
    ):
        job.cancel()
        opened.words = None
        st.rerun()


def _correct(opened_id: str, channel: int, sent: Mapping[str, Any]) -> None:
    """Keep a correction, if the utterance is still the one that was corrected."""
    entry = shelf().entries.get(opened_id)
    opened = entry.opened if entry is not None else None
    transcript = opened.analysis.tracks[channel].transcript if opened is not None else None
    index, old, text = sent.get("index"), sent.get("old"), sent.get("text")
    if opened is None or transcript is None or type(index) is not int or not isinstance(text, str):
        return
    if 0 <= index < len(transcript.utterances) and transcript.utterances[index].text == old:
        engine().correct(opened, channel, index, tidy(text)[:MAX_CHARACTERS])
