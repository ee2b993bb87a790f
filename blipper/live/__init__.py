"""Listening while it is said: a streaming analyser, fed with blocks of samples.

Times are seconds from the stream's first sample, intervals half-open. What it reports once is final: windows,
curve and events are those of the offline road (:func:`blipper.analyze`) over the same sound.
"""

from blipper.live.analyser import LiveAnalyser
from blipper.live.separate import LiveChannels
from blipper.live.updates import CurvePoint, EventClosed, EventOpened, Update, WindowScored

__all__ = [
    "CurvePoint",
    "EventClosed",
    "EventOpened",
    "LiveAnalyser",
    "LiveChannels",
    "Update",
    "WindowScored",
]
