"""What the streaming analyser reports, as plain JSON values: one object a line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from blipper.live.updates import CurvePoint, EventClosed, EventOpened, Update, WindowScored
from blipper.voice.labels import EMOTIONS


def update_dict(update: Update, channel: str | None = None) -> dict[str, Any]:
    """Return an update with its ``kind`` first; times in seconds with 3 decimals, scores with 4.

    Kinds are ``"window"``, ``"curve"`` (``aggression`` is None where nobody speaks), ``"event-opened"`` and
    ``"event-closed"``. The channel comes second, where channels are kept apart.
    """
    plain = _plain(update)
    return plain if channel is None else {"kind": plain.pop("kind"), "channel": channel, **plain}


def _plain(update: Update) -> dict[str, Any]:
    match update:
        case WindowScored():
            return {
                "kind": "window",
                "start": _seconds(update.start),
                "end": _seconds(update.end),
                "aggression": _score(update.aggression),
                "emotion": EMOTIONS[int(np.argmax(update.emotions))],
                "emotions": dict(zip(EMOTIONS, map(_score, update.emotions.tolist()), strict=True)),
            }
        case CurvePoint():
            silent = bool(np.isnan(update.aggression))
            return {
                "kind": "curve",
                "start": _seconds(update.start),
                "end": _seconds(update.end),
                "aggression": None if silent else _score(update.aggression),
            }
        case EventOpened():
            return {
                "kind": "event-opened",
                "start": _seconds(update.start),
                "until": _seconds(update.until),
                "peak": _score(update.peak),
            }
        case EventClosed():
            event = update.event
            plain = asdict(event)
            del plain["channel"]
            rounded = {
                name: _seconds(value) if name in ("start", "end", "peak_time") else value
                for name, value in plain.items()
            }
            rounded |= {"peak": _score(event.peak), "mean": _score(event.mean)}
            return {"kind": "event-closed", **rounded}


def _seconds(value: float) -> float:
    return round(value, 3)


def _score(value: float) -> float:
    return round(value, 4)
