"""Figures of trust: on a model whose explanation is known, and those that ship."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from blipper.errors import ModelError, SettingsError
from blipper.explain import faithfulness_clip
from blipper.explain.background import Background
from blipper.explain.faithfulness import better, faithfulness
from blipper.explain.faithfulness_clip import SHARES, Sound
from blipper.explain.trust import EXPLANATIONS, conclusions, read_explanations, write_explanations
from blipper.figures.explain import band_profiles_figure, faithfulness_figure
from blipper.results import ModelInfo
from tests.explain.made import FRONT, linear_model

RATE = 16_000


@pytest.fixture(scope="module")
def made() -> tuple[Any, list[Sound], Background]:
    rng = np.random.default_rng(7)
    weights = np.zeros((FRONT.frames, FRONT.mels))
    weights[:, 4:8] = 0.01  # four bands alone decide
    model = linear_model(weights)
    background = Background(
        tuple(rng.normal(0.0, 0.3, (60, FRONT.mels)).astype(np.float32) for _ in range(3)), {}, "noise"
    )
    sounds = [
        Sound(
            rng.normal(0, 0.1, RATE + 2000).astype(np.float32), ("angry", "sad")[i % 2], f"speaker {i // 4}"
        )
        for i in range(16)
    ]
    return model, sounds, background


@pytest.fixture(scope="module")
def measured(made) -> dict:
    return faithfulness(*made)


def test_a_right_explanation_beats_chance_and_loudness(measured):
    for name in ("integrated gradients", "shap"):
        assert better(measured, name, "random")
        assert better(measured, name, "loudness")
        curve = measured["curves"][name]
        # Four of 24 bands are a sixth of the blocks: with a fifth of them out, nothing is left.
        assert curve["deletion"][SHARES.index(0.2)] == pytest.approx(0, abs=0.1 * curve["deletion"][0])
        assert curve["insertion"][SHARES.index(0.2)] == pytest.approx(curve["deletion"][0], rel=0.1)
    assert not better(measured, "random", "random")


def test_curves_begin_and_end_where_they_must(measured):
    whole = measured["curves"]["random"]["deletion"][0]
    assert whole > 0
    for curve in measured["curves"].values():
        assert curve["clips"] == 16
        assert curve["deletion"][0] == curve["insertion"][-1] == pytest.approx(whole)
        assert curve["deletion"][-1] == curve["insertion"][0] == pytest.approx(0, abs=1e-3)
        for area in (curve["deletion_area"], curve["insertion_area"]):
            assert area["low"] <= area["mean"] <= area["high"]


def test_a_linear_model_adds_up_and_its_bands_are_found(measured):
    assert measured["completeness"]["highest_of_95_percent"] < 0.01
    profile = np.array(measured["band_profiles"]["angry"]["mean"])
    assert np.abs(profile[4:8]).min() > 10 * np.abs(np.delete(profile, range(4, 8))).max()
    assert measured["band_profiles"]["angry"]["clips"] == 8


def test_a_failed_check_is_told(measured):
    """This model has no weights to shuffle, so its maps survive the shuffling."""
    assert measured["shuffled_weights"]["mean_correlation"] == pytest.approx(1.0)
    text = " ".join(conclusions(measured))
    assert "part of the map is the sound alone" in text
    assert "far better than chance" in text
    worse = json.loads(json.dumps(measured))
    for name in ("integrated gradients", "shap"):
        worse["curves"][name] = worse["curves"]["loudness"]
    worse["small_shift"]["mean_correlation"] = 0.3
    text = " ".join(conclusions(worse))
    assert "Integrated gradients do not beat" in text
    assert "SHAP does not beat" in text
    assert "Read no details" in text


def test_figures_show_every_order_and_emotion(measured):
    curves = faithfulness_figure(measured)
    assert [trace.name for trace in curves.data if trace.showlegend] == [
        "Integrated gradients", "Random", "Loudness", "SHAP",
    ]  # fmt: skip
    assert len({trace.line.dash for trace in curves.data}) == 4
    heat = band_profiles_figure(measured)
    assert list(heat.data[0].y) == ["Angry", "Sad"]
    assert heat.data[0].z.shape == (2, FRONT.mels)


def test_figures_of_other_weights_are_refused(measured, tmp_path):
    info = ModelInfo("made", "a" * 64, 0.5)
    assert read_explanations(info, tmp_path) is None
    (tmp_path / "made").mkdir()
    write_explanations({**measured, "sha256": "a" * 64}, tmp_path / "made")
    found = read_explanations(info, tmp_path)
    assert found is not None
    assert found["curves"] == measured["curves"]
    with pytest.raises(ModelError, match="measured on weights aaaa"):
        read_explanations(ModelInfo("made", "b" * 64, 0.5), tmp_path)
    (tmp_path / "made" / EXPLANATIONS).write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        read_explanations(info, tmp_path)


def test_an_interrupted_measurement_goes_on_to_the_same_end(made, measured, tmp_path, monkeypatch):
    def stop_at_ten(_step: str, done: float, _total: float) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        faithfulness(*made, keep=tmp_path / "kept", progress=stop_at_ten)
    walked = []
    walk = faithfulness_clip.walk
    monkeypatch.setattr(faithfulness_clip, "walk", lambda *given: walked.append(1) or walk(*given))
    assert faithfulness(*made, keep=tmp_path / "kept") == measured
    alone = len(walked)
    assert faithfulness(*made, keep=tmp_path / "kept") == measured
    assert len(walked) == alone  # all is kept by now
    assert (
        faithfulness(*made, keep=tmp_path / "kept", seed=1) != measured
    )  # and nothing of it where it does not fit
    assert len(walked) - alone == alone / 6 * 16  # ten clips of sixteen were kept


def test_no_sound_is_refused():
    with pytest.raises(SettingsError, match="no clip"):
        faithfulness(None, [], None)  # type: ignore[arg-type]
