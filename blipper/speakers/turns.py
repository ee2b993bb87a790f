"""A turn: one speaker's stretch of speech."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

#: A longer silence of a speaker ends the turn, in seconds. A choice: by sound alone nobody can tell a pause for
#: breath from the end of a turn, and a detector of speech leaves gaps of a few tenths within sentences.
MAX_PAUSE = 1.0


class _Stretch(Protocol):
    """What has a start and an end in seconds; :class:`blipper.results.Span`, say."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True)
class Turn:
    """One speaker's stretch of speech.

    Parameters
    ----------
    start, end : float
        Seconds, half-open.
    speaker : str
        The speaker's label, as people gave it or as the channel is named. It may come from outside: show it
        as text, never as HTML or Markdown.
    """

    start: float
    end: float
    speaker: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


def turns_of_channel(
    speech: Iterable[_Stretch], speaker: str, *, max_pause: float = MAX_PAUSE
) -> tuple[Turn, ...]:
    """Join one speaker's spans of speech across short pauses.

    Parameters
    ----------
    speech : iterable of Span
        In order, without overlap.
    speaker : str
    max_pause : float
        Longest pause inside a turn, in seconds.

    Returns
    -------
    tuple of Turn
        In order, without overlap.
    """
    turns: list[Turn] = []
    for span in speech:
        if turns and span.start - turns[-1].end <= max_pause:
            turns[-1] = Turn(turns[-1].start, span.end, speaker)
        else:
            turns.append(Turn(span.start, span.end, speaker))
    return tuple(turns)
