"""The Evaluation page through Streamlit's AppTest, with the shipped model and with made-up ones."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from streamlit.testing.v1 import AppTest

from blipper import measures, models_dir
from blipper.evaluation import read_evaluation
from blipper.measures import Figure
from blipper.training import metrics
from blipper.training.assess import Parts, assess
from blipper.training.folds import merge, of_fold
from blipper.training.predictions import write_predictions
from blipper.voice.labels import EMOTIONS
from tests.evaluated import change_metrics, clips_of, made_up, make_folder
from ui.clips import as_flac
from ui.evaluation_table import as_csv, share, with_interval

APP = Path(__file__).resolve().parent.parent / "app.py"
SECTIONS = (
    *("Confusion", "Report", "Threshold", "Calibration", "Conversations", "False alarms"),
    *("Groups", "Training", "Comparison"),
)


def healthy(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def open_page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    return healthy(page.switch_page("pages/evaluation.py").run())


def section(page: AppTest, name: str) -> AppTest:
    return healthy(page.segmented_control(key="evaluation_section").set_value(name).run())


def said(page: AppTest) -> str:
    kinds = (page.markdown, page.caption, page.info, page.error, page.warning, page.subheader)
    return (
        "\n".join(element.value for kind in kinds for element in kind).replace("\\", "").replace("\u2060", "")
    )


def frames(page: AppTest, column: str) -> list[dict[str, list[object]]]:
    return [frame.value.to_dict("list") for frame in page.dataframe if column in frame.value.columns]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two made-up models; no corpora."""
    folder = tmp_path / "models"
    make_folder(folder / "first")
    make_folder(folder / "second", made_up(seed=1))
    monkeypatch.setenv("BLIPPER_MODELS", str(folder))
    monkeypatch.setenv("BLIPPER_DATA", str(tmp_path / "nowhere"))
    return folder


def test_the_shipped_model_is_shown_with_its_figures() -> None:
    page = open_page()
    found = read_evaluation(models_dir() / page.selectbox(key="evaluation_model").value)
    written = found.metrics["test"]["common"]
    tiles = {tile.label: tile for tile in page.metric}
    assert tiles["Accuracy"].value == f"{written['accuracy']['value']:.3f}"
    low, high = written["accuracy"]["interval"]
    assert tiles["Accuracy"].delta == f"{low:.3f} to {high:.3f}"
    assert tiles["ROC-AUC, angry"].value == f"{written['angry']['roc_auc']['value']:.3f}"
    assert "figures of exactly these weights" in said(page)
    assert found.hashes["config.json"][:12] in said(page)
    assert not page.error
    (hashes,) = frames(page, "SHA-256 of the weights")
    assert set(hashes["Value"]) == {found.config["sha256"]}
    (folds,) = frames(page, "Held out together")
    assert len(folds["Fold"]) == 6 + 5 + 4 + 2
    assert folds["Held out together"][0] == "01, 11, 20, 21"
    (speakers,) = frames(page, "Test speakers")
    assert set(speakers["In both test and another side"]) == {0}


@pytest.mark.parametrize("clips", ["common", "all", "ravdess", "crema-d", "savee", "tess"])
def test_every_section_of_every_selection(models: Path, clips: str) -> None:
    page = open_page()
    healthy(page.selectbox(key="evaluation_clips_first").set_value(clips).run())
    for name in SECTIONS:
        section(page, name)
        assert not page.error
        assert not page.warning
        tables = len(page.dataframe)
        assert tables >= 4 or (name == "Groups" and "of one group" in said(page))
        labels = [button.label for button in page.get("download_button")]
        assert labels.count("This table (CSV)") == tables  # every table can be taken away
        if name not in ("Report", "Comparison", "Groups"):
            assert page.get("plotly_chart")
    assert "is aggressive" not in said(page)


def test_choosing_a_cell_lists_its_clips(models: Path) -> None:
    page = open_page()
    assert "No cell is chosen yet" in said(page)
    page.selectbox(key="evaluation_acted_first_common").set_value("fear")
    healthy(page.selectbox(key="evaluation_heard_first_common").set_value("angry").run())
    selection = measures.select(made_up(), "common")
    numbers = selection.cell("fear", "angry")
    (table,) = frames(page, "Clip")
    assert table["Clip"] == [selection.rows[i].key for i in numbers]
    assert f"{len(numbers)} of " in said(page)
    chart = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert len(chart["layout"]["shapes"]) == 2  # the cell is framed
    assert "set the environment variable BLIPPER_DATA" in said(page)
    assert not page.get("audio")


def test_a_clicked_cell_fills_both_fields(models: Path) -> None:
    page = open_page()
    page.session_state["evaluation_confusion_first_common_clicks"] = (1, ("fear", "angry"))
    healthy(page.run())
    assert page.selectbox(key="evaluation_acted_first_common_1").value == "fear"
    assert page.selectbox(key="evaluation_heard_first_common_1").value == "angry"
    (table,) = frames(page, "Clip")
    selection = measures.select(made_up(), "common")
    assert table["Clip"] == [selection.rows[i].key for i in selection.cell("fear", "angry")]


def test_a_cell_without_clips_says_so(models: Path) -> None:
    page = open_page()
    selection = measures.select(made_up(), "common")
    counts = selection.confusion()
    empty = np.argwhere(counts == 0)
    assert len(empty)
    acted, heard = (selection.names[i] for i in empty[0])
    page.selectbox(key="evaluation_acted_first_common").set_value(acted)
    healthy(page.selectbox(key="evaluation_heard_first_common").set_value(heard).run())
    assert "This cell holds no clip" in said(page)


@pytest.mark.data
def test_a_clip_can_be_heard(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_DATA", str(data_dir))
    page = open_page()
    page.selectbox(key="evaluation_acted_mel-cnn_common").set_value("angry")
    healthy(page.selectbox(key="evaluation_heard_mel-cnn_common").set_value("angry").run())
    chooser = page.selectbox(key="evaluation_clip_mel-cnn_common")
    (table,) = frames(page, "Clip")
    assert chooser.options == table["Clip"]
    assert len(page.get("audio")) == 1
    section(page, "Groups")
    assert "Age (crema-d)" in page.selectbox(key="evaluation_group_mel-cnn_common").options


@pytest.mark.data
def test_the_browser_gets_blipper_s_own_encoding(data_dir: Path) -> None:
    path = next((data_dir / "ravdess" / "Actor_01").glob("03-01-05-02-01-01-01*"))
    encoded = as_flac(path)
    assert encoded[:4] == b"fLaC"
    samples, rate = sf.read(io.BytesIO(encoded))
    raw, _ = sf.read(path)
    assert rate == 16_000
    assert samples.shape == raw.shape
    assert np.corrcoef(samples, raw)[0, 1] > 0.999


def test_the_threshold_moves_precision_recall_and_alarms(models: Path) -> None:
    page = section(open_page(), "Threshold")
    before = {tile.label: tile.value for tile in page.metric}
    healthy(page.slider(key="evaluation_threshold_first").set_value(0.8).run())
    after = {tile.label: tile.value for tile in page.metric}
    selection = measures.select(made_up(), "common")
    over = selection.aggression >= 0.8
    assert after["Recall"] == f"{over[selection.angry].mean():.3f}"
    assert after["Precision"] == f"{selection.angry[over].mean():.3f}"
    for kind in ("neutral", "happy"):
        clips = [row for row in selection.rows if row.emotion == kind and row.speech]
        hours = sum(row.seconds for row in clips) / 3600
        count = sum(row.aggression >= 0.8 for row in clips)
        assert after[f"False alarms an hour, {kind}"] == f"{count / hours:.1f}"
        (table,) = frames(page, "Minutes, neutral")
        own = [row for row in clips if row.corpus == "ravdess"]
        rate = sum(row.aggression >= 0.8 for row in own) / sum(row.seconds for row in own) * 3600
        at = table["Corpus"].index("RAVDESS")
        assert table[f"False alarms/h, {kind}"][at] == f"{rate:.1f}"
    assert float(before["False alarms an hour, neutral"]) > float(after["False alarms an hour, neutral"])
    assert before["Accuracy"] == after["Accuracy"]


def test_an_emotion_s_own_curves(models: Path) -> None:
    page = section(open_page(), "Threshold")
    healthy(page.selectbox(key="evaluation_curves_of").set_value("sad").run())
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in page.get("plotly_chart")]
    selection = measures.select(made_up(), "common")
    area = metrics.roc_auc(
        selection.labels == EMOTIONS.index("sad"), selection.shares()[:, selection.names.index("sad")]
    )
    assert titles[0] == f"ROC curve, sad: area {area:.3f}"


def test_conversations_by_threshold(models: Path) -> None:
    page = section(open_page(), "Conversations")
    found = read_evaluation(models / "first").metrics["scenes"]
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Recall"] == f"{found['recall']['value']:.3f}"
    low, high = found["recall"]["interval"]
    assert [tile.delta for tile in page.metric if tile.label == "Recall"] == [f"{low:.3f} to {high:.3f}"]
    slider = page.select_slider(key="evaluation_scenes_first")
    assert slider.value == "0.50"
    healthy(slider.set_value("0.80").run())
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Recall"] == f"{found['thresholds']['0.80']['recall']['value']:.3f}"
    assert "4 conversations" in said(page)
    assert "Another shortest event" in said(page)
    [shortest] = [frame.value for frame in page.dataframe if "Shortest event (s)" in frame.value]
    assert list(shortest["Shortest event (s)"]) == ["1", "3"]
    recall = found["shortest"]["3"]["recall"]["value"]
    assert shortest["Recall (95 %)"].iloc[1].startswith(f"{recall:.3f}")


def test_false_alarms_by_condition_and_how_the_threshold_was_chosen(models: Path) -> None:
    page = section(open_page(), "False alarms")
    (conditions,) = frames(page, "Condition")
    assert conditions["Neutral, alarms an hour (95 %)"] == ["4.0 [2.0, 6.0]"] * 2
    (sounds,) = frames(page, "Heard as speech")
    assert sounds["Alarms an hour"] == ["0.0", "–"]
    assert "cannot rule out up to 30 an hour" in said(page)


def test_what_was_not_measured_says_so_and_how_to(models: Path) -> None:
    change_metrics(models / "first", lambda found: [found.pop(name) for name in ("scenes", "alarms")])
    page = open_page()
    for name, option in (
        ("Conversations", "--scenes"),
        ("False alarms", "--false-alarms"),
        ("Other corpora", "--leave-out all"),
    ):
        section(page, name)
        assert "not measured for this model yet" in said(page)
        assert f"blipper evaluate DATA --model first {option}" in said(page)
        assert not page.error
    assert "--folds 1-6" in said(page)


@pytest.fixture
def crossed(models: Path) -> Path:
    """The first model with two folds and two corpora left out."""
    rows = merge(of_fold(clips_of(1), 1), of_fold(clips_of(2), 2))
    write_predictions(models / "first" / "fold-predictions.csv", rows)
    left_out = merge(of_fold(clips_of("savee"), "savee"), of_fold(clips_of("ravdess"), "ravdess"))
    write_predictions(models / "first" / "left-out-predictions.csv", left_out)
    assess(models, models / "first", Parts())
    return models


def test_all_folds_beside_the_weights(crossed: Path) -> None:
    page = open_page()
    healthy(page.segmented_control(key="evaluation_side_first").set_value("folds").run())
    written = read_evaluation(crossed / "first").metrics["cross_validation"]["test"]["common"]
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Accuracy"] == f"{written['accuracy']['value']:.3f}"
    assert "folds 1, 2" in said(page)
    assert "are validation speakers of these weights, by whom the settings were chosen" in said(page)
    assert not page.error
    section(page, "Comparison")
    (own,) = frames(page, "Model")
    assert own["Model"] == ["first", "first", "second"]
    assert "folds 1, 2" in str(own["Measured on"][1])


def test_corpora_left_out_beside_their_other_speakers(crossed: Path) -> None:
    page = section(open_page(), "Other corpora")
    (table,) = frames(page, "Corpus left out")
    assert table["Corpus left out"] == ["RAVDESS", "SAVEE"]
    assert table["Speakers"] == [24, 4]
    found = read_evaluation(crossed / "first").metrics["left_out"]["savee"]["common"]["accuracy"]["value"]
    assert str(table["Accuracy, six common emotions (95 %)"][1]).startswith(f"{found:.3f} [")
    assert table["Accuracy, six common emotions, its other speakers taught"][0] != "–"
    assert page.get("plotly_chart")


def test_whisper_cnn_in_corpora_it_never_heard() -> None:
    page = open_page()
    healthy(page.selectbox(key="evaluation_model").set_value("whisper-cnn").run())
    (table,) = frames(section(page, "Other corpora"), "Corpus left out")
    written = read_evaluation(models_dir() / "whisper-cnn").metrics["left_out"]
    assert table["Corpus left out"] == [measures.TITLES[name] for name in written]
    assert sum(table["Speakers"]) == 121
    for shown, parts in zip(table["Accuracy, six common emotions (95 %)"], written.values(), strict=True):
        assert str(shown).startswith(f"{parts['common']['accuracy']['value']:.3f} [")


def test_folds_of_strangers_are_refused(crossed: Path) -> None:
    path = crossed / "first" / "fold-predictions.csv"
    path.write_text(path.read_text().replace(",2\n", ",1\n").replace(",2,", ",1,"))
    page = open_page()
    assert "does not hold out speaker" in page.error[0].value.replace("\\", "")


def test_choices_outlive_a_visit_to_another_page(models: Path) -> None:
    page = open_page()
    page.selectbox(key="evaluation_model").set_value("second")
    healthy(page.run())
    healthy(page.selectbox(key="evaluation_clips_second").set_value("savee").run())
    page.selectbox(key="evaluation_acted_second_savee").set_value("sad")
    healthy(page.selectbox(key="evaluation_heard_second_savee").set_value("sad").run())
    section(page, "Threshold")
    healthy(page.slider(key="evaluation_threshold_second").set_value(0.7).run())
    healthy(page.switch_page("pages/datasets.py").run())
    healthy(page.switch_page("pages/evaluation.py").run())
    assert page.selectbox(key="evaluation_model").value == "second"
    assert page.selectbox(key="evaluation_clips_second").value == "savee"
    assert page.segmented_control(key="evaluation_section").value == "Threshold"
    assert page.slider(key="evaluation_threshold_second").value == 0.7
    section(page, "Confusion")
    assert page.selectbox(key="evaluation_acted_second_savee").value == "sad"


def test_models_stand_side_by_side_with_published_figures(models: Path) -> None:
    page = open_page()
    healthy(page.selectbox(key="evaluation_clips_first").set_value("ravdess").run())
    section(page, "Comparison")
    (own,) = frames(page, "Model")
    assert own["Model"] == ["first", "second"]
    assert own["Speaker-independent"] == ["yes", "yes"]
    (events,) = frames(page, "Model of the events")
    assert events["Model of the events"] == ["first", "second"]
    assert events["Conversations"] == ["4, seed 0"] * 2
    (cited,) = frames(page, "Who")
    assert {"yes", "not stated"} == set(cited["Speaker-independent"])
    assert all(link.startswith("https://") for link in cited["Link"])
    assert len(page.get("plotly_chart")) == 2


def test_figures_of_other_weights_are_not_shown(models: Path) -> None:
    change_metrics(models / "first", lambda found: found["model"].update(sha256="0" * 64))
    page = open_page()
    assert "not** of the weights in the folder" in page.error[0].value
    assert not page.metric
    (hashes,) = frames(page, "SHA-256 of the weights")
    assert "0" * 64 in hashes["Value"]
    healthy(page.selectbox(key="evaluation_model").set_value("second").run())
    assert page.metric
    section(page, "Comparison")
    assert "first is left out" in page.warning[0].value


def test_metrics_that_do_not_follow_from_the_predictions_are_named(models: Path) -> None:
    def better(found: dict) -> None:
        found["test"]["common"]["accuracy"]["value"] = 0.99

    change_metrics(models / "first", better)
    page = open_page()
    assert "other values for accuracy" in page.error[0].value


def test_a_model_without_figures_says_what_to_do(models: Path) -> None:
    (models / "first" / "metrics.json").unlink()
    page = open_page()
    assert "metrics.json missing" in page.error[0].value.replace("\\", "").replace("\u2060", "")
    assert "blipper train" in page.info[0].value
    healthy(page.selectbox(key="evaluation_model").set_value("second").run())
    assert page.metric


def test_no_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path / "none"))
    page = open_page()
    assert "no voice model" in page.info[0].value
    assert "BLIPPER_MODELS" in page.info[0].value.replace("\\", "")


def test_changed_files_are_read_again(models: Path) -> None:
    page = open_page()
    before = page.metric[0].value
    folder = models / "first"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    make_folder(folder, made_up(seed=5))
    healthy(page.run())
    expected = measures.headline(measures.select(made_up(seed=5), "common"), resamples=30)["accuracy"]
    assert page.metric[0].value == f"{expected.value:.3f}" != before


def test_every_control_has_a_help_text(models: Path) -> None:
    page = open_page()
    for name in SECTIONS:
        section(page, name)
        controls = [*page.selectbox, *page.slider, page.segmented_control(key="evaluation_section")]
        assert all(len(control.proto.help) > 20 for control in controls)


def test_tables_as_csv_hold_no_formula() -> None:
    text = as_csv({"a": ["=1+1", "+0.035 [-0.1, +0.2]", "-0.5"], "b": [1, 2.5, None]}).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == [["a", "b"], ["'=1+1", "1"], ["+0.035 [-0.1, +0.2]", "2.5"], ["-0.5", ""]]


def test_figures_as_text() -> None:
    assert with_interval(Figure(0.5, (0.25, 0.75))) == "0.500 [0.250, 0.750]"
    assert with_interval(Figure(0.5, (-0.25, 0.75)), "+") == "+0.500 [-0.250, +0.750]"
    assert with_interval(Figure(0.5)) == "0.500"
    assert with_interval(Figure(float("nan"))) == share(None) == share(float("nan")) == "–"


def test_explanations_of_the_shipped_weights_and_of_none(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = section(open_page(), "Explanations")
    assert "Nobody has measured the explanations" in said(page)
    monkeypatch.delenv("BLIPPER_MODELS")
    page = open_page()
    page.selectbox(key="evaluation_model").set_value("mel-cnn").run()
    section(page, "Explanations")
    assert "know what moves the score" in said(page)
    figures = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in page.get("plotly_chart")]
    assert figures[-4:] == [
        "Bands that each emotion's score rests on",
        "Do the cells named first matter most?",
        "Named features and the score for aggression (companion)",
        "Named features that each emotion rests on (companion)",
    ]
    page.selectbox(key="evaluation_companion_target").set_value("sad").run()
    figures = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in page.get("plotly_chart")]
    assert figures[-2] == "Named features and the score for sad (companion)"
    assert "not the model that scores" in said(page)
