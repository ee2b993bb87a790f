"""What the Explain page computes: in the worker's thread, once, kept for as long as the recording is open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import streamlit as st

from blipper.errors import ModelError, SettingsError
from blipper.explain import check, features, wording
from blipper.explain.attribution import Attribution, Method
from blipper.explain.choice import Choice
from blipper.explain.overview import Overview, overview
from blipper.explain.pieces import LeftOut, leave_one_out
from blipper.explain.text_models import check_models
from blipper.explain.voice import explain
from blipper.explain.what_if import WhatIf, what_if
from blipper.explain.words import WordShares, explain_words
from blipper.progress import Progress
from blipper.recording import Recording
from blipper.results import Span, Track
from blipper.voice.models import VoiceModel
from blipper.words.transcript import Transcript
from ui.engine import engine, session_gone
from ui.jobs import Job
from ui.session import OpenRecording
from ui.text import plain

#: What is being done, by the name that the library reports.
STEPS: Final = {
    "explain": "Explaining",
    "shap": "Explaining by SHAP",
    "pieces": "Leaving pieces out",
    "features": "Measuring named features",
    "reading": "Loading the text model",
    "words": "Leaving words out",
    "what if": "Changing the sound",
    "overview": "Explaining the whole recording",
}
#: Windows of an event whose sound is changed, at most.
_CHANGED: Final = 6

Key = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Explained:
    """An explanation with what is known of its trustworthiness."""

    attribution: Attribution
    stability: float | None
    told: wording.Told
    pieces: tuple[LeftOut, ...]
    by_words: bool
    named: features.Named | None


def result(opened: OpenRecording, key: Key) -> Any:
    """Return what was computed under a key, taking over a job that has come to its end; None before that."""
    job = _jobs().get((opened.id, *key))
    if job is not None and job.status == "done":
        _memory(opened)[key] = job.result
        del _jobs()[opened.id, *key]
    return _memory(opened).get(key)


def job_of(opened: OpenRecording, key: Key) -> Job[Any] | None:
    """Return the job that works on a key, if one does, or failed to."""
    return _jobs().get((opened.id, *key))


def submit(opened: OpenRecording, key: Key, work: Callable[[Progress], Any], *, beside: bool = False) -> None:
    """Hand work to the worker, unless it is there or under way already.

    What else waited here is dropped, unless this is to go beside it.
    """
    jobs = _jobs()
    if (opened.id, *key) in jobs or key in _memory(opened):
        return
    for other, job in list(jobs.items()):
        if job.over or (job.status == "waiting" and not beside):
            job.cancel()
            del jobs[other]
    job: Job[Any] = Job(work, abandoned=session_gone())
    jobs[opened.id, *key] = job
    engine().worker.submit(job)


def follow(opened: OpenRecording, key: Key) -> None:
    """Show a job's progress with a way to stop it, or why it failed; run the page again at its end."""
    job = job_of(opened, key)
    if job is None:
        return
    if job.status == "failed":
        st.error(f"It could not be explained: {plain(job.error)}", icon=":material/error:")
        return
    if job.status == "cancelled":
        del _jobs()[opened.id, *key]
        return
    _follow(opened, key)


@st.fragment(run_every=0.25)
def _follow(opened: OpenRecording, key: Key) -> None:
    job = job_of(opened, key)
    if job is None:
        return
    if job.over:
        st.rerun()
    bar, stop = st.columns([7, 1.2], vertical_alignment="center")
    if job.status == "waiting":
        bar.progress(0.0, "Waits for the model or for other work")
    else:
        bar.progress(job.fraction, STEPS.get(job.step, "Starting"))
    if stop.button("Cancel", width="stretch", key=f"explain_cancel_{key[0]}", help="Stop this computation"):
        job.cancel()
        _jobs().pop((opened.id, *key), None)
        st.session_state["explain_stopped"] = key
        st.rerun()


def explaining(opened: OpenRecording, choice: Choice, target: str, method: Method) -> Callable[..., Any]:
    """Return the work of explaining some windows."""
    track = opened.analysis.tracks[choice.channel]
    return functools.partial(_explain, opened.recording, track, choice, target, method, _sha(opened))


def changing(opened: OpenRecording, choice: Choice, target: str) -> Callable[..., Any]:
    """Return the work of the what-if curves."""
    return functools.partial(_what_if, opened.recording, choice, target, _sha(opened))


def summing_up(opened: OpenRecording, channel: int, target: str) -> Callable[..., Any]:
    """Return the work of explaining a whole channel."""
    windows = opened.analysis.tracks[channel].windows
    spans = [Span(float(a), float(b)) for a, b in zip(windows.start, windows.end, strict=True)]
    return functools.partial(_overview, opened.recording, spans, channel, target, _sha(opened))


def reading(opened: OpenRecording, channel: int, utterance: int) -> Callable[..., Any]:
    """Return the work of explaining the words of one utterance."""
    transcript = opened.analysis.tracks[channel].transcript
    if transcript is None:
        raise SettingsError("this channel has no transcript, so there are no words to explain")
    return functools.partial(_words, transcript, utterance, opened.reader_setting)


def words_in(track: Track, start: float, end: float) -> list[tuple[float, float, str]]:
    """Return the transcript's words between two times, in seconds from the first; none without one."""
    if track.transcript is None:
        return []
    return [
        (max(0.0, word.start - start), word.end - start, word.text)
        for utterance in track.transcript.utterances
        for word in utterance.words
        if word.end > start and word.start < end
    ]


def _explain(
    recording: Recording,
    track: Track,
    choice: Choice,
    target: str,
    method: Method,
    sha256: str,
    progress: Progress,
) -> Explained:
    model = _model(sha256)
    found = explain(
        recording,
        choice.windows,
        model,
        method=method,
        target=target,
        channel=choice.channel,
        progress=progress,
    )
    alike = check.stability(recording, found, model, channel=choice.channel, progress=progress)
    first = choice.windows[0].start
    last = max(window.end for window in choice.windows)
    words = words_in(track, first, last)
    pieces = leave_one_out(
        model,
        recording.read(first, last, choice.channel),
        recording.sampling_rate,
        [Span(window.start - first, window.end - first) for window in choice.windows],
        words=words,
        target=target,
        origin=first,
        progress=progress,
    )
    named = features.explain_features(
        recording,
        Span(first, last),
        track.speech,
        features.read_companion(),
        target=target,
        channel=choice.channel,
        progress=progress,
    )
    return Explained(found, alike, wording.tell(found, alike), pieces, bool(words), named)


def _words(transcript: Transcript, utterance: int, setting: str, progress: Progress) -> WordShares | None:
    progress("reading", 0, 1)
    models = check_models(transcript, engine().readers(setting, progress).models)
    return explain_words(transcript.utterances[utterance], models, progress=progress)


def _what_if(
    recording: Recording, choice: Choice, target: str, sha256: str, progress: Progress
) -> tuple[WhatIf, ...]:
    from blipper.explain.voice import thin_out

    windows = thin_out(choice.windows, _CHANGED)
    first = windows[0].start
    return what_if(
        _model(sha256),
        recording.read(first, max(window.end for window in windows), choice.channel),
        recording.sampling_rate,
        [Span(window.start - first, window.end - first) for window in windows],
        target=target,
        progress=progress,
    )


def _overview(
    recording: Recording, spans: list[Span], channel: int, target: str, sha256: str, progress: Progress
) -> Overview:
    return overview(recording, spans, _model(sha256), target=target, channel=channel, progress=progress)


def _model(sha256: str) -> VoiceModel:
    """Return the model that gave the scores, and refuse to explain those of one that is not installed."""
    model = engine().model_of(sha256)
    if model is None:
        raise ModelError(
            f"this recording was scored by another model (SHA-256 {sha256[:12]}…) than those that are "
            "installed; analyse it again to explain it"
        )
    return model


def _sha(opened: OpenRecording) -> str:
    return opened.analysis.model.sha256


def _memory(opened: OpenRecording) -> dict[Key, Any]:
    """Return what this session has computed for a recording; it goes together with the recording."""
    held: WeakKeyDictionary[OpenRecording, dict[Key, Any]] = st.session_state.setdefault(
        "explain_memory", WeakKeyDictionary()
    )
    return held.setdefault(opened, {})


def _jobs() -> dict[Key, Job[Any]]:
    jobs: dict[Key, Job[Any]] = st.session_state.setdefault("explain_jobs", {})
    return jobs
