"""The figures of trust that ship, and the note that tells of them."""

from __future__ import annotations

import json

from blipper import models_dir
from blipper.explain.trust import read_explanations
from blipper.results import ModelInfo


def test_the_shipped_figures_are_of_the_shipped_weights_and_enough_clips():
    config = json.loads((models_dir() / "mel-cnn" / "config.json").read_text(encoding="utf-8"))
    found = read_explanations(ModelInfo("mel-cnn", config["sha256"], 0.5))
    assert found is not None
    assert found["clips"] >= 200
    assert found["split"] == "test speakers of fold 1"
    assert set(found["curves"]) == {"integrated gradients", "shap", "random", "loudness"}


def test_the_note_says_what_explanations_json_says():
    from tools.explanations import FIGURES, NOTE, render

    found = json.loads(FIGURES.read_text(encoding="utf-8"))
    note = NOTE.read_text(encoding="utf-8")
    assert note == render(found)
    assert f"{found['curves']['shap']['deletion_area']['mean']:.2f}" in note
