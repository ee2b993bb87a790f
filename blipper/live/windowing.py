"""Where somebody speaks and which windows that makes, while the end of the speech is not known yet.

Offline, a span of speech gets a window every hop from its start, and one more that ends where the span ends
(:func:`blipper.voice.windows.place_windows`). While somebody speaks, the span's end is unknown, but a bound
is: it reaches at least to the last frame of speech and its padding. A window at a hop is settled as soon as
that bound passes its end; the last window is settled when the pause has grown too long to be bridged. So
every window is exactly the offline one, none is taken back, and a window that ends in a pause waits for the
pause to be decided, at most ``min_silence - pad`` and one frame (0.23 s as set by default). What a model
hears after an utterance (:class:`blipper.voice.windows.Margins`) has been heard by then; no window of a model
with such a margin is settled before it is sure not to be the span's last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from blipper.errors import SettingsError
from blipper.hysteresis import RunTracker
from blipper.recording import Float32
from blipper.results import Span
from blipper.speech import FRAME, GRID, SAMPLING_RATE, SpeechDetector, SpeechSettings
from blipper.voice.windows import Margins, reached, windows_of

_SECONDS = FRAME / SAMPLING_RATE


@dataclass
class _Growing:
    """A span of speech that goes on, or may yet go on."""

    start: float
    n_windows: int = 0  # how many windows at hops are settled


class LiveWindows:
    """Turns samples into settled windows.

    Parameters
    ----------
    settings : SpeechSettings
        Twice the padding and the grid have to fit into the shortest silence, so that padded spans never meet.
    length, hop : float
        Of the windows, in seconds.
    margins : Margins, optional
        The model's; none unless given.

    Attributes
    ----------
    horizon : float
        Seconds; windows yet to come start here at the earliest.

    Raises
    ------
    SettingsError
        If the padding is too long for the shortest silence.
    """

    def __init__(
        self, settings: SpeechSettings, length: float, hop: float, margins: Margins | None = None
    ) -> None:
        if 2 * (settings.pad + GRID) > settings.min_silence:
            raise SettingsError(
                f"speech pad is {settings.pad} s with a min_silence of {settings.min_silence} s; while "
                f"listening live at most half of it, less {GRID} s, is accepted"
            )
        self._settings, self._length, self._hop = settings, length, hop
        self._margins = (margins or Margins()).fitting(settings)
        self._detector = SpeechDetector()
        self._runs = RunTracker(
            settings.onset,
            settings.release,
            settings.min_silence / _SECONDS,
            settings.min_speech / _SECONDS,
        )
        self._rest: Float32 = np.zeros(0, dtype=np.float32)
        self._growing: _Growing | None = None
        self._n_samples = 0
        self._ended = 0.0  # where the last span ended
        self.horizon = 0.0
        #: Spans that have ended or go on, that the caller still needs; see :meth:`forget_spans`.
        self.spans: list[Span] = []

    @property
    def needed_from(self) -> float:
        """Seconds; samples before this belong to no window yet to come."""
        if self._growing is None:
            start = self._runs.count * _SECONDS - self._settings.pad - GRID
            return max(self._ended, start - self._margins.before)
        if not self._growing.n_windows:
            return self._begin(self._growing)
        # The last window starts after the newest one at a hop.
        return self._growing.start + (self._growing.n_windows - 1) * self._hop

    def add(self, samples: Float32) -> list[Span]:
        """Take samples at 16 kHz, shape (n,), and return the windows that they settle, in order."""
        self._n_samples += len(samples)
        pending = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        n_whole = len(pending) // FRAME * FRAME
        self._rest = pending[n_whole:].copy()
        windows: list[Span] = []
        for probability in self._detector.add(pending[:n_whole]).tolist():
            self._advance(probability, windows)
        self._settle(windows)
        return windows

    def finish(self) -> list[Span]:
        """Say that the stream has ended; returns the last windows."""
        windows: list[Span] = []
        if len(self._rest):
            for probability in self._detector.add(self._rest).tolist():
                self._advance(probability, windows)
            self._rest = self._rest[:0]
        ended = self._runs.finish()
        if ended is not None:
            self._close(ended, windows)
        self._growing = None
        self.horizon = math.inf
        return windows

    def candidates(self) -> list[Span]:
        """Return the windows that a pause may turn out to settle, and whose sound is there.

        The last one of the span, should it end here, and the next one at a hop, should it go on. To be scored
        while the pause is undecided, so that their results need not wait for the model.
        """
        growing, current = self._growing, self._runs.current
        if growing is None or current is None or self._runs.is_open or not self._runs.is_long_enough:
            return []
        heard = self._n_samples / SAMPLING_RATE
        found: list[Span] = []
        end = round(self._end(current[1]), 6)
        if end + self._margins.after <= heard:
            found.extend(self._rest_of(Span(growing.start, end), growing.n_windows))
        start = round(growing.start + growing.n_windows * self._hop, 6)
        if (end := round(start + self._length, 6)) <= heard:
            found.append(self._at_hop(growing, start, end))
        return found

    def forget_spans(self, before: float) -> None:
        """Drop the spans that end before a time."""
        self.spans = [span for span in self.spans if span.end > before]

    def _advance(self, probability: float, windows: list[Span]) -> None:
        ended = self._runs.add(probability)
        if ended is not None:
            self._close(ended, windows)
        if self._runs.current is None:
            self._growing = None  # ended, or was too short to be speech
        elif self._growing is None:
            self._growing = _Growing(self._start(self._runs.current[0]))

    def _settle(self, windows: list[Span]) -> None:
        """Find the windows at hops that the speech so far is sure to contain."""
        growing, current = self._growing, self._runs.current
        if growing is None or current is None:
            self.horizon = self.needed_from
            return
        bound = self._end(current[1])
        heard = self._n_samples / SAMPLING_RATE
        while self._runs.is_long_enough:
            start = round(growing.start + growing.n_windows * self._hop, 6)
            end = round(start + self._length, 6)
            # A span up to 0.01 s longer than a window is one window, to its very end; so is its last one.
            spare = 1.5 * GRID if growing.n_windows == 0 or self._margins.after else -1e-6
            if min(bound, heard) - end <= spare:
                break
            windows.append(self._at_hop(growing, start, end))
            growing.n_windows += 1
        if not growing.n_windows:
            self.horizon = max(self.needed_from, self.horizon)
            return
        following = growing.start + growing.n_windows * self._hop
        last = min(bound, heard) - self._length - GRID  # which may be rounded down to the grid
        self.horizon = max(growing.start, min(following, last), self.horizon)

    def _close(self, run: tuple[int, int], windows: list[Span]) -> None:
        """Place the windows of a span whose end is known, but for those that were settled before."""
        duration = self._n_samples / SAMPLING_RATE
        span = Span(self._start(run[0]), round(min(duration, self._end(run[1])), 6))
        settled = self._growing.n_windows if self._growing is not None else 0
        windows.extend(self._rest_of(span, settled))
        self.spans.append(span)
        self._growing = None
        self._ended = span.end

    def _rest_of(self, span: Span, settled: int) -> list[Span]:
        return windows_of(span, length=self._length, hop=self._hop, first=settled, reach=self._reach(span))

    def _at_hop(self, growing: _Growing, start: float, end: float) -> Span:
        return Span(start if growing.n_windows else self._begin(growing), end)

    def _begin(self, growing: _Growing) -> float:
        """Return where the first window of a span that goes on starts."""
        return self._reach(Span(growing.start, growing.start)).start

    def _reach(self, span: Span) -> Span:
        """Return how far the windows of a span reach."""
        return reached(span, self._margins, self._ended, self._n_samples / SAMPLING_RATE)

    # The same arithmetic as in blipper.speech.spans_from_probabilities: the spans are the same to the bit.

    def _start(self, first: int) -> float:
        start = math.floor((first * _SECONDS - self._settings.pad) / GRID + 1e-6) * GRID
        return round(max(0.0, start), 6)

    def _end(self, last: int) -> float:
        return math.ceil((last * _SECONDS + self._settings.pad) / GRID - 1e-6) * GRID

    @property
    def speaking(self) -> Span | None:
        """The span that goes on, as far as it is known to go; None where nobody speaks."""
        if self._growing is None or self._runs.current is None or not self._runs.is_long_enough:
            return None
        return Span(self._growing.start, self._end(self._runs.current[1]))
