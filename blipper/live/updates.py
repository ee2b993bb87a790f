"""What the streaming analyser reports."""

from __future__ import annotations

from dataclasses import dataclass

from blipper.results import Event, Float


@dataclass(frozen=True, eq=False)
class WindowScored:
    """The model's own outputs for one window of speech.

    Parameters
    ----------
    start, end : float
        Seconds.
    emotions : numpy.ndarray, shape (8,)
        Calibrated probabilities in the order of :data:`blipper.voice.labels.EMOTIONS`.
    aggression : float
        Calibrated probability that the voice sounds angry.
    """

    start: float
    end: float
    emotions: Float
    aggression: float


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """One cell of the smoothed curve, which no later sound changes.

    Parameters
    ----------
    start, end : float
        The cell's edges in seconds.
    aggression : float
        In [0, 1]; NaN where nobody speaks.
    emotions : numpy.ndarray, shape (8,)
        Probabilities; NaN where nobody speaks.
    """

    start: float
    end: float
    aggression: float
    emotions: Float


@dataclass(frozen=True)
class EventOpened:
    """An event has begun that is long enough to count; its end is not known yet.

    Parameters
    ----------
    start : float
        Where the event begins, in seconds.
    until : float
        How far it is known to go by now, in seconds.
    peak : float
        Highest score so far.
    """

    start: float
    until: float
    peak: float


@dataclass(frozen=True)
class EventClosed:
    """An event is over, and all about it is known.

    Parameters
    ----------
    event : Event
    """

    event: Event


Update = WindowScored | CurvePoint | EventOpened | EventClosed
