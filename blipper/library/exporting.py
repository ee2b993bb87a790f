"""The library's verdicts as a dataset: audformat's layout, and plain CSV.

The folder holds ``db.yaml`` with its tables (audformat), ``verdicts.csv`` (a row a verdict), ``labels.csv``
(a row a stretch with a majority) and, where it is kept and wanted, the sound in ``audio/``. File names are
made of the recording's hash and channel, never of its name.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.errors import LibraryError
from blipper.library import retention
from blipper.library.database import Database
from blipper.library.dataset import Labelled, read_labelled
from blipper.library.finding import search
from blipper.library.keeping import read_sound
from blipper.library.values import ANSWERS, TARGETS, Item, Verdict, check_name
from blipper.library.verdicts import read_verdicts
from blipper.voice.labels import EMOTIONS

_VERDICTS: Final = (
    "file", "start", "end", "channel", "target", "verdict", "emotion", "score", "model_sha256", "analyst",
    "given_at", "note",
)  # fmt: skip
_LABELS: Final = ("file", "start", "end", "channel", "angry", "emotion", "analysts", "side")
#: What an analyst says of a stretch: a column each in audformat.
_SAID: Final = ("verdict", "emotion", "score", "note")
#: What opens a formula in a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    folder : path
    recordings, verdicts, labels, sounds : int
    """

    folder: Path
    recordings: int
    verdicts: int
    labels: int
    sounds: int


def export(database: Database, folder: str | Path, *, actor: str, sound: bool = True) -> Exported:
    """Write the judged recordings as a dataset; whole or not at all.

    Parameters
    ----------
    database : Database
    folder : path
        Made by this; there must be nothing of that name.
    actor : str
        Who takes it away, for the audit.
    sound : bool
        Whether the sound that is kept goes along.

    Returns
    -------
    Exported

    Raises
    ------
    LibraryError
        If the folder is there already or cannot be written, or nothing was judged.
    """
    actor = check_name(actor, "an analyst's name")
    target = Path(folder)
    if target.exists():
        raise LibraryError(f"{target}: is there already; a dataset needs a new folder")
    verdicts = read_verdicts(database)
    labelled, _ = read_labelled(database)
    judged = {verdict.recording_id for verdict in verdicts}
    items = {item.id: item for item in search(database) if item.id in judged}
    if not items:
        raise LibraryError(f"{database.shown}: nothing was judged yet, so there is nothing to export")
    layouts = {info.id: info.channels for item in items.values() for info in item.analyses}
    files = _Files(items, layouts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            sounds = _write_sounds(database, partial, items.values()) if sound else 0
            rows = [row for row in verdicts if row.recording_id in items]
            _write_csv(partial / "verdicts.csv", _VERDICTS, (files.verdict(row) for row in rows))
            _write_csv(partial / "labels.csv", _LABELS, (files.label(row) for row in labelled))
            _write_audformat(partial, files, rows, labelled)
            partial.replace(target)
        except BaseException:
            shutil.rmtree(partial)
            raise
    except OSError as error:
        raise LibraryError(f"{target}: cannot be written ({error.strerror})") from error
    with database.writing() as session:
        retention.record(
            session, actor, "export", None,
            recordings=len(items), verdicts=len(rows), labels=len(labelled), sounds=sounds,
        )  # fmt: skip
    return Exported(target, len(items), len(rows), len(labelled), sounds)


def _file(item: Item, channels: str | None, channel: int) -> str:
    return f"audio/{item.sha256[:32]}-{channels or 'unknown'}-{channel + 1}.flac"


@dataclass(frozen=True)
class _Files:
    """Which file a verdict is on."""

    items: dict[str, Item]
    layouts: dict[str, str]

    def name(self, verdict: Verdict) -> str:
        item = self.items[verdict.recording_id]
        known = {info.channels for info in item.analyses}
        channels = self.layouts.get(verdict.analysis_id or "")
        return _file(item, channels or (known.pop() if len(known) == 1 else None), verdict.channel)

    def verdict(self, row: Verdict) -> list[Any]:
        return [
            self.name(row), f"{row.start:.3f}", f"{row.end:.3f}", row.channel, row.target, row.verdict,
            row.emotion or "", "" if row.score is None else f"{row.score:.6f}", row.model_sha256 or "",
            _safe(row.analyst), row.given_at.isoformat(), _safe(row.note),
        ]  # fmt: skip

    def label(self, row: Labelled) -> list[Any]:
        return [
            _file(row.item, row.channels, row.channel), f"{row.start:.3f}", f"{row.end:.3f}", row.channel,
            str(row.angry).lower(), row.emotion or "", len(row.judged.verdicts), row.side,
        ]  # fmt: skip


def _safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_sounds(database: Database, folder: Path, items: Iterable[Item]) -> int:
    (folder / "audio").mkdir()
    number = 0
    for item in items:
        for channels in sorted(item.audio):
            for channel, data in enumerate(read_sound(database, item.id, channels)):
                (folder / _file(item, channels, channel)).write_bytes(data)
                number += 1
    return number


def _write_audformat(
    folder: Path, files: _Files, verdicts: Sequence[Verdict], labelled: Sequence[Labelled]
) -> None:
    """Write the same as an audformat database: a table with every analyst's verdicts, one with the labels."""
    import audformat
    import pandas as pd

    base = audformat.Database(
        name="blipper-library",
        source="Blipper's library: analysts' verdicts on stretches of recorded speech",
        usage=audformat.define.Usage.RESTRICTED,
        description="Verdicts say how a voice sounds to an analyst, not what anybody feels.",
    )
    base.schemes["verdict"] = audformat.Scheme(labels=list(ANSWERS))
    base.schemes["target"] = audformat.Scheme(labels=list(TARGETS))
    base.schemes["emotion"] = audformat.Scheme(labels=list(EMOTIONS))
    base.schemes["angry"] = audformat.Scheme("bool")
    base.schemes["score"] = audformat.Scheme("float", minimum=0.0, maximum=1.0)
    base.schemes["note"] = audformat.Scheme("str")
    base.schemes["side"] = audformat.Scheme(labels=["train", "validation", "test"])
    names = sorted({verdict.analyst for verdict in verdicts})
    raters = {name: f"analyst-{number}" for number, name in enumerate(names, 1)}
    for name, rater in raters.items():
        base.raters[rater] = audformat.Rater("human", description=name)

    places = [(files.name(verdict), verdict.start, verdict.end, verdict.target) for verdict in verdicts]
    for target in TARGETS:
        own = sorted({place[:3] for place in places if place[3] == target})
        if not own:
            continue
        index = _index(audformat, pd, own)
        table = base[f"verdicts.{target}"] = audformat.Table(index)
        rows = {place: number for number, place in enumerate(own)}
        for name, rater in raters.items():
            given: dict[str, list[Any]] = {key: [None] * len(own) for key in _SAID}
            for verdict, place in zip(verdicts, places, strict=True):
                if verdict.analyst == name and place[3] == target:
                    row = rows[place[:3]]
                    for key, values in given.items():
                        values[row] = getattr(verdict, key)
            for key, values in given.items():
                column = f"{rater}.{key}"
                table[column] = audformat.Column(scheme_id=key, rater_id=rater)
                table[column].set(values)
    if labelled:
        unique = {(_file(row.item, row.channels, row.channel), row.start, row.end): row for row in labelled}
        table = base["labels"] = audformat.Table(_index(audformat, pd, list(unique)))
        for key in ("angry", "emotion", "side"):
            table[key] = audformat.Column(scheme_id=key)
            table[key].set([getattr(row, key) for row in unique.values()])
    base.save(str(folder), storage_format="csv")


def _index(audformat: Any, pd: Any, places: Sequence[tuple[str, float, float]]) -> Any:
    seconds = [pd.to_timedelta([place[column] for place in places], unit="s") for column in (1, 2)]
    return audformat.segmented_index([place[0] for place in places], *(part.round("ms") for part in seconds))
