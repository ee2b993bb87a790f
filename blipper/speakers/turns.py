"""A turn: one speaker's stretch of speech, and how loud it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from blipper.recording import Recording

#: A longer silence of a speaker ends the turn, in seconds. A choice: by sound alone nobody can tell a pause
#: for breath from the end of a turn, and a detector of speech leaves gaps of a few tenths within sentences.
MAX_PAUSE = 1.0
#: Seconds read at a time where a turn is long.
_BLOCK = 60.0


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
    level : float, optional
        Loudness in LUFS (BS.1770 gated, so that pauses do not count); None where it was not measured or the
        turn is below -70 LUFS.
    """

    start: float
    end: float
    speaker: str
    level: float | None = None

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


def with_levels(recording: Recording, channel: int, turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Measure how loud each turn was.

    Parameters
    ----------
    recording : Recording
    channel : int
    turns : sequence of Turn

    Returns
    -------
    tuple of Turn
        The same turns with their :attr:`Turn.level`.
    """
    from blipper.quality.loudness import LoudnessMeter

    measured = []
    for turn in turns:
        meter = LoudnessMeter(recording.sampling_rate)
        at = turn.start
        while at < turn.end:
            until = min(at + _BLOCK, turn.end)
            meter.add(recording.read(at, until, channel))
            at = until
        level = meter.integrated()
        measured.append(replace(turn, level=None if level is None else round(level, 1)))
    return tuple(measured)
