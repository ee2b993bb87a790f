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
    gaps,
    read_predictions,
    score_file,
    write_predictions,
)
from blipper.training.scoring import uncalibrated
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import Calibration
from blipper.voice.windows import Margins


def scored(emotion: str, guessed: str, aggression: float, **changes: object) -> Scored:
    shares = tuple(0.65 if name == guessed else 0.05 for name in EMOTIONS)
    row = Scored("k", "crema-d", "1001", "male", emotion, "high", True, aggression, shares)
    return replace(row, **changes)  # type: ignore[arg-type]


class Loudness:
    """A stand-in for a voice model: aggression is how loud a window is."""

    info = ModelInfo("loudness", "", 0.5)

    margins = Margins()

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


def test_optional_columns_go_through_the_file(tmp_path: Path) -> None:
    raw = tuple(round(0.1 * i, 6) for i in range(9))
    rows = [scored("sad", "sad", 0.25, key=f"x/{i}", fold=str(i), seconds=1.5 + i, raw=raw) for i in range(3)]
    write_predictions(tmp_path / "p.csv", rows)
    assert list(read_predictions(tmp_path / "p.csv")) == rows
    # What one clip lacks no clip gets: a column is whole or not there.
    write_predictions(tmp_path / "p.csv", [*rows, scored("sad", "sad", 0.25)])
    again = read_predictions(tmp_path / "p.csv")
    assert [row.fold for row in again] == ["0", "1", "2", ""]
    assert {row.seconds for row in again} == {None}
    assert {row.raw for row in again} == {()}


def test_a_calibration_can_be_taken_back(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 2, (50, 9))
    plain = Calibration().apply(logits)
    calibration = Calibration(temperature=0.8, slope=1.3, intercept=0.4)
    emotions, aggression = uncalibrated(*calibration.apply(logits), calibration)
    assert np.allclose(emotions, plain[0], atol=1e-5)
    assert np.allclose(aggression, plain[1], atol=1e-5)


def test_calibration_before_and_after_in_closed_form() -> None:
    sure = (1.0, *(1.0 if name == "angry" else 0.0 for name in EMOTIONS))
    rows = [scored("angry", "angry", 0.75, key=str(i), raw=sure, emotions=sure[1:]) for i in range(3)] + [
        scored("sad", "angry", 0.75, key="3", raw=sure, emotions=sure[1:], speaker="1002")
    ]
    found = evaluate(rows, 0.5, resamples=20)["corpora"]["crema-d"]["calibration"]["aggression"]
    assert found["after"]["calibration_error"]["value"] == 0.0
    assert found["after"]["brier"]["value"] == pytest.approx((3 * 0.0625 + 0.5625) / 4)
    assert found["before"]["calibration_error"]["value"] == 0.25
    assert found["before"]["brier"]["value"] == 0.25


def test_gaps_between_groups() -> None:
    rows = [
        scored(emotion, emotion if speaker < 1004 else "sad", 0.9 if emotion == "angry" else 0.1,
               key=f"{speaker}{emotion}", speaker=str(speaker), sex="male" if speaker % 2 else "female")
        for speaker in range(1001, 1007) for emotion in ("angry", "sad")
    ]  # fmt: skip
    ages = {"age": {str(s): "20 to 29" if s < 1004 else "30 to 39" for s in range(1001, 1007)}}
    found = gaps(rows, 0.5, ages, resamples=50)["crema-d"]
    young = found["age (CREMA-D)"]["20 to 29"]
    assert (young["clips"], young["speakers"]) == (6, 3)
    assert young["accuracy"] == {"value": 1.0, "interval": [1.0, 1.0], "gap": 0.5, "gap_interval": [0.5, 0.5]}
    assert found["sex"]["male"]["found"]["gap"] == 0.0
    assert set(found) == {"sex", "age (CREMA-D)"}


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
