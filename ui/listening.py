"""One browser session's live stream: what came in, what the last two minutes hold, and the alert.

Nothing here knows Streamlit. Sound goes straight into the analyser, which keeps a few seconds of it; what is
kept for the page are scores.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from blipper.errors import AudioError
from blipper.live import CurvePoint, EventClosed, EventOpened, LiveAnalyser, Update
from blipper.live.pcm import PcmFormat, decode
from blipper.results import Event
from blipper.settings import Settings
from blipper.voice.models import VoiceModel

#: How much the page shows, in seconds.
SHOWN: Final = 120.0
#: An alert stays at least so long after it was raised, in seconds of the stream.
ALERT_STAYS: Final = 10.0
#: Events that are kept; older ones are forgotten.
MOST_EVENTS: Final = 500
#: Longest base64 that a piece may be: 16 s at 192 kHz.
_LONGEST: Final = 16 * 192_000 * 2 * 4 // 3 + 4


@dataclass(frozen=True)
class Alert:
    """That it sounds angry, now or a moment ago.

    Parameters
    ----------
    start : float
        Where the event began, in seconds of the stream.
    until : float
        How far it goes, as far as known.
    peak : float
        Highest score so far.
    going_on : bool
        Whether the event is still open.
    """

    start: float
    until: float
    peak: float
    going_on: bool


@dataclass
class Listening:
    """A stream from its first piece on.

    Parameters
    ----------
    run : str
        The recorder's random name for it.
    analyser : LiveAnalyser
    started : datetime
        When the first piece began, by this machine's clock.
    """

    run: str
    analyser: LiveAnalyser
    started: datetime
    number: int = 0
    lost: float = 0.0
    ended: str | None = None
    points: deque[CurvePoint] = field(default_factory=deque)
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=MOST_EVENTS))
    n_events: int = 0
    alert: Alert | None = None
    _raised: float = 0.0

    @property
    def now(self) -> float:
        """Seconds heard so far."""
        return self.analyser.duration

    def take(self, piece: Mapping[str, Any]) -> None:
        """Take a piece of the recorder's; one that was taken before is passed over."""
        number = int(piece["number"])
        if number <= self.number or self.ended is not None:
            return
        self.number = number
        self.lost = float(piece["lost"])
        form = PcmFormat(int(piece["rate"]), "s16le", 1)
        if form.sampling_rate != self.analyser.sampling_rate:
            raise AudioError(
                f"the microphone's sampling rate changed from {self.analyser.sampling_rate} to "
                f"{form.sampling_rate} Hz; start again"
            )
        self._note(self.analyser.add(decode(pcm_of(piece), form)))
        if piece["ending"] is not None:
            self.finish(str(piece["ending"]))

    def finish(self, reason: str) -> None:
        """End the stream; an open event is closed."""
        if self.ended is None:
            self._note(self.analyser.finish())
            self.ended = reason

    def clock(self, seconds: float) -> datetime:
        """Return the time of day at a time of the stream."""
        return self.started + timedelta(seconds=seconds)

    def _note(self, updates: list[Update]) -> None:
        for update in updates:
            match update:
                case CurvePoint():
                    self.points.append(update)
                    if (
                        self.alert is not None
                        and self.alert.going_on
                        and update.aggression == update.aggression
                    ):
                        peak = max(self.alert.peak, update.aggression)
                        self.alert = Alert(self.alert.start, update.end, peak, going_on=True)
                case EventOpened():
                    self.alert = Alert(update.start, update.until, update.peak, going_on=True)
                    self._raised = self.now
                case EventClosed():
                    event = update.event
                    self.events.append(event)
                    self.n_events += 1
                    self.alert = Alert(event.start, event.end, event.peak, going_on=False)
                case _:
                    pass
        while self.points and self.points[0].end < self.now - SHOWN:
            self.points.popleft()
        alert = self.alert
        if alert is not None and not alert.going_on and self.now >= self._raised + ALERT_STAYS:
            self.alert = None


def begin(piece: Mapping[str, Any], model: VoiceModel, settings: Settings) -> Listening:
    """Begin a stream with its first piece, which is not taken yet."""
    analyser = LiveAnalyser(int(piece["rate"]), model=model, settings=settings)
    seconds = len(pcm_of(piece)) / 2 / analyser.sampling_rate
    return Listening(str(piece["run"]), analyser, datetime.now().astimezone() - timedelta(seconds=seconds))


def pcm_of(piece: Mapping[str, Any]) -> bytes:
    """Return a piece's 16-bit samples.

    Raises
    ------
    AudioError
        If it is not what the recorder sends.
    """
    text = piece["pcm"]
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise AudioError("a piece of sound from the browser is too long or no text")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise AudioError(f"a piece of sound from the browser is damaged: {error}") from error
    return data[: len(data) // 2 * 2]
