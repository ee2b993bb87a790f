"""The process's one analysis engine: a worker thread and the voice model it keeps."""

from __future__ import annotations

import functools
import gc
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

# Wholly imported before the worker imports TensorFlow, which imports it too: Plotly, in a page's thread,
# would take the half-imported module for a whole one, and fail.
import pandas  # noqa: F401
import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from blipper import analysis as blipper_analysis
from blipper import audio, speech
from blipper.paths import models_dir
from blipper.progress import Progress
from blipper.recording import Recording
from blipper.results import Span
from blipper.settings import Settings
from blipper.voice.choice import choose, choose_light
from blipper.voice.models import CONFIG, VoiceModel, available_models, load_model, read_config
from blipper.words.sentiment import NONE, Readers, load_readers
from blipper.words.transcribe import load_engine, transcribe_channels
from blipper.words.transcript import Transcript
from ui import playback
from ui.jobs import Job, Worker
from ui.session import Entry, OpenRecording

#: What is being done, in the order in which it is done, by the name that the library reports.
STEPS: Final = {
    "model": "Loading the model",
    "decode": "Reading the file",
    "speech": "Finding speech",
    "quality": "Checking the sound",
    "voice": "Scoring the voice",
    "speakers": "Guessing who speaks",
    "player": "Preparing the player",
}

#: Seconds for which a browser may be out of reach before its analyses are stopped.
GRACE: Final = 15.0


class Engine:
    """A worker and the models that it loads once each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, VoiceModel] = {}
        self._reading = threading.Lock()
        self._readers: dict[str, Readers] = {}
        self.worker = Worker(self.warm_up)
        # Transcripts take long: one session's must not keep another's scores waiting.
        self.writer = Worker()

    def model(self, name: str = "auto") -> VoiceModel:
        """Return a voice model, loading it on first use; ``"auto"`` means the best that can run here."""
        with self._lock:
            if name not in self._models:
                _keep_keras_state()
                self._models[name] = load_model(name)
            return self._models[name]

    def model_of(self, sha256: str) -> VoiceModel | None:
        """Return the installed model that has these weights, loading it if need be; None if there is none."""
        with self._lock:
            loaded = [model for model in self._models.values() if model.info.sha256 == sha256]
        if loaded:
            return loaded[0]
        for name in available_models():
            if read_config(models_dir() / name / CONFIG)["sha256"] == sha256:
                return self.model(name)
        return None

    def live_model(self) -> VoiceModel:
        """Return the voice model for live streams, which has to keep up with them."""
        light = choose_light()
        return self.model("auto" if choose().name == light else light)

    def warm_up(self) -> None:
        """Load what the first analysis would otherwise wait for, and run it once."""
        second = np.zeros((1, 16_000), np.float32)
        for model in (self.model(), self.live_model()):
            model.score_windows(second[0], 16_000, [0.0], [1.0])
        speech.detect_speech(audio.from_samples(second, 16_000))
        # TensorFlow's half a million objects stay for good: leave them out of every later collection, since
        # Streamlit asks for a full one after each script run.
        gc.collect()
        gc.freeze()
        # Beside the first analysis and not before it: the Signal page's first figure imports for seconds.
        threading.Thread(target=_warm_up_figures, name="blipper-figures", daemon=True).start()

    def submit(self, entry: Entry, source: bytes | Path, settings: Settings, model: str = "auto") -> None:
        """Queue the analysis of a recording for an entry of this session's shelf."""
        work = functools.partial(self._work, entry.id, entry.name, source, settings, model)
        entry.job = Job(work, abandoned=session_gone())
        self.worker.submit(entry.job)

    def readers(self, setting: str, progress: Progress) -> Readers:
        """Return the models that read the words, loading them on first use."""
        with self._reading:
            found = self._readers.get(setting)
            if found is None or found.notice is not None:  # what was missing may have come
                found = self._readers[setting] = load_readers(setting, progress=progress)
            return found

    def transcribe(
        self, opened: OpenRecording, asked: str, language: str | None, text_model: str = NONE
    ) -> None:
        """Queue the transcripts of an open recording, with the scores of their words."""
        speech = [track.speech for track in opened.analysis.tracks]
        recording = opened.recording

        def work(progress: Progress) -> tuple[Transcript, ...]:
            readers = self.readers(text_model, progress)  # before the work, since it may fail
            return readers.read(_transcribe(recording, speech, asked, language, progress), progress=progress)

        self._write(opened, work, asked, language, text_model)
        opened.words_only_read = False

    def read(
        self, opened: OpenRecording, text_model: str, *, keep: bool = False, language: str | None = None
    ) -> None:
        """Queue the scores of the words of an open recording's transcripts, in a language named now."""
        found = [track.transcript for track in opened.analysis.tracks]
        transcripts = [
            replace(transcript, language=language or transcript.language)
            for transcript in found
            if transcript is not None
        ]
        if len(transcripts) < len(found):
            return

        def work(progress: Progress) -> tuple[Transcript, ...]:
            progress("reading", 0, 1)
            return self.readers(text_model, progress).read(transcripts, keep=keep, progress=progress)

        settings = opened.analysis.settings
        asked, language = str(settings.get("transcript", "none")), language or settings.get("language")
        self._write(opened, work, asked, language, text_model)
        opened.words_only_read = True

    def correct(self, opened: OpenRecording, channel: int, utterance: int, text: str) -> None:
        """Keep a person's correction and score it at once, or as soon as the models are loaded."""
        setting = opened.reader_setting
        readers = self._readers.get(setting)  # without the lock: a page does not wait for a download
        stale = opened.words if opened.words_only_read else None
        if stale is not None:  # it reads the text as it was
            stale.cancel()
            opened.words = None
        opened.correct(channel, utterance, text, readers)
        unread = readers is None and setting != NONE
        if opened.words is None and (stale is not None or unread):
            self.read(opened, setting, keep=True)

    def _write(
        self,
        opened: OpenRecording,
        work: Callable[[Progress], tuple[Transcript, ...]],
        asked: str,
        language: str | None,
        text_model: str,
    ) -> None:
        opened.words_asked, opened.words_error, opened.text_model = (asked, language), "", text_model
        opened.words = Job(work, abandoned=session_gone())
        self.writer.submit(opened.words)

    def _work(
        self,
        entry_id: str,
        name: str,
        source: bytes | Path,
        settings: Settings,
        model_name: str,
        progress: Progress,
    ) -> OpenRecording:
        started = time.monotonic()
        progress("model", 0, 1)
        model = self.model(model_name)
        recording = audio.load(source, name=name, channels=settings.channels, progress=progress)
        result = blipper_analysis.analyze(recording, model=model, settings=settings, progress=progress)
        prepared = _playbacks(recording, result, progress)
        return OpenRecording(entry_id, name, recording, result, prepared, time.monotonic() - started)


def _transcribe(
    recording: Recording,
    speech: Sequence[Sequence[Span]],
    asked: str,
    language: str | None,
    progress: Progress,
) -> tuple[Transcript, ...]:
    return transcribe_channels(
        recording, speech, load_engine(asked, language=language, progress=progress), progress
    )


def _warm_up_figures() -> None:
    """Draw once what the Signal page draws."""
    from blipper import figures

    quiet = audio.from_samples(np.zeros((1, 16_000), np.float32), 16_000)
    figures.signal_figure(quiet, figures.VIEWS, figures.SignalSettings())


def _keep_keras_state() -> None:
    """Keep Streamlit from clearing Keras's global state after every script run.

    Streamlit calls ``keras.backend.clear_session()`` from whichever thread ran a page. That drops the names
    of a network that the worker is just building (its build then fails), empties TensorFlow's kernel cache
    and collects all garbage. Blipper keeps its models, so there is nothing to clear. Only this public alias
    is replaced; Keras itself uses another name.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported, or it chatters
    import keras

    keras.backend.clear_session = lambda free_memory=True: None


def _playbacks(
    recording: Recording, result: blipper_analysis.Analysis, progress: Progress
) -> tuple[playback.Playback, ...]:
    return tuple(
        playback.prepare(recording, track, channel, progress) for channel, track in enumerate(result.tracks)
    )


def session_gone() -> Callable[[], bool]:
    """Return a function that says whether this browser session is out of reach for good."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: False
    session_id = context.session_id
    instance = runtime.get_instance()
    last_seen = time.monotonic()

    def gone() -> bool:
        nonlocal last_seen
        if instance.is_active_session(session_id):
            last_seen = time.monotonic()
        return time.monotonic() - last_seen > GRACE

    return gone


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """Return the process's engine, the same for every session."""
    return Engine()
