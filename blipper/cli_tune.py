"""The command ``blipper tune``: a search for hyperparameters on validation speakers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blipper.cli_models import Json, Kind
from blipper.errors import SettingsError
from blipper.terminal import exit_codes, inform, progress_bars, without_chatter, write_json, write_out

if TYPE_CHECKING:
    from blipper.training.tune_report import Tuned


def tune(
    data: Annotated[Path, typer.Argument(help="The folder with the corpora; see 'blipper datasets'.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where the report and the best settings go; made if needed."),
    ],
    as_json: Json = False,
    model: Annotated[Kind, typer.Option("--model", help="What to tune.")] = Kind.whisper_cnn,
    trials: Annotated[
        int,
        typer.Option("--trials", help="Trainings in all; those of earlier calls of the same search count."),
    ] = 30,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            help="Settings to search, 'learning_rate,dropout'; all that can be tuned unless given.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", help="Of each training. Those of the shipped model unless given."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides the trials and everything in each.")] = 0,
    fold: Annotated[
        int, typer.Option("--fold", help="Whose validation speakers judge; its test speakers are not scored.")
    ] = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Clips of each corpus on each side, for a trial run.")
    ] = None,
    teacher: Annotated[
        bool,
        typer.Option("--teacher/--no-teacher", help="Of a mel-cnn: learn from Whisper's encoder as well."),
    ] = True,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="Where decoded clips, features, the study and checkpoints are kept."),
    ] = None,
) -> None:
    """Search for better training settings by Optuna, judged by validation speakers alone.

    After every trial the report is written anew: study.html, study.json, trials.csv, and settings.json for
    'blipper train --settings'. The same command goes on where it was interrupted; a higher --trials goes
    further.
    """
    with exit_codes(
        interrupted="finished trials are kept; the same command goes on from the last whole epoch"
    ):
        if output.exists() and not output.is_dir():
            raise SettingsError(f"--output {output}: is a file; a folder is needed")
        from blipper.training.head_settings import HeadTrainSettings
        from blipper.training.settings import TrainSettings

        given: dict[str, Any] = {
            "name": model.value,
            "seed": seed,
            "fold": fold,
            "limit": limit,
            "cache": cache,
        }
        if epochs is not None:
            given["epochs"] = epochs
        settings: TrainSettings | HeadTrainSettings
        if model is Kind.whisper_cnn:
            settings = HeadTrainSettings(**given)
        else:
            settings = TrainSettings(**given)
            if not teacher:
                settings = replace(settings, distil=0.0, hints=0)
        only = [] if search is None else [name.strip() for name in search.split(",")]
        from blipper.reports_tune import best_note, tuned_text

        with without_chatter():
            import tensorflow  # noqa: F401  (its greeting, before the bars)

            from blipper.training import tune as tuning
        latest: list[Tuned] = []
        with progress_bars(lines=True, note=lambda: best_note(latest[-1]) if latest else "") as progress:
            found = tuning.tune(
                data,
                output,
                settings=settings,
                trials=trials,
                only=only,
                after_trial=latest.append,
                progress=progress,
            )
        inform(f"Wrote {output}.")
        if as_json:
            write_json(found.to_dict())
        else:
            write_out(tuned_text(found, data, output))
