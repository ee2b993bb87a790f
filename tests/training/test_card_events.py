"""The card's sections from an evaluation: there when measured, with the figures of the metrics."""

from __future__ import annotations

from blipper.training import card_events
from blipper.training.evaluate import gaps
from tests.evaluated import described, made_up


def test_sections_are_there_when_measured() -> None:
    found = described(made_up(), "0" * 64)
    scenes, alarms = card_events.sections(found)
    assert f"{found['scenes']['recall']['value']:.3f}" in scenes
    rare = found["scenes"]["shortest"]["3"]["recall"]["value"]
    row = next(line for line in scenes.splitlines() if line.startswith("| 3 |"))
    assert f"| {rare:.3f} [" in row
    del found["scenes"]["shortest"]  # measured before it was
    assert "shortest event" not in card_events.sections(found)[0]
    assert "4.0 [2.0, 6.0]" in alarms
    assert "no alarm" in alarms
    assert "up to\n30 an hour" in alarms or "up to 30 an hour" in alarms
    test = found["test"]
    more = found | {
        "cross_validation": {"folds": [1, 2], "test": test},
        "left_out": {"savee": {"own": test["corpora"]["savee"], "common": test["common"]}},
    }
    folds, left_out, *_ = card_events.sections(more)
    assert "## Folds 1, 2 of 6" in folds
    assert "Trained for folds 1, 2 with" in folds
    more["cross_validation"] = {"folds": [1, 2, 3, 4, 5, 6], "test": test}
    assert "## All folds" in card_events.sections(more)[0]
    assert f"| RAVDESS | {test['corpora']['ravdess']['clips']} | 3 |" in folds
    assert f"| SAVEE | {test['common']['clips']} |" in left_out
    assert card_events.sections({}) == []


def test_gaps_of_groups() -> None:
    rows = [row for row in made_up() if row.corpus == "crema-d"]
    groups = gaps(rows, 0.5, {"age": {"1001": "20 to 29", "1002": "20 to 29", "1003": "30 to 39",
                                      "1004": "30 to 39"}}, resamples=30)  # fmt: skip
    (section,) = card_events.sections({"groups": groups})
    young = groups["crema-d"]["age (CREMA-D)"]["20 to 29"]
    assert f"| age | 20 to 29 | {young['clips']} | 2 | {young['accuracy']['value']:.3f} [" in section
    assert f"| {young['accuracy']['gap']:+.3f} [" in section
