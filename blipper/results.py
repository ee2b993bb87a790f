"""What an analysis yields: frozen values that travel to pages, files and libraries.

Times are seconds from the recording's start, intervals half-open; probabilities are in [0, 1].
Arrays are read-only by convention. ``NaN`` in a curve means that nobody speaks there, so no score exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.fused import FusedCurve
from blipper.recording import Notice, Provenance
from blipper.speakers.turns import Turn
from blipper.voice.labels import EMOTIONS
from blipper.words.transcript import Transcript

Float = NDArray[np.floating[Any]]

#: Raised by one whenever :meth:`Analysis.to_dict` changes in a way that an old reader would misread.
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Span:
    """A stretch of time, half-open, in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Check:
    """One named check of the sound's quality.

    Parameters
    ----------
    name : str
        Stable name: ``"clipping"``, ``"silence"``, ``"level"``, ``"snr"``, ``"bandwidth"``, ``"dc-offset"``.
    label : str
        The name for people.
    value : float or None
        The measured figure; None where it cannot be measured (say, level of pure silence).
    unit : str
        ``"%"``, ``"LUFS"``, ``"dB"``, ``"Hz"``.
    verdict : {"good", "fair", "poor", "unknown"}
    message : str
        What was found and what it means for trust in the scores, in plain English.
    """

    name: str
    label: str
    value: float | None
    unit: str
    verdict: Literal["good", "fair", "poor", "unknown"]
    message: str


@dataclass(frozen=True)
class Quality:
    """All checks of one channel."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Literal["good", "fair", "poor", "unknown"]:
        """The worst verdict of all the checks that could be made."""
        order: tuple[Literal["poor", "fair", "good"], ...] = ("poor", "fair", "good")
        for verdict in order:
            if any(check.verdict == verdict for check in self.checks):
                return verdict
        return "unknown"


@dataclass(frozen=True, eq=False)
class Windows:
    """The model's own outputs, one row a window.

    Parameters
    ----------
    start, end : numpy.ndarray, shape (n,)
        Seconds. A window is shorter than the set length where the utterance is.
    emotions : numpy.ndarray, shape (n, 8)
        Calibrated probabilities in the order of :data:`blipper.voice.labels.EMOTIONS`.
    aggression : numpy.ndarray, shape (n,)
        Calibrated probability that the voice sounds angry.
    """

    start: Float
    end: Float
    emotions: Float
    aggression: Float

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.start)


@dataclass(frozen=True, eq=False)
class Curve:
    """Smoothed scores on a regular grid over the whole recording.

    Parameters
    ----------
    step : float
        Seconds between grid points.
    times : numpy.ndarray, shape (n,)
        The middles of the grid's cells: ``(i + 0.5) * step``.
    aggression : numpy.ndarray, shape (n,)
        In [0, 1], NaN where nobody speaks.
    emotions : numpy.ndarray, shape (n, 8)
        Probabilities, NaN rows where nobody speaks.
    """

    step: float
    times: Float
    aggression: Float
    emotions: Float


@dataclass(frozen=True)
class Event:
    """A stretch in which the aggression curve stays high.

    Parameters
    ----------
    start, end : float
        Seconds, half-open.
    peak, peak_time : float
        Highest score and the time of it.
    mean : float
        Mean score over the speech inside.
    emotion : str
        Leading emotion: the highest mean probability over the event.
    channel : int
        Index into :attr:`Analysis.tracks`.
    voice_share, words_share : float or None
        What each side adds to the prior, in natural log-odds: the means over the speech inside. None where
        the score is the voice's alone; see :mod:`blipper.fusion`.
    """

    start: float
    end: float
    peak: float
    peak_time: float
    mean: float
    emotion: str
    channel: int = 0
    voice_share: float | None = None
    words_share: float | None = None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Trend:
    """Where the aggression curve goes over the recording.

    Parameters
    ----------
    label : {"rising", "steady", "falling", "unknown"}
        ``"unknown"`` where there is too little speech to say.
    change : float or None
        Fitted score at the end less that at the start, in [-1, 1].
    """

    label: Literal["rising", "steady", "falling", "unknown"]
    change: float | None


@dataclass(frozen=True, eq=False)
class Track:
    """Everything about one channel of a recording.

    Parameters
    ----------
    name : str
        The channel's: ``"mix"``, ``"left"``, ``"channel 3"``.
    quality : Quality
    speech : tuple of Span
        Where somebody speaks.
    windows : Windows
    curve : Curve
    trend : Trend
    turns : tuple of Turn
        Who speaks when, ordered by start; empty where that is not known. One speaker where channels were
        kept apart.
    transcript : Transcript, optional
        What is said; None where no transcript was asked for.
    fused : FusedCurve, optional
        Voice and words together; None where no words have a score. `trend` and the events are then taken
        from it.
    """

    name: str
    quality: Quality
    speech: tuple[Span, ...]
    windows: Windows
    curve: Curve
    trend: Trend
    turns: tuple[Turn, ...] = ()
    transcript: Transcript | None = None
    fused: FusedCurve | None = None

    @property
    def scored(self) -> Curve:
        """The curve that counts: with the fused scores where there are any, else the voice's."""
        return self.curve if self.fused is None else replace(self.curve, aggression=self.fused.aggression)

    @property
    def speech_seconds(self) -> float:
        """Seconds in which somebody speaks."""
        return sum(span.duration for span in self.speech)


@dataclass(frozen=True)
class ModelInfo:
    """Which model gave the scores."""

    name: str
    sha256: str
    threshold: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """The whole result for one recording.

    Parameters
    ----------
    provenance : Provenance
    duration : float
        Seconds.
    tracks : tuple of Track
        One a channel; a single one named ``"mix"`` unless channels were kept apart.
    events : tuple of Event
        Of all channels, ordered by start.
    model : ModelInfo
    settings : mapping
        Every setting that changed a number, by name; see :class:`blipper.analysis.Settings`.
    notices : tuple of Notice
        Of decoding and of analysis.
    versions : mapping of str to str
        Versions of Blipper and of the libraries that computed the numbers.
    """

    provenance: Provenance
    duration: float
    tracks: tuple[Track, ...]
    events: tuple[Event, ...]
    model: ModelInfo
    settings: Mapping[str, Any]
    notices: tuple[Notice, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """The threshold in force: the one that was set, or the model's own."""
        chosen = self.settings.get("threshold")
        return self.model.threshold if chosen is None else float(chosen)

    @property
    def has_speech(self) -> bool:
        """Whether anybody speaks on any channel."""
        return any(track.speech for track in self.tracks)

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as plain JSON values; NaN becomes None."""
        from blipper.export.json import analysis_to_dict

        return analysis_to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Analysis:
        """Rebuild an analysis from :meth:`to_dict`'s output.

        Raises
        ------
        ValueError
            If the schema version is missing or not :data:`SCHEMA_VERSION`, or a key is missing.
        """
        from blipper.export.json import analysis_from_dict

        return analysis_from_dict(data)


@dataclass(frozen=True)
class Prediction:
    """A whole recording in one line.

    Parameters
    ----------
    file : str
        The path as given.
    emotion : str or None
        Highest mean probability over the speech; None without speech.
    emotions : dict of str to float
        Mean probability of each emotion over the speech; empty without speech.
    aggression : float or None
        Highest point of the smoothed aggression curve, in [0, 1]; None without speech. On a clip of
        one window this is that window's score.
    aggressive : bool
        Whether `aggression` reaches the model's documented threshold; False without speech.
    model : str
        Name of the model.
    notices : tuple of Notice
        Says so when there is no speech, when the file was truncated, and the like.
    """

    file: str
    emotion: str | None
    emotions: Mapping[str, float]
    aggression: float | None
    aggressive: bool
    model: str
    notices: tuple[Notice, ...] = ()


def no_windows() -> Windows:
    """Return the windows of a recording without speech."""
    empty = np.zeros(0, dtype=np.float64)
    return Windows(empty, empty, np.zeros((0, len(EMOTIONS)), dtype=np.float64), empty)
