"""The companion on named features: its numbers, its file, its training, and what it says of made sounds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from blipper import audio
from blipper.errors import DatasetError, ModelError
from blipper.explain.features import (
    COMPANION,
    GROUPS,
    MEASURED,
    USED,
    Companion,
    explain_features,
    explain_vector,
    read_companion,
    select,
    write_companion,
)
from blipper.explain.reports import companion_accuracy, named_csv, named_dict, named_text
from blipper.explain.targets import TARGETS, probability
from blipper.figures.explain import waterfall_figure
from blipper.results import Span
from blipper.training.companion import Table, fit, gather

RATE = 16_000
FIGURES = {
    "split": "test speakers of fold 1", "clips": 10, "speakers": 2, "uar": 0.4, "emotions": 8,
    "roc_auc": {"aggression": 0.8},
}  # fmt: skip


def companion(**weights: float) -> Companion:
    """Return a companion that weighs only these features, the same for every target."""
    row = np.array([weights.get(name, 0.0) for name in USED])
    n = len(TARGETS)
    return Companion(np.full(len(USED), 2.0), np.tile(row, (n, 1)), np.full(n, -1.0), FIGURES)


def test_every_group_takes_features_that_there_are_and_none_twice():
    assert set(USED) <= set(MEASURED)
    assert len(USED) == len(set(USED))
    for group in GROUPS:
        assert set(group.key) <= set(group.features)
    labels = [label for group in GROUPS for label in {group.more, group.less}]
    assert len(labels) == len(set(labels))


def test_shares_are_weight_times_deviation_and_add_up():
    rng = np.random.default_rng(0)
    made = companion(rms_mean=1.5, f0_median=-0.5, zcr_mean=0.2)
    made = Companion(made.scale, rng.normal(0, 0.3, made.weights.shape), made.intercepts, FIGURES)
    relative = rng.normal(0, 2, len(USED))
    named = explain_vector(relative, made, target="sad")
    row = made.weights[TARGETS.index("sad")]
    by_feature = dict(zip(USED, row * relative / 2.0, strict=True))
    for share in named.shares:
        (group,) = [group for group in GROUPS if group.name == share.name]
        assert share.value == pytest.approx(sum(by_feature[name] for name in group.features))
        assert share.label == (group.more if share.deviation >= 0 else group.less)
    odds = made.log_odds(relative[None])[0, TARGETS.index("sad")]
    assert named.base + sum(share.value for share in named.shares) == pytest.approx(odds)
    assert named.score == pytest.approx(float(probability(odds)))
    assert named.usual_score == pytest.approx(float(probability(-1.0)))


def voice(pitch: float, level: float, seconds: float = 1.5) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 12))
    noise = np.random.default_rng(int(pitch)).normal(0, 0.002, len(time))
    return (level * buzz + noise).astype(np.float32)


def test_a_louder_and_higher_stretch_is_called_so():
    parts = [voice(120 + i, 0.05) for i in range(6)]
    parts[3] = voice(200, 0.2)
    recording = audio.from_samples(np.concatenate(parts), RATE)
    spans = [Span(1.5 * i, 1.5 * (i + 1)) for i in range(6)]
    made = companion(rms_mean=1.0, f0_median=0.01)
    named = explain_features(recording, spans[3], spans, made)
    assert named is not None
    assert named.stretches == 6
    labels = {share.name: share.label for share in named.shares}
    assert labels["loudness"] == "louder than usual"
    assert labels["pitch"] == "pitch raised"
    assert named.score > named.usual_score
    calm = explain_features(recording, spans[0], spans, made)
    assert {share.name: share.label for share in calm.shares}["loudness"] == "quieter than usual"
    assert explain_features(recording, spans[0], spans[:3], made) is None


def test_text_table_and_figure_hold_the_shares_and_the_accuracy():
    made = companion(rms_mean=1.0, f0_median=-0.4)
    named = explain_vector(np.linspace(-1, 1, len(USED)), made, target="aggression", stretches=7)
    assert "not the model that scores" in companion_accuracy(made, "aggression")
    assert "ROC-AUC 0.80" in named_text(named, made)
    assert "too little other speech" in named_text(None, made)
    assert len(named_csv(named).splitlines()) == 1 + len(GROUPS)
    document = json.loads(json.dumps(named_dict(named, made)))
    total = document["base_log_odds"] + sum(group["log_odds"] for group in document["groups"])
    assert float(probability(total)) == pytest.approx(document["companion_score"])
    (bars,) = waterfall_figure(named).data
    assert bars.base + sum(bars.x[:-1]) == pytest.approx(total)
    assert bars.measure[-1] == "total"


def test_training_finds_what_decides_and_measures_it_on_others():
    rng = np.random.default_rng(5)
    emotions, speakers, sides, rows = [], [], [], []
    place = MEASURED.index("rms_mean")
    for number in range(30):
        side = "test" if number < 6 else "validation" if number < 10 else "train"
        for clip in range(16):
            emotion = ("angry", "neutral", "sad", "happy")[clip % 4]
            row = rng.normal(0, 1, len(MEASURED))
            row[place] += 50 * number + (6 if emotion == "angry" else 0)  # a speaker's own level hides it
            rows.append(row)
            emotions.append(emotion)
            speakers.append(f"c/{number}")
            sides.append(side)
    # All emotions must be there for every target to have a classifier.
    for number, emotion in enumerate(("calm", "fear", "disgust", "surprise") * 2):
        row = rng.normal(0, 1, len(MEASURED))
        row[place] += 50 * (10 + number)
        rows.append(row)
        emotions.append(emotion)
        speakers.append(f"c/{10 + number}")
        sides.append("train")
    made = fit(Table(np.array(rows), sides, speakers, emotions))
    assert made.figures["roc_auc"]["aggression"] > 0.95
    assert made.figures["roc_auc"]["happy"] < 0.75
    assert made.figures["speakers"] == 6
    assert made.figures["clips"] == 96
    weights = made.weights[TARGETS.index("aggression")]
    assert USED[int(np.abs(weights).argmax())] == "rms_mean"
    assert select(np.array(rows)).shape == (len(rows), len(USED))


def test_a_companion_survives_its_file_and_damage_is_named(tmp_path):
    made, path = companion(rms_mean=1.25), tmp_path / "c.json"
    write_companion(made, path)
    found = read_companion(path)
    np.testing.assert_allclose(found.weights, made.weights)
    assert found.figures == FIGURES
    held = json.loads(path.read_text())
    for change in ({"features": ["a"]}, {"scale": [0.0] * len(USED)}, {"weights": "none"}):
        path.write_text(json.dumps({**held, **change}))
        with pytest.raises(ModelError, match=r"c\.json"):
            read_companion(path)
    with pytest.raises(ModelError, match="cannot be read"):
        read_companion(tmp_path / "missing.json")


def test_the_shipped_companion_is_measured_on_unseen_speakers():
    found = read_companion()
    assert COMPANION.stat().st_size < 200_000
    figures = found.figures
    assert figures["split"] == "test speakers of fold 1"
    assert figures["clips"] >= 200
    assert 0.5 < figures["roc_auc"]["aggression"] < 1
    assert 1 / figures["emotions"] < figures["uar"] < 1


def test_no_corpora_is_an_error(tmp_path):
    with pytest.raises(DatasetError):
        gather(tmp_path)
