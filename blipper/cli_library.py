"""The commands ``blipper library …``, and what ``train`` and ``evaluate`` take from the library."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blipper.errors import LibraryError, SettingsError
from blipper.terminal import (
    FAILED,
    columns,
    complain,
    exit_codes,
    inform,
    progress_bars,
    without_chatter,
    write_json,
    write_out,
)

if TYPE_CHECKING:
    from blipper.cli_models import AnySettings
    from blipper.library import Database

app = typer.Typer(
    help="Fill, list, export, measure on and delete what the library keeps; it is turned on in the app.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON alone to standard output.")]
Actor = Annotated[str, typer.Option("--as", help="Your name, for the audit.", show_default=False)]
Model = Annotated[str, typer.Option("--model", help="Name of an installed model; see 'blipper models'.")]


@contextlib.contextmanager
def opened() -> Iterator[Database]:
    """Open the library that the user turned on, and close it.

    Raises
    ------
    LibraryError
        If it is off, or cannot be opened.
    """
    from blipper import library

    if not library.place.choices().on:
        raise LibraryError("the library is off; turn it on in the app, on the Library page")
    database = library.open_library()
    try:
        yield database
    finally:
        database.close()


@app.command("list")
def list_(
    name: Annotated[str, typer.Option("--name", help="Part of the name.")] = "",
    as_json: Json = False,
) -> None:
    """List the recordings, those added last first."""
    with exit_codes(), opened() as database:
        from blipper.export.text import one_line
        from blipper.library import Query, search

        items = search(database, Query(name=name))
        if as_json:
            write_json(
                [
                    {
                        "id": item.id,
                        "name": item.name,
                        "sha256": item.sha256,
                        "added_at": item.added_at.isoformat(),
                        "expires_at": item.expires_at and item.expires_at.isoformat(),
                        "duration": item.duration,
                        "sound_kept": sorted(item.audio),
                        "tags": list(item.tags),
                        "verdicts": item.verdicts,
                        "analyses": [
                            {
                                "id": info.id,
                                "model": info.model,
                                "threshold": info.threshold,
                                "peak": info.peak,
                            }
                            for info in item.analyses
                        ],
                    }
                    for item in items
                ]
            )
            return
        rows = [
            [
                item.id,
                f"{item.added_at:%Y-%m-%d}",
                f"{item.duration:.1f} s",
                "sound" if item.audio else "no sound",
                f"{sum(item.verdicts.values())} verdicts",
                one_line(item.name),
            ]
            for item in items
        ]
        write_out("".join(f"{line}\n" for line in columns(rows, right=frozenset({2}))))
        inform(f"{len(items)} recordings in {database.shown}.")


@app.command()
def add(
    results: Annotated[Path, typer.Argument(help="A batch's output folder.")],
    actor: Actor,
    sound: Annotated[
        bool, typer.Option("--sound", help="Keep the sound too; the recordings are read again.")
    ] = False,
    least: Annotated[
        float, typer.Option("--from", help="Only recordings whose highest score is at least this.")
    ] = 0.0,
    days: Annotated[
        int | None, typer.Option("--days", help="Delete them after so many days; not by itself unless given.")
    ] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", help="Put this word on each. May be given several times.")
    ] = None,
) -> None:
    """Put the results of a batch into the library: to search, judge and measure on; nothing twice."""
    with exit_codes(interrupted="what was added stays"):
        from blipper.batch import read_rows
        from blipper.library import add_batch

        if not 0 <= least <= 1:
            raise SettingsError(f"--from {least}: expected 0 to 1")
        with opened() as database, progress_bars() as progress:
            rows = [row for row in read_rows(results) if least <= 0 or (row.highest_score or 0.0) >= least]
            done = add_batch(
                database,
                results,
                analyst=actor,
                rows=rows,
                sound=sound,
                keep_days=days,
                tags=tags or (),
                progress=progress,
            )
            shown = database.shown
        for _, message in done.failures:
            complain(message)
        inform(
            f"Added {done.new} recordings to {shown}; {done.known} were there. The sound of {done.sounds} "
            "was kept."
        )
        if done.failures:
            raise typer.Exit(FAILED)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder for the dataset.")],
    actor: Actor,
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="With the sound that is kept.")] = True,
) -> None:
    """Write the verdicts as a dataset: audformat (db.yaml) and plain CSV, with the sound that is kept."""
    with exit_codes(), opened() as database:
        from blipper.library.exporting import export as run

        done = run(database, folder, actor=actor, sound=sound)
        inform(
            f"Wrote {done.folder}: {done.verdicts} verdicts on {done.recordings} recordings, {done.labels} "
            f"labels, {done.sounds} sound files."
        )


@app.command()
def evaluate(model: Model = "auto", as_json: Json = False) -> None:
    """Measure a model on the library's verdicts; the same as 'blipper evaluate --on-library'."""
    with exit_codes():
        report_on_library(model, as_json)


@app.command()
def delete(
    actor: Actor,
    recordings: Annotated[
        list[str] | None, typer.Argument(help="Ids, as 'blipper library list' shows them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All recordings.")] = False,
    only_sound: Annotated[bool, typer.Option("--only-sound", help="Keep all but the sound.")] = False,
) -> None:
    """Delete everything about recordings, or their sound alone, from the database's files too."""
    with exit_codes(interrupted="what was deleted stays deleted"):
        if bool(recordings) == everything:
            raise SettingsError("name recordings to delete, or give --everything")
        if everything and only_sound:
            raise SettingsError("--only-sound needs recordings by id")
        from blipper import library

        with opened() as database:
            if everything:
                gone = library.delete_everything(database, actor=actor)
            else:
                gone = library.Deleted()
                act = library.delete_sound if only_sound else library.delete_recording
                for recording_id in recordings or []:
                    gone += act(database, recording_id, actor=actor)
        inform(
            f"Deleted {gone.recordings} recordings, {gone.analyses} analyses, {gone.verdicts} verdicts and "
            f"{gone.audio_bytes:,} bytes of sound."
        )
        if not gone.cleared:
            inform("Somebody is reading the database: its files are cleared at the next opportunity.")


@app.command()
def audit(as_json: Json = False) -> None:
    """Show what was deleted, exported or kept for how long: when, by whom, how much; no content."""
    with exit_codes(), opened() as database:
        from blipper.library import audit as read

        entries = read(database)
        if as_json:
            write_json([vars(entry) | {"at": entry.at.isoformat()} for entry in entries])
            return
        rows = [
            [f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.actor, entry.action, entry.recording_id or "all",
             ", ".join(f"{number} {name}" for name, number in entry.counts.items())]
            for entry in entries
        ]  # fmt: skip
        write_out("".join(f"{line}\n" for line in columns(rows)))


@contextlib.contextmanager
def with_verdicts(settings: AnySettings, wanted: bool) -> Iterator[AnySettings]:
    """Give settings that learn from the library's verdicts as well, if wanted; clean up at the end.

    Raises
    ------
    LibraryError
        If the library is off, or holds nothing to learn from.
    SettingsError
        If a cache is named: deleting from the library could not reach the copies there.
    """
    if not wanted:
        yield settings
        return
    if settings.cache is not None:
        raise SettingsError(
            "--cache with --with-library: copies of kept sound would outlive a deletion there; leave it out"
        )
    from blipper.library.dataset import lesson
    from blipper.library.place import training_folder

    with opened() as database, lesson(database) as added:
        inform(
            f"Learning from {added.counts['train']} judged stretches and {len(added.calm)} that only do not "
            f"sound angry; {added.counts['held_out']} are held out."
        )
        yield replace(settings, added=added, cache=training_folder() / "cache")


def report_on_library(name: str, as_json: bool) -> None:
    """Measure a model on the library's verdicts and show it; on held-out ones if it learned from others."""
    with opened() as database:
        with without_chatter():
            from blipper.library.evaluating import evaluate as run
            from blipper.voice.models import load_model

            model = load_model(name)
        with progress_bars() as progress:
            found = run(database, model, held_out=learned_from_library(model.info.sha256), progress=progress)
    if as_json:
        write_json(found)
    else:
        write_out(library_text(found))


def learned_from_library(sha256: str) -> bool:
    """Return whether the training of an installed model took verdicts from a library.

    Parameters
    ----------
    sha256 : str
        Of its weights.

    Raises
    ------
    LibraryError
        If a model's figures cannot be read, so that nobody can tell.
    """
    import json

    from blipper.inventory import METRICS
    from blipper.paths import TEXT_DESCRIPTION, models_dir

    for path in sorted(models_dir().glob(f"*/{METRICS}")):
        if (path.parent / TEXT_DESCRIPTION).is_file():  # text models learn from no verdicts
            continue
        try:
            metrics = json.loads(path.read_text(encoding="utf-8"))
            if metrics["model"]["sha256"] == sha256:
                return "added" in metrics.get("settings", {})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LibraryError(
                f"{path}: cannot be read, so what its model learned from is unknown"
            ) from error
    return False


def library_text(found: Mapping[str, Any]) -> str:
    """Return what :func:`blipper.library.evaluating.evaluate` found as a short report."""
    left = found["left_out"]
    rows = [
        ["ROC-AUC, angry or not", _figure(found["roc_auc"], "{:.3f}")],
        [f"precision at {found['threshold']:.2f}", _figure(found["precision"], "{:.1%}")],
        [f"recall at {found['threshold']:.2f}", _figure(found["recall"], "{:.1%}")],
        ["emotion right, where one was named", _figure(found["emotions"], "{:.1%}")],
    ]
    head = (
        f"{found['model']} on {found['data']}: {found['stretches']} judged stretches of "
        f"{found['recordings']} "
        f"recordings, {found['angry']} of which sound angry to most of {found['analysts']} analysts; "
        f"{found['heard_anew']} heard anew, the others by their kept score. Left out: {left['ties']} ties, "
        f"{left['without_score']} without a score."
    )
    return "\n".join([head, "", *columns(rows), "", found["note"], ""])


def _figure(share: Mapping[str, Any], form: str) -> str:
    if share["value"] is None:
        return "undefined: both kinds are needed" if "of" not in share else "undefined: none to count"
    low_high = share["interval"]
    interval = "" if low_high is None else f" ({form.format(low_high[0])} to {form.format(low_high[1])})"
    return form.format(share["value"]) + interval + (f", of {share['of']}" if "of" in share else "")
