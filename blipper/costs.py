"""What a large number of minutes would take: on this machine, in a person's hours, and at cloud services.

The machine's pace is measured on the spot on one recording and split into what every second of sound costs
(decoding, finding speech, checking quality) and what every second of *speech* costs on top (the voice model,
and an engine that writes a transcript, where one is counted).
The rest is arithmetic. Money is in US dollars, as the services' prices are.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from blipper import audio, quality, speech
from blipper.analysis import score_windows, windows_over
from blipper.errors import BlipperError, SettingsError
from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Span
from blipper.voice.models import VoiceModel
from blipper.words.transcribe import Engine

#: Seconds of sound that a measurement repeats its recording to; short enough to wait for, long enough to fill
#: the model's batches.
MEASURED: Final = 240.0
#: Seconds of speech that an engine writes down to be measured: it may take as long as they last.
WRITTEN: Final = 30.0


@dataclass(frozen=True)
class Pace:
    """How fast one process works on this machine.

    Parameters
    ----------
    model : str
    per_sound : float
        Seconds of work per second of sound: decoding, finding speech, checking quality.
    per_speech : float
        Seconds of work per second of speech: the voice model.
    speech_share : float
        Of the recording that was measured, in [0, 1].
    seconds : float
        Length of the sound that was measured.
    repeats : int
        Each figure but `per_words` is the median of so many runs.
    engine : str or None
        What writes the transcript; None where none is counted.
    per_words : float
        Seconds of work per second of speech that a transcript takes on top: one run.
    """

    model: str
    per_sound: float
    per_speech: float
    speech_share: float
    seconds: float
    repeats: int
    engine: str | None = None
    per_words: float = 0.0

    def times_real_time(self, speech_share: float) -> float:
        """Return how many seconds of sound one process does in a second."""
        return 1 / (self.per_sound + (self.per_speech + self.per_words) * speech_share)


@dataclass(frozen=True)
class Volume:
    """What is to be done, and with what.

    Parameters
    ----------
    minutes : float
        Of sound; above 0.
    speech_share : float
        Of the sound in which somebody speaks, 0 to 1.
    workers : int
        Processes that work side by side, 1 or more.
    hourly_price : float
        Of the machine, in US dollars an hour; 0 or more.
    """

    minutes: float
    speech_share: float = 0.6
    workers: int = 1
    hourly_price: float = 0.0

    def __post_init__(self) -> None:
        """Check the domains."""
        if not 0 < self.minutes < float("inf"):
            raise SettingsError(f"the volume is {self.minutes} minutes, expected more than 0")
        if not 0 <= self.speech_share <= 1:
            raise SettingsError(f"the share of speech is {self.speech_share}, expected 0 to 1")
        if self.workers < 1:
            raise SettingsError(f"the number of workers is {self.workers}, expected 1 or more")
        if not 0 <= self.hourly_price < float("inf"):
            raise SettingsError(f"the price of an hour is {self.hourly_price}, expected 0 or more")


@dataclass(frozen=True)
class Estimate:
    """What Blipper would take for a volume.

    Parameters
    ----------
    hours : float
        By the clock, all workers together.
    worker_hours : float
    price : float
        US dollars for the machine's hours.
    times_real_time : float
        All workers together.
    """

    hours: float
    worker_hours: float
    price: float
    times_real_time: float


@dataclass(frozen=True)
class Review:
    """What a person's listening comes to.

    Parameters
    ----------
    events : float
        Stretches to listen to.
    hours : float
        Of listening to them.
    saved : float
        Hours that listening to everything would take beyond that; negative where marking costs more.
    price : float
        US dollars for `hours`.
    """

    events: float
    hours: float
    saved: float
    price: float


@dataclass(frozen=True)
class CloudPrice:
    """One public price of a cloud service.

    Parameters
    ----------
    service : str
    gives : str
        What the price buys.
    per_minute : float
        US dollars per minute of sound.
    source : str
        Address of the page that named it.
    seen : str
        Date of that page, ISO 8601; to a month where it gives no more.
    """

    service: str
    gives: str
    per_minute: float
    source: str
    seen: str


_APISCOUT: Final = "https://apiscout.dev/guides/speech-to-text-api-comparison-2026"
_PRIVOCIO: Final = "https://privocio.com/blog/speech-to-text-api-pricing-2026-true-cost-compared"
_ASSEMBLY: Final = (
    "https://agent-skills.md/skills/jeremylongshore/claude-code-plugins-plus-skills/assemblyai-cost-tuning"
)
_REV: Final = (
    "https://raw.githubusercontent.com/api-evangelist/rev-ai/refs/heads/main/finops/rev-ai-finops.yml"
)

#: List prices without discounts, from the cheapest. None of these hears the tone of a voice: Hume's prosody
#: service, which did, closed on 14 June 2026 (https://dev.hume.ai/docs/expression-measurement/models/prosody).
CLOUD_PRICES: Final = (
    CloudPrice("OpenAI gpt-4o-mini-transcribe", "transcript", 0.003, _APISCOUT, "2026-03-16"),
    CloudPrice("Rev AI Reverb", "transcript", 0.20 / 60, _REV, "2026-06-12"),
    CloudPrice("Google Chirp 3, dynamic batch", "transcript", 0.004, _APISCOUT, "2026-03-16"),
    CloudPrice("Deepgram, batch", "transcript", 0.0043, _PRIVOCIO, "2026"),
    CloudPrice("OpenAI whisper-1", "transcript", 0.006, _APISCOUT, "2026-03-16"),
    CloudPrice(
        "AssemblyAI Universal-3", "transcript and its sentiment", (0.37 + 0.02) / 60, _ASSEMBLY, "2026-04-23"
    ),
    CloudPrice("Google Chirp 3, standard", "transcript", 0.016, _APISCOUT, "2026-03-16"),
    CloudPrice("Amazon Transcribe", "transcript", 0.024, _PRIVOCIO, "2026"),
)


def measure_pace(
    source: str | Path,
    model: VoiceModel,
    *,
    engine: Engine | None = None,
    repeats: int = 3,
    progress: Progress = silent,
) -> Pace:
    """Measure how fast one process of this machine analyses speech.

    Parameters
    ----------
    source : path
        A recording with speech; it is repeated to :data:`MEASURED` seconds for all but decoding.
    model : VoiceModel
    engine : Engine, optional
        What writes transcripts, loaded; without one no transcript is counted.
    repeats : int
        Runs of which the median counts, 1 or more; one more comes first, uncounted.
    progress : Progress, optional
        Told the step ``"measure"``, in runs.

    Returns
    -------
    Pace

    Raises
    ------
    AudioError
        If the recording cannot be read.
    BlipperError
        If nobody speaks in it.
    """
    once = audio.load(source)
    copies = max(1, round(MEASURED / once.duration))
    samples = np.tile(once.read(0, once.duration), copies)
    recording = audio.from_samples(samples, once.sampling_rate)
    spans = speech.detect_speech(recording)
    spoken = sum(span.duration for span in spans)
    if not spoken:
        raise BlipperError(
            f"{source}: nobody speaks in it; a recording with speech is needed to measure with"
        )
    windows = windows_over(spans, recording.duration, model)
    parts: tuple[tuple[float, Callable[[], object]], ...] = (
        (once.duration, lambda: audio.load(source)),
        (recording.duration, lambda: speech.detect_speech(recording)),
        (recording.duration, lambda: quality.assess(recording, 0, spans)),
        (spoken, lambda: score_windows(recording, 0, windows, model)),
    )
    total = len(parts) * (repeats + 1)
    costs = []
    for number, (seconds, run) in enumerate(parts):
        taken = []
        for turn in range(repeats + 1):
            progress("measure", number * (repeats + 1) + turn, total)
            started = time.perf_counter()
            run()
            taken.append(time.perf_counter() - started)
        costs.append(statistics.median(taken[1:]) / seconds)
    per_words = 0.0 if engine is None else _words(engine, once, progress)
    progress("measure", total, total)
    return Pace(
        model=model.info.name,
        per_sound=sum(costs[:3]),
        per_speech=costs[3],
        speech_share=spoken / recording.duration,
        seconds=recording.duration,
        repeats=repeats,
        engine=None if engine is None else engine.name,
        per_words=per_words,
    )


def _words(engine: Engine, recording: Recording, progress: Progress) -> float:
    """Return seconds of work per second of speech of writing a transcript."""
    spans: list[Span] = []
    for span in speech.detect_speech(recording):
        left = WRITTEN - sum(held.duration for held in spans)
        if left <= 0:
            break
        spans.append(Span(span.start, min(span.end, span.start + left)))
    started = time.perf_counter()
    engine.transcribe(recording, 0, spans, progress)
    return (time.perf_counter() - started) / sum(span.duration for span in spans)


def estimate(pace: Pace, volume: Volume) -> Estimate:
    """Project a measured pace onto a volume; workers are taken to be as fast as the one that was measured."""
    speed = pace.times_real_time(volume.speech_share)
    worker_hours = volume.minutes / 60 / speed
    hours = worker_hours / volume.workers
    return Estimate(hours, worker_hours, hours * volume.hourly_price, speed * volume.workers)


def review(volume: Volume, *, events_per_hour: float, seconds_per_event: float, hourly_wage: float) -> Review:
    """Return what listening to the marked stretches takes, beside listening to everything once.

    Parameters
    ----------
    volume : Volume
    events_per_hour : float
        Stretches worth a listen in an hour of sound, at the threshold in force; 0 or more.
    seconds_per_event : float
        Listening to one, with what comes before and after it, and noting the verdict; 0 or more.
    hourly_wage : float
        US dollars; 0 or more.

    Raises
    ------
    SettingsError
        If a number is outside its domain.
    """
    for name, value in (
        ("number of events an hour", events_per_hour),
        ("time for an event", seconds_per_event),
        ("wage", hourly_wage),
    ):
        if not 0 <= value < float("inf"):
            raise SettingsError(f"the {name} is {value}, expected 0 or more")
    sound_hours = volume.minutes / 60
    events = sound_hours * events_per_hour
    hours = events * seconds_per_event / 3600
    return Review(events, hours, sound_hours - hours, hours * hourly_wage)
