"""The command ``blipper``: a thin face over the library.

Standard output carries the result alone; progress and complaints go to standard error. Everything that costs
time to import is imported inside the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blipper import (
    cli_batch,
    cli_evaluate,
    cli_explain,
    cli_library,
    cli_live,
    cli_models,
    cli_text,
    cli_tune,
    cli_words,
)
from blipper.cli_models import Channels, Json
from blipper.cli_options import MinDurationOption, SurroundingsOption
from blipper.errors import AudioError, BlipperError, ExportError, SettingsError
from blipper.terminal import (
    FAILED,
    INTERRUPTED,
    complain,
    exit_codes,
    inform,
    progress_bars,
    without_chatter,
    write_json,
    write_out,
)

if TYPE_CHECKING:
    from blipper.export import Sound
    from blipper.results import Analysis
    from blipper.voice.models import VoiceModel

_EXIT_CODES = (
    "Exit codes: 0 all went well; 1 something failed (a file, a model, the disk); 2 the command was not "
    "understood or a setting is outside its domain; 130 interrupted with Ctrl-C."
)

app = typer.Typer(
    name="blipper",
    help="Finds where recorded speech sounds angry. Scores rank what to listen to; they decide nothing.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Model = Annotated[str, typer.Option("--model", help="Name of an installed model; see 'blipper models'.")]
ChannelsOption = Annotated[
    Channels,
    typer.Option("--channels", help="Mix all channels down, or keep each apart as a separate speaker."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from blipper import __version__

        write_out(f"blipper {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say on standard error what is being done.")
    ] = False,
) -> None:
    # TensorFlow logs a missing GPU as an error; what really fails comes as an exception.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if verbose:
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("blipper").setLevel(logging.DEBUG)


@app.command(epilog=_EXIT_CODES)
def predict(
    files: Annotated[
        list[str], typer.Argument(help="Recordings, folders of recordings, or patterns.", show_default=False)
    ],
    as_json: Json = False,
    model: Model = "auto",
    channels: ChannelsOption = Channels.mix,
) -> None:
    """Say in one line each how recordings sound.

    A file that fails does not stop the others: its error goes to standard error (with --json also into the
    list, as an object with the keys file and error) and the exit code is 1.
    """
    with exit_codes():
        from blipper.prediction import predict_one
        from blipper.reports import prediction_dict, predictions_text
        from blipper.settings import Settings

        settings = Settings(channels=channels.value)
        found = list(_recordings(files))
        voice = _load_model(model)
        predictions, failures = [], []
        rows: list[dict[str, Any]] = []
        with progress_bars() as progress:
            for done, (name, unusable) in enumerate(found):

                def files_done(step: str, completed: float, total: float, done: int = done) -> None:
                    progress("files", done, len(found))

                files_done("", 0, 0)
                try:
                    if unusable is not None:
                        raise unusable
                    prediction = predict_one(name, model=voice, settings=settings, progress=files_done)
                except AudioError as error:
                    failures.append(str(error))
                    rows.append({"file": name, "error": str(error)})
                else:
                    predictions.append(prediction)
                    rows.append(prediction_dict(prediction))
        for message in failures:
            complain(message)
        if as_json:
            write_json(rows)
        elif predictions:
            write_out(predictions_text(predictions))
        if failures:
            raise typer.Exit(FAILED)


def _load_model(name: str) -> VoiceModel:
    with without_chatter():
        from blipper.voice.models import load_model

        return load_model(name)


def _recordings(files: list[str]) -> Iterator[tuple[str, AudioError | None]]:
    """Yield what folders and patterns stand for, and the error of those that stand for nothing."""
    from blipper.prediction import find_recordings

    for file in files:
        # Shells on Windows hand patterns on as they are; a file may have such a name all the same.
        pattern = glob.has_magic(file) and not Path(file).exists()
        # Path.glob takes no absolute pattern.
        paths = sorted(glob.glob(file, recursive=True)) if pattern else [file]  # noqa: PTH207
        if not paths:
            yield file, AudioError(f"{file}: no file matches this pattern")
        for path in paths:
            if not Path(path).is_dir():
                yield path, None
                continue
            try:
                for recording in find_recordings(path):
                    yield str(recording), None
            except AudioError as error:
                yield path, error


@app.command(epilog=_EXIT_CODES)
def analyze(
    file: Annotated[str, typer.Argument(help="A recording.", show_default=False)],
    as_json: Json = False,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="Also write the result to this file; its ending picks the format: .html for a report to "
            "read or print, .json for the whole analysis, .csv or .parquet for the events, .windows.csv or "
            ".windows.parquet for every window, .curve.csv or .curve.parquet for the curve, .turns.csv, "
            ".talk.csv, .interruptions.csv or .rttm for who speaks when; .srt, "
            ".vtt, .txt, .transcript.labels.txt (Audacity) or "
            ".utterances.csv for the transcript, .events.srt, .events.vtt or .labels.txt for the events; "
            ".textgrid (Praat), .label-studio.json with .label-studio.xml. May be given several times.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            help="Score above 0 and up to 1 from which a stretch is worth a listen; the model's own "
            "unless given.",
        ),
    ] = None,
    channels: ChannelsOption = Channels.mix,
    speaker: Annotated[
        list[str] | None,
        typer.Option("--speaker", metavar="OLD=NEW", help="Call a speaker, such as 'left', something else."),
    ] = None,
    guess_speakers: Annotated[
        bool,
        typer.Option("--guess-speakers", help="Guess who speaks where there is one channel; an extra."),
    ] = False,
    speaker_count: Annotated[
        int | None, typer.Option("--speaker-count", help="How many speakers a guess may name at most.")
    ] = None,
    model: Model = "auto",
    window: Annotated[
        float | None, typer.Option("--window", help="Seconds of speech scored at a time, 0.5 to 10.")
    ] = None,
    hop: Annotated[
        float | None, typer.Option("--hop", help="Seconds from one window to the next, 0.1 or more.")
    ] = None,
    min_duration: MinDurationOption = None,
    surroundings: SurroundingsOption = None,
    transcript: cli_words.TranscriptOption = "none",
    text_model: cli_words.TextModelOption = "built-in",
    language: cli_words.LanguageOption = None,
    balance: cli_words.BalanceOption = None,
) -> None:
    """Find where a recording sounds angry, and show it as a short report."""
    with exit_codes():
        from blipper.settings import Settings
        from blipper.words.text_names import parse
        from blipper.words.transcribe import check_engine

        check_engine(transcript)
        parse(text_model)
        chosen: dict[str, Any] = {
            "speakers": "guess" if guess_speakers else None,
            "speaker_count": speaker_count,
        }
        chosen |= {"threshold": threshold, "window": window, "hop": hop, "language": language}
        chosen |= {"balance": balance, "surroundings": surroundings, "min_duration": min_duration}
        settings = Settings.from_dict(
            {"channels": channels.value, "transcript": transcript, "text_model": text_model}
            | {name: value for name, value in chosen.items() if value is not None}
        )
        labels = dict(_label(text) for text in speaker or [])
        outputs = output or []
        for target in outputs:
            _check_output(target, file, transcript)

        from blipper import analysis as conductor
        from blipper import audio
        from blipper.expectation import expectation
        from blipper.export import Sound
        from blipper.reports import analysis_text
        from blipper.speakers.talk import rename
        from blipper.words.text_loading import load_readers

        # The recording first: what is wrong with it shows before TensorFlow's seconds.
        with progress_bars() as progress:
            recording = audio.load(file, channels=settings.channels, progress=progress)
        voice = _load_model(model)
        with progress_bars() as progress:
            result = conductor.analyze(recording, model=voice, settings=settings, progress=progress)
        if labels:
            result = rename(result, labels)
        sound = Sound(recording, voice, readers=lambda told: load_readers(text_model, progress=told).models)
        unwritten = [message for target in outputs if (message := _write_output(result, target, sound))]
        if as_json:
            write_json(result.to_dict())
        else:
            write_out(analysis_text(result, expectation(result)))
        for message in unwritten:
            complain(message)
        if unwritten:
            raise typer.Exit(FAILED)


def _label(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals:
        raise SettingsError(f"--speaker {text!r}: expected OLD=NEW, such as left=Agent")
    return old, new


def _check_output(target: Path, source: str, transcript: str) -> None:
    """Refuse before the work, not after it, what cannot be written to."""
    from blipper.export import writer_for
    from blipper.export.text import lacks_transcript

    if target.is_dir():
        raise SettingsError(f"--output {target}: is a folder; a file name is needed")
    if target.exists() and Path(source).exists() and target.samefile(source):
        raise SettingsError(f"--output {target}: is the recording itself; another file name is needed")
    if writer_for(target).lacks is lacks_transcript and transcript == "none":
        raise SettingsError(f"--output {target}: holds the transcript; add --transcript auto (or a file)")
    if not target.parent.is_dir():
        raise SettingsError(f"--output {target}: there is no folder {target.parent}")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise BlipperError(f"--output {target}: this file or folder may not be written to")


def _write_output(result: Analysis, target: Path, sound: Sound) -> str | None:
    """Write one file; return why it could not be written, so that the others are all the same."""
    from blipper.export import write_analysis

    try:
        writer = write_analysis(result, target, sound)
    except ExportError as error:
        return str(error)
    except OSError as error:
        return f"{target}: cannot be written: {error.strerror}"
    inform(f"Wrote {target}: {writer.description}.")
    return None


app.add_typer(cli_models.models_app, name="models", epilog=_EXIT_CODES)
for command in (cli_models.datasets, cli_models.train, cli_tune.tune, cli_evaluate.evaluate):
    app.command(epilog=_EXIT_CODES)(command)
app.command(epilog=_EXIT_CODES)(cli_batch.batch)
app.command(epilog=_EXIT_CODES)(cli_words.transcribe)
app.command(epilog=_EXIT_CODES)(cli_text.train_text)
app.command(epilog=_EXIT_CODES)(cli_text.evaluate_text)
app.add_typer(cli_library.app, name="library", epilog=_EXIT_CODES)
app.command(epilog=_EXIT_CODES)(cli_explain.explain)
app.command(epilog=_EXIT_CODES)(cli_explain.explain_setup)
app.command(epilog=f"{cli_live.LIVE_EPILOG} {_EXIT_CODES}")(cli_live.live)


def main() -> None:
    """Run the command line."""
    try:
        app(prog_name="blipper")
    except KeyboardInterrupt:  # before a command had begun, or while one was ending
        raise SystemExit(INTERRUPTED) from None
