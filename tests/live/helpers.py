"""Streams for the streaming analyser's tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from blipper.live import CurvePoint, EventClosed, EventOpened, LiveAnalyser, Update, WindowScored
from blipper.results import Analysis, Event
from tests.helpers import read_16k, silence


def feed(analyser: LiveAnalyser, samples: np.ndarray, sizes: Iterable[int]) -> list[Update]:
    """Hand samples over in blocks of these sizes, then finish."""
    updates: list[Update] = []
    at = 0
    for size in sizes:
        if at >= len(samples):
            break
        updates += analyser.add(samples[at : at + size])
        at += size
    assert at >= len(samples), "the sizes did not reach to the end"
    return updates + analyser.finish()


def windows(updates: Sequence[Update]) -> list[WindowScored]:
    return [update for update in updates if isinstance(update, WindowScored)]


def points(updates: Sequence[Update]) -> list[CurvePoint]:
    return [update for update in updates if isinstance(update, CurvePoint)]


def events(updates: Sequence[Update]) -> list[Event]:
    return [update.event for update in updates if isinstance(update, EventClosed)]


def opened(updates: Sequence[Update]) -> list[EventOpened]:
    return [update for update in updates if isinstance(update, EventOpened)]


def assert_same(updates: Sequence[Update], offline: Analysis, tolerance: float = 0.02) -> None:
    """Compare everything with the offline road: the same windows, curve and events."""
    track = offline.tracks[0]
    found = windows(updates)
    np.testing.assert_allclose([window.start for window in found], track.windows.start, atol=1e-9)
    np.testing.assert_allclose([window.end for window in found], track.windows.end, atol=1e-9)
    scores = [window.aggression for window in found]
    np.testing.assert_allclose(scores, track.windows.aggression, atol=tolerance)
    emotions = np.array([window.emotions for window in found]).reshape(-1, 8)
    np.testing.assert_allclose(emotions, track.windows.emotions, atol=tolerance)
    curve = points(updates)
    np.testing.assert_allclose([(p.start + p.end) / 2 for p in curve], track.curve.times, atol=1e-9)
    np.testing.assert_allclose([p.aggression for p in curve], track.curve.aggression, atol=tolerance)
    np.testing.assert_allclose([p.emotions for p in curve], track.curve.emotions, atol=tolerance)
    mine, theirs = events(updates), offline.events
    assert [(event.start, event.end, event.emotion) for event in mine] == [
        (event.start, event.end, event.emotion) for event in theirs
    ]
    for name in ("peak", "mean"):
        one, other = [getattr(event, name) for event in mine], [getattr(event, name) for event in theirs]
        np.testing.assert_allclose(one, other, atol=tolerance)
    assert len(opened(updates)) == len(mine)


def conversation(data: Path) -> np.ndarray:
    """Join acted clips, calm and angry, by pauses of every length that matters, at 16 kHz."""
    rng = np.random.default_rng(1)
    pieces = [silence(0.7)]
    emotions = ["01", "05", "05", "02", "05", "05", "05", "01", "03", "05", "04", "05"]
    for number, emotion in enumerate(emotions):
        actor = number % 24 + 1
        pattern = f"03-01-{emotion}-{'01' if emotion == '01' else '02'}-01-01-{actor:02d}.*"
        (path,) = (data / "ravdess" / f"Actor_{actor:02d}").glob(pattern)
        pieces.append(read_16k(path))
        pieces.append(silence((0.0, 0.1, 0.35, 1.2, 2.5)[number % 5]))
    samples = np.concatenate(pieces)
    noise = rng.normal(0, 1e-4, len(samples))
    return (samples + noise).astype(np.float32)
