"""What one browser session holds: its recordings, their results and which one is open.

Everything lives in ``st.session_state`` and nowhere else, so it ends with the browser session. Pages ask
:func:`current` for the open recording.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from blipper.analysis import with_balance, with_threshold
from blipper.fusion import BALANCE, EventSettings
from blipper.marking import with_min_duration
from blipper.recording import Recording
from blipper.results import Analysis
from blipper.speakers.talk import rename
from blipper.words.attach import with_correction, with_transcripts
from blipper.words.sentiment import NONE, Readers, setting_of
from blipper.words.transcript import Transcript
from ui.jobs import Job
from ui.playback import Playback

_KEY = "blipper_shelf"


@dataclass(eq=False)
class OpenRecording:
    """A recording with its finished analysis.

    Parameters
    ----------
    id : str
        Random letters and digits, unlike for every recording of every session.
    name : str
        File name for display. It came from outside: show it as text, never as Markdown or HTML
        (:func:`ui.text.plain` escapes it).
    recording : Recording
    analysis : Analysis
        As computed, with the model's own threshold.
    playback : tuple of Playback
        What the player needs, one a channel of the recording.
    seconds : float
        How long decoding and analysis took.
    threshold : float, optional
        What the user set instead of the model's own threshold.
    channel : int
        Which channel is shown.
    words : Job, optional
        What is writing the transcripts, while it does.
    words_error : str
        Why the last attempt at that failed.
    words_asked : tuple of str and str or None
        Which engine was asked for, and which language.
    words_only_read : bool
        Whether `words` scores the transcripts that are there, and writes no others.
    text_model : str
        Which models were asked to read the words; empty until any was.
    """

    id: str
    name: str
    recording: Recording
    analysis: Analysis
    playback: tuple[Playback, ...]
    seconds: float
    threshold: float | None = None
    channel: int = 0
    words: Job[tuple[Transcript, ...]] | None = None
    words_error: str = ""
    words_asked: tuple[str, str | None] = ("none", None)
    words_only_read: bool = False
    text_model: str = ""
    _marked: Analysis | None = None

    @property
    def balance(self) -> float:
        """How much words count beside the voice; see :attr:`blipper.settings.Settings.balance`."""
        return float(self.analysis.settings.get("balance", BALANCE))

    def weigh(self, balance: float) -> None:
        """Weigh words against voice anew."""
        if balance != self.balance:
            self._change(lambda held: with_balance(held, balance))

    @property
    def min_duration(self) -> float:
        """Seconds that an event has to last; see :attr:`blipper.settings.Settings.min_duration`."""
        return float(self.analysis.settings.get("min_duration", EventSettings.min_duration))

    def drop_shorter(self, seconds: float) -> None:
        """Mark the events anew, none shorter than this."""
        if seconds != self.min_duration:
            self._change(lambda held: with_min_duration(held, seconds))

    def mark(self, threshold: float | None) -> None:
        """Mark the events at another threshold, or at the model's own again with None."""
        if threshold != self.threshold:
            self.threshold = threshold
            self._marked = None if threshold is None else with_threshold(self.analysis, threshold)

    def collect_words(self) -> bool:
        """Take over transcripts that are finished; return whether anything changed."""
        job = self.words
        if job is None or not job.over:
            return False
        self.words = None
        if job.status == "done":
            self.set_transcripts(job.result, *self.words_asked, self.text_model or None)
        elif job.status == "failed":
            self.words_error = job.error
        return True

    def set_transcripts(
        self,
        transcripts: Sequence[Transcript],
        asked: str,
        language: str | None = None,
        text_model: str | None = None,
    ) -> None:
        """Keep transcripts, one a channel, in the result; see :mod:`blipper.words.attach`."""
        self.words_error, self.words_asked = "", (asked, language)
        self._change(
            lambda held: with_transcripts(
                held, transcripts, asked=asked, language=language, text_model=text_model
            )
        )

    def correct(self, channel: int, utterance: int, text: str, readers: Readers | None = None) -> None:
        """Keep a person's correction in the result, scored at once by what reads the words."""
        self._change(lambda held: with_correction(held, channel, utterance, text, readers=readers))

    @property
    def has_transcript(self) -> bool:
        """Whether any channel has a transcript."""
        return any(track.transcript is not None for track in self.analysis.tracks)

    @property
    def reader_setting(self) -> str:
        """Which models read the words: what was asked for, or what the result says that it was read by."""
        if self.text_model:
            return self.text_model
        transcripts = [track.transcript for track in self.analysis.tracks if track.transcript is not None]
        return setting_of(transcripts[0].text_models) if transcripts else NONE

    def _change(self, change: Callable[[Analysis], Analysis]) -> None:
        self.analysis = change(self.analysis)
        if self._marked is not None:
            self._marked = change(self._marked)

    def rename(self, labels: Mapping[str, str]) -> None:
        """Give speakers other labels; see :func:`blipper.speakers.talk.rename`."""
        self.analysis = rename(self.analysis, labels)
        if self._marked is not None:
            self._marked = rename(self._marked, labels)

    @property
    def shown_threshold(self) -> float:
        """The threshold in force: the user's, or the model's own."""
        return self.analysis.model.threshold if self.threshold is None else self.threshold

    @property
    def marked(self) -> Analysis:
        """The analysis at the threshold that the user set; `analysis` itself while none is set."""
        return self._marked or self.analysis


@dataclass(eq=False)
class Entry:
    """A recording somewhere between its upload and its result; exactly one of the last three is set."""

    id: str
    name: str
    job: Job[OpenRecording] | None = None
    opened: OpenRecording | None = None
    error: str | None = None


@dataclass(eq=False)
class Shelf:
    """All recordings of a session, in the order in which they came."""

    entries: dict[str, Entry] = field(default_factory=dict)
    open_id: str | None = None
    uploads: int = 0  # raised to give the upload widgets a new key, which empties them
    taken: set[str] = field(default_factory=set)

    @property
    def working(self) -> list[Entry]:
        """Entries whose job is still waiting or running."""
        return [entry for entry in self.entries.values() if entry.job is not None]

    @property
    def finished(self) -> list[OpenRecording]:
        """Recordings whose result is there."""
        return [entry.opened for entry in self.entries.values() if entry.opened is not None]

    @property
    def failed(self) -> list[Entry]:
        """Entries that ended with an error."""
        return [entry for entry in self.entries.values() if entry.error is not None]

    def add(self, name: str) -> Entry:
        """Add an empty entry."""
        entry = Entry(new_id(), name)
        self.entries[entry.id] = entry
        return entry

    def take(self, file_id: str) -> bool:
        """Return whether an upload is new, and remember it."""
        new = file_id not in self.taken
        self.taken.add(file_id)
        return new

    def collect(self) -> bool:
        """Take over what jobs have brought to an end; return whether anything changed."""
        changed = False
        for entry in self.working:
            job = entry.job
            if job is None or not job.over:
                continue
            changed = True
            entry.job = None
            if job.status == "done":
                entry.opened = job.result
                if self.open_id not in self.entries or self.entries[self.open_id].opened is None:
                    self.open_id = entry.id
            elif job.status == "failed":
                entry.error = job.error
            else:
                del self.entries[entry.id]
        return changed

    def remove(self, entry_id: str) -> None:
        """Drop one entry, stopping its job."""
        entry = self.entries.pop(entry_id)
        if entry.job is not None:
            entry.job.cancel()
        if self.open_id == entry_id:
            self.open_id = next((opened.id for opened in self.finished), None)

    def clear(self) -> None:
        """Drop everything, stopping all jobs."""
        for entry in self.working:
            if entry.job is not None:
                entry.job.cancel()
        self.entries.clear()
        self.open_id = None
        self.uploads += 1


def shelf() -> Shelf:
    """Return this session's shelf; an empty one at first."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Shelf()
    held: Shelf = st.session_state[_KEY]
    return held


def current() -> OpenRecording | None:
    """Return the recording that is open, or None when there is none yet."""
    held = shelf()
    entry = held.entries.get(held.open_id) if held.open_id is not None else None
    return entry.opened if entry is not None else None


def new_id() -> str:
    """Return a random name that nobody can guess."""
    return secrets.token_hex(16)  # letters and digits only: Streamlit refuses "__" in a component's key
