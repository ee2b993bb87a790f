"""The command about words: ``blipper transcribe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from blipper.errors import BlipperError, SettingsError
from blipper.terminal import exit_codes, inform, progress_bars, write_json, write_out

if TYPE_CHECKING:
    from blipper.recording import Recording
    from blipper.results import Analysis, Span
    from blipper.words.transcript import Transcript

#: Formats that hold words and nothing else: nothing in them looks like a score that was never computed.
_ENDINGS: Final = (".srt", ".vtt", ".transcript.labels.txt", ".txt", ".utterances.csv")

TranscriptOption = Annotated[
    str,
    typer.Option(
        "--transcript",
        metavar="auto|whisper:SIZE|pocketsphinx|FILE|none",
        help="Also write down what is said: auto takes Whisper if its weights are on this machine and "
        "PocketSphinx, a rough draft, if not; whisper:tiny.en (… base, small, turbo) downloads its weights "
        "on first use; FILE is a transcript that you have (SRT, WebVTT, TextGrid, Whisper's JSON, text).",
    ),
]
TextModelOption = Annotated[
    str,
    typer.Option(
        "--text-model",
        metavar="built-in|none|NAME|FOLDER",
        help="What reads the words for sentiment and verbal aggression: built-in reads English; NAME is a "
        "sequence classifier on the Hugging Face hub (ORG/NAME, or ORG/NAME@REVISION), downloaded on first "
        "use; FOLDER holds one. Join two by '+'; say what labels mean after '#', as in "
        "ORG/NAME#aggression=insult/threat.",
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", help="ISO 639-1 code of what is spoken, such as en; detected unless given."),
]
BalanceOption = Annotated[
    float | None,
    typer.Option(
        "--balance",
        help="How much words count beside the voice, from 0 (the voice alone) over 0.5 (both alike, the "
        "default) to 1 (the words alone, where there are any).",
    ),
]


def transcribe(
    file: Annotated[str, typer.Argument(help="A recording.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON alone to standard output.")] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="auto|whisper:SIZE|pocketsphinx|FILE",
            help="What writes the text; auto takes Whisper if its weights are on this machine and "
            "PocketSphinx if not.",
        ),
    ] = "auto",
    language: LanguageOption = None,
    text_model: TextModelOption = "built-in",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Also write the transcript to this file; its ending picks the format: .srt, .vtt, .txt, "
            ".transcript.labels.txt (Audacity) or .utterances.csv (with scores). May be given several times.",
        ),
    ] = None,
    separate: Annotated[
        bool, typer.Option("--separate/--mix", help="Write one transcript a channel, or one of the mix.")
    ] = False,
) -> None:
    """Write down what is said in a recording and score the words, without scoring the voice."""
    with exit_codes():
        from blipper import audio
        from blipper.export import writer_for
        from blipper.speech import detect_speech
        from blipper.words.sentiment import load_readers, parse
        from blipper.words.transcribe import check_engine, load_engine, transcribe_channels

        if engine == "none":
            raise SettingsError("--engine none: writes nothing; see 'blipper transcribe --help'")
        check_engine(engine)
        parse(text_model)
        targets = output or []
        for target in targets:
            if not target.name.lower().endswith(_ENDINGS) or writer_for(target).lacks is None:
                raise SettingsError(f"--output {target}: accepted endings are {', '.join(_ENDINGS)}")
            if target.is_dir() or not target.parent.is_dir():
                raise SettingsError(f"--output {target}: is a folder, or lies in none that exists")
        with progress_bars() as progress:
            recording = audio.load(file, channels="separate" if separate else "mix", progress=progress)
            loaded = load_engine(engine, language=language, progress=progress)
            readers = load_readers(text_model, progress=progress)
            speech = [
                detect_speech(recording, channel, progress=progress)
                for channel in range(recording.n_channels)
            ]
            written = transcribe_channels(recording, speech, loaded, progress)
            transcripts = readers.read(written, progress=progress)
        result = _words_alone(recording, speech, transcripts)
        for target in targets:
            _write(result, target)
        if as_json:
            from blipper.export.transcript_json import transcript_to_dict

            write_json(
                {
                    "file": recording.provenance.name,
                    "sha256": recording.provenance.sha256,
                    "channels": {
                        name: transcript_to_dict(transcript)
                        for name, transcript in zip(recording.channel_names, transcripts, strict=True)
                    },
                }
            )
        else:
            from blipper.reports_words import transcripts_text

            write_out(transcripts_text(dict(zip(recording.channel_names, transcripts, strict=True))))


def _words_alone(
    recording: Recording, speech: list[tuple[Span, ...]], transcripts: tuple[Transcript, ...]
) -> Analysis:
    """Return a result that holds transcripts and nothing that was not computed, for the writers of words."""
    import numpy as np

    from blipper.results import Analysis, Curve, ModelInfo, Quality, Track, Trend, no_windows
    from blipper.voice.labels import EMOTIONS

    empty = Curve(1.0, np.zeros(0), np.zeros(0), np.zeros((0, len(EMOTIONS))))
    tracks = tuple(
        Track(name, Quality(()), spans, no_windows(), empty, Trend("unknown", None), transcript=transcript)
        for name, spans, transcript in zip(recording.channel_names, speech, transcripts, strict=True)
    )
    return Analysis(
        recording.provenance, recording.duration, tracks, (), ModelInfo("none", "", 1.0), {"threshold": None}
    )


def _write(result: Analysis, target: Path) -> None:
    from blipper.export import write_analysis

    try:
        writer = write_analysis(result, target)
    except OSError as error:
        raise BlipperError(f"{target}: cannot be written: {error.strerror}") from error
    inform(f"Wrote {target}: {writer.description}.")
