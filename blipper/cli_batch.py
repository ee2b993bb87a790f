"""The command ``blipper batch``: a thin face over :mod:`blipper.batch`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from blipper.cli_models import Channels, Json
from blipper.cli_options import MinDurationOption, SurroundingsOption
from blipper.cli_words import BalanceOption, LanguageOption, TextModelOption
from blipper.terminal import (
    FAILED,
    INTERRUPTED,
    complain,
    deferred_interrupt,
    exit_codes,
    progress_bars,
    write_json,
    write_out,
)

if TYPE_CHECKING:
    from blipper.batch.state import BatchState, BatchSummary

#: Failures that the summary lists; the table has them all.
_LISTED: Final = 20

_REASONS: Final = {
    "refused": "cannot be read, or beyond what Blipper accepts",
    "memory": "took more memory than allowed",
    "time": "took longer than allowed",
    "crash": "made a worker fail",
    "error": "could not be reached or read",
}


class Engine(StrEnum):
    """Where the workers are."""

    local = "local"
    ray = "ray"


def batch(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS",
            help="Recordings, folders of recordings, patterns, or addresses such as s3://bucket/calls.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the results; made if needed.", show_default=False),
    ],
    as_json: Json = False,
    model: Annotated[
        str, typer.Option("--model", help="Name of an installed model; see 'blipper models'.")
    ] = "auto",
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="Score above 0 and up to 1 from which a stretch is worth a listen."),
    ] = None,
    min_duration: MinDurationOption = None,
    surroundings: SurroundingsOption = None,
    channels: Annotated[
        Channels,
        typer.Option("--channels", help="Mix all channels down, or keep each apart as a separate speaker."),
    ] = Channels.mix,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes, each with its own model; one a core unless given."),
    ] = None,
    transcript: Annotated[
        str,
        typer.Option(
            "--transcript",
            metavar="auto|whisper:SIZE|pocketsphinx|none",
            help="Also write down what is said and let its words count; takes many times longer than the "
            "voice. See 'blipper analyze --help'.",
        ),
    ] = "none",
    text_model: TextModelOption = "built-in",
    language: LanguageOption = None,
    balance: BalanceOption = None,
    memory_limit: Annotated[
        int | None,
        typer.Option(
            "--memory-limit",
            help="MiB of a worker at which its recording is given up; 2048 unless given, with a transcript "
            "3072 and four times what Whisper's weights have.",
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            help="Seconds of work after which a recording is given up; 600 unless given, with a transcript "
            "86400.",
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what an earlier run gave up.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option("--engine", help="Processes of this machine, or a Ray cluster's.")
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", help="The Ray cluster's address or 'auto'; this machine alone unless given."
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every recording instead of believing size and times.")
    ] = False,
) -> None:
    """Find where many recordings sound angry; run again, it does only what is missing or changed.

    Writes one JSON a recording, results.csv, results.parquet and manifest.sqlite into the output folder.
    It may be interrupted at any moment, even killed: the same command goes on from there.
    """
    with exit_codes(interrupted="the same command goes on from here"):
        from blipper.batch.running import run
        from blipper.batch.state import BatchLimits
        from blipper.batch.words import decided
        from blipper.fusion import BALANCE, SURROUNDINGS, EventSettings
        from blipper.settings import Settings

        settings = Settings(
            channels=channels.value,
            threshold=threshold,
            surroundings=SURROUNDINGS if surroundings is None else surroundings,
            min_duration=EventSettings.min_duration if min_duration is None else min_duration,
            transcript=transcript,
            text_model=text_model,
            language=language,
            balance=BALANCE if balance is None else balance,
        )
        settings = decided(settings)
        limits = BatchLimits.usual(settings.transcript)
        if memory_limit is not None:
            limits = replace(limits, memory=memory_limit << 20)
        if time_limit is not None:
            limits = replace(limits, seconds=time_limit)
        latest: list[BatchState] = []

        with deferred_interrupt() as stop_if_interrupted:

            def cancelled() -> bool:
                try:
                    stop_if_interrupted()
                except KeyboardInterrupt:
                    return True
                return False

            with progress_bars(lines=True, note=lambda: state_text(latest[-1]) if latest else "") as progress:
                summary = run(
                    paths,
                    output,
                    settings=settings,
                    model=model,
                    engine=engine.value,
                    address=address,
                    workers=workers,
                    limits=limits,
                    retry=retry_failed,
                    verify=verify,
                    progress=progress,
                    report=lambda state: latest.__setitem__(slice(None), [state]),
                    cancelled=cancelled,
                )
        if as_json:
            write_json(summary_dict(summary))
        else:
            write_out(summary_text(summary))
        if summary.stopped:
            complain("the same command goes on from here", kind="Interrupted")
            raise typer.Exit(INTERRUPTED)
        if summary.failures:
            raise typer.Exit(FAILED)


def state_text(state: BatchState) -> str:
    """Say how a batch goes: rate, time left, failures."""
    parts = [f"{state.completed:,} of {state.total:,}"]
    if state.rate is not None:
        parts.append(f"{state.rate:,.0f} x real time")
    if state.seconds_left is not None:
        parts.append(f"about {_clock(state.seconds_left)} left")
    if state.failed:
        parts.append(f"{state.failed:,} failed")
    return ", ".join(parts)


def summary_dict(summary: BatchSummary) -> dict[str, Any]:
    """Return a batch's summary as plain JSON values."""
    return {
        "output": str(summary.output),
        "stopped": summary.stopped,
        **asdict(summary.state),
        "rate": summary.state.rate,
        "manifest_seconds": summary.manifest_seconds,
        "failures": [asdict(failure) for failure in summary.failures],
    }


def summary_text(summary: BatchSummary) -> str:
    """Say what came of a batch, and what failed and why."""
    state = summary.state
    lines = [
        f"{state.total:,} recordings: {state.analyzed:,} analysed, {state.unchanged:,} done before, "
        f"{state.failed:,} failed"
        + (f", {state.remarked:,} marked anew from kept results" if state.remarked else "")
        + (f", {state.total - state.completed:,} left" if summary.stopped else "")
        + "."
    ]
    if state.rate is not None:
        sound, spent = _clock(state.audio_seconds), _clock(state.elapsed)
        lines.append(f"{sound} of sound in {spent}: {state.rate:,.0f} x real time.")
    for reason, count in Counter(failure.reason for failure in summary.failures).most_common():
        lines.append(f"{count:,} {_REASONS[reason]}:")
        named = [failure for failure in summary.failures if failure.reason == reason]
        lines += [f"  {failure.message or failure.file}" for failure in named[:_LISTED]]
        if count > _LISTED:
            lines.append(f"  and {count - _LISTED:,} more, see the table")
    lines.append(f"Results: {summary.output} (results.csv, results.parquet, results/)")
    return "\n".join(lines) + "\n"


def _clock(seconds: float) -> str:
    from blipper.audio.limits import clock

    return clock(seconds)
