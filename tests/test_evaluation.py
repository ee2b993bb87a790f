"""Reading a model's evaluation, and its figures: known answers, agreement with training, damaged files."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper import curves, groups, measures, models_dir
from blipper.errors import DatasetError, ModelError, SettingsError
from blipper.evaluation import read_demographics, read_evaluation
from blipper.published import PUBLISHED, SEEN, published
from blipper.training import metrics
from blipper.training.evaluate import Scored
from blipper.voice.labels import EMOTIONS
from tests.evaluated import RESAMPLES, THRESHOLD, change_metrics, made_up, make_folder

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def rows() -> tuple[Scored, ...]:
    return made_up()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "made-up")


# Reading


def test_a_folder_says_whose_weights_and_voices(folder, rows):
    found = read_evaluation(folder)
    assert found.matches
    assert found.scored == rows
    assert found.threshold == THRESHOLD
    assert found.test_speakers()["ravdess"] == ("01", "11", "20")
    assert found.shared_speakers() == ()


def test_figures_of_other_weights_are_noticed(folder):
    change_metrics(folder, lambda found: found["model"].update(sha256="0" * 64))
    found = read_evaluation(folder)
    assert not found.matches
    assert found.hashes["weights.safetensors"] == found.hashes["config.json"] != found.hashes["metrics.json"]


def test_a_speaker_on_two_sides_is_noticed(folder):
    change_metrics(folder, lambda found: found["split"]["speakers"]["validation"].update(savee=["JE"]))
    assert read_evaluation(folder).shared_speakers() == ("savee/JE",)


@pytest.mark.parametrize("name", ["metrics.json", "test-predictions.csv", "weights.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} missing; `blipper train` writes"):
        read_evaluation(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as a model's figures"),
        ("[]", "holds list, expected an object"),
        ("{}", "model is None, expected an object"),
    ],
)
def test_damaged_metrics(folder, text, message):
    (folder / "metrics.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_evaluation(folder)


def test_metrics_without_a_part(folder):
    change_metrics(folder, lambda found: found["training"].pop("history"))
    with pytest.raises(ModelError, match="training lacks its history"):
        read_evaluation(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("key,corpus", "clip,corpus", "columns"),
        (",angry,normal", ",furious,normal", "acted 'furious', expected one of neutral"),
        (",1,0.", ",1,7.", "score outside 0 to 1"),
        (",1,0.", ",1,x.", "cannot be read as predictions"),
    ],
)
def test_damaged_predictions(folder, old, new, message):
    path = folder / "test-predictions.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ModelError, match=message):
        read_evaluation(folder)


def test_predictions_of_nobody(folder):
    path = folder / "test-predictions.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(ModelError, match="holds no clip"):
        read_evaluation(folder)


def test_demographics(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text('"ActorID","Age","Sex","Race"\n1001,51,"Male","Caucasian"\n1002,20,"Female","Asian"\n')
    found = read_demographics(path)
    assert found["age"] == {"1001": "50 to 59", "1002": "20 to 29"}
    assert found["race"]["1002"] == "Asian"
    path.write_text("ActorID,Race\n1,x\n")
    with pytest.raises(DatasetError, match="no column Age"):
        read_demographics(path)
    path.write_text("ActorID,Age,Race\n1,old,x\n")
    with pytest.raises(DatasetError, match="age of actor 1 is 'old'"):
        read_demographics(path)


# Figures


def test_headline_agrees_with_what_training_writes(folder, rows):
    test = json.loads((folder / "metrics.json").read_text())["test"]
    for name in measures.selections(rows):
        entry = test[name] if name in measures.POOLS else test["corpora"][name]
        selection = measures.select(rows, name)
        found = measures.headline(selection, resamples=RESAMPLES)
        written = {key: entry[key] for key in ("accuracy", "uar", "macro_f1")}
        written |= {key: entry["angry"][key] for key in ("roc_auc", "pr_auc")}
        for key, figure in written.items():
            assert found[key].value == pytest.approx(figure["value"], abs=5.1e-5), (name, key)
            if figure["interval"] is None:
                assert found[key].interval is None
            else:
                assert found[key].interval == pytest.approx(figure["interval"], abs=5.1e-5), (name, key)
        assert selection.names == tuple(entry["classes"])
        assert selection.confusion().tolist() == entry["confusion"]
        at = curves.at_threshold(selection, THRESHOLD)
        assert at.found == pytest.approx(entry["angry"]["found"], abs=5.1e-5)
        assert at.false_share == pytest.approx(entry["angry"]["false_alarm_share"], abs=5.1e-5)


def test_the_shipped_figures_can_be_recomputed():
    found = read_evaluation(models_dir() / "mel-cnn")
    assert found.matches
    assert found.shared_speakers() == ()
    settings = found.metrics["settings"]
    selection = measures.select(found.scored, "common")
    figures = measures.headline(selection, seed=settings["seed"], resamples=settings["resamples"])
    written = found.metrics["test"]["common"]
    for key in ("accuracy", "uar", "macro_f1"):
        assert figures[key].value == pytest.approx(written[key]["value"], abs=5.1e-5)
        assert figures[key].interval == pytest.approx(written[key]["interval"], abs=5.1e-5)
    for kind in curves.QUIET:
        assert curves.alarms(found.scored, kind, found.threshold) is not None


def test_selections(rows):
    assert list(measures.selections(rows)) == ["common", "all", "ravdess", "crema-d", "savee", "tess"]
    assert list(measures.selections([row for row in rows if row.corpus == "savee"])) == ["savee"]
    assert len(measures.select(rows, "ravdess").classes) == 8
    common = measures.select(rows, "common")
    assert {row.corpus for row in common.rows} == {"ravdess", "crema-d", "savee"}
    assert "calm" not in {row.emotion for row in common.rows}
    with pytest.raises(SettingsError, match="no clip of 'iemocap'; there are: common, all"):
        measures.select(rows, "iemocap")


def test_a_cell_holds_its_clips_surest_first(rows):
    selection = measures.select(rows, "common")
    total = 0
    for i, acted in enumerate(selection.names):
        for j, heard in enumerate(selection.names):
            numbers = selection.cell(acted, heard)
            total += len(numbers)
            assert len(numbers) == selection.confusion()[i, j]
            assert all(selection.rows[n].emotion == acted for n in numbers)
            confidence = [selection.confidence[n] for n in numbers]
            assert confidence == sorted(confidence, reverse=True)
    assert total == len(selection)


def test_report_in_closed_form():
    def row(acted: str, heard: str, speaker: str) -> Scored:
        shares = tuple(0.93 if name == heard else 0.01 for name in EMOTIONS)
        return Scored("k", "crema-d", speaker, "male", acted, "high", True, 0.5, shares)

    rows = [row("angry", "angry", "1"), row("angry", "sad", "2"), row("sad", "sad", "1"),
            row("neutral", "sad", "2")]  # fmt: skip
    neutral, sad, angry = measures.report(measures.select(rows, "crema-d"), resamples=20)
    assert (neutral["emotion"], neutral["clips"], neutral["recall"].value) == ("neutral", 1, 0.0)
    assert math.isnan(neutral["precision"].value)
    assert sad["precision"].value == pytest.approx(1 / 3)
    assert (sad["recall"].value, sad["f1"].value) == (1.0, 0.5)
    assert (angry["precision"].value, angry["recall"].value, angry["f1"].value) == (
        1.0,
        0.5,
        pytest.approx(2 / 3),
    )
    assert angry["recall"].interval == (0.0, 1.0)


def test_groups_and_gaps(rows):
    selection = measures.select(rows, "common")
    ways = groups.groupings(selection)
    assert set(ways) == {"sex", "intensity", "corpus", "speaker"}
    assert set(ways["intensity"]) == {"", "normal", "strong"}
    female, male = groups.by_group(selection, ways["sex"], "accuracy", THRESHOLD, resamples=50)
    right = selection.labels == selection.guessed
    inside = np.array([row.sex == "female" for row in selection.rows])
    assert female.figure.value == pytest.approx(right[inside].mean())
    assert female.gap.value == pytest.approx(right[inside].mean() - right[~inside].mean())
    assert female.gap.value == pytest.approx(-male.gap.value)
    low, high = female.gap.interval
    assert low < high
    assert female.clips + male.clips == len(selection)


def test_a_single_speaker_has_no_interval(rows):
    selection = measures.select(rows, "common")
    ways = groups.groupings(selection)
    for row in groups.by_group(selection, ways["speaker"], "accuracy", THRESHOLD, resamples=20):
        assert row.speakers == 1
        assert row.figure.interval is None
        assert row.gap.interval is None


def test_groups_by_age_and_race_are_of_crema_d(rows):
    selection = measures.select(rows, "all")
    table = {"age": {"1001": "50 to 59", "1002": "20 to 29"}}
    groups_of = groups.groupings(selection, table)["age (CREMA-D)"]
    for row, group in zip(selection.rows, groups_of, strict=True):
        assert group == (table["age"].get(row.speaker, "") if row.corpus == "crema-d" else "")
    known = groups.by_group(selection, groups_of, "found", THRESHOLD, resamples=20)
    assert [row.group for row in known] == ["20 to 29", "50 to 59"]


def test_a_figure_that_is_undefined_in_a_group(rows):
    selection = measures.select(rows, "common")
    by = ["angry" if row.emotion == "angry" else "other" for row in selection.rows]
    angry, other = groups.by_group(selection, by, "roc_auc", THRESHOLD, resamples=20)
    assert math.isnan(angry.figure.value)
    assert math.isnan(other.gap.value)
    assert angry.figure.interval is None
    with pytest.raises(SettingsError, match="measure 'beauty', expected one of accuracy"):
        groups.by_group(selection, by, "beauty", THRESHOLD)


# Curves


def test_curves_in_closed_form():
    positive = np.array([True, False, True, False])
    points = curves.curve(positive, np.array([0.9, 0.8, 0.8, 0.1]))
    assert points.threshold.tolist() == [np.inf, 0.9, 0.8, 0.1]
    assert points.found.tolist() == [0, 0.5, 1, 1]
    assert points.false.tolist() == [0, 0, 0.5, 1]
    assert points.precision.tolist() == [1, 1, pytest.approx(2 / 3), 0.5]
    with pytest.raises(ValueError, match="needs both kinds"):
        curves.curve(np.array([True]), np.array([0.5]))


def test_the_area_below_the_curve_is_the_figure(rows):
    selection = measures.select(rows, "common")
    angry, scores = selection.angry, selection.aggression
    points = curves.curve(angry, scores)
    assert np.trapezoid(points.found, points.false) == pytest.approx(metrics.roc_auc(angry, scores))
    steps = np.sum(np.diff(points.found) * points.precision[1:])
    assert steps == pytest.approx(metrics.pr_auc(angry, scores))


def test_extreme_thresholds(rows):
    selection = measures.select(rows, "common")
    everything = curves.at_threshold(selection, 0.0)
    assert (everything.found, everything.false_share) == (1.0, 1.0)
    assert everything.precision == pytest.approx(selection.angry.mean())
    nothing = curves.at_threshold(selection, 1.0)
    assert (nothing.found, nothing.false_share, nothing.precision) == (0.0, 0.0, None)


def test_false_alarms_by_the_hour(rows):
    neutral = [row for row in rows if row.emotion == "neutral" and row.speech]
    found = curves.alarms(rows, "neutral speech", 0.4)
    assert found.clips == len(neutral)
    assert found.alarms == sum(row.aggression >= 0.4 for row in neutral)
    assert found.per_hour == pytest.approx(found.alarms / sum(row.seconds for row in neutral) * 3600)
    assert curves.alarms([row for row in rows if row.emotion == "sad"], "happy speech", 0.4) is None
    unknown = [replace(row, seconds=None) for row in rows]
    assert curves.alarms(unknown, "neutral speech", 0.4) is None


def test_reliability_adds_up_to_the_calibration_error(rows):
    selection = measures.select(rows, "common")
    angry, scores = selection.angry, selection.aggression
    bins = curves.reliability(angry, scores, selection.speakers, resamples=20)
    assert sum(b.clips for b in bins) == len(selection)
    error = sum(b.clips * abs(b.confidence - b.right.value) for b in bins) / len(selection)
    assert error == pytest.approx(metrics.calibration_error(angry, scores))
    assert all(b.low <= b.confidence <= b.high for b in bins)
    for b in bins:
        assert b.right.interval is None or b.right.interval[0] <= b.right.interval[1]


def test_certain_scores_fall_into_the_last_bin():
    (last,) = curves.reliability(np.array([True]), np.array([1.0]), ["a"])
    assert (last.low, last.high, last.clips, last.right.value) == (0.9, 1.0, 1, 1.0)


# Published figures


def test_every_published_figure_has_a_source_and_a_protocol():
    assert PUBLISHED
    for row in PUBLISHED:
        assert row.corpus in measures.TITLES
        assert 0 < row.value <= 1
        assert row.url.startswith("https://")
        assert len(row.source) > 10
        assert len(row.protocol) > 20
        assert row.seen in SEEN
    assert published("common") == ()
    for corpus in measures.TITLES:
        values = [row.value for row in published(corpus)]
        assert values
        assert values == sorted(values, reverse=True)


@pytest.mark.data
def test_the_votes_on_crema_d_are_the_corpus_s_own(data_dir):
    import csv

    with (data_dir / "crema-d" / "voice_votes.csv").open(newline="") as file:
        votes = list(csv.DictReader(file))
    right = 0
    for row in votes:
        counts = {letter: int(row[letter]) for letter in "ADFHNS"}
        acted = row["FileName"].split("_")[2][0]
        best = max(counts.values())
        right += [letter for letter, n in counts.items() if n == best] == [acted]
    cited = next(row for row in PUBLISHED if row.seen == "data")
    assert right / len(votes) == pytest.approx(cited.value, abs=5e-4)


def test_a_clip_without_speech_counts_as_a_clip_but_not_as_an_hour(rows):
    silent = tuple(replace(row, speech=False) if row.emotion == "neutral" else row for row in rows)
    assert len(measures.select(silent, "common")) == len(measures.select(rows, "common"))
    assert curves.alarms(silent, "neutral speech", 0.5) is None
