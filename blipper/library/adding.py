"""A batch's results into the library: many analyses at once, with their sound where it can be had."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blipper.errors import AudioError, BatchError, LibraryError
from blipper.library.database import Database
from blipper.library.finding import find
from blipper.library.keeping import encode_sound, save
from blipper.progress import Progress, silent
from blipper.results import Analysis
from blipper.settings import Channels

if TYPE_CHECKING:
    from blipper.batch.table import Row


@dataclass(frozen=True)
class Taken:
    """What came of it.

    Parameters
    ----------
    new, known : int
        Analyses that were not in the library, and those that were.
    sounds : int
        Recordings whose sound was put there now.
    failures : tuple of (str, str)
        File, and why its result or its sound could not be taken.
    """

    new: int = 0
    known: int = 0
    sounds: int = 0
    failures: tuple[tuple[str, str], ...] = ()


def add_batch(
    database: Database,
    output: str | Path,
    *,
    analyst: str,
    rows: Sequence[Row] | None = None,
    sound: bool = False,
    keep_days: int | None = None,
    tags: Sequence[str] = (),
    progress: Progress = silent,
) -> Taken:
    """Put a batch's results into the library, as :func:`blipper.library.save` does one by one.

    Doing it again adds nothing twice and changes no verdict. Ended in the middle, what was put there stays.

    Parameters
    ----------
    database : Database
    output : path
        The batch's output folder.
    analyst : str
        Who keeps them.
    rows : sequence of Row, optional
        Which of its recordings; all that have a result unless given.
    sound : bool
        Whether to keep the sound too: every recording is read again, which has to be the same still. One
        that is not, or is not there any more, is kept without, and told.
    keep_days, tags
        As for :func:`blipper.library.save`.
    progress : Progress
        Told recordings, as step ``"library"``.

    Returns
    -------
    Taken

    Raises
    ------
    LibraryError
        If a name or a number is outside its domain, the database fails, or the batch has no results.
    BatchError
        If the batch's manifest cannot be read.
    """
    from blipper.batch.table import read_rows

    output = Path(output)
    chosen = [row for row in (read_rows(output) if rows is None else rows) if row.result is not None]
    if not chosen:
        raise LibraryError(f"{output}: holds no results of a batch; give the folder that was its --output")
    new = known = sounds = 0
    failures: list[tuple[str, str]] = []
    for number, row in enumerate(chosen):
        progress("library", number, len(chosen))
        try:
            analysis = Analysis.from_dict(json.loads((output / str(row.result)).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            failures.append((row.file, f"{row.file}: its result cannot be read ({error})"))
            continue
        heard: Sequence[bytes] = ()
        if sound and not _is_kept(database, analysis):
            try:
                heard = _sound(row, analysis)
                sounds += 1
            except (AudioError, BatchError, OSError) as error:
                failures.append((row.file, f"{row.file}: kept without its sound: {error}"))
        saved = save(database, analysis, analyst=analyst, sound=heard, keep_days=keep_days, tags=tags)
        new, known = new + saved.new, known + (not saved.new)
    progress("library", len(chosen), len(chosen))
    return Taken(new, known, sounds, tuple(failures))


def _is_kept(database: Database, analysis: Analysis) -> bool:
    """Return whether the sound is in the library, as this analysis treated its channels."""
    item = find(database, analysis.provenance.sha256)
    return item is not None and _channels(analysis) in item.audio


def _channels(analysis: Analysis) -> Channels:
    return "separate" if analysis.settings.get("channels") == "separate" else "mix"


def _sound(row: Row, analysis: Analysis) -> Sequence[bytes]:
    """Read a recording again and encode it.

    Raises
    ------
    AudioError
        If it cannot be read, or is another one by now.
    BatchError, OSError
        If it cannot be fetched.
    """
    from blipper import audio
    from blipper.batch import places

    with places.local_copy(row.path) as (path, _):
        recording = audio.load(path, name=analysis.provenance.name, channels=_channels(analysis))
        if recording.provenance.sha256 != analysis.provenance.sha256:
            raise AudioError(f"{analysis.provenance.name}: the file has changed since the batch analysed it")
        return encode_sound(recording)
