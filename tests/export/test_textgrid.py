"""TextGrids opened again by praatio."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from praatio import textgrid as praat
from praatio.data_classes.textgrid import Textgrid

from blipper.export import write_analysis
from blipper.results import Analysis
from blipper.speakers.turns import Turn
from tests.export.test_subtitles import said, visible


def opened(analysis: Analysis, folder: Path) -> Textgrid:
    """Write and read back; empty intervals are kept, and anything out of order is an error."""
    path = folder / "call.TextGrid"
    write_analysis(analysis, path)
    return praat.openTextgrid(
        str(path), includeEmptyIntervals=True, reportingMode="error", duplicateNamesMode="error"
    )


def texts(grid: Textgrid, tier: str) -> list[str]:
    return [visible(entry.label) for entry in grid.getTier(tier).entries if entry.label]


def assert_tiled(grid: Textgrid, duration: float) -> None:
    for tier in grid.tiers:
        entries = tier.entries
        assert entries[0].start == 0
        assert entries[-1].end == duration
        for one, other in itertools.pairwise(entries):
            assert one.end == other.start
        assert all(entry.end > entry.start for entry in entries)


def test_tiers_tile_the_file_and_hold_everything(talk: Analysis, tmp_path: Path) -> None:
    grid = opened(talk, tmp_path)
    assert grid.tierNames == (
        *("left: speech", "left: events", "left: utterances", "left: utterances (2)", "left: words"),
        *("right: speech", "right: events", "right: utterances (rough draft)", "right: words (rough draft)"),
        "right: words (rough draft) (2)",
    )
    assert_tiled(grid, 20.0)
    assert texts(grid, "left: utterances") + texts(grid, "left: utterances (2)") == [
        *(text for number, text in enumerate(said(talk, 0)) if number != 3),
        said(talk, 0)[3],  # the one that the third runs into
    ]
    assert texts(grid, "left: events") == ["[event 1: sounds angry, peak score 0.90, mostly angry]"]
    assert texts(grid, "right: speech") == []
    assert texts(grid, "left: speech") == ["speech", "speech"]


def test_a_word_without_length_does_not_push_its_neighbour_away(talk: Analysis, tmp_path: Path) -> None:
    words = dataclasses.replace(
        talk.tracks[1].transcript,
        utterances=(dataclasses.replace(talk.tracks[1].transcript.utterances[0]),),  # type: ignore[union-attr]
    )
    grid = opened(
        dataclasses.replace(talk, tracks=(dataclasses.replace(talk.tracks[1], transcript=words),)), tmp_path
    )
    assert texts(grid, "words (rough draft)") == ["way"]
    (short,) = [entry for entry in grid.getTier("words (rough draft) (2)").entries if entry.label]
    assert (short.start, short.end, short.label) == (0.5, 0.501, "no")
    assert_tiled(grid, 20.0)


def test_without_a_transcript_its_tiers_are_left_out(analysis: Analysis, tmp_path: Path) -> None:
    track = dataclasses.replace(analysis.tracks[0], turns=())
    grid = opened(dataclasses.replace(analysis, tracks=(track,)), tmp_path)
    assert grid.tierNames == ("speech", "events")
    assert_tiled(grid, 2.0)


def test_speakers_have_a_tier(analysis: Analysis, tmp_path: Path) -> None:
    turns = (Turn(0.0, 1.0, 'Speaker "A"'), Turn(1.0, 2.0, "B"))
    grid = opened(
        dataclasses.replace(analysis, tracks=(dataclasses.replace(analysis.tracks[0], turns=turns),)),
        tmp_path,
    )
    assert [(e.start, e.end, e.label) for e in grid.getTier("speakers").entries] == [
        (0.0, 1.0, 'Speaker "A"'),
        (1.0, 2.0, "B"),
    ]


@pytest.mark.parametrize("duration", [0.0004, 0.3, 7.12345, 14_400.0])
def test_any_duration(analysis: Analysis, tmp_path: Path, duration: float) -> None:
    short = dataclasses.replace(analysis, duration=duration)
    grid = opened(short, tmp_path)
    assert_tiled(grid, max(0.001, int(duration * 1000 + 1e-6) / 1000))
