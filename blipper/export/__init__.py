"""Taking a result away: one short module a format, behind one registry.

A new format is one module with a :class:`Writer` and its name in :data:`WRITERS`; pages, the command
line and batches find it there.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from blipper.errors import ExportError, SettingsError
from blipper.export import csv, curve, json, label_studio, parquet, plain, rttm, subtitles, textgrid
from blipper.export.files import write_atomically
from blipper.export.report import page as report
from blipper.export.writer import Sound, Writer
from blipper.results import Analysis

__all__ = ["WRITERS", "Sound", "Writer", "suggested_name", "write_analysis", "write_atomically", "writer_for"]

#: Every format by its name, in the order in which to offer them.
WRITERS: dict[str, Writer] = {
    writer.name: writer
    for writer in (
        *(json.WRITER, report.WRITER, csv.EVENTS, csv.WINDOWS, csv.TURNS, csv.TALK),
        *(csv.INTERRUPTIONS, csv.UTTERANCES),
        *(parquet.EVENTS, parquet.WINDOWS, curve.CSV, curve.PARQUET),
        *(subtitles.TRANSCRIPT_SRT, subtitles.TRANSCRIPT_VTT, plain.TRANSCRIPT, plain.TRANSCRIPT_LABELS),
        *(subtitles.EVENTS_SRT, subtitles.EVENTS_VTT, plain.EVENT_LABELS),
        *(textgrid.WRITER, rttm.WRITER, label_studio.TASKS, label_studio.CONFIG),
    )
}


def writer_for(path: str | PurePath) -> Writer:
    """Find the format that a file name asks for.

    Parameters
    ----------
    path : str or pathlib.PurePath
        Its ending decides, in upper or lower case; the longest ending that fits wins, so
        ``call.windows.csv`` is the table of windows and ``call.csv`` that of events.

    Raises
    ------
    SettingsError
        If no format has that ending.
    """
    name = PurePath(path).name.lower()
    fitting = [writer for writer in WRITERS.values() if name.endswith(writer.extension)]
    if not fitting:
        accepted = ", ".join(writer.extension for writer in WRITERS.values())
        raise SettingsError(f"{path}: no format has this file name's ending; accepted are {accepted}")
    return max(fitting, key=lambda writer: len(writer.extension))


def write_analysis(analysis: Analysis, path: str | Path, sound: Sound | None = None) -> Writer:
    """Write an analysis to a file in the format of its ending, whole or not at all.

    Parameters
    ----------
    analysis : Analysis
    path : str or pathlib.Path
    sound : Sound, optional
        The recording that it was made from, for formats that show more of it.

    Returns
    -------
    Writer
        The format that was chosen.

    Raises
    ------
    SettingsError
        If no format has that ending.
    ExportError
        If the analysis lacks what the format is made of: a transcript, say.
    OSError
        If the file cannot be written.
    """
    writer = writer_for(path)
    missing = writer.lacks(analysis)
    if missing is not None:
        raise ExportError(f"{path}: {missing}")
    write_atomically(path, writer.content(analysis, sound))
    return writer


def suggested_name(analysis: Analysis, writer: Writer) -> str:
    """Return a file name for a download: the recording's own stem with the format's ending."""
    return PurePath(analysis.provenance.name).stem + writer.extension
