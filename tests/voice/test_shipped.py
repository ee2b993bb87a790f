"""The model that ships: its files fit each other, and it gives what its metrics say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper.datasets import read_corpora
from blipper.training.card import render
from blipper.training.evaluate import evaluate, read_predictions, score_clips
from blipper.training.splits import make_split
from blipper.training.train import METRICS, PREDICTIONS
from blipper.voice.models import VoiceModel, load_model

FOLDER = Path(__file__).parents[2] / "models" / "mel-cnn"


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    return json.loads((FOLDER / METRICS).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model() -> VoiceModel:
    return load_model("mel-cnn", FOLDER.parent)


def test_it_is_small_and_named(model: VoiceModel, metrics: dict[str, Any]) -> None:
    assert (FOLDER / "weights.safetensors").stat().st_size < 4_000_000
    assert model.info.name == metrics["model"]["name"] == "mel-cnn"
    assert model.info.sha256 == metrics["model"]["sha256"]
    assert model.info.threshold == metrics["model"]["threshold"]
    assert set(model.config["versions"]) >= {"tensorflow", "keras", "numpy"}


def test_figures_are_those_of_the_predictions(metrics: dict[str, Any]) -> None:
    scored = read_predictions(FOLDER / PREDICTIONS)
    again = evaluate(
        scored,
        metrics["model"]["threshold"],
        seed=metrics["settings"]["seed"],
        resamples=metrics["settings"]["resamples"],
    )
    assert again == metrics["test"]


def test_only_test_speakers_were_scored(metrics: dict[str, Any]) -> None:
    scored = read_predictions(FOLDER / PREDICTIONS)
    assert {(row.corpus, row.speaker) for row in scored} == make_split(1).test
    assert len({row.key for row in scored}) == len(scored)
    counts = {c: sum(row.corpus == c for row in scored) for c in ("crema-d", "ravdess", "savee", "tess")}
    assert counts == metrics["split"]["clips"]["test"]
    speakers = metrics["split"]["speakers"]
    for corpus in counts:
        taught = set(speakers["train"][corpus]) | set(speakers["validation"].get(corpus, []))
        assert not taught & set(speakers["test"][corpus])


def test_it_clears_the_floor(metrics: dict[str, Any]) -> None:
    common = metrics["test"]["common"]
    assert common["accuracy"]["value"] >= 0.57
    assert common["angry"]["roc_auc"]["value"] >= 0.88
    assert "tess" in metrics["test"]["corpora"]


def test_the_card_is_the_metrics(model: VoiceModel, metrics: dict[str, Any]) -> None:
    assert (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8") == render(metrics, model.config)


@pytest.mark.data
def test_scored_again_it_says_the_same(model: VoiceModel, data_dir: Path) -> None:
    written = {row.key: row for row in read_predictions(FOLDER / PREDICTIONS)}
    clips = [clip for clip in read_corpora(data_dir) if clip.key in written][::40]
    assert len(clips) > 50
    for row in score_clips(model, clips):
        assert row.aggression == pytest.approx(written[row.key].aggression, abs=2e-3), row.key
        assert np.allclose(row.emotions, written[row.key].emotions, atol=2e-3), row.key
        assert row.speech == written[row.key].speech


@pytest.mark.data
def test_an_angry_voice_scores_above_a_calm_one(model: VoiceModel, data_dir: Path) -> None:
    split = make_split(1)
    clips = [c for c in read_corpora(data_dir) if c.corpus == "ravdess" and split.side(c) == "test"]
    angry = [row.aggression for row in score_clips(model, [c for c in clips if c.emotion == "angry"][::4])]
    calm = [row.aggression for row in score_clips(model, [c for c in clips if c.emotion == "calm"][::4])]
    assert np.mean(angry) > np.mean(calm) + 0.3
