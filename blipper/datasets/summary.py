"""What a collection of corpora holds, in numbers: small enough to ship, and without any of the audio.

``python -m blipper.datasets.summary DATA OUTPUT`` measures the corpora below the folder DATA and writes
the summary to the file OUTPUT. Blipper ships the outcome for complete copies of all four corpora as
``blipper/datasets/summary.json``; :func:`shipped_summary` reads it.

Conventions: counts by emotion are tuples in the order of :data:`blipper.voice.labels.EMOTIONS`; durations
are seconds of the whole file; loudness is the integrated loudness of ITU-R BS.1770-4 in LUFS of the clip
as it is stored, mixed down to one channel and with nothing normalised.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from blipper.datasets.sources import SOURCES
from blipper.errors import BlipperError, DatasetError
from blipper.voice.labels import EMOTIONS

SCHEMA: Final = 1

#: The summary that comes with Blipper.
SHIPPED: Final = Path(__file__).with_name("summary.json")

#: How it is made.
COMMAND: Final = "python -m blipper.datasets.summary DATA OUTPUT"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """How many clips a corpus has of one emotion, sex and intensity; only what occurs is listed."""

    corpus: str
    emotion: str
    sex: str
    intensity: str
    clips: int


@dataclass(frozen=True)
class SpeakerCount:
    """How many clips of each emotion a speaker has."""

    corpus: str
    speaker: str
    sex: str
    clips: tuple[int, ...]


@dataclass(frozen=True)
class SentenceCount:
    """How many clips of each emotion say a sentence, known by its code in the file names."""

    corpus: str
    sentence: str
    clips: tuple[int, ...]


@dataclass(frozen=True)
class Spread:
    """How a measure is distributed over the clips of a corpus, or over those of one emotion in it.

    Parameters
    ----------
    corpus, emotion : str
        `emotion` is empty for all emotions together.
    measured, unmeasured : int
        Clips with a value, and clips without one (nothing in them is louder than -70 LUFS).
    quantiles : tuple of float
        At :data:`blipper.datasets.measure.QUANTILES`: lowest, 5 %, 25 %, median, 75 %, 95 %, highest; empty
        where nothing was measured.
    mean : float or None
        None where nothing was measured.
    histogram : tuple of int
        Clips in each bin of the measure's bins; empty for a single emotion. The outer bins also hold what
        lies beyond them.
    """

    corpus: str
    emotion: str
    measured: int
    unmeasured: int
    quantiles: tuple[float, ...]
    mean: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class Bins:
    """Where a histogram's bins lie: ``count`` bins of width `step`, the first from `start` on."""

    start: float
    step: float
    count: int


@dataclass(frozen=True)
class SoundFormat:
    """How many of a corpus's clips are stored in one format, for example ``"OGG OPUS, 16000 Hz"``."""

    corpus: str
    description: str
    clips: int


@dataclass(frozen=True)
class LeftOut:
    """A file that was recognised and not counted, by its path within the folder, and why."""

    corpus: str
    file: str
    reason: str


@dataclass(frozen=True)
class Terms:
    """A corpus's licence and where it comes from; the rest is in :data:`blipper.datasets.sources.SOURCES`."""

    corpus: str
    licence: str
    commercial: str
    url: str
    reference: str


@dataclass(frozen=True)
class Summary:
    """All of the above for one folder.

    Parameters
    ----------
    schema : int
    made_by : str
        Command and version that made it.
    cells, speakers, sentences : tuples
        Counts; their sums over a corpus agree.
    duration, loudness : tuple of Spread
    duration_bins, loudness_bins : Bins
        In s and in LUFS.
    formats : tuple of SoundFormat
    left_out : tuple of LeftOut
    identical : tuple of tuple of str
        Keys of clips whose decoded sound is the same, one tuple a sound.
    missing : tuple of str
        Corpora of which no clip was found.
    terms : tuple of Terms
    """

    schema: int
    made_by: str
    cells: tuple[Cell, ...]
    speakers: tuple[SpeakerCount, ...]
    sentences: tuple[SentenceCount, ...]
    duration: tuple[Spread, ...]
    duration_bins: Bins
    loudness: tuple[Spread, ...]
    loudness_bins: Bins
    formats: tuple[SoundFormat, ...]
    left_out: tuple[LeftOut, ...]
    identical: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    terms: tuple[Terms, ...]

    @property
    def corpora(self) -> tuple[str, ...]:
        """The corpora that have clips, in the order of :data:`blipper.datasets.sources.SOURCES`."""
        found = {cell.corpus for cell in self.cells}
        return tuple(name for name in SOURCES if name in found)

    def clips(self, corpus: str | None = None, **wanted: str) -> int:
        """Count clips: of a corpus or of all, and of an `emotion`, a `sex` or an `intensity`."""
        return sum(
            cell.clips
            for cell in self.cells
            if corpus in (None, cell.corpus) and all(getattr(cell, k) == v for k, v in wanted.items())
        )

    def of_speakers(self, corpus: str) -> tuple[SpeakerCount, ...]:
        """Return a corpus's speakers."""
        return tuple(speaker for speaker in self.speakers if speaker.corpus == corpus)

    def of_sentences(self, corpus: str) -> tuple[SentenceCount, ...]:
        """Return a corpus's sentences."""
        return tuple(sentence for sentence in self.sentences if sentence.corpus == corpus)

    def spread(self, measure: str, corpus: str, emotion: str = "") -> Spread | None:
        """Return the spread of ``"duration"`` or ``"loudness"``, or None where there is no such clip."""
        spreads: tuple[Spread, ...] = getattr(self, measure)
        return next((s for s in spreads if (s.corpus, s.emotion) == (corpus, emotion)), None)

    def seconds(self, corpus: str) -> float:
        """Return how long all clips of a corpus are together."""
        spread = self.spread("duration", corpus)
        return spread.measured * spread.mean if spread is not None and spread.mean is not None else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return asdict(self)

    def to_json(self) -> str:
        """Return the summary as JSON text, one row a line, so that two versions can be compared."""
        parts = []
        for key, value in self.to_dict().items():
            if isinstance(value, tuple | list) and value:
                rows = ",\n  ".join(json.dumps(row) for row in value)
                parts.append(f'"{key}": [\n  {rows}\n]')
            else:
                parts.append(f'"{key}": {json.dumps(value)}')
        return "{\n" + ",\n".join(parts) + "\n}\n"


_ROWS: Final[dict[str, type[Any]]] = {
    "cells": Cell,
    "speakers": SpeakerCount,
    "sentences": SentenceCount,
    "duration": Spread,
    "loudness": Spread,
    "formats": SoundFormat,
    "left_out": LeftOut,
    "terms": Terms,
}


def from_dict(values: Mapping[str, Any], name: str = "summary") -> Summary:
    """Rebuild a summary from :meth:`Summary.to_dict`'s values.

    Parameters
    ----------
    values : mapping
    name : str
        What to call it in messages.

    Raises
    ------
    DatasetError
        If it has another schema or is not whole.
    """
    if values.get("schema") != SCHEMA:
        raise DatasetError(f"{name}: schema is {values.get('schema')!r}; this Blipper reads {SCHEMA}")
    try:
        fields: dict[str, Any] = {key: tuple(_row(_ROWS[key], row) for row in values[key]) for key in _ROWS}
        summary = Summary(
            schema=SCHEMA,
            made_by=str(values["made_by"]),
            duration_bins=Bins(**values["duration_bins"]),
            loudness_bins=Bins(**values["loudness_bins"]),
            identical=tuple(tuple(keys) for keys in values["identical"]),
            missing=tuple(values["missing"]),
            **fields,
        )
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{name}: not a whole summary of corpora ({error!r})") from error
    counts = [row.clips for row in summary.speakers] + [row.clips for row in summary.sentences]
    if any(len(row) != len(EMOTIONS) for row in counts):
        raise DatasetError(f"{name}: counts by emotion are not of the {len(EMOTIONS)} emotions")
    return summary


def _row(kind: type[Any], row: Mapping[str, Any]) -> Any:
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})


def load_summary(path: str | Path) -> Summary:
    """Read a summary from a file.

    Raises
    ------
    DatasetError
        If it cannot be read or is no summary.
    """
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read as a summary of corpora ({error})") from error
    if not isinstance(values, dict):
        raise DatasetError(f"{path}: not a summary of corpora; expected a JSON object")
    return from_dict(values, str(path))


def shipped_summary() -> Summary:
    """Return the summary of complete copies of all four corpora that comes with Blipper."""
    return load_summary(SHIPPED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a folder and write the summary; return the exit status."""
    from blipper.datasets.measure import summarize_folder

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m blipper.datasets.summary", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with RAVDESS, CREMA-D, TESS or SAVEE in it")
    parser.add_argument("output", type=Path, help="JSON file to write")
    given = parser.parse_args(arguments)
    told = -1

    def progress(step: str, completed: float, total: float) -> None:
        nonlocal told
        if step == "measure" and (percent := int(10 * completed / total) * 10) > told:
            told = percent
            logger.info("measured %d %% of %d clips", percent, total)

    try:
        summary = summarize_folder(given.data, progress=progress)
        given.output.write_text(summary.to_json(), encoding="utf-8")
    except (BlipperError, OSError) as error:
        logger.error("%s", error)
        return 1
    logger.info("%s: %d clips, %d left out", given.output, summary.clips(), len(summary.left_out))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
