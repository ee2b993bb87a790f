"""The tables of a summary, column by column, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from blipper.csv_cells import table, text
from blipper.datasets.measure import QUANTILES
from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import Summary
from blipper.errors import SettingsError
from blipper.voice.labels import EMOTIONS

#: Columns by name, all of one length; None is an empty cell.
Columns = dict[str, list[str | int | float | None]]

#: By what the counts can be grouped, by name for people.
GROUPINGS: Final = {
    "corpus": "Corpus",
    "sex": "Sex",
    "intensity": "Intensity",
    "speaker": "Speaker",
    "sentence": "Sentence",
}

#: The intensities in rising order.
INTENSITIES: Final = ("unspecified", "low", "normal", "medium", "strong", "high")


def count_rows(
    summary: Summary, corpora: Sequence[str], grouping: str
) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return clips by emotion for each group of each corpus.

    Parameters
    ----------
    summary : Summary
    corpora : sequence of str
        Those without clips are skipped.
    grouping : str
        A key of :data:`GROUPINGS`.

    Returns
    -------
    list of (corpus, group, counts by emotion)
        With the grouping ``"corpus"`` the group is empty.

    Raises
    ------
    SettingsError
        If there is no such grouping.
    """
    if grouping not in GROUPINGS:
        raise SettingsError(f"grouping is {grouping!r}, expected one of {', '.join(GROUPINGS)}")
    rows: list[tuple[str, str, tuple[int, ...]]] = []
    for corpus in (name for name in summary.corpora if name in corpora):
        if grouping == "speaker":
            rows += [(corpus, row.speaker, row.clips) for row in summary.of_speakers(corpus)]
            continue
        if grouping == "sentence":
            rows += [(corpus, row.sentence, row.clips) for row in summary.of_sentences(corpus)]
            continue
        if grouping == "corpus":
            groups: tuple[str, ...] = ("",)
        else:
            there = {str(getattr(cell, grouping)) for cell in summary.cells if cell.corpus == corpus}
            order = ("female", "male") if grouping == "sex" else INTENSITIES
            groups = tuple(group for group in order if group in there)
        for group in groups:
            wanted = {grouping: group} if group else {}
            counts = tuple(summary.clips(corpus, emotion=emotion, **wanted) for emotion in EMOTIONS)
            rows.append((corpus, group, counts))
    return rows


def counts_table(summary: Summary, corpora: Sequence[str], grouping: str) -> Columns:
    """Return clips by group and emotion, with their sum; see :func:`count_rows`."""
    rows = count_rows(summary, corpora, grouping)
    columns: Columns = {"Corpus": [SOURCES[corpus].title for corpus, _, _ in rows]}
    if grouping != "corpus":
        columns[GROUPINGS[grouping]] = [group for _, group, _ in rows]
    if grouping == "speaker":
        sex = {(row.corpus, row.speaker): row.sex for row in summary.speakers}
        columns["Sex"] = [sex[corpus, group] for corpus, group, _ in rows]
    for index, emotion in enumerate(EMOTIONS):
        columns[emotion.capitalize()] = [counts[index] for _, _, counts in rows]
    columns["All"] = [sum(counts) for _, _, counts in rows]
    return columns


def overview_table(summary: Summary, corpora: Sequence[str]) -> Columns:
    """Return one row a corpus: what there is of it, its lengths, its loudness and what is missing."""
    columns: Columns = {
        name: []
        for name in (
            "Corpus", "Clips", "Published clips", "Speakers", "Women", "Men", "Sentence codes",
            "Emotions", "Missing emotions", "Intensities", "Hours", "Median length (s)",
            "Median loudness (LUFS)", "Left out", "Stored as",
        )
    }  # fmt: skip
    for corpus in (name for name in summary.corpora if name in corpora):
        speakers = summary.of_speakers(corpus)
        there = [emotion for emotion in EMOTIONS if summary.clips(corpus, emotion=emotion)]
        levels = {cell.intensity for cell in summary.cells if cell.corpus == corpus}
        formats = [f"{item.clips:,} {item.description}" for item in summary.formats if item.corpus == corpus]
        row: tuple[str | int | float | None, ...] = (
            SOURCES[corpus].title,
            summary.clips(corpus),
            SOURCES[corpus].clips,
            len(speakers),
            sum(speaker.sex == "female" for speaker in speakers),
            sum(speaker.sex == "male" for speaker in speakers),
            len(summary.of_sentences(corpus)),
            len(there),
            ", ".join(emotion for emotion in EMOTIONS if emotion not in there) or "none",
            ", ".join(level for level in INTENSITIES if level in levels),
            round(summary.seconds(corpus) / 3600, 2),
            _median(summary, "duration", corpus, 2),
            _median(summary, "loudness", corpus, 1),
            sum(item.corpus == corpus for item in summary.left_out),
            "; ".join(formats),
        )
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    return columns


def spread_table(summary: Summary, corpora: Sequence[str], measure: str) -> Columns:
    """Return the quantiles of ``"duration"`` (s) or ``"loudness"`` (LUFS) by corpus and emotion."""
    unit = "s" if measure == "duration" else "LUFS"
    spreads = [
        spread
        for corpus in summary.corpora
        if corpus in corpora
        for emotion in ("", *EMOTIONS)
        if (spread := summary.spread(measure, corpus, emotion)) is not None
    ]
    columns: Columns = {
        "Corpus": [SOURCES[spread.corpus].title for spread in spreads],
        "Emotion": [spread.emotion or "all" for spread in spreads],
        "Clips": [spread.measured for spread in spreads],
        "Silent": [spread.unmeasured for spread in spreads],
    }
    for index, quantile in enumerate(QUANTILES):
        name = {0.0: "Lowest", 0.5: "Median", 1.0: "Highest"}.get(quantile, f"{100 * quantile:.0f} %")
        columns[f"{name} ({unit})"] = [
            spread.quantiles[index] if spread.quantiles else None for spread in spreads
        ]
    return columns


def licence_table(summary: Summary) -> Columns:
    """Return licence, source and reference of every corpus that has clips, as the summary states them."""
    terms = summary.terms
    return {
        "Corpus": [SOURCES[row.corpus].title for row in terms],
        "Licence": [row.licence for row in terms],
        "Commercial use": [row.commercial for row in terms],
        "Where it comes from": [row.url for row in terms],
        "Cite": [row.reference for row in terms],
        "What it is": [SOURCES[row.corpus].recorded for row in terms],
        "Language": [SOURCES[row.corpus].language for row in terms],
    }


def left_out_table(summary: Summary, corpora: Sequence[str]) -> Columns:
    """Return the files that were recognised and not counted, with the reasons."""
    rows = [item for item in summary.left_out if item.corpus in corpora]
    return {
        "Corpus": [SOURCES[row.corpus].title for row in rows],
        "File": [row.file for row in rows],
        "Reason": [row.reason for row in rows],
    }


def as_csv(columns: Mapping[str, Sequence[str | int | float | None]]) -> str:
    """Return columns as RFC 4180 text; no cell is run as a formula by a spreadsheet."""
    rows = zip(*columns.values(), strict=True)
    return table(tuple(columns), (tuple(_cell(value) for value in row) for row in rows))


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return ""
    return text(value) if isinstance(value, str) else str(value)


def _median(summary: Summary, measure: str, corpus: str, decimals: int) -> float | None:
    spread = summary.spread(measure, corpus)
    return round(spread.quantiles[3], decimals) if spread is not None and spread.quantiles else None
