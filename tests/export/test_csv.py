from __future__ import annotations

import csv
import dataclasses
import io

import numpy as np
import pytest

from blipper.csv_cells import score, seconds, text
from blipper.export.csv import (
    EVENT_COLUMNS,
    WINDOW_COLUMNS,
    events_csv,
    interruptions_csv,
    talk_csv,
    turns_csv,
    windows_csv,
)
from blipper.results import Analysis, Span
from blipper.speakers import turns_of_channel
from blipper.voice.labels import EMOTIONS


def rows(document: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document, newline=""), strict=True))


def test_events(analysis: Analysis) -> None:
    document = events_csv(analysis)
    assert document.splitlines()[0] == (
        "file,channel,speaker,start_s,end_s,duration_s,"
        "peak_time_s,peak_score,mean_score,leading_emotion,model,threshold,"
        "voice_share,words_share,carried_by,case"
    )
    assert rows(document) == [
        {
            "file": 'Gespräch, "2".wav',
            "channel": "left",
            "speaker": "Agent",
            "start_s": "1.000",
            "end_s": "2.000",
            "duration_s": "1.000",
            "peak_time_s": "1.250",
            "peak_score": "0.9000",
            "mean_score": "0.8500",
            "leading_emotion": "angry",
            "model": "mel-cnn",
            "threshold": "0.5000",
            **dict.fromkeys(("voice_share", "words_share", "carried_by", "case"), ""),  # no scored words
        }
    ]


def test_the_threshold_is_the_one_in_force(analysis: Analysis) -> None:
    moved = dataclasses.replace(analysis, settings={**analysis.settings, "threshold": 0.8})
    assert {row["threshold"] for row in rows(events_csv(moved))} == {"0.8000"}


def test_windows(analysis: Analysis) -> None:
    document = windows_csv(analysis)
    assert document.splitlines()[0].split(",") == list(WINDOW_COLUMNS)
    table = rows(document)
    assert [row["start_s"] for row in table] == ["0.000", "1.000"]
    assert [row["aggression"] for row in table] == ["0.1000", "0.9500"]
    scores = np.array([[float(row[name]) for name in EMOTIONS] for row in table])
    np.testing.assert_allclose(scores, analysis.tracks[0].windows.emotions, atol=5.1e-5)


def test_turns(analysis: Analysis) -> None:
    assert [row["speaker"] for row in rows(turns_csv(analysis))] == ["Agent", "Agent"]
    assert rows(turns_csv(analysis))[1] == {
        "file": 'Gespräch, "2".wav',
        "channel": "left",
        "speaker": "Agent",
        "start_s": "1.000",
        "end_s": "2.000",
        "duration_s": "1.000",
        "level_lufs": "-21.5",
    }


def test_talk(analysis: Analysis) -> None:
    (row,) = rows(talk_csv(analysis))
    assert row["talk_s"] == "1.500"
    assert row["share"] == "1.0000"
    assert row["loudest_turn_lufs"] == "-21.5"
    nobody = dataclasses.replace(
        analysis, tracks=tuple(dataclasses.replace(track, turns=()) for track in analysis.tracks)
    )
    assert rows(talk_csv(nobody)) == rows(turns_csv(nobody)) == []
    assert [row["speaker"] for row in rows(events_csv(nobody))] == [""]


def test_interruptions(analysis: Analysis) -> None:
    spans = ((Span(0.0, 5.0),), (Span(4.0, 8.0),))
    tracks = tuple(
        dataclasses.replace(track, speech=own, turns=turns_of_channel(own, name))
        for track, own, name in zip(analysis.tracks, spans, ("Agent", "=Anna"), strict=True)
    )
    assert rows(interruptions_csv(dataclasses.replace(analysis, tracks=tracks))) == [
        {
            "file": 'Gespräch, "2".wav',
            "start_s": "4.000",
            "speaker": "'=Anna",
            "interrupted": "Agent",
            "overlap_s": "1.000",
        }
    ]
    assert rows(interruptions_csv(analysis)) == []


def test_rfc_4180(analysis: Analysis) -> None:
    document = events_csv(analysis)
    assert document.count("\r\n") == document.count("\n") == 2
    assert document.endswith("\r\n")
    assert '"Gespräch, ""2"".wav"' in document
    assert not document.startswith("\ufeff")


def test_nothing_found_is_a_header_alone(analysis: Analysis) -> None:
    empty = dataclasses.replace(analysis, events=(), tracks=analysis.tracks[1:])
    assert events_csv(empty) == ",".join(EVENT_COLUMNS) + "\r\n"
    assert windows_csv(empty) == ",".join(WINDOW_COLUMNS) + "\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_file_name_never_becomes_a_formula(analysis: Analysis, start: str) -> None:
    name = start + 'HYPERLINK("http://x","y").wav'
    renamed = dataclasses.replace(
        analysis,
        provenance=dataclasses.replace(analysis.provenance, name=name),
        tracks=(dataclasses.replace(analysis.tracks[0], name=start + "left"), analysis.tracks[1]),
    )
    for document in (events_csv(renamed), windows_csv(renamed)):
        for row in rows(document):
            assert row["file"] == "'" + name
            assert row["channel"] == "'" + start + "left"


@pytest.mark.parametrize("name", ["call.wav", "a=b.wav", "2-1.wav", "me@home.wav", " =1.wav", ""])
def test_ordinary_names_stay(name: str) -> None:
    assert text(name) == name


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (-0.0001, "0.000"),
        (1 / 3, "0.333"),
        (14400.0, "14400.000"),
        (1e-9, "0.000"),
        (float("nan"), ""),
    ],
)
def test_seconds(value: float, cell: str) -> None:
    assert seconds(value) == cell


def test_score() -> None:
    assert score(np.float32(0.1)) == "0.1000"
    assert score(1) == "1.0000"


def test_duration_is_the_difference_of_the_printed_times(analysis: Analysis) -> None:
    event = dataclasses.replace(analysis.events[0], start=0.0004, end=1.0006)
    (row,) = rows(events_csv(dataclasses.replace(analysis, events=(event,))))
    assert (row["start_s"], row["end_s"], row["duration_s"]) == ("0.000", "1.001", "1.001")
