"""Writing down what is said, by one of three engines behind one interface.

Whisper where its weights are; PocketSphinx, a rough draft, where they are not and cannot be had; or a
transcript that the user has. A result always says which engine wrote it, and why that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from blipper.errors import SettingsError
from blipper.progress import Progress, silent
from blipper.recording import Notice, Recording
from blipper.results import Span
from blipper.words import weights
from blipper.words.transcript import Transcript, Utterance

#: Sizes that "auto" prefers, the best first. None above "small" where a smaller one is there: on two cores
#: those take longer than the recording lasts. Where the language is open, one that can detect it goes first.
PREFERRED: Final = (
    *("small", "small.en", "base", "base.en", "tiny", "tiny.en"),
    *("turbo", "medium", "medium.en", "large-v3", "large-v2", "large-v1"),
)

#: What a complaint names.
ACCEPTED: Final = (
    "none, auto, whisper:SIZE (tiny.en, base, small, turbo, ...), whisper:FILE.pt, pocketsphinx, or the path "
    "of a transcript (SRT, WebVTT, TextGrid, Whisper's JSON, plain text)"
)


class Engine(Protocol):
    """Something that writes down what is said on one channel."""

    name: str

    def transcribe(
        self, recording: Recording, channel: int, speech: Sequence[Span], progress: Progress = silent
    ) -> Transcript:
        """Write a transcript; see :func:`transcribe`."""


def transcribe(
    recording: Recording,
    channel: int = 0,
    speech: Sequence[Span] | None = None,
    *,
    engine: str | Path | Engine = "auto",
    language: str | None = None,
    progress: Progress = silent,
) -> Transcript:
    """Write down what is said on one channel.

    Parameters
    ----------
    recording : Recording
    channel : int, optional
    speech : sequence of Span, optional
        Where somebody speaks, in order; nothing else is given to a recogniser. Detected unless given.
    engine : str, path or Engine, optional
        ``"auto"``, ``"whisper:SIZE"``, ``"whisper:FILE.pt"``, ``"pocketsphinx"``, the path of a transcript,
        or what :func:`load_engine` returned.
    language : str, optional
        ISO 639-1 code; detected by a Whisper that knows several, or as a file says, unless given.
    progress : Progress, optional
        Told about ``"download"`` in bytes and ``"words"`` in seconds of audio.

    Returns
    -------
    Transcript
        Empty where nobody speaks.

    Raises
    ------
    SettingsError
        If there is no such engine, or it does not know the language.
    ModelError
        If weights are damaged, or neither there nor to be had.
    TranscriptError
        If a transcript file cannot be read.
    """
    loaded = load_engine(engine, language=language, progress=progress)
    if speech is None:
        from blipper.speech import detect_speech

        speech = detect_speech(recording, channel, progress=progress)
    return loaded.transcribe(recording, channel, speech, progress)


def load_engine(
    engine: str | Path | Engine, *, language: str | None = None, progress: Progress = silent
) -> Engine:
    """Make an engine ready, once for many channels and recordings; see :func:`transcribe`."""
    if not isinstance(engine, str | Path):
        return engine
    kind, _, detail = str(engine).partition(":")
    if engine == "auto":
        return _load_auto(language)
    if kind == "whisper":
        from blipper.words.recognise_whisper import WhisperEngine

        return WhisperEngine(detail or "tiny.en", language=language, progress=progress)
    if engine == "pocketsphinx":
        from blipper.words.recognise_sphinx import SphinxEngine

        return SphinxEngine(language=language)
    check_engine(str(engine))
    from blipper.words.files import FileEngine

    return FileEngine(engine, language=language)


def check_engine(engine: str) -> None:
    """Refuse at once what no engine and no file is called, without loading anything.

    Raises
    ------
    SettingsError
    """
    kind, _, detail = engine.partition(":")
    if engine in ("none", "auto", "pocketsphinx", "whisper") or _is_file(engine):
        return
    if kind == "whisper" and (detail in weights.CHECKPOINTS or _is_file(detail)):
        return
    raise SettingsError(f"transcript {engine!r}: no such engine and no such file; accepted: {ACCEPTED}")


def auto_choice(language: str | None = None) -> tuple[str, str]:
    """Say which engine ``"auto"`` means on this machine, and why.

    Returns
    -------
    engine : str
        ``"whisper:SIZE"`` or ``"pocketsphinx"``.
    why : str
        A sentence for people.
    """
    found = weights.installed()
    usable = [name for name in PREFERRED if name in found]
    if language not in (None, "en"):
        usable = [name for name in usable if not name.endswith(".en")]
    if usable:
        return f"whisper:{usable[0]}", f"Whisper {usable[0]} was taken, whose weights are on this machine."
    missing = "multilingual weights" if language not in (None, "en") else "weights"
    why = f"PocketSphinx was taken, since none of Whisper's {missing} are on this machine."
    return "pocketsphinx", why


def share_out(transcript: Transcript, speech: Sequence[Sequence[Span]]) -> tuple[Transcript, ...]:
    """Give each utterance of one transcript to the channel that speaks most while it lasts.

    Parameters
    ----------
    transcript : Transcript
        Of all channels together, from a file.
    speech : sequence of sequences of Span
        Of each channel.

    Returns
    -------
    tuple of Transcript
        One a channel; what was dropped stays with the first.
    """
    if len(speech) < 2:
        return (transcript,) * len(speech)
    shares: list[list[Utterance]] = [[] for _ in speech]
    for utterance in transcript.utterances:
        spoken = [
            sum(max(0.0, min(utterance.end, span.end) - max(utterance.start, span.start)) for span in spans)
            for spans in speech
        ]
        shares[spoken.index(max(spoken))].append(utterance)
    notice = Notice(
        "shared-out", "The file's utterances were given to the channel that speaks most meanwhile.", "info"
    )
    return tuple(
        replace(
            transcript,
            utterances=tuple(utterances),
            dropped=transcript.dropped if channel == 0 else (),
            notices=(*transcript.notices, notice),
        )
        for channel, utterances in enumerate(shares)
    )


def transcribe_channels(
    recording: Recording, speech: Sequence[Sequence[Span]], engine: Engine, progress: Progress = silent
) -> tuple[Transcript, ...]:
    """Write one transcript a channel; a file's utterances are shared out among the channels.

    Parameters
    ----------
    recording : Recording
    speech : sequence of sequences of Span
        Of each channel.
    engine : Engine
    progress : Progress, optional
    """
    if engine.name.startswith("file:") and len(speech) > 1:
        everyone = sorted((span for spans in speech for span in spans), key=lambda span: span.start)
        return share_out(engine.transcribe(recording, 0, everyone, progress), speech)
    return tuple(
        engine.transcribe(recording, channel, spans, progress) for channel, spans in enumerate(speech)
    )


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a name too long, or with a null character, names no file
        return False


def _load_auto(language: str | None) -> Engine:
    engine, why = auto_choice(language)
    if engine == "pocketsphinx":
        from blipper.words.recognise_sphinx import SphinxEngine

        return SphinxEngine(language=language, why=why)
    return load_engine(engine, language=language)
