"""False alarms as a user meets them: events of ``analyze()`` on sound in which nobody is angry.

Speech: the clips of one speaker and one emotion, joined with pauses that are longer than any gap an event
bridges, so that no alarm hides another. The same with noise, and through a telephone's band, beside the share
of angry clips found in the same condition at the same threshold. Sounds without words: each file is a
recording of its own, each class stands apart. An hour is an hour of speech that was heard, and of sound for
what is no speech.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.analysis import analyze
from blipper.datasets import Clip
from blipper.errors import DatasetError
from blipper.line_notice import TELEPHONE
from blipper.progress import Progress, silent
from blipper.recording import Float32
from blipper.results import Analysis, Span
from blipper.training.bootstrap import Bootstrap
from blipper.training.event_scores import shared
from blipper.training.mixing import LEVEL, Voices, add_floor, add_noise, level, telephone, within_scale
from blipper.training.prepare import SAMPLING_RATE, as_recording, read_mono
from blipper.training.scenes import THRESHOLDS, events_at
from blipper.training.sounds import NO_NEGATIVES, noise_files, sound_files
from blipper.training.splits import side_of_sound
from blipper.voice.models import VoiceModel

#: Seconds between two clips: more than the 1.5 s that an event bridges.
PAUSE: Final = 3.0
#: Emotions of speech that nobody wants an alarm for, and that of those to be found.
KINDS: Final = {"neutral": ("neutral",), "happy": ("happy",), "angry": ("angry",)}
#: Conditions: name, and signal-to-noise ratio in dB or None.
CONDITIONS: Final[dict[str, float | None]] = {
    "as recorded": None,
    "noise at 20 dB": 20.0,
    "noise at 10 dB": 10.0,
    "noise at 0 dB": 0.0,
    TELEPHONE: None,
}
#: False alarms in an hour of neutral speech that the default threshold allows on validation speakers.
ALLOWED: Final = 1.0
#: Emotions that count as neutral speech when the threshold is chosen.
QUIET: Final = ("neutral", "calm")


@dataclass(frozen=True, eq=False)
class Talk:
    """One speaker's joined clips, analysed.

    Parameters
    ----------
    speaker : str
        With the corpus: ``"ravdess/01"``.
    analysis : Analysis
    clips : tuple of Span
        Where each clip lies.
    """

    speaker: str
    analysis: Analysis
    clips: tuple[Span, ...]

    @property
    def hours(self) -> float:
        """Hours of speech that were heard."""
        return self.analysis.tracks[0].speech_seconds / 3600

    def alarms(self, threshold: float) -> int:
        """Count the events at a threshold."""
        return len(events_at(self.analysis, threshold))

    def found(self, threshold: float) -> int:
        """Count the clips of which events cover half or more."""
        events = events_at(self.analysis, threshold)
        return sum(shared(clip, events) >= clip.duration / 2 for clip in self.clips)


def join(voices: Voices, clips: Sequence[Clip], rng: np.random.Generator) -> tuple[Float32, tuple[Span, ...]]:
    """Join clips of one speaker with pauses of :data:`PAUSE`."""
    pause = np.zeros(round(PAUSE * SAMPLING_RATE), dtype=np.float32)
    parts, places, at = [pause], [], len(pause)
    for clip in clips:
        sound = voices.read(clip)
        places.append(Span(at / SAMPLING_RATE, (at + len(sound)) / SAMPLING_RATE))
        parts += [sound, pause]
        at += len(sound) + len(pause)
    return add_floor(np.concatenate(parts), rng), tuple(places)


def talks(
    model: VoiceModel,
    clips: Sequence[Clip],
    emotions: Iterable[str],
    *,
    condition: str = "as recorded",
    noises: Sequence[Path] = (),
    seed: int = 0,
    voices: Voices | None = None,
) -> list[Talk]:
    """Join each speaker's clips of some emotions and analyse them.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
    emotions : iterable of str
    condition : str
        A key of :data:`CONDITIONS`.
    noises : sequence of path
        One is drawn for each speaker.
    seed : int
    voices : Voices, optional
        Of all clips, so that a speaker's level does not hang on the emotion.
    """
    voices = voices or Voices(clips)
    wanted, found = set(emotions), []
    for number, speaker in enumerate(voices.speakers):
        own = [clip for clip in voices.of(speaker) if clip.emotion in wanted]
        if not own:
            continue
        rng = np.random.default_rng([seed, number])
        samples, places = join(voices, own, rng)
        if condition == TELEPHONE:
            samples = telephone(samples)
        snr = CONDITIONS[condition]
        if snr is not None:
            if not noises:
                raise DatasetError(f"{condition}: there is no noise on the test side of noise/")
            samples = add_noise(samples, read_mono(noises[int(rng.integers(len(noises)))]), snr, rng)
        name = "/".join(speaker)
        analysis = analyze(as_recording(within_scale(samples), name), model=model)
        found.append(Talk(name, analysis, places))
    return found


def alarms_per_hour(found: Sequence[Talk], threshold: float) -> float:
    """Return the events in an hour of heard speech; 0 where nothing was heard."""
    hours = sum(talk.hours for talk in found)
    return sum(talk.alarms(threshold) for talk in found) / hours if hours else 0.0


def measure_alarms(
    model: VoiceModel,
    clips: Sequence[Clip],
    data: Path,
    *,
    seed: int = 0,
    resamples: int = 1000,
    limit: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Count false alarms on speech without anger and on sounds without words.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
        Of the model's test speakers.
    data : path
        Folder with ``noise/`` and ``nonverbal/``, of which what training kept out is used.
    seed, resamples : int
    limit : int, optional
        Files of each class of sounds; for trials.
    progress : Progress
        Told parts, as step ``"alarms"``.

    Returns
    -------
    dict
        ``threshold``, ``speech`` (by condition, each with the ``threshold`` that the app would take there)
        and ``sounds`` (by class).
    """
    noises = noise_files(data, "test")
    folders = sound_folders(data)
    total = len(CONDITIONS) * len(KINDS) + len(folders)
    done = 0
    voices = Voices(clips)
    speech: dict[str, Any] = {}
    for condition in CONDITIONS:
        heard = {}
        for kind, emotions in KINDS.items():
            progress("alarms", done, total)
            heard[kind] = talks(
                model, clips, emotions, condition=condition, noises=noises, seed=seed, voices=voices
            )
            done += 1
        # As the app has it: a telephone line has a threshold of its own, where the model has one.
        threshold = model.threshold_on(telephone=condition == TELEPHONE)
        speech[condition] = _speech(heard, threshold, seed, resamples)
    sounds = {}
    for name, files in folders.items():
        progress("alarms", done, total)
        sounds[name] = _sounds(model, files[:limit])
        done += 1
    progress("alarms", total, total)
    return {
        "seed": seed,
        "threshold": model.info.threshold,
        "pause": PAUSE,
        "speech": speech,
        "sounds": sounds,
    }


def sound_folders(data: Path) -> dict[str, list[Path]]:
    """Return the files of each class of sounds that training never heard; and all screams."""
    found = {}
    for kind in ("nonverbal", "noise"):
        for folder in sorted(path for path in (data / kind).glob("*") if path.is_dir()):
            files = sound_files(folder)
            if folder.name not in NO_NEGATIVES:
                files = [path for path in files if side_of_sound(path) == "test"]
            if files:
                found[f"{kind}: {folder.name}" if kind == "noise" else folder.name] = files
    return found


def _speech(
    heard: Mapping[str, Sequence[Talk]], threshold: float, seed: int, resamples: int
) -> dict[str, Any]:
    found: dict[str, Any] = {"threshold": threshold}
    for kind in ("neutral", "happy"):
        found[kind] = rate(heard[kind], threshold, seed=seed, resamples=resamples) | {
            "corpora": {
                corpus: rate(own, threshold, seed=seed, resamples=resamples)
                for corpus, own in _by_corpus(heard[kind]).items()
            },
            "thresholds": {f"{t:.2f}": round(alarms_per_hour(heard[kind], t), 3) for t in THRESHOLDS},
        }
    angry = heard["angry"]
    total = sum(len(talk.clips) for talk in angry)
    found["angry"] = share_found(angry, threshold, seed=seed, resamples=resamples) | {
        "corpora": {
            corpus: share_found(own, threshold, seed=seed, resamples=resamples)
            for corpus, own in _by_corpus(angry).items()
        },
        "thresholds": {
            f"{t:.2f}": round(sum(talk.found(t) for talk in angry) / max(1, total), 6) for t in THRESHOLDS
        },
    }
    return found


def _by_corpus(found: Sequence[Talk]) -> dict[str, list[Talk]]:
    names = sorted({talk.speaker.split("/")[0] for talk in found})
    return {name: [talk for talk in found if talk.speaker.startswith(f"{name}/")] for name in names}


def rate(found: Sequence[Talk], threshold: float, *, seed: int = 0, resamples: int = 1000) -> dict[str, Any]:
    """Count alarms by the hour, with an interval over speakers."""
    alarms = np.array([talk.alarms(threshold) for talk in found], dtype=np.float64)
    hours = np.array([talk.hours for talk in found])
    return {
        "speakers": len(found),
        "clips": sum(len(talk.clips) for talk in found),
        "seconds": round(float(hours.sum() * 3600), 1),
        "alarms": int(alarms.sum()),
        "per_hour": _ratio(alarms, hours, found, seed, resamples),
    }


def share_found(
    found: Sequence[Talk], threshold: float, *, seed: int = 0, resamples: int = 1000
) -> dict[str, Any]:
    """Share of the clips of which events cover half, with an interval over speakers."""
    right = np.array([talk.found(threshold) for talk in found], dtype=np.float64)
    clips = np.array([len(talk.clips) for talk in found], dtype=np.float64)
    return {
        "speakers": len(found),
        "clips": int(clips.sum()),
        "found": int(right.sum()),
        "share": _ratio(right, clips, found, seed, resamples),
    }


def _ratio(
    over: np.ndarray, under: np.ndarray, found: Sequence[Talk], seed: int, resamples: int
) -> dict[str, Any]:
    if not len(found) or not under.sum():
        return {"value": None, "interval": None}
    draws = Bootstrap([talk.speaker for talk in found], seed=seed, resamples=resamples)
    sums = draws.total(np.stack([over, under], axis=1))
    drawn = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
    bounds = draws.interval(drawn)
    return {
        "value": round(float(over.sum() / under.sum()), 6),
        "interval": None if bounds is None else [round(bound, 6) for bound in bounds],
    }


def _sounds(model: VoiceModel, files: Sequence[Path]) -> dict[str, Any]:
    """Analyse files of one class, each levelled like speech with half a second of quiet around it."""
    seconds, heard, alarms, with_alarm, with_speech, highest = 0.0, 0.0, 0, 0, 0, 0.0
    quiet = np.zeros(SAMPLING_RATE // 2, dtype=np.float32)
    by_threshold = dict.fromkeys(THRESHOLDS, 0)
    for path in files:
        samples = read_mono(path)
        seconds += len(samples) / SAMPLING_RATE
        levelled = samples * np.float32(10 ** ((LEVEL - level(samples)) / 20))
        whole = within_scale(np.concatenate([quiet, levelled, quiet]))
        analysis = analyze(as_recording(whole, path.name), model=model)
        track = analysis.tracks[0]
        heard += track.speech_seconds
        with_speech += bool(track.speech)
        count = len(analysis.events)
        alarms, with_alarm = alarms + count, with_alarm + bool(count)
        if track.speech:
            highest = max(highest, float(np.nanmax(track.curve.aggression)))
        for threshold in THRESHOLDS:
            by_threshold[threshold] += len(events_at(analysis, threshold))
    return {
        "files": len(files),
        "seconds": round(seconds, 1),
        "heard_seconds": round(heard, 1),
        "with_speech": with_speech,
        "files_with_alarm": with_alarm,
        "alarms": alarms,
        "per_hour": round(alarms / seconds * 3600, 3) if seconds else None,
        "highest": round(highest, 6),
        "thresholds": {f"{t:.2f}": n for t, n in by_threshold.items()},
    }


#: The default threshold is no lower: a calibrated score below a half says "rather not angry".
LOWEST: Final = 0.5
#: Thresholds that are tried.
_GRID: Final = tuple(round(0.01 * i, 2) for i in range(50, 96))

#: How the threshold is chosen, for ``config.json`` and the card.
THRESHOLD_RULE: Final = (
    f"the lowest score of {LOWEST} or more with at most {ALLOWED:g} event an hour in the validation "
    "speakers' neutral and calm speech, joined and analysed as the app does it"
)


def choose_threshold(
    model: VoiceModel,
    clips: Sequence[Clip],
    *,
    condition: str = "as recorded",
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[float, dict[str, Any]]:
    """Choose the default threshold on validation speakers; see :data:`THRESHOLD_RULE`.

    Parameters
    ----------
    model : VoiceModel
    clips : sequence of Clip
        Of the model's validation speakers.
    condition : str
        A key of :data:`CONDITIONS` without noise.
    seed : int
    progress : Progress
        Told parts, as step ``"alarms"``.

    Returns
    -------
    threshold : float
        The highest that was tried where none is quiet enough.
    evidence : dict
        ``seconds`` of neutral and calm speech, its ``alarms`` and their rate ``per_hour`` at the threshold,
        the rate that so much speech cannot rule out (``upper``, 95 %, Poisson), the share of angry clips
        ``found``, and under ``thresholds`` rate and share for others.

    Raises
    ------
    DatasetError
        If no neutral or calm speech was heard.
    """
    from scipy.stats import chi2

    voices = Voices(clips)
    progress("alarms", 0, 2)
    quiet = talks(model, clips, QUIET, condition=condition, seed=seed, voices=voices)
    progress("alarms", 1, 2)
    angry = talks(model, clips, ("angry",), condition=condition, seed=seed, voices=voices)
    progress("alarms", 2, 2)
    hours = sum(talk.hours for talk in quiet)
    if not hours:
        raise DatasetError("the threshold needs neutral or calm speech of validation speakers; there is none")
    threshold = next((t for t in _GRID if alarms_per_hour(quiet, t) <= ALLOWED), _GRID[-1])
    total = sum(len(talk.clips) for talk in angry)

    def found(at: float) -> float | None:
        return round(sum(talk.found(at) for talk in angry) / total, 6) if total else None

    alarms = sum(talk.alarms(threshold) for talk in quiet)
    return threshold, {
        "speakers": len(quiet),
        "clips": sum(len(talk.clips) for talk in quiet),
        "seconds": round(hours * 3600, 1),
        "alarms": alarms,
        "per_hour": round(alarms / hours, 3),
        "upper": round(float(chi2.ppf(0.95, 2 * alarms + 2)) / 2 / hours, 1),
        "found": found(threshold),
        "thresholds": {
            f"{t:.2f}": {"per_hour": round(alarms_per_hour(quiet, t), 3), "found": found(t)}
            for t in THRESHOLDS
        },
    }
