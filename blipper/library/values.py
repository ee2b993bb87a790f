"""What the library hands out: frozen values, without a database behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from blipper.errors import LibraryError

Kind = Literal["event", "near-miss"]
Target = Literal["event", "near-miss", "marked", "utterance"]
Answer = Literal["right", "wrong", "missed", "other emotion"]
VerdictState = Literal["any", "none", "some", "right", "wrong", "missed", "other emotion"]

TARGETS: Final[tuple[str, ...]] = get_args(Target)
ANSWERS: Final[tuple[str, ...]] = get_args(Answer)
#: Answers that say the voice sounds angry there.
ANGRY_ANSWERS: Final = frozenset({"right", "missed"})

#: Characters of a name or a tag, and of a note.
MAX_NAME: Final = 100
MAX_NOTE: Final = 10_000


@dataclass(frozen=True)
class Saved:
    """Where something was put.

    Parameters
    ----------
    recording_id, analysis_id : str
        Random; they say nothing of what they name.
    new : bool
        False where this very analysis was there already, and took the older one's place.
    """

    recording_id: str
    analysis_id: str
    new: bool


@dataclass(frozen=True)
class AnalysisInfo:
    """An analysis, without its curves; see :class:`blipper.library.tables.AnalysisRow`."""

    id: str
    recording_id: str
    made_at: datetime
    made_by: str
    model: str
    model_sha256: str
    settings_sha256: str
    channels: str
    threshold: float
    peak: float | None
    n_events: int
    event_seconds: float
    speech_seconds: float
    emotion: str | None


@dataclass(frozen=True)
class Item:
    """A recording in the library.

    Parameters
    ----------
    id, sha256, name : str
    duration : float
        Seconds.
    added_at : datetime
    added_by : str
    expires_at : datetime, optional
        When it is to be deleted.
    audio : frozenset of {"mix", "separate"}
        For which ways of treating channels its sound is kept; empty where it is not.
    tags : tuple of str
        Sorted.
    analyses : tuple of AnalysisInfo
        The newest first.
    verdicts : mapping of str to int
        How many of each answer; no key for none.
    """

    id: str
    sha256: str
    name: str
    duration: float
    added_at: datetime
    added_by: str
    expires_at: datetime | None
    audio: frozenset[str]
    tags: tuple[str, ...]
    analyses: tuple[AnalysisInfo, ...]
    verdicts: dict[str, int]

    @property
    def newest(self) -> AnalysisInfo:
        """The newest analysis."""
        return self.analyses[0]


@dataclass(frozen=True)
class Stretch:
    """A stretch of an analysis that can be judged.

    Parameters
    ----------
    recording_id, analysis_id : str
    kind : {"event", "near-miss"}
        A near miss would be an event at a threshold lower by :data:`blipper.library.keeping.NEAR`.
    channel : int
    start, end : float
        Seconds, half-open, whole milliseconds.
    peak : float
        Highest score.
    emotion : str
    emotions : tuple of float
        Mean probability of each of :data:`blipper.voice.labels.EMOTIONS`.
    """

    recording_id: str
    analysis_id: str
    kind: Kind
    channel: int
    start: float
    end: float
    peak: float
    emotion: str
    emotions: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """What one analyst said of one stretch; see :class:`blipper.library.tables.VerdictRow`."""

    id: int
    recording_id: str
    analysis_id: str | None
    target: str
    channel: int
    start: float
    end: float
    verdict: str
    emotion: str | None
    score: float | None
    model_sha256: str | None
    analyst: str
    given_at: datetime
    note: str

    @property
    def angry(self) -> bool:
        """Whether the analyst heard the voice sound angry there."""
        return self.verdict in ANGRY_ANSWERS


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit; see :class:`blipper.library.tables.AuditRow`."""

    at: datetime
    actor: str
    action: str
    recording_id: str | None
    counts: dict[str, int]


def storable(text: str) -> str:
    """Return text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def check_name(name: str, what: str) -> str:
    """Return a short name on one line, without the space around it.

    Parameters
    ----------
    name : str
    what : str
        What it names, for the message: ``"an analyst's name"``.

    Raises
    ------
    LibraryError
        If nothing is left, or it is longer than :data:`MAX_NAME`.
    """
    kept = " ".join(storable(name).split())
    if not 1 <= len(kept) <= MAX_NAME:
        raise LibraryError(f"{what} has {len(kept)} characters; expected 1 to {MAX_NAME}")
    return kept


def check_note(note: str) -> str:
    """Return a note as it can be kept.

    Raises
    ------
    LibraryError
        If it is longer than :data:`MAX_NOTE`.
    """
    if len(note) > MAX_NOTE:
        raise LibraryError(f"the note has {len(note)} characters; expected at most {MAX_NOTE}")
    return storable(note).strip()


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds."""
    return round(seconds * 1000)
