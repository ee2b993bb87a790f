"""The figures of trust that ship, and the note that tells of them."""

from __future__ import annotations

import json

import pytest

from blipper import models_dir
from blipper.explain.trust import read_explanations
from blipper.results import ModelInfo


@pytest.mark.parametrize(("model", "clips"), [("mel-cnn", 200)])
def test_the_shipped_figures_are_of_the_shipped_weights_and_enough_clips(model, clips):
    config = json.loads((models_dir() / model / "config.json").read_text(encoding="utf-8"))
    found = read_explanations(ModelInfo(model, config["sha256"], 0.5))
    assert found is not None
    assert found["clips"] >= clips
    assert found["split"] == "test speakers of fold 1"
    assert set(found["curves"]) == {"integrated gradients", "shap", "random", "loudness"}


def test_the_note_says_what_explanations_json_says():
    from tools.explanations import NOTE, measured, render

    models = measured()
    assert "mel-cnn" in {found["model"] for found in models}
    note = NOTE.read_text(encoding="utf-8")
    assert note == render(models)
    for found in models:
        assert f"{found['curves']['shap']['deletion_area']['mean']:.2f}" in note
