"""Figures of scored clips, their file, and alarms on files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.errors import DatasetError
from blipper.results import ModelInfo
from blipper.training.evaluate import (
    Scored,
    evaluate,
    false_alarms,
    read_predictions,
    score_file,
    write_predictions,
)
from blipper.voice.labels import EMOTIONS


def scored(emotion: str, guessed: str, aggression: float, **changes: object) -> Scored:
    shares = tuple(0.65 if name == guessed else 0.05 for name in EMOTIONS)
    row = Scored("k", "crema-d", "1001", "male", emotion, "high", True, aggression, shares)
    return replace(row, **changes)  # type: ignore[arg-type]


class Loudness:
    """A stand-in for a voice model: aggression is how loud a window is."""

    info = ModelInfo("loudness", "", 0.5)

    def score_windows(self, samples, rate, starts, ends):  # type: ignore[no-untyped-def]
        aggression = [
            np.abs(samples[round(a * rate) : round(b * rate)]).max()
            for a, b in zip(starts, ends, strict=True)
        ]
        return np.full((len(starts), 8), 0.125, np.float32), np.array(aggression, np.float32)


def test_figures_in_closed_form() -> None:
    rows = [
        scored("angry", "angry", 0.9),
        scored("angry", "sad", 0.4, speaker="1002", sex="female"),
        scored("neutral", "neutral", 0.1),
        scored("sad", "sad", 0.6, speaker="1002", sex="female", speech=False),
        scored("surprise", "surprise", 0.2, corpus="tess", speaker="OAF", sex="female"),
    ]
    found = evaluate(rows, 0.5, resamples=50)
    crema = found["corpora"]["crema-d"]
    assert crema["clips"] == 4
    assert crema["accuracy"]["value"] == 0.75
    assert crema["uar"]["value"] == pytest.approx((0.5 + 1 + 1) / 3, abs=1e-4)
    assert crema["accuracy"]["interval"] == [0.5, 1.0]
    assert crema["classes"] == ["neutral", "sad", "angry"]
    assert crema["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    angry = crema["angry"]
    assert angry["roc_auc"]["value"] == 0.75
    assert (angry["found"], angry["precision"], angry["false_alarm_share"]) == (0.5, 0.5, 0.5)
    assert found["corpora"]["tess"]["accuracy"]["interval"] is None  # one speaker says nothing of others
    assert "angry" not in found["corpora"]["tess"]
    assert found["common"]["clips"] == found["all"]["clips"] == 4
    assert found["by_sex"]["male"]["accuracy"]["value"] == 1.0
    assert found["by_sex"]["female"]["accuracy"]["value"] == 0.5
    assert found["without_speech"] == 1


def test_predictions_go_through_a_file_and_give_the_same_figures(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    rows = [
        scored(
            str(rng.choice(EMOTIONS)),
            str(rng.choice(EMOTIONS)),
            round(float(rng.random()), 6),
            key=f"x/{i}",
            speaker=str(i % 7),
        )
        for i in range(200)
    ]
    write_predictions(tmp_path / "p.csv", rows)
    again = read_predictions(tmp_path / "p.csv")
    assert list(again) == rows
    assert evaluate(again, 0.6, resamples=20) == evaluate(rows, 0.6, resamples=20)


def test_a_file_of_other_columns(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("key,score\na,1\n")
    with pytest.raises(DatasetError, match=r"p\.csv: columns \['key', 'score'\], expected \['key', 'corpus'"):
        read_predictions(tmp_path / "p.csv")


def test_alarms_are_runs_of_windows(tmp_path: Path) -> None:
    loud = np.full(16_000 * 12, 0.01, np.float32)
    loud[16_000 * 4 : 16_000 * 5] = 0.9  # every window that touches it is loud, in one run
    loud[-4000:] = 0.9  # and the last windows in another
    soundfile.write(tmp_path / "a.wav", loud, 16_000)
    soundfile.write(tmp_path / "b.wav", np.full(16_000, 0.01, np.float32), 16_000)
    files = [tmp_path / "a.wav", tmp_path / "b.wav"]
    found = false_alarms(Loudness(), files, 0.5, trim=False)  # type: ignore[arg-type]
    assert (found["files"], found["files_with_alarm"], found["alarms"]) == (2, 1, 2)
    assert found["seconds"] == 13.0
    assert found["alarms_per_hour"] == pytest.approx(2 / 13 * 3600, abs=0.01)
    assert found["highest"] == pytest.approx(0.9, abs=1e-3)
    heard = false_alarms(Loudness(), files, 0.5, trim=True)  # type: ignore[arg-type]
    assert (heard["with_speech"], heard["seconds"], heard["alarms_per_hour"]) == (0, 0.0, 0.0)


@pytest.mark.data
def test_a_clip_is_heard_where_somebody_speaks(data_dir: Path) -> None:
    path = data_dir / "ravdess" / "Actor_01" / "03-01-05-02-01-01-01.opus"
    speech, emotions, aggression, seconds = score_file(Loudness(), path)  # type: ignore[arg-type]
    assert speech
    assert 0.5 < seconds < soundfile.info(path).duration
    assert emotions.shape == (len(aggression), 8)
