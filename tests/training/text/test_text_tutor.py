"""A larger encoder that is taught what is said to machines, and the text model that learns its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from blipper.errors import ModelError
from blipper.training.text.fit import Schedule
from blipper.training.text.network import SHIPPED
from blipper.training.text.scoring import logits_of
from blipper.training.text.shipped import Shipped
from blipper.training.text.train import TextRecipe, Trained, _begun, fit_text, read_lines
from blipper.training.text.tutor import TutorRecipe, learn_from_tutor, raise_tutor
from tests.training.text.conftest import NASTY, NICE, RECIPE, check_refused, written

TUTORED: TextRecipe = replace(
    RECIPE, tutored=TutorRecipe(Schedule(epochs=12, rate=1e-3, batch=16), Schedule(6, 3e-3, 32))
)
ABUSIVE = SHIPPED.index("abuse")


@pytest.fixture(scope="module")
def folder(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text model whose output for abuse has the sign turned, so that there is something to learn."""
    tmp = tmp_path_factory.mktemp("begun")
    trained = fit_text(data, tmp / "work", init=encoder, recipe=RECIPE)
    trained.model.classifier.weight.data[ABUSIVE] *= -1
    return written(trained, tmp / "model")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutored")


@pytest.fixture(scope="module")
def tutored(folder: Path, data: Path, encoder: Path, work: Path) -> Trained:
    return fit_text(data, work, start=folder, tutor=encoder, recipe=TUTORED)


def test_the_output_learns_and_the_others_are_held(tutored: Trained, folder: Path, data: Path) -> None:
    lines = [line for line in read_lines(data, 3) if line.corpus == "insults" and line.side == "dev"][:60]
    attacks = np.array([line.labels["insult"] > 0 for line in lines])
    assert 10 < attacks.sum() < 50
    texts = [line.text for line in lines]
    before = Shipped(folder).score(texts).logits
    now = logits_of(tutored.model, Tokenizer.from_str(tutored.tokenizer), texts)

    def apart(logits: np.ndarray[Any, Any]) -> float:
        return float(logits[attacks, ABUSIVE].mean() - logits[~attacks, ABUSIVE].mean())

    # Insults have no label for abuse: what is known of them there is the tutor's.
    assert apart(before) < 0 < apart(now)
    moved = np.abs(now - before).mean(axis=0)
    assert moved[[3, 7, 9]].max() < 0.25 * moved[ABUSIVE]
    assert [row.get("epoch", row.get("last")) for row in tutored.history] == [1, 2, 3, 4, 5, 6, 6]


def test_it_is_written_and_resumed(
    tutored: Trained, folder: Path, data: Path, encoder: Path, work: Path, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    again = fit_text(
        *(data, work),
        start=folder,
        tutor=encoder,
        recipe=TUTORED,
        progress=lambda *step: steps.append(step),
    )
    np.testing.assert_allclose(again.logits, tutored.logits, atol=1e-5)
    assert [(name, done == total) for name, done, total in steps] == [
        ("tutor", True),
        ("from the tutor", True),
    ], "something was done again"
    assert Shipped(written(again, tmp_path / "after")).score(["you vile thing"]).logits.shape == (1, 14)


def test_the_tutor_is_asked_about_short_lines_of_the_corpora_alone(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    model, pieces = _begun(folder)
    lines = [line for line in read_lines(data, 3) if line.side == "train"]
    long = replace(lines[0], text=" ".join(NICE * 3))
    asked: list[str] = []

    def ask(texts: Sequence[str]) -> np.ndarray[Any, Any]:
        asked.extend(texts)
        return np.zeros(len(texts), dtype=np.float32)

    learn_from_tutor(
        *(ask, (model, Tokenizer.from_str(pieces)), [*lines, long], Schedule(epochs=1, rate=1e-3, batch=32)),
        seed=1,
        folder=tmp_path,
        validate=lambda epoch: 0.0,
    )
    assert asked and long.text not in asked
    assert set(asked) <= {line.text for line in lines}


def test_a_tutor_tells_abuse_in_lines_that_it_has_not_seen(encoder: Path, data: Path, tmp_path: Path) -> None:
    lines = read_lines(data, RECIPE.seed)
    train = [line for line in lines if line.side == "train"]
    ask = raise_tutor(encoder, train, TUTORED.tutored.tutor, seed=1, folder=tmp_path)
    answers = ask([" ".join(NASTY[:5]), " ".join(NICE[:5]), " ".join(NASTY[2:8]), " ".join(NICE[3:9])])
    assert answers.shape == (4,)
    assert answers[[0, 2]].min() > answers[[1, 3]].max()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--tutor", "FOLDER"], 2, "--tutor goes with --from"),
        (["--from", "FOLDER", "--tutor", "FOLDER", "--siblings"], 2, "one kind of help at a time"),
        (["--from", "FOLDER", "--tutor", "FOLDER", "--beside", "FOLDER"], 2, "one kind of help at a time"),
        (["--from", "FOLDER", "--tutor", "FOLDER", "--init", "FOLDER"], 2, "takes no --init"),
        (["--from", "FOLDER", "--tutor", "NOWHERE"], 1, "NOWHERE: lacks model.safetensors"),
    ],
)
def test_help_that_excludes_other_help_is_refused(
    data: Path, folder: Path, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    check_refused(data, folder, tmp_path / "model", options, code, message)


def test_a_folder_without_an_encoder_is_refused(data: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--tutor takes the folder of an encoder"):
        fit_text(data, tmp_path / "work", start=folder, tutor=tmp_path, recipe=TUTORED)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is no encoder that transformers knows"):
        fit_text(data, tmp_path / "work", start=folder, tutor=tmp_path, recipe=TUTORED)
    with pytest.raises(ModelError, match="one of these"):
        fit_text(data, tmp_path / "work", tutor=tmp_path, recipe=TUTORED)
