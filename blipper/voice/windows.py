"""Where the voice model listens: windows over spans of speech."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from blipper.errors import SettingsError
from blipper.results import Span
from blipper.speech import GRID, SpeechSettings

#: Default length of a window and step between windows, in seconds.
WINDOW, HOP = 3.0, 0.5


#: Longest margin, in seconds: beyond it a window would mostly hear what is no part of the utterance.
LONGEST_MARGIN: Final = 1.0


@dataclass(frozen=True)
class Margins:
    """How much of the sound around an utterance a model hears with it.

    Where a detector of speech hears nobody any more there still are breaths and voiceless sounds, from which
    emotions are told too.

    Parameters
    ----------
    before, after : float
        Seconds, 0 to 1.
    """

    before: float = 0.0
    after: float = 0.0

    def __post_init__(self) -> None:
        """Check the domains."""
        for name in ("before", "after"):
            value = getattr(self, name)
            known = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not known or not 0 <= value <= LONGEST_MARGIN:  # also refuses NaN
                raise SettingsError(f"margin {name} is {value!r}, expected 0 to {LONGEST_MARGIN:g} s")

    def fitting(self, speech: SpeechSettings) -> Margins:
        """Return the margins with which no window hears the next utterance.

        What is shortened is `after`: to the pause that ends an utterance, less what its span has of it
        already. So a stream has heard all of it by the time that it knows of the end.
        """
        return Margins(self.before, max(0.0, min(self.after, speech.min_silence - speech.pad - GRID)))


def place_windows(
    speech: Iterable[Span],
    *,
    length: float = WINDOW,
    hop: float = HOP,
    margins: Margins | None = None,
    duration: float = math.inf,
) -> tuple[Span, ...]:
    """Cover spans of speech with windows that never reach across a pause.

    A span no longer than `length` is one window, however short (the model pads it). A longer one gets a
    window every `hop` from its start, and one more that ends where the span ends if a remainder is left.
    The first and the last of them reach out by the margins.

    Parameters
    ----------
    speech : iterable of Span
        In order, without overlap.
    length, hop : float
        Seconds; ``0 < hop <= length``.
    margins : Margins, optional
        The model's, as they fit the spans; none unless given.
    duration : float
        Length of the recording in seconds, which no window exceeds.

    Returns
    -------
    tuple of Span
        Ordered by start.

    Raises
    ------
    SettingsError
        If `length` or `hop` is outside its domain.
    """
    if not 0 < hop <= length:
        raise SettingsError(f"window of {length} s every {hop} s: expected 0 < hop <= length")
    placed: list[Span] = []
    before = 0.0
    for span in speech:
        reach = reached(span, margins or Margins(), before, duration)
        placed += windows_of(span, length=length, hop=hop, reach=reach)
        before = span.end
    return tuple(placed)


def reached(span: Span, margins: Margins, before: float, duration: float) -> Span:
    """Return how far the windows of a span of speech reach.

    Parameters
    ----------
    span : Span
    margins : Margins
    before : float
        Where the span before it ends, in seconds; nothing of that is heard.
    duration : float
        Length of the recording in seconds.
    """
    start = min(span.start, max(before, span.start - margins.before))
    end = max(span.end, min(duration, span.end + margins.after))
    return Span(round(start, 6), round(end, 6))


def windows_of(
    span: Span, *, length: float, hop: float, first: int = 0, reach: Span | None = None
) -> list[Span]:
    """Return one span's windows as :func:`place_windows` does, from a number on.

    Parameters
    ----------
    span : Span
    length, hop : float
        Seconds; ``0 < hop <= length``.
    first : int
        Windows before it are not made, so that the end of a span of hours costs no more than its beginning.
    reach : Span, optional
        Where the first window starts and the last one ends; as the span does unless given.
    """
    reach = reach or span
    last = span.end - length
    if last <= GRID + span.start:
        return [reach][first:]
    n = int((last - span.start) / hop + 1e-6) + 1
    starts = [round(span.start + i * hop, 6) for i in range(first, n)]
    if first <= n and last - round(span.start + (n - 1) * hop, 6) > GRID:
        starts.append(round(last, 2))  # on the grid of blipper.speech.GRID
    windows = [Span(start, round(min(start + length, span.end), 6)) for start in starts]
    if windows and first == 0:
        windows[0] = Span(reach.start, windows[0].end)
    if windows and reach.end > span.end:
        windows[-1] = Span(windows[-1].start, reach.end)
    return windows


def in_blocks(windows: Sequence[Span], seconds: float) -> Iterator[Sequence[Span]]:
    """Cut windows into runs that each lie within a stretch of bounded length.

    Parameters
    ----------
    windows : sequence of Span
        Ordered by start.
    seconds : float
        Longest stretch from a run's first start to its last end; a single window may be longer.

    Yields
    ------
    sequence of Span
        Consecutive windows; together, all of them.
    """
    first = 0
    for i, window in enumerate(windows):
        if i > first and window.end - windows[first].start > seconds:
            yield windows[first:i]
            first = i
    if first < len(windows):
        yield windows[first:]
