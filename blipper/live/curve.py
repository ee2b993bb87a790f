"""The smoothed curve and its events, cell by cell, as the windows come in.

A cell is settled once no window yet to come can reach into it, nor into those that count as its
surroundings. Its score is then the one that :func:`blipper.fusion.smooth` gives, and the events are those of
:func:`blipper.fusion.find_events`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from blipper.fusion import EventSettings, Surroundings, spoken_cells, window_weights
from blipper.hysteresis import RunTracker
from blipper.live.updates import CurvePoint, EventClosed, EventOpened, WindowScored
from blipper.results import Event, Float, Span
from blipper.voice.labels import EMOTIONS


class LiveCurve:
    """Keeps the cells that are not settled yet.

    Parameters
    ----------
    step, smoothing, surroundings : float
        As for :func:`blipper.fusion.smooth`, in seconds.
    """

    def __init__(self, step: float, smoothing: float, surroundings: float) -> None:
        self._step, self._smoothing = step, smoothing
        self._around = Surroundings(surroundings, step)
        #: Number of the first cell that is not settled.
        self.n_settled = 0
        #: Scores of the last settled cells without their surroundings, since they surround those to come.
        self._before: Float = np.zeros(0)
        #: Cells, without their surroundings, that wait for what follows them.
        self._held: list[CurvePoint] = []
        self._weights: Float = np.zeros(0)
        self._sums: Float = np.zeros((0, 1 + len(EMOTIONS)))

    @property
    def _n_smoothed(self) -> int:
        """Number of the first cell into which windows yet to come may reach."""
        return self.n_settled + len(self._held)

    def add(self, window: WindowScored) -> None:
        """Take a window in."""
        first = int(window.start / self._step + 1e-9)
        last = math.ceil(window.end / self._step - 1e-9)
        self._reach(last - self._n_smoothed)
        cells = slice(first - self._n_smoothed, last - self._n_smoothed)
        times = (np.arange(first, last) + 0.5) * self._step
        weights = window_weights(times, (window.start + window.end) / 2, self._smoothing)
        self._weights[cells] += weights
        self._sums[cells] += weights[:, None] * np.concatenate(([window.aggression], window.emotions))

    def settle(self, horizon: float, duration: float, speech: Sequence[Span]) -> list[CurvePoint]:
        """Return the cells that nothing to come can change.

        Parameters
        ----------
        horizon : float
            Seconds; no window yet to come starts before it. Infinite at the stream's end.
        duration : float
            Seconds heard so far.
        speech : sequence of Span
            All since the last cell that was returned; cells without are NaN, though a window may reach there.
        """
        self._smooth(horizon, duration, speech)
        n = max(0, len(self._held) - (self._around.reach if math.isfinite(horizon) else 0))
        while n < len(self._held) and math.isnan(self._held[n].aggression):
            n += 1  # nothing gives a silent cell a score
        if not n:
            return []
        known = np.concatenate((self._before, [point.aggression for point in self._held]))
        averaged = self._around.apply(known)[len(self._before) :]
        settled = [
            replace(point, aggression=float(score))
            for point, score in zip(self._held[:n], averaged[:n], strict=True)
        ]
        first = max(0, len(self._before) + n - self._around.reach)
        self._before = known[first : len(self._before) + n]
        self._held = self._held[n:]
        self.n_settled += n
        return settled

    def provisional(self, speech: Sequence[Span]) -> Float:
        """Return the scores of the cells that what follows may still change, shape (n,); NaN without any."""
        spoken = spoken_cells(speech, self._n_smoothed, len(self._weights), self._step)
        with np.errstate(invalid="ignore"):
            newest = np.where(spoken, self._sums[:, 0] / self._weights, np.nan)
        known = np.concatenate((self._before, [point.aggression for point in self._held], newest))
        return self._around.apply(known)[len(self._before) :]

    def _smooth(self, horizon: float, duration: float, speech: Sequence[Span]) -> None:
        last = math.ceil(duration / self._step - 1e-9)
        if math.isfinite(horizon):
            last = min(last, int(horizon / self._step + 1e-9))
        first = self._n_smoothed
        n = last - first
        if n <= 0:
            return
        self._reach(n)
        means = np.full((n, 1 + len(EMOTIONS)), np.nan)
        valid = (self._weights[:n] > 0) & spoken_cells(speech, first, n, self._step)
        means[valid] = self._sums[:n][valid] / self._weights[:n][valid, None]
        self._held += [
            CurvePoint(cell * self._step, (cell + 1) * self._step, float(row[0]), row[1:])
            for cell, row in enumerate(means, first)
        ]
        self._weights, self._sums = self._weights[n:].copy(), self._sums[n:].copy()

    def _reach(self, n_cells: int) -> None:
        missing = n_cells - len(self._weights)
        if missing > 0:
            self._weights = np.concatenate((self._weights, np.zeros(missing)))
            self._sums = np.concatenate((self._sums, np.zeros((missing, 1 + len(EMOTIONS)))))


class LiveEvents:
    """Opens and closes events as the cells come in.

    Parameters
    ----------
    settings : EventSettings
    step : float
        Of the curve, in seconds.
    """

    def __init__(self, settings: EventSettings, step: float) -> None:
        self._step = step
        self._runs = RunTracker(
            settings.onset,
            settings.closing,
            settings.bridge / step,
            settings.min_duration / step,
            settings.rise_cells(step),
        )
        #: Cells that may yet belong to an event, or to the next.
        self._undecided = math.ceil(settings.bridge / step) + settings.rise_cells(step)
        #: Cells since the last one of an event, and those with which the next would begin.
        self._pending: list[CurvePoint] = []
        self._told = False
        self._forget()

    @property
    def needed_from(self) -> float:
        """Seconds; spans of speech that end before this are not asked for any more."""
        return (self._runs.count - self._undecided - 2) * self._step

    @property
    def is_open(self) -> bool:
        """Whether an event goes on that was reported as opened."""
        return self._told

    def add(self, point: CurvePoint, speech: Sequence[Span]) -> list[EventOpened | EventClosed]:
        """Take the next cell.

        Parameters
        ----------
        point : CurvePoint
        speech : sequence of Span
            Those that end after :attr:`needed_from`, also the one that goes on.
        """
        going = self._runs.current is not None
        ended = self._runs.add(point.aggression)
        found: list[EventOpened | EventClosed] = []
        if ended is not None:
            found.append(self._closed(ended, speech))
        self._pending.append(point)
        if self._runs.current is None:
            self._forget()
            n_rising = self._runs.count - self._runs.opens_from
            self._pending = self._pending[len(self._pending) - n_rising :]
            return found
        if not going:
            first = self._pending[0].start
            self._start = max(first, min(span.start for span in speech if span.end > first))
        if self._runs.is_open:
            self._count_pending()
        if self._runs.is_long_enough and not self._told:
            self._told = True
            found.append(EventOpened(round(self._start, 3), round(point.end, 3), self._peak.aggression))
        return found

    def finish(self, speech: Sequence[Span]) -> list[EventOpened | EventClosed]:
        """Say that no more cells come."""
        ended = self._runs.finish()
        found: list[EventOpened | EventClosed] = [self._closed(ended, speech)] if ended is not None else []
        self._forget()
        return found

    def _forget(self) -> None:
        self._told = False
        self._start = 0.0
        self._n = 0
        self._sums: Float = np.zeros(1 + len(EMOTIONS))
        self._peak = CurvePoint(0.0, 0.0, -math.inf, np.zeros(len(EMOTIONS)))

    def _count_pending(self) -> None:
        """Count the cells since the last high one too: a bridged gap belongs to the event."""
        for point in self._pending:
            if not math.isnan(point.aggression):
                self._n += 1
                self._sums += np.concatenate(([point.aggression], point.emotions))
                if point.aggression > self._peak.aggression:
                    self._peak = point
        self._pending = []

    def _closed(self, run: tuple[int, int], speech: Sequence[Span]) -> EventClosed:
        first, last = run[0] * self._step, run[1] * self._step
        end = min(last, max(span.end for span in speech if span.start < last and span.end > first))
        middle = (self._peak.start + self._peak.end) / 2
        return EventClosed(
            Event(
                start=round(self._start, 3),
                end=round(end, 3),
                peak=self._peak.aggression,
                peak_time=round(float(np.clip(middle, self._start, end)), 3),
                mean=float(self._sums[0] / self._n),
                emotion=EMOTIONS[int(np.argmax(self._sums[1:]))],
            )
        )
