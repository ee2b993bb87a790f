"""Taking the result away from the Review page: every format, each written only when it is asked for."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from typing import Final

import streamlit as st

from blipper.export import WRITERS, Sound, Writer
from blipper.export.text import lacks_transcript
from blipper.progress import Progress
from blipper.recording import Recording
from blipper.results import Analysis
from blipper.words.text_models import TextModel
from blipper.words.text_names import NONE
from ui.engine import engine, session_gone
from ui.jobs import Job
from ui.session import OpenRecording
from ui.text import safe_stem

#: Seconds between two looks at a file that the worker writes.
_INTERVAL: Final = 0.05

#: What stands on the page itself, by the format's name.
FIRST: Final = {
    "html": "Report (HTML)",
    "csv": "Events (CSV)",
    "windows-csv": "Windows (CSV)",
    "json": "Everything (JSON)",
}

#: The rest, behind one button.
MORE: Final = {
    "Tables": {
        "parquet": "Events (Parquet)",
        "windows-parquet": "Windows (Parquet)",
        "curve-csv": "Curve of voice and words (CSV)",
        "curve-parquet": "Curve of voice and words (Parquet)",
        "turns-csv": "Speakers' turns (CSV)",
        "talk-csv": "Talk time and interruptions (CSV)",
        "interruptions-csv": "Each interruption (CSV)",
    },
    "Transcript": {
        "srt": "Subtitles (SRT)",
        "vtt": "Web subtitles (VTT)",
        "txt": "Plain text (TXT)",
        "audacity-transcript": "Audacity labels",
        "utterances-csv": "Utterances with scores (CSV)",
    },
    "Events": {
        "events-srt": "Events as subtitles (SRT)",
        "events-vtt": "Events as web subtitles (VTT)",
        "audacity": "Events as Audacity labels",
    },
    "Other programs": {
        "textgrid": "Praat TextGrid",
        "rttm": "Who speaks when (RTTM)",
        "label-studio": "Label Studio tasks",
        "label-studio-config": "Label Studio configuration",
    },
}


def show_downloads(opened: OpenRecording, analysis: Analysis) -> None:
    """Offer the result in every format."""
    with st.container(horizontal=True):
        for name, label in FIRST.items():
            _offer(opened, analysis, name, label)
        with st.popover(
            "More formats",
            icon=":material/file_save:",
            help="Tables, subtitles, label tracks and files for other programs.",
        ):
            for heading, formats in MORE.items():
                st.markdown(f"**{heading}**")
                if heading == "Transcript" and lacks_transcript(analysis):
                    st.caption("There is no transcript of this recording, so no words to take away.")
                with st.container(horizontal=True):
                    for name, label in formats.items():
                        _offer(opened, analysis, name, label)


def _offer(opened: OpenRecording, analysis: Analysis, name: str, label: str) -> None:
    writer = WRITERS[name]
    missing = writer.lacks(analysis)
    st.download_button(
        label,
        data=b"" if missing else write_later(writer, analysis, opened.recording, opened.reader_setting),
        file_name=safe_stem(opened.name) + writer.extension,
        mime=writer.media_type.partition(";")[0],
        icon=":material/download:",
        on_click="ignore",
        key=f"blipper_download_{name}_{opened.id}",
        help=missing or writer.description,
        disabled=missing is not None,
    )


def write_later(
    writer: Writer, analysis: Analysis, recording: Recording, setting: str = NONE
) -> Callable[[], bytes]:
    """Return a function that writes the file when it is asked for, and not at every run.

    Streamlit may keep the function longer than the page does, so it keeps neither analysis nor sound alive.
    What needs the model is written by the worker, where TensorFlow lives, after what waits there already;
    `setting` says which models read the words.
    """
    result, sound = weakref.ref(analysis), weakref.ref(recording)
    shared, gone = engine(), session_gone()

    def write() -> bytes:
        held, heard = result(), sound()
        if held is None or heard is None:
            raise RuntimeError("this result was deleted; reload the page")
        if writer.write_with is None:
            return writer.content(held)

        def work(progress: Progress) -> bytes:
            def readers(told: Progress) -> tuple[TextModel, ...]:
                return shared.readers(setting, told).models

            return writer.content(held, Sound(heard, shared.model(), progress, readers))

        job = Job(work, gone)
        shared.worker.submit(job)
        while not job.over:
            time.sleep(_INTERVAL)
        if job.status != "done":
            raise RuntimeError(job.error or "the report was no longer wanted")
        return job.result

    return write
