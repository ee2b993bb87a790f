"""The commands about corpora and models: ``blipper datasets``, ``models`` and ``train``."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from blipper.errors import ModelError, SettingsError
from blipper.terminal import (
    FAILED,
    complain,
    exit_codes,
    inform,
    progress_bars,
    without_chatter,
    write_json,
    write_out,
)

if TYPE_CHECKING:
    from blipper.training.head_settings import HeadTrainSettings
    from blipper.training.settings import TrainSettings

AnySettings = TypeVar("AnySettings", bound="TrainSettings | HeadTrainSettings")
Json = Annotated[bool, typer.Option("--json", help="Write JSON alone to standard output.")]


class Channels(StrEnum):
    """What happens to several channels."""

    mix = "mix"
    separate = "separate"


def datasets(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one corpus or more below it.")],
    as_json: Json = False,
) -> None:
    """Count what is there of RAVDESS, CREMA-D, TESS and SAVEE, and say what is missing."""
    with exit_codes():
        from blipper.datasets import read_corpora
        from blipper.reports import corpora_dict, corpora_text

        counts = corpora_dict(read_corpora(folder))
        if as_json:
            write_json(counts)
        else:
            write_out(corpora_text(counts))


models_app = typer.Typer(invoke_without_command=True, add_completion=False)


@models_app.callback()
def models(context: typer.Context, as_json: Json = False) -> None:
    """List the installed models with their hashes and figures; a damaged one gives exit code 1."""
    if context.invoked_subcommand is not None:
        return
    with exit_codes():
        from blipper.inventory import list_models
        from blipper.paths import models_dir
        from blipper.reports import models_text
        from blipper.reports_words import text_models_text
        from blipper.words.text_inventory import list_text_models

        rows, texts = list_models(), list_text_models()
        failures = [row["error"] for row in (*rows, *texts) if "error" in row]
        for message in failures:
            complain(message)
        sound = [row for row in rows if "error" not in row]
        if as_json:
            write_json(
                [{**row, "kind": "voice"} for row in rows] + [{**row, "kind": "text"} for row in texts]
            )
        elif rows:
            write_out((models_text(sound) + "\n" if sound else "") + text_models_text(texts))
        if not rows:
            raise ModelError(f"{models_dir()}: no voice model is installed here")
        if failures:
            raise typer.Exit(FAILED)


@models_app.command("download")
def models_download(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SIZE|ORG/NAME",
            help="A size of Whisper (whisper-cnn listens through 'tiny.en'), or a text model on the Hugging "
            "Face hub, with @REVISION if need be.",
        ),
    ],
) -> None:
    """Fetch Whisper's weights, or a text model, to have them without network.

    Whisper's go where openai-whisper keeps them, or to BLIPPER_WHISPER; a text model to blipper/text in the
    cache, or to BLIPPER_TEXT_MODELS.
    """
    with exit_codes(interrupted="nothing half was left; the same command begins again"):
        if "/" in name:
            _download_text_model(name)
            return
        from blipper.words.weights import download

        with progress_bars() as progress:
            path = download(name, progress=progress)
        inform(f"{name} is in {path}.")


def _download_text_model(name: str) -> None:
    """Fetch a text model, load it once to be sure that it works, and show what its labels are taken for."""
    from blipper.words.text_chosen import load_chosen
    from blipper.words.text_hub import download
    from blipper.words.text_names import parse

    wanted = parse(name)
    if len(wanted) != 1 or wanted[0].folder is not None:
        raise SettingsError(f"{name}: one ORG/NAME on the hub is needed")
    with progress_bars() as progress:
        found = download(wanted[0], progress=progress)
    inform(f"{wanted[0].where} is in {found.folder}, commit {found.revision}.")
    model = load_chosen(found.folder, wanted[0].where, found.revision, wanted[0].mapping)
    for label, meaning in model.info.labels.items():
        inform(f"  {label}: {meaning}")


class Kind(StrEnum):
    """What kind of voice model to train."""

    mel_cnn = "mel-cnn"
    whisper_cnn = "whisper-cnn"


def _with_chosen(path: Path, kind: Kind, settings: AnySettings, epochs: int | None) -> AnySettings:
    """Return settings with those of a file in place of their own, and say whom their choice has heard."""
    from blipper.training.chosen import read_settings

    found = read_settings(path, kind.value, settings)
    settings = found.apply(settings)
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    if met := found.met(settings):
        inform(
            f"{path}: chosen by the validation speakers of fold {found.fold}, {len(met)} of whom test here; "
            "figures on them are not out of reach of that choice."
        )
    return settings


def train(
    data: Annotated[Path, typer.Argument(help="The folder with the corpora; see 'blipper datasets'.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model's folder; made if needed.")],
    as_json: Json = False,
    model: Annotated[
        Kind,
        typer.Option(
            "--model",
            help="mel-cnn learns from sound alone and ships whole; whisper-cnn is a head over the encoder of "
            "Whisper tiny.en, whose weights must be on this machine.",
        ),
    ] = Kind.mel_cnn,
    name: Annotated[
        str | None, typer.Option("--name", help="The model's name; that of the folder unless given.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs", help="At most; training stops early. Those of the shipped model unless given."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides everything that is drawn by chance.")] = 0,
    fold: Annotated[int, typer.Option("--fold", help="Which speakers are held out for testing.")] = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Clips of each corpus on each side, for a trial run.")
    ] = None,
    chosen: Annotated[
        Path | None,
        typer.Option("--settings", help="The settings.json of 'blipper tune'; other options go before it."),
    ] = None,
    teacher: Annotated[
        bool,
        typer.Option(
            "--teacher/--no-teacher",
            help="Learn from Whisper's encoder as well, whose weights lie below the data folder.",
        ),
    ] = True,
    commercial: Annotated[
        bool,
        typer.Option(
            "--commercial",
            help="Learn only from what allows commercial use: CREMA-D, noise/household, rir. Of a mel-cnn.",
        ),
    ] = False,
    adapt: Annotated[
        int | None,
        typer.Option(
            "--adapt",
            help="Epochs in which whisper-cnn's encoder itself is adapted, by low-rank adapters; each costs "
            "many times one of the head. None unless given.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Where decoded clips, features and checkpoints are kept."),
    ] = None,
    with_library: Annotated[
        bool,
        typer.Option(
            "--with-library",
            help="Learn from the library's verdicts as well, where the sound is kept; by recording, a "
            "quarter of which is held out. Not together with --cache: copies of kept sound are removed "
            "at the end.",
        ),
    ] = False,
) -> None:
    """Train a voice model and measure it on speakers whom it never heard.

    The same command goes on where it was interrupted; another --cache folder begins afresh.
    """
    with exit_codes(interrupted="the same command goes on from the last whole epoch"):
        if output.exists() and not output.is_dir():
            raise SettingsError(f"--output {output}: is a file; a folder is needed")
        from blipper.training.head_settings import Adapting, HeadTrainSettings
        from blipper.training.settings import TrainSettings

        if adapt is not None and model is not Kind.whisper_cnn:
            raise SettingsError("--adapt: mel-cnn has no encoder to adapt; it is for --model whisper-cnn")
        if commercial and model is not Kind.mel_cnn:
            raise SettingsError("--commercial: whisper-cnn has no such recipe; it is for --model mel-cnn")
        given: dict[str, Any] = {"name": name or output.resolve().name, "seed": seed, "fold": fold}
        given |= {"limit": limit, "cache": cache}
        if epochs is not None:
            given["epochs"] = epochs
        heads = HeadTrainSettings(**given) if model is Kind.whisper_cnn else None
        settings = TrainSettings(**given, commercial=commercial)
        if chosen is not None and heads is not None:
            heads = _with_chosen(chosen, model, heads, epochs)
        elif chosen is not None:
            settings = _with_chosen(chosen, model, settings, epochs)
        if adapt is not None and heads is not None:
            heads = replace(heads, adapting=Adapting(epochs=adapt))
        if not teacher:
            settings = replace(settings, distil=0.0, hints=0)
        from blipper.cli_library import with_verdicts
        from blipper.inventory import headline
        from blipper.reports import training_text

        with without_chatter():
            import tensorflow  # noqa: F401  (its greeting, before the bars)

            from blipper.training.recipes import train_by
        with (
            progress_bars(lines=True) as progress,
            with_verdicts(heads or settings, with_library) as learned_by,
        ):
            result = train_by(data, output, settings=learned_by, progress=progress)
        if missing := result.metrics["training"]["missing"]:
            inform(f"Trained without {', '.join(missing)}: not in {data}. The model card says so.")
        inform(f"Wrote {result.folder}.")
        if as_json:
            write_json(result.metrics)
        else:
            write_out(training_text(result.metrics, headline(result.metrics)))
