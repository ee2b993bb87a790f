"""The Evaluation page's text models through Streamlit's AppTest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from blipper.text_evaluation import read_text_evaluation
from tests.evaluated import made_up, make_folder
from tests.evaluated_words import change, make_text_folder
from tests.test_page_evaluation import frames, healthy, open_page, said

SECTIONS = ("Corpora", "Calibration", "Checklist", "Identity terms", "Limits")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up voice model and a made-up text model."""
    folder = tmp_path / "models"
    make_folder(folder / "first", made_up())
    make_text_folder(folder / "text-small")
    monkeypatch.setenv("BLIPPER_MODELS", str(folder))
    monkeypatch.setenv("BLIPPER_DATA", str(tmp_path / "nowhere"))
    return folder


def words(page: AppTest) -> AppTest:
    return healthy(page.segmented_control(key="evaluation_of").set_value("words").run())


def section(page: AppTest, name: str) -> AppTest:
    return healthy(page.segmented_control(key="evaluation_text_section").set_value(name).run())


def test_the_voice_comes_first_and_knows_no_text_model(models: Path) -> None:
    page = open_page()
    assert page.selectbox(key="evaluation_model").options == ["first"]
    page = words(page)
    assert page.selectbox(key="evaluation_text_model").options == ["text-small"]
    assert not [box for box in page.selectbox if box.key == "evaluation_model"]


def test_every_section_shows_what_was_measured(models: Path) -> None:
    page = words(open_page())
    found = read_text_evaluation(models / "text-small")
    tiles = {tile.label: tile.value for tile in page.metric}
    assert tiles["Targets reached"] == tiles["Above every baseline"] == "1 of 2"
    assert tiles["Checklist passed"] == f"{found.checklist.rate:.0%}"
    assert tiles["Identity shift, mean"] == f"{found.bias.mean_shift:.3f}"
    assert "figures of exactly these weights" in said(page)
    assert "Not above a baseline here: reviews, sentiment" in said(page)
    for name in SECTIONS:
        section(page, name)
        assert not page.error
        assert "is aggressive" not in said(page)
        labels = [button.label for button in page.get("download_button")]
        assert labels.count("This table (CSV)") == len(page.dataframe)
        if name != "Limits":
            assert page.get("plotly_chart")
            assert page.dataframe
        controls = [*page.selectbox, *page.segmented_control]
        assert all(len(control.proto.help) > 20 for control in controls)
    assert "English words alone" in said(page)


def test_corpora_with_baselines_in_a_table(models: Path) -> None:
    page = words(open_page())
    written = json.loads((models / "text-small" / "metrics.json").read_text())["corpora"]
    (table,) = frames(page, "Above every baseline")
    assert table["This model (95 %)"][0].startswith(f"{written[0]['value']:.3f} [")
    assert table["VADER (95 %)"][0] == "–"
    assert table["TF-IDF and logistic regression (95 %)"][1].startswith(
        f"{written[1]['baselines']['tfidf-lr']['value']:.3f} ["
    )
    assert table["Reached"] == table["Above every baseline"] == ["yes", "no"]
    assert not frames(page, "What")
    (more,) = frames(page, "Of")
    assert more["Accuracy"][0] == f"{written[0]['more']['accuracy']:.3f}"
    change(models / "text-small", lambda m: m.update(speed={"utterances per second": 410.0}))
    (speed,) = frames(healthy(page.run()), "What")
    assert (speed["What"], speed["Value"]) == (["utterances per second"], ["410.0"])


def test_failing_sentences_are_listed_as_they_stand(models: Path) -> None:
    def add(found):
        one = found["checklist"]["sentences"][0]
        one["text"] = "=cmd() **you** <b>there</b>"
        if one["passed"]:
            one["passed"] = False
            category = next(c for c in found["checklist"]["categories"] if c["name"] == one["category"])
            category["passed"] -= 1

    change(models / "text-small", add)
    page = section(words(open_page()), "Checklist")
    found = read_text_evaluation(models / "text-small")
    failed = [one for one in found.checklist.sentences if not one.passed]
    first, second = frames(page, "Sentence")
    assert first["Sentence"] == [one.text for one in failed]
    assert first["Sentence"][0] == "=cmd() **you** <b>there</b>"
    assert set(first["Passed"]) == {"no"}
    assert len(second["Sentence"]) == len(found.checklist.sentences)
    rates, further = frames(page, "Pass rate (95 %)")
    assert len(rates["Category"]) == len(found.checklist.categories)
    assert (further["Category"], further["Passed"]) == (["threat", "no threat"], [2, 1])
    assert further["80% or more"] == ["no", "yes"]
    change(models / "text-small", lambda m: m.pop("sentences"))
    page = section(words(open_page()), "Checklist")
    assert len(frames(page, "Pass rate (95 %)")) == 1 and "taught nothing" not in said(page)
    assert "<b>" not in said(page)


def test_identity_says_how_many_sentences_alarm(models: Path) -> None:
    page = section(words(open_page()), "Identity terms")
    found = read_text_evaluation(models / "text-small").bias
    assert f"{found.mean_shift:.3f}, below the 0.10" in said(page).replace("*", "")
    assert f"{found.over_threshold} of {found.templates * found.terms}" in said(page)
    change(models / "text-small", lambda m: m["bias"].update(mean_shift=0.2))
    assert "0.200, above the 0.10" in said(healthy(page.run())).replace("*", "")


def test_without_a_text_model_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path / "models" / "first")
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path / "models"))
    page = words(open_page())
    assert "There is no text model in" in said(page)
    assert not page.error
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path / "empty"))
    page = healthy(page.run())
    assert "There is no text model in" in said(page)


def test_unmeasured_damaged_and_other_figures(models: Path) -> None:
    folder = models / "text-small"
    page = words(open_page())
    kept = (folder / "metrics.json").read_text()
    (folder / "metrics.json").unlink()
    page = healthy(page.run())
    assert "metrics.json missing" in said(page)
    assert "`blipper evaluate-text DATA`" in said(page)
    (folder / "metrics.json").write_text(kept)
    page = healthy(page.run())
    assert not page.error
    (folder / "model.safetensors").write_bytes(b"other")
    page = healthy(page.run())
    assert "These figures are **not** of the weights" in page.error[0].value
    (hashes,) = frames(page, "SHA-256 of the weights in")
    assert len(set(hashes["Value"])) == 2
    assert not page.metric
    change(folder, lambda m: m.update(schema=7))
    assert "schema is 7" in said(healthy(page.run()))


def test_nothing_measured_yet_on_corpora(models: Path) -> None:
    change(models / "text-small", lambda m: m.update(corpora=[], calibration=[]))
    page = words(open_page())
    assert "holds no corpus" in said(page)
    assert "holds no calibration" in said(section(page, "Calibration"))
