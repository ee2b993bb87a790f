"""The figures of the voice models' page are those of the predictions that ship."""

from __future__ import annotations

import json

import pytest

from blipper.evaluation import Evaluation, read_evaluation
from blipper.training.assess import recompute
from blipper.training.card import render
from blipper.training.splits import FOLDS, leave_out
from tools.voice_figures import BESIDE, LEFT_OUT, MODELS, PAGE, evaluations, rewrite

MODEL = MODELS / "whisper-cnn"


@pytest.fixture(scope="module")
def shipped() -> Evaluation:
    return read_evaluation(MODEL)


def test_the_page_shows_what_metrics_json_says(shipped: Evaluation) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rewrite(text, evaluations()) == text
    accuracy = shipped.metrics["left_out"]["savee"]["common"]["accuracy"]["value"]
    assert f"| SAVEE | 420 | 4 | {accuracy:.3f} (" in text.split(LEFT_OUT)[1]
    beside = text.split(BESIDE)[1].split("\n\n")[0]
    for path in MODELS.glob("*-cnn*"):
        assert f"| {path.name} " in beside


@pytest.mark.parametrize("name", ["whisper-cnn", "mel-cnn"])
def test_every_corpus_was_left_out_whole(name: str) -> None:
    found = read_evaluation(MODELS / name)
    for corpus in FOLDS if name == "whisper-cnn" else found.metrics["left_out"]:
        rows = [row for row in found.left_out if row.fold == corpus]
        assert {(row.corpus, row.speaker) for row in rows} == leave_out(corpus).test
        assert len({row.key for row in rows}) == len(rows)
        # The clips of the folds and those of the corpus left out are the same.
        assert {row.key for row in rows} == {row.key for row in found.crossed if row.corpus == corpus}


@pytest.mark.parametrize("name", ["whisper-cnn", "mel-cnn"])
def test_metrics_json_and_the_card_follow_from_the_predictions(name: str) -> None:
    folder = MODELS / name
    shipped = read_evaluation(folder)
    found = recompute(folder, None, shipped.metrics, shipped.config)
    assert found["left_out"] == shipped.metrics["left_out"]
    written = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == render(written, shipped.config)
