"""RTTM read as its definition says (ten fields a line, separated by white space), and by pyannote."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from blipper.export import write_analysis
from blipper.export.rttm import turns_rttm
from blipper.results import Analysis
from blipper.speakers.turns import Turn


def read(document: str) -> list[tuple[str, int, float, float, str]]:
    """Read SPEAKER lines: file, channel, onset, duration, name."""
    rows = []
    for line in document.splitlines():
        kind, file, channel, onset, duration, text, sort, name, confidence, lookahead = line.split()
        assert (kind, text, sort, confidence, lookahead) == ("SPEAKER", "<NA>", "<NA>", "<NA>", "<NA>")
        rows.append((file, int(channel), float(onset), float(duration), name))
    return rows


def test_speech_stands_under_its_channels_name(analysis: Analysis) -> None:
    track = dataclasses.replace(analysis.tracks[0], turns=())
    assert read(turns_rttm(dataclasses.replace(analysis, tracks=(track, analysis.tracks[1])))) == [
        ('Gespräch,_"2"', 1, 0.0, 0.5, "left"),
        ('Gespräch,_"2"', 1, 1.0, 1.0, "left"),
    ]


def test_turns_come_first_in_order_of_time(analysis: Analysis) -> None:
    turns = ((Turn(1.0, 2.0, "Agent"), Turn(4.0, 4.0, "Agent")), (Turn(0.25, 1.5, "Customer Anna"),))
    tracks = tuple(
        dataclasses.replace(track, turns=own) for track, own in zip(analysis.tracks, turns, strict=True)
    )
    rows = read(turns_rttm(dataclasses.replace(analysis, tracks=tracks)))
    assert [row[1:] for row in rows] == [
        (2, 0.25, 1.25, "Customer_Anna"),
        (1, 1.0, 1.0, "Agent"),
        (1, 4.0, 0.001, "Agent"),
    ]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("A B", "A_B"), ["A_B", "A_B_2"]),
        (("\n", " "), ["unnamed", "unnamed_2"]),
        (("דנה", "<b>\t😀"), ["דנה", "<b>_😀"]),
    ],
)
def test_names_stay_apart_and_are_one_field(
    analysis: Analysis, labels: tuple[str, str], names: list[str]
) -> None:
    turns = tuple(Turn(float(number), number + 1.0, label) for number, label in enumerate(labels))
    track = dataclasses.replace(analysis.tracks[0], turns=turns)
    rows = read(turns_rttm(dataclasses.replace(analysis, tracks=(track,))))
    assert [row[-1] for row in rows] == names


def test_nobody_is_no_line(analysis: Analysis) -> None:
    assert turns_rttm(dataclasses.replace(analysis, tracks=analysis.tracks[1:])) == ""


def test_pyannote_reads_the_speakers(analysis: Analysis, tmp_path: Path) -> None:
    util = pytest.importorskip(
        "pyannote.database.util", reason="needs pyannote.database (pip install pyannote.database)"
    )
    turns = ((Turn(1.0, 2.0, "Agent"), Turn(4.0, 5.5, "Agent")), (Turn(0.25, 1.5, "Customer Anna"),))
    tracks = tuple(
        dataclasses.replace(track, turns=own) for track, own in zip(analysis.tracks, turns, strict=True)
    )
    path = tmp_path / "call.rttm"
    write_analysis(dataclasses.replace(analysis, tracks=tracks), path)
    (found,) = util.load_rttm(path).values()
    assert [
        (round(segment.start, 3), round(segment.end, 3), who)
        for segment, _, who in found.itertracks(yield_label=True)
    ] == [(0.25, 1.5, "Customer_Anna"), (1.0, 2.0, "Agent"), (4.0, 5.5, "Agent")]
    assert found.label_duration("Agent") == pytest.approx(2.5)
