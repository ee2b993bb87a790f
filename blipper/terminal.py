"""What the command line writes: results on standard output, progress and complaints on standard error."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Final

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from blipper.errors import BlipperError, SettingsError
from blipper.export.json import layout
from blipper.progress import Progress as ProgressCallback

#: Something failed: a file, a model, a folder, the disk.
FAILED: Final = 1
#: The command was not understood, or a setting lies outside its domain.
USAGE: Final = 2
#: Ctrl-C, by the shells' convention: 128 and the signal's number 2.
INTERRUPTED: Final = 130

#: Seconds between two lines of progress in a log.
LINE_SECONDS: Final = 20.0

_STEPS = {
    "decode": "Reading the sound",
    "speech": "Looking for speech",
    "quality": "Checking the quality",
    "voice": "Scoring the voice",
    "speakers": "Guessing who speaks",
    "words": "Writing the transcript",
    "reading": "Scoring the words",
    "download": "Downloading the weights",
    "find": "Finding recordings",
    "files": "Files",
    "explain": "Explaining",
    "shap": "Explaining by SHAP",
    "background": "Hearing neutral speech",
    "faithfulness": "Testing explanations",
    "prepare": "Reading the clips",
    "features": "Computing features",
    "teacher": "Hearing the teacher",
    "opinions": "Asking the teacher",
    "train": "Training",
    "adapt": "Adapting the encoder",
    "encode": "Encoding the clips",
    "tune": "Trying settings",
    "evaluate": "Testing on unseen speakers",
    "false alarms": "Counting false alarms",
    "scenes": "Listening to conversations",
    "alarms": "Counting false alarms",
}


def errors() -> Console:
    """Return a console on today's standard error (which tests and wrappers replace)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str, *, kind: str = "Error") -> None:
    """Write a message to standard error; its brackets are text, not markup."""
    style = "bold red" if kind == "Error" else "bold yellow"
    console = errors()
    console.print(f"{kind}: ", style=style, end="")
    console.print(message.encode("utf-8", "backslashreplace").decode(), markup=False)


def inform(message: str) -> None:
    """Write a plain message to standard error."""
    errors().print(message.encode("utf-8", "backslashreplace").decode(), markup=False)


@contextlib.contextmanager
def exit_codes(*, interrupted: str = "nothing was written") -> Iterator[None]:
    """Turn what is raised on purpose into a message and an exit code.

    A fault in Blipper itself keeps its traceback: it is worth a report.

    Parameters
    ----------
    interrupted : str
        What Ctrl-C leaves behind.
    """
    try:
        yield
    except SettingsError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from error
    except BlipperError as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        complain(interrupted, kind="Interrupted")
        raise typer.Exit(INTERRUPTED) from error


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what native libraries write to standard error, unless the block fails unexpectedly.

    TensorFlow greets with lines about CUDA and oneDNN that none of its settings silences (its issue 100442),
    and they would bury Blipper's own messages. With debug logging on they show.
    """
    if sys.stderr is None:  # closed: nothing to hold back, and descriptor 2 may by now be any file
        yield
        return
    saved = os.dup(2)
    show = logging.getLogger("blipper").isEnabledFor(logging.DEBUG)
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        except (BlipperError, KeyboardInterrupt):
            raise
        except BaseException:
            show = True
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            if show:
                held.seek(0)
                inform(held.read().decode("utf-8", "replace"))


def write_out(text: str) -> None:
    """Write to standard output as UTF-8 and flush, so that a closed pipe shows here and not at exit.

    Raises
    ------
    BlipperError
        If standard output is closed or its disk is full.
    typer.Exit
        If the reader has gone (``| head``): quietly, since that is how pipes end.
    """
    if sys.stdout is None:
        raise BlipperError("standard output is closed, so there is nowhere to write the result")
    # A file name that is not UTF-8 comes as lone surrogates; "backslashreplace" writes them as \udcXX, which
    # is also how JSON escapes them.
    data = text.encode("utf-8", "backslashreplace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What could not be written is still buffered; without this Python fails over it again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(FAILED) from error
        raise BlipperError(f"standard output cannot be written: {error.strerror}") from error


def write_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    write_out(layout(value) + "\n")


@contextlib.contextmanager
def progress_bars(
    *, lines: bool = False, note: Callable[[], str] | None = None
) -> Iterator[ProgressCallback]:
    """Show progress on standard error while the block runs, if that is a terminal.

    Ctrl-C takes effect at the next report, where nothing is half done; pressed again, at once. (Python would
    raise wherever it happens to be, and inside a C library's callback that is lost without a trace.)

    Parameters
    ----------
    lines : bool
        For work of hours: where standard error is no terminal, write a line for every new step, and one every
        :data:`LINE_SECONDS` at most, so that a log shows life.
    note : callable, optional
        Asked at each report for a few words behind the bar, in place of rich's guess at the time left.

    Yields
    ------
    blipper.progress.Progress
        A callback; one bar a step, all cleared at the end.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console = errors()
    tasks: dict[str, TaskID] = {}
    latest = ("", 0.0)
    bars = Progress(
        *(*columns, TimeElapsedColumn()),
        TimeRemainingColumn() if note is None else TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,  # results are written past it, when it has gone
    )

    with deferred_interrupt() as stop_if_interrupted, bars:

        def report(step: str, completed: float, total: float) -> None:
            stop_if_interrupted()
            if step not in tasks:
                tasks[step] = bars.add_task(_STEPS.get(step, step), note="")
            said = "" if note is None else note()
            bars.update(tasks[step], completed=completed, total=total, note=said)
            if lines and not console.is_terminal:
                nonlocal latest
                now = time.monotonic()
                if step != latest[0] or now >= latest[1] + LINE_SECONDS:
                    latest = (step, now)
                    share = f"{100 * completed / max(total, 1e-9):.0f} %"
                    inform(", ".join(filter(None, (f"{_STEPS.get(step, step)}: {share}", said))))

        yield report
        stop_if_interrupted()


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[Callable[[], None]]:
    """Keep the first Ctrl-C for the yielded function to raise; leave a second one to Python."""
    pressed: list[int] = []

    def stop_if_interrupted() -> None:
        if pressed:
            raise KeyboardInterrupt

    def keep(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not under nohup, say
    )
    if ours:
        signal.signal(signal.SIGINT, keep)
    try:
        yield stop_if_interrupted
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Align cells into lines, two spaces between columns; the columns in `right` align to the right.

    Nothing is cut off: a terminal wraps, a pipe keeps whole lines. East Asian characters count double.
    """
    if not rows:
        return []
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if column in right else cell + gap)
        lines.append("  ".join(cells).rstrip())
    return lines
