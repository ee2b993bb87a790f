"""Conversations of known content: what an analyst meets, put together from clips of test speakers.

A scene lasts two minutes. Two or three speakers of at least two corpora take turns with pauses in between,
now and then talking over each other; up to three times somebody turns angry, or two quarrel, for some
seconds, and that place is known. Most scenes have a noise under them and half of them a room around them.
Everything is drawn from one seed, so a scene can be built again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper import fusion
from blipper.analysis import analyze
from blipper.datasets import Clip
from blipper.errors import DatasetError
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Analysis, Span
from blipper.settings import Settings
from blipper.training import event_scores
from blipper.training.mixing import Voices, add_floor, add_noise, in_room, within_scale
from blipper.training.prepare import SAMPLING_RATE, as_recording, read_mono
from blipper.training.sounds import noise_files, sound_files
from blipper.voice.models import VoiceModel

#: How many scenes there are, and how long each lasts in seconds.
COUNT: Final = 60
DURATION: Final = 120.0
#: Thresholds whose figures are kept.
THRESHOLDS: Final = tuple(round(0.05 * i, 2) for i in range(1, 20))
#: Seconds that an event has to last; each one's figures are kept.
SHORTEST: Final = (1.0, 2.0, 3.0, 4.0, 5.0)
#: Probability of no, one, two and three angry stretches.
_STRETCHES: Final = (0.2, 0.3, 0.35, 0.15)
#: Seconds that a stretch is meant to last, between these.
LENGTH: Final = (4.0, 12.0)


@dataclass(frozen=True)
class Turn:
    """One clip in a scene; times in seconds."""

    clip: Clip
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Scene:
    """A conversation.

    Parameters
    ----------
    number : int
    samples : numpy.ndarray of float32, shape (n,)
        At 16 kHz.
    turns : tuple of Turn
        By start.
    angry : tuple of Span
        Angry stretches: from the start of their first clip to the end of the last.
    noise : str
        File name of the noise; empty without.
    snr : float or None
        dB.
    room : str
        File name of the room; empty without.
    """

    number: int
    samples: Float32
    turns: tuple[Turn, ...]
    angry: tuple[Span, ...]
    noise: str
    snr: float | None
    room: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLING_RATE


def build_scenes(
    clips: Sequence[Clip],
    noises: Sequence[Path] = (),
    rooms: Sequence[Path] = (),
    *,
    count: int = COUNT,
    seed: int = 0,
    duration: float = DURATION,
    length: tuple[float, float] = LENGTH,
) -> Iterator[Scene]:
    """Build scenes one after the other.

    Parameters
    ----------
    clips : sequence of Clip
        Of speakers that the model never met, of at least two corpora.
    noises, rooms : sequence of path
    count, seed : int
        Scene `k` follows from the seed and `k` alone.
    duration : float
        Seconds.
    length : (float, float)
        Shortest and longest angry stretch that is planned, in seconds: clips are said until it is reached, so
        that each stretch is a single clip where it is next to nothing.

    Yields
    ------
    Scene

    Raises
    ------
    DatasetError
        If two corpora at least do not have speakers with angry, neutral and other clips.
    """
    acted: dict[tuple[str, str], set[str]] = {}
    for clip in clips:
        acted.setdefault((clip.corpus, clip.speaker), set()).add(clip.emotion)
    able = {who for who, emotions in acted.items() if emotions > {"angry", "neutral"}}
    corpora = {corpus for corpus, _ in able}
    if len(corpora) < 2:
        raise DatasetError(
            "scenes need speakers of two corpora at least, each with angry, neutral and other clips; there "
            f"are such speakers of {sorted(corpora) or 'none'}"
        )
    voices = Voices([clip for clip in clips if (clip.corpus, clip.speaker) in able])
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        yield _build(number, voices, noises, rooms, duration, length, rng)


def _build(
    number: int,
    voices: Voices,
    noises: Sequence[Path],
    rooms: Sequence[Path],
    duration: float,
    length: tuple[float, float],
    rng: np.random.Generator,
) -> Scene:
    cast = _cast(voices, rng)
    planned = _plan(duration, length, rng)
    samples = np.zeros(round(duration * SAMPLING_RATE), dtype=np.float32)
    turns: list[Turn] = []
    angry: list[Span] = []
    at = float(rng.uniform(0.3, 1.5))
    speaker = 0
    while True:
        due = next((plan for plan in planned if plan.start <= at), None)
        if due is not None:
            planned.remove(due)
            began = len(turns)
            quarrel = [int(i) for i in rng.permutation(len(cast))[: int(rng.integers(1, 3))]]
            first = at
            step = 0
            while at < first + due.duration:
                clip = _pick(voices, cast[quarrel[step % len(quarrel)]], True, rng)
                end = _lay(samples, voices, clip, at, turns)
                if end is None:
                    break
                at, step = end + float(rng.uniform(0.1, 0.6)), step + 1
            if len(turns) > began:
                angry.append(Span(turns[began].start, max(turn.end for turn in turns[began:])))
                at = angry[-1].end + float(rng.uniform(0.4, 2.5))
            continue
        speaker = (speaker + 1 + int(rng.integers(len(cast) - 1))) % len(cast)
        end = None
        for _ in range(int(rng.integers(1, 3))):
            end = _lay(samples, voices, _pick(voices, cast[speaker], False, rng), at, turns)
            if end is None:
                break
            at = end + float(rng.uniform(0.2, 0.6))
        if end is None:
            break
        # One turn in eight begins before the last has ended.
        overlap = rng.random() < 0.125
        at = end - float(rng.uniform(0.2, 0.6)) if overlap else end + float(rng.uniform(0.4, 2.5))
    room, noise, snr = None, None, None
    if rooms and rng.random() < 0.5:
        room = rooms[int(rng.integers(len(rooms)))]
        samples = in_room(samples, read_mono(room), float(rng.uniform(0.2, 0.7)))
    if noises and rng.random() < 0.7:
        noise, snr = noises[int(rng.integers(len(noises)))], round(float(rng.uniform(10, 25)), 1)
        samples = add_noise(samples, read_mono(noise), snr, rng)
    return Scene(
        number,
        within_scale(add_floor(samples, rng)),
        tuple(sorted(turns, key=lambda turn: turn.start)),
        tuple(angry),
        "" if noise is None else noise.name,
        snr,
        "" if room is None else room.name,
    )


def _cast(voices: Voices, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Draw two or three speakers of two corpora at least; big corpora more often, by the square root."""
    by_corpus: dict[str, list[tuple[str, str]]] = {}
    for one in voices.speakers:
        by_corpus.setdefault(one[0], []).append(one)
    names = sorted(by_corpus)
    weight = np.sqrt([len(by_corpus[name]) for name in names])
    first = rng.choice(len(names), 2, replace=False, p=weight / weight.sum())
    cast = [by_corpus[names[int(i)]][int(rng.integers(len(by_corpus[names[int(i)]])))] for i in first]
    others = [one for one in voices.speakers if one not in cast]
    if others and rng.random() < 0.5:
        cast.append(others[int(rng.integers(len(others)))])
    return cast


def _plan(duration: float, length: tuple[float, float], rng: np.random.Generator) -> list[Span]:
    """Draw where angry stretches are meant to be, at least 15 s from start to start."""
    count = int(rng.choice(len(_STRETCHES), p=_STRETCHES))
    slots = np.sort(rng.permutation(max(1, int((duration - 15) / 18)))[:count])
    starts = [5 + 18 * float(slot) + float(rng.uniform(0, 3)) for slot in slots]
    return [Span(start, start + float(rng.uniform(*length))) for start in starts]


def _pick(voices: Voices, speaker: tuple[str, str], angry: bool, rng: np.random.Generator) -> Clip:
    """Draw a clip: an angry one, or for two turns in five a neutral one, else of any other emotion."""
    own = voices.of(speaker)
    if angry:
        chosen = [clip for clip in own if clip.emotion == "angry"]
    else:
        other = sorted({clip.emotion for clip in own} - {"angry", "neutral"})
        wanted = "neutral" if rng.random() < 0.4 else other[int(rng.integers(len(other)))]
        chosen = [clip for clip in own if clip.emotion == wanted]
    return chosen[int(rng.integers(len(chosen)))]


def _lay(samples: Float32, voices: Voices, clip: Clip, at: float, turns: list[Turn]) -> float | None:
    """Add a clip to the scene and return its end; None where it does not fit in any more."""
    sound = voices.read(clip)
    first = round(at * SAMPLING_RATE)
    if first + len(sound) > len(samples) - SAMPLING_RATE // 2:
        return None
    samples[first : first + len(sound)] += sound
    end = (first + len(sound)) / SAMPLING_RATE
    turns.append(Turn(clip, first / SAMPLING_RATE, end))
    return end


def measure_scenes(
    model: VoiceModel,
    clips: Sequence[Clip],
    data: Path,
    *,
    count: int = COUNT,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Analyse scenes as a user would, and score the events.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
        Of the model's test speakers.
    data : path
        Folder with ``noise/``, of which the test side is used, and ``rir/``, whose rooms training knows.
    count, seed, resamples : int
    progress : Progress
        Told scenes, as step ``"scenes"``.

    Returns
    -------
    dict
        What the scenes are, the figures of :func:`blipper.training.event_scores.summarize` at the model's own
        threshold, under ``thresholds`` at those of :data:`THRESHOLDS`, and under ``shortest`` at the model's
        own with events of :data:`SHORTEST` seconds at least.
    """
    noises = noise_files(data, "test")
    rooms = sound_files(data / "rir")
    scenes: list[Scene] = []
    analyses: list[Analysis] = []
    for scene in build_scenes(clips, noises, rooms, count=count, seed=seed):
        progress("scenes", len(scenes), count)
        analyses.append(analyze(as_recording(scene.samples, f"scene-{scene.number}"), model=model))
        scenes.append(scene)
    progress("scenes", count, count)

    def at(threshold: float, shortest: float | None = None) -> dict[str, Any]:
        matched = [
            event_scores.match(events_at(analysis, threshold, shortest), scene.angry, scene.duration)
            for scene, analysis in zip(scenes, analyses, strict=True)
        ]
        return event_scores.summarize(matched, seed=seed, resamples=resamples)

    used = {(turn.clip.corpus, turn.clip.speaker) for scene in scenes for turn in scene.turns}
    return {
        "seed": seed,
        "seconds": round(sum(scene.duration for scene in scenes), 1),
        "angry_seconds": round(sum(span.duration for scene in scenes for span in scene.angry), 1),
        "speakers": [f"{corpus}/{speaker}" for corpus, speaker in sorted(used)],
        "overlap": event_scores.OVERLAP,
        "threshold": model.info.threshold,
        **at(model.info.threshold),
        "thresholds": {f"{threshold:.2f}": at(threshold) for threshold in THRESHOLDS},
        "shortest": {f"{shortest:g}": at(model.info.threshold, shortest) for shortest in SHORTEST},
    }


def events_at(analysis: Analysis, threshold: float, shortest: float | None = None) -> tuple[Span, ...]:
    """Mark the events of an analysis's first track at another threshold, or with another shortest one."""
    track = analysis.tracks[0]
    settings = Settings.from_dict(analysis.settings).with_threshold(threshold).events(threshold)
    if shortest is not None:
        settings = replace(settings, min_duration=shortest)
    events = fusion.find_events(track.curve, track.speech, settings=settings)
    return tuple(Span(event.start, event.end) for event in events)
