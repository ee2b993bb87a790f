"""Where the voice model listens: windows over spans of speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from blipper.errors import SettingsError
from blipper.results import Span

#: Default length of a window and step between windows, in seconds.
WINDOW, HOP = 3.0, 0.5


def place_windows(speech: Iterable[Span], *, length: float = WINDOW, hop: float = HOP) -> tuple[Span, ...]:
    """Cover spans of speech with windows that never reach into a pause.

    A span no longer than `length` is one window, however short (the model pads it). A longer one gets a
    window every `hop` from its start, and one more that ends where the span ends if a remainder is left.

    Parameters
    ----------
    speech : iterable of Span
        In order, without overlap.
    length, hop : float
        Seconds; ``0 < hop <= length``.

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
    return tuple(window for span in speech for window in windows_of(span, length=length, hop=hop))


def windows_of(span: Span, *, length: float, hop: float, first: int = 0) -> list[Span]:
    """Return one span's windows as :func:`place_windows` does, from a number on.

    Parameters
    ----------
    span : Span
    length, hop : float
        Seconds; ``0 < hop <= length``.
    first : int
        Windows before it are not made, so that the end of a span of hours costs no more than its beginning.
    """
    last = span.end - length
    if last <= 0.01 + span.start:
        return [span][first:]
    n = int((last - span.start) / hop + 1e-6) + 1
    starts = [round(span.start + i * hop, 6) for i in range(first, n)]
    if first <= n and last - round(span.start + (n - 1) * hop, 6) > 0.01:
        starts.append(round(last, 2))  # on the grid of blipper.speech.GRID
    return [Span(start, round(min(start + length, span.end), 6)) for start in starts]


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
