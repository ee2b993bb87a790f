"""The command ``blipper evaluate``: figures of a model, each from predictions that lie beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blipper.cli_models import Json
from blipper.errors import ModelError, SettingsError
from blipper.terminal import exit_codes, inform, progress_bars, without_chatter, write_json, write_out


def evaluate(
    data: Annotated[
        Path | None,
        typer.Argument(help="The folder with the corpora; see 'blipper datasets'.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="Name of an installed model; see 'blipper models'.")
    ] = "mel-cnn",
    shipped: Annotated[
        bool,
        typer.Option("--shipped", help="Score the installed weights on the speakers they never met."),
    ] = False,
    folds: Annotated[
        str | None,
        typer.Option(
            "--folds",
            help="Train the model anew without the test speakers of these folds, and score those: '1-6', "
            "'2'. A finished fold is not trained again.",
        ),
    ] = None,
    leave_out: Annotated[
        str | None,
        typer.Option(
            "--leave-out",
            help="Train the model anew without this corpus, and test on it: 'savee', 'ravdess,tess', 'all'.",
        ),
    ] = None,
    threshold: Annotated[
        bool,
        typer.Option(
            "--threshold",
            help="Choose the default threshold anew: at most one false alarm an hour of the validation "
            "speakers' neutral speech; and once more through a telephone's band.",
        ),
    ] = False,
    scenes: Annotated[
        bool,
        typer.Option("--scenes", help="Put conversations of known content together and score the events."),
    ] = False,
    alarms: Annotated[
        bool,
        typer.Option(
            "--false-alarms",
            help="Count false alarms on coughs, laughs, noises, neutral and happy speech, also with noise "
            "and through a telephone.",
        ),
    ] = False,
    explanations: Annotated[
        bool,
        typer.Option(
            "--explanations",
            help="Measure on fold 1's test speakers how far the model's explanations can be trusted, and "
            "write explanations.json; nothing else is measured then.",
        ),
    ] = False,
    clips: Annotated[
        int | None,
        typer.Option(
            "--clips",
            min=8,
            help="With --explanations: how many clips at most; 240 unless given, which takes hours with "
            "whisper-cnn.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Where decoded clips, features, folds and explained clips are kept."),
    ] = None,
    on_library: Annotated[
        bool,
        typer.Option("--on-library", help="Measure on the library's own verdicts instead, without DATA."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure a model on speakers it never met, and write its metrics.json and predictions.

    Without options, every figure is computed anew from the predictions in the model's folder. Folds cost a
    whole training run each; the same command goes on where it was interrupted.
    """
    with exit_codes(interrupted="what was finished is kept; the same command goes on from there"):
        if on_library:
            from blipper.cli_library import report_on_library

            report_on_library(model, as_json)
            return
        if data is None:
            raise SettingsError("DATA is missing: name the folder with the corpora, or give --on-library")
        if clips is not None and not explanations:
            raise SettingsError(f"--clips {clips} is for --explanations alone")
        from blipper.paths import models_dir
        from blipper.reports import evaluation_text
        from blipper.training.folds import parse_corpora, parse_folds
        from blipper.voice.models import available_models

        installed = available_models()
        if model not in installed:
            known = ", ".join(installed) or "none"
            raise ModelError(f"{models_dir()}: no voice model named {model!r}; available: {known}")
        if explanations:
            from blipper.cli_explain import measure

            measure(data, model, clips=clips, cache=cache, as_json=as_json)
            return
        with without_chatter():
            from blipper.training.assess import Parts, assess

        parts = Parts(
            shipped=shipped,
            folds=parse_folds(folds) if folds else (),
            left_out=parse_corpora(leave_out) if leave_out else (),
            threshold=threshold,
            scenes=scenes,
            alarms=alarms,
        )
        folder = models_dir() / model
        with progress_bars(lines=True) as progress:
            found = assess(data, folder, parts, cache=cache, progress=progress)
        inform(f"Wrote {folder}.")
        if as_json:
            write_json(found)
        else:
            write_out(evaluation_text(found))
