"""Cutting speech into pieces that a recogniser can take, and mapping its times back.

A piece is made of spans of speech alone, up to a longest length, with what lies between them shortened to a
moment of digital silence. A time in a piece maps back to the recording's through the span it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from blipper.recording import Float32, Recording
from blipper.results import Span

#: What recognisers here take, in Hz.
SAMPLING_RATE = 16_000

#: Seconds of silence at most between two spans in a piece: enough to be heard as a pause.
GAP = 0.3

# Where a span is too long it is cut at its quietest moment: the mean power of this many seconds counts.
_QUIET = 0.1


@dataclass(frozen=True)
class Part:
    """A span of speech and where it lies in its piece, all in seconds."""

    at: float
    start: float
    end: float

    @property
    def until(self) -> float:
        """Where it ends in the piece."""
        return self.at + self.end - self.start


@dataclass(frozen=True)
class Piece:
    """Spans of speech in a row."""

    parts: tuple[Part, ...]

    @property
    def duration(self) -> float:
        """Length in seconds, with the silences between the spans."""
        return self.parts[-1].until

    @property
    def start(self) -> float:
        """Where it begins in the recording."""
        return self.parts[0].start

    @property
    def end(self) -> float:
        """Where it ends in the recording."""
        return self.parts[-1].end

    def samples(self, recording: Recording, channel: int) -> Float32:
        """Return its sound at 16 kHz, shape (n,)."""
        sound = np.zeros(round(self.duration * SAMPLING_RATE), dtype=np.float32)
        for part in self.parts:
            first = round(part.at * SAMPLING_RATE)
            block = read(recording, channel, part.start, part.end)[: len(sound) - first]
            sound[first : first + len(block)] = block
        return sound

    def to_recording(self, start: float, end: float) -> tuple[float, float]:
        """Map a stretch of the piece to the recording.

        Parameters
        ----------
        start, end : float
            Seconds in the piece; what lies in a silence moves to where somebody speaks: a start forward, an
            end backward.

        Returns
        -------
        start, end : float
            Seconds in the recording, within the piece's speech; ``start <= end``.
        """
        first = next((part for part in self.parts if start < part.until), self.parts[-1])
        last = next((part for part in reversed(self.parts) if end > part.at), self.parts[0])
        begin = min(max(first.start, first.start + start - first.at), first.end)
        finish = min(max(last.start, last.start + end - last.at), last.end)
        return begin, max(begin, finish)

    def place(self, start: float, end: float) -> tuple[float, float]:
        """Map a word to the recording, into the span in which most of it lies: no word spans a pause."""
        part = max(self.parts, key=lambda one: min(end, one.until) - max(start, one.at))
        begin, finish = self.to_recording(max(start, part.at), min(end, part.until))
        return min(max(begin, part.start), part.end), min(max(finish, part.start), part.end)

    def speech_share(self, start: float, end: float) -> float:
        """Return the share of a stretch of the piece in which somebody speaks, in [0, 1]."""
        covered = sum(max(0.0, min(end, part.until) - max(start, part.at)) for part in self.parts)
        return min(1.0, covered / (end - start)) if end > start else 0.0


def pack(recording: Recording, channel: int, speech: Sequence[Span], longest: float) -> list[Piece]:
    """Pack spans of speech into pieces, in order, each as full as it gets.

    Parameters
    ----------
    recording : Recording
    channel : int
    speech : sequence of Span
        Ordered and apart.
    longest : float
        Seconds.

    Returns
    -------
    list of Piece
        Together they hold every span once; a span longer than `longest` is cut where it is quietest.
    """
    pieces: list[Piece] = []
    parts: list[Part] = []
    for span in cut(recording, channel, speech, longest):
        at = parts[-1].until + min(GAP, span.start - parts[-1].end) if parts else 0.0
        if parts and at + span.duration > longest:
            pieces.append(Piece(tuple(parts)))
            parts, at = [], 0.0
        parts.append(Part(at, span.start, span.end))
    return [*pieces, Piece(tuple(parts))] if parts else pieces


def cut(recording: Recording, channel: int, speech: Sequence[Span], longest: float) -> Iterator[Span]:
    """Yield the spans, the long ones cut at quiet moments into some of at most `longest` seconds."""
    for span in speech:
        start = span.start
        while span.end - start > longest:
            edge = _quietest(recording, channel, start + longest / 2, start + longest)
            yield Span(start, edge)
            start = edge
        yield Span(start, span.end)


def read(recording: Recording, channel: int, start: float, end: float) -> Float32:
    """Return the samples of a stretch at 16 kHz, shape (n,)."""
    samples = recording.read(start, end, channel)
    if recording.sampling_rate == SAMPLING_RATE:
        return samples
    import soxr

    resampled: Float32 = soxr.resample(samples, recording.sampling_rate, SAMPLING_RATE).astype(np.float32)
    return resampled


def _quietest(recording: Recording, channel: int, start: float, end: float) -> float:
    """Return the middle of the quietest moment between two times."""
    power = np.square(recording.read(start, end, channel).astype(np.float64))
    width = max(1, round(_QUIET * recording.sampling_rate))
    sums = np.concatenate([[0.0], np.cumsum(power)])
    means = sums[width:] - sums[:-width]
    return start + (int(np.argmin(means)) + width / 2) / recording.sampling_rate
