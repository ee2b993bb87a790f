"""Larger siblings that advise the text model on lines that they have not seen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.training.text import relearning
from blipper.training.text.corpora import Line
from blipper.training.text.network import SHIPPED
from blipper.training.text.relearning import Asked, as_advice, mean_answers
from blipper.training.text.scoring import validation_score
from blipper.training.text.shipped import Shipped
from blipper.training.text.siblings import in_part, raise_siblings
from blipper.training.text.train import Trained, fit_text
from tests.training.text.conftest import RECIPE, check_refused, tells_insults_apart, written


@pytest.fixture(scope="module")
def folder(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    begun = fit_text(data, tmp_path_factory.mktemp("begun"), init=encoder, recipe=RECIPE)
    return written(begun, tmp_path_factory.mktemp("models") / "begun")


def line(text: str, corpus: str = "insults", group: str = "insults:1") -> Line:
    return Line(corpus, "train", text, group, {"insult": 1.0})


def test_parts_share_no_group_and_leave_nothing_out() -> None:
    lines = [line("x", group=f"meld:{number // 3}") for number in range(300)]
    parts = [{one.group for one in lines if in_part(one, part, 3)} for part in range(3)]
    assert set().union(*parts) == {one.group for one in lines}
    assert sum(map(len, parts)) == 100 and min(map(len, parts)) > 20


def test_answers_are_averaged_over_those_who_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    said = {
        name: dict(zip("abc", rng.normal(size=(3, len(SHIPPED))), strict=True)) for name in ("one", "two")
    }

    def logits_of(model: Any, tokenizer: Any, texts: list[str]) -> np.ndarray:
        return np.array([said[tokenizer][text] for text in texts])

    monkeypatch.setattr(relearning, "logits_of", logits_of)
    model: Any = SimpleNamespace(eval=lambda: None)
    one, two = Asked(model, "one"), Asked(model, "two", about=lambda line: line.text != "a")  # type: ignore[arg-type]
    lines = [line("a"), line("b"), line("c", corpus="sentences:threat")]
    steps: list[int] = []
    found = mean_answers([one, two], lines, steps.append)
    assert found.shape == (3, 9) and steps == [0, 1, 2]
    single = {name: as_advice(np.array([said[name][text] for text in "ab"])) for name in said}
    np.testing.assert_allclose(found[0], single["one"][0], rtol=1e-5)
    np.testing.assert_allclose(found[1], (single["one"][1] + single["two"][1]) / 2, rtol=1e-5)
    assert np.isnan(found[2]).all()  # new to whoever is asked, and certain
    np.testing.assert_allclose(found[:2, :3].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found[:2, 3:6].sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found[0, 8], 1 / (1 + np.exp(-said["one"]["a"][3])), rtol=1e-5)
    assert np.isnan(mean_answers([two], lines)).all(axis=1).tolist() == [True, False, True]


def test_a_text_model_goes_on_beside_its_siblings(
    folder: Path, data: Path, encoder: Path, tmp_path: Path
) -> None:
    steps: list[str] = []

    def learn(progress: Any) -> Trained:
        return fit_text(
            *(data, tmp_path / "work"),
            start=folder,
            init=encoder,
            siblings=True,
            recipe=RECIPE,
            progress=progress,
        )

    found = learn(lambda step, done, total: steps.append(step))
    assert list(dict.fromkeys(steps)) == [
        *("sibling 1", "sibling 2"),
        *("answers, run 1", "labels and answers, run 1", "answers, run 2", "labels and answers, run 2"),
    ]
    assert [row.get("run", row.get("mean_of")) for row in found.history] == [1, 2, 2, 3]
    judged = validation_score(found.logits, found.validation)
    assert judged == max(row["validation"] for row in found.history)
    tells_insults_apart(found, SHIPPED.index("insult"))
    before = (folder / "tokenizer.json").read_text(encoding="utf-8")
    assert found.tokenizer == before  # no further word pieces
    steps.clear()
    resumed = learn(lambda step, done, total: steps.append(step) if done < total else None)
    assert steps == []
    np.testing.assert_allclose(resumed.logits, found.logits, atol=1e-5)
    assert Shipped(written(found, tmp_path / "after")).score(["you vile thing"]).logits.shape == (1, 14)


def test_a_sibling_is_the_whole_encoder_and_never_taught_its_part(
    data: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[list[Line]] = []

    def learn_labels(
        model: Any, tokenizer: Any, lines: list[Line], *others: Any, **options: Any
    ) -> list[Any]:
        taught.append(lines)
        return []

    monkeypatch.setattr("blipper.training.text.siblings.learn_labels", learn_labels)
    lines = [line("x", group=f"meld:{number}") for number in range(60)]
    found = raise_siblings(encoder, lines, lines[:2], RECIPE.siblings, seed=1, folder=tmp_path)
    assert len(found) == len(taught) == 2
    assert {model.config.num_hidden_layers for model, _ in found} == {3}
    assert {tokenizer.get_vocab_size() for _, tokenizer in found} == {found[0][0].config.vocab_size}
    assert "wretched" in found[0][1].get_vocab()
    assert sorted(one.group for part in taught for one in part) == sorted(one.group for one in lines)
    for part, shown in enumerate(taught):
        assert shown and not any(in_part(one, part, 2) for one in shown)


def test_siblings_need_a_model_and_an_encoder(
    data: Path, encoder: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="siblings need a text model to go on from and the encoder"):
        fit_text(data, tmp_path, init=encoder, siblings=True, recipe=RECIPE)
    with pytest.raises(ModelError, match=r"is no encoder: No such file"):
        fit_text(data, tmp_path, start=folder, init=tmp_path / "none", siblings=True, recipe=RECIPE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--siblings"], "--siblings goes with --from"),
        (["--from", "FOLDER", "--teacher", "FOLDER", "--siblings"], "one kind of help at a time"),
        (["--from", "FOLDER", "--teacher", "FOLDER", "--init", "FOLDER"], "one kind of help at a time"),
    ],
)
def test_help_that_excludes_other_help_is_refused(
    data: Path, encoder: Path, folder: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    given = options if "--from" in options else [*options, "--init", str(encoder)]
    check_refused(data, folder, tmp_path / "model", given, 2, message)
