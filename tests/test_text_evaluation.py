"""A text model's figures are read as they were written, and what is wrong with them is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blipper.errors import ModelError
from blipper.text_evaluation import read_text_evaluation
from blipper.voice.models import available_models
from blipper.words.text_builtin import available_text_models
from tests.evaluated_words import THRESHOLD, change, make_text_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_text_folder(tmp_path / "models" / "text-small")


def test_figures_are_those_of_the_file(folder: Path) -> None:
    written = json.loads((folder / "metrics.json").read_text())
    found = read_text_evaluation(folder)
    assert found.matches
    first, second = found.corpora
    assert first.figure.value == written["corpora"][0]["value"]
    assert first.figure.interval == (written["corpora"][0]["low"], written["corpora"][0]["high"])
    assert first.baselines["vader"] is None
    assert first.reached is first.ahead is True
    assert second.reached is second.ahead is False
    assert second.more == {"accuracy": written["corpora"][1]["more"]["accuracy"]["value"]}
    assert found.checklist.threshold == THRESHOLD
    assert found.checklist.to_dict() == written["checklist"]
    assert [(one.name, one.expected, one.passed, one.n) for one in found.further] == [
        ("threat", True, 2, 3),
        ("no threat", False, 1, 1),
    ]
    assert found.bias.to_dict() == written["bias"]
    (part,) = found.calibration
    assert [one.clips for one in part.bins] == [one["n"] for one in written["calibration"][0]["bins"]]
    assert all(one.low <= one.confidence <= one.high for one in part.bins)
    assert all(one.right.interval[0] <= one.right.value <= one.right.interval[1] for one in part.bins)


def test_the_formats_least_is_enough(folder: Path) -> None:
    def least(found):
        for key in ("threshold", "target", "low", "high"):
            del found["checklist"][key]
        for key in ("largest", "over_threshold"):
            del found["bias"][key]
        for group in found["bias"]["groups"]:
            del group["signed_shift"]
        del found["sentences"]
        found["corpora"][0] |= {"target": None, "baselines": {}, "more": {}}

    change(folder, least)
    found = read_text_evaluation(folder)
    assert found.checklist.threshold == THRESHOLD  # as blipper.json has it
    assert found.checklist_target == 0.8
    assert found.further == ()
    assert found.bias.over_threshold is None
    assert found.corpora[0].reached is found.corpora[0].ahead is None


def test_figures_of_other_weights_are_found_out(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"other")
    assert not read_text_evaluation(folder).matches


@pytest.mark.parametrize("name", ["metrics.json", "blipper.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} missing; `blipper evaluate-text DATA`"):
        read_text_evaluation(folder)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(schema=2), "schema is 2, expected 1"),
        (lambda m: m.pop("bias"), "KeyError"),
        (lambda m: m["corpora"][0].update(value=None), "TypeError"),
        (lambda m: m["corpora"][0].update(value=float("nan")), "no figure"),
        (lambda m: m["checklist"].update(sentences=[]), "the checklist is empty"),
        (lambda m: m["checklist"]["sentences"].pop(), "other counts than its sentences"),
        (lambda m: m["sentences"]["categories"][0].update(passed=4), "category 'threat': 4 of 3 passed"),
        (lambda m: m["sentences"]["categories"][1].update(n=0), "category 'no threat': 1 of 0 passed"),
        (lambda m: m["checklist"]["sentences"][0].update(score=1.5), "outside 0 to 1"),
        (lambda m: m["calibration"][0]["bins"][0].update(share=2), "outside 0 to 1"),
        (lambda m: m.update(corpora=[None]), "AttributeError|TypeError"),
    ],
)
def test_a_damaged_file_is_refused(folder: Path, edit, message: str) -> None:
    change(folder, edit)
    with pytest.raises(ModelError, match=message) as error:
        read_text_evaluation(folder)
    assert str(folder / "metrics.json") in str(error.value)


def test_what_is_no_json_object_is_refused(folder: Path) -> None:
    for text in ("[]", "{", ""):
        (folder / "metrics.json").write_text(text)
        with pytest.raises(ModelError, match=r"metrics\.json: "):
            read_text_evaluation(folder)


def test_a_text_model_is_none_of_the_voice(folder: Path) -> None:
    assert available_text_models(folder.parent) == ("text-small",)
    assert available_models(folder.parent) == ()
    assert available_text_models(folder / "nowhere") == ()
