"""``tools/study.py``: the page's table is that of the study beside it."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from tools.study import KEPT, PAGE, rewrite, table


def trial(number: int, score: float | None, dropout: float) -> dict[str, Any]:
    return {
        "number": number,
        "score": score,
        "values": {"dropout": dropout, "balance": "root"},
        "figures": {} if score is None else {"score": score, "angry_roc_auc": 0.9},
    }


def test_the_best_stand_beside_the_recipe_as_it_is() -> None:
    trials = [trial(0, 0.7, 0.4), trial(1, None, 0.1), trial(2, 0.71, 0.1), trial(3, 0.72, 0.25)]
    study = {
        "searched": ["dropout", "balance"],
        "settings": {"at first": {"dropout": 0.4, "balance": "root"}},
        "trials": [*trials, trial(4, 0.6, 0.5), trial(5, 0.65, 0.55)],
    }
    assert table(study).splitlines() == [
        "| | as it is | trial 3 | trial 2 | trial 5 |",
        "|---|---|---|---|---|",
        "| score | 0.700 | 0.720 | 0.710 | 0.650 |",
        "| angry_roc_auc | 0.900 | 0.900 | 0.900 | 0.900 |",
        "| `dropout` | 0.4 | 0.25 | 0.1 | 0.55 |",
        "| `balance` | root | root | root | root |",
    ]


def test_the_page_shows_the_study_that_is_kept() -> None:
    study = json.loads(KEPT.with_suffix(".json").read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    assert rewrite(text, study) == text
    best = study["trials"][study["best"]]["score"]
    with KEPT.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        scores = [float(row["score"]) for row in csv.DictReader(file) if row["score"]]
    assert max(scores) == pytest.approx(best)
    finished = sum(one["state"] in ("finished", "ended early") for one in study["trials"])
    assert f"{finished} trials" in " ".join(text.split())
    assert KEPT.with_suffix(".png").stat().st_size > 10_000
