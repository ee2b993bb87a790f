"""A text model that learns our own sentences while all else that it says is held to what it said before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.training.text import keeping
from blipper.training.text.batches import targets_of
from blipper.training.text.corpora import Line
from blipper.training.text.keeping import loss_beside
from blipper.training.text.network import SHIPPED
from blipper.training.text.scoring import Logits, logits_of, validation_score
from blipper.training.text.shipped import Shipped
from blipper.training.text.train import TextRecipe, Trained, _begun, fit_text, read_lines
from tests.training.text.conftest import RECIPE, check_refused, written


def begun(data: Path, encoder: Path, tmp: Path, **changes: Any) -> Path:
    """Return the folder of a text model that takes too much for aggression, so that it can learn."""
    recipe: TextRecipe = replace(RECIPE, **changes)
    trained = fit_text(data, tmp / "work", init=encoder, recipe=recipe)
    trained.model.classifier.bias.data[SHIPPED.index("aggression")] += 2
    return written(trained, tmp / "model")


@pytest.fixture(scope="module")
def folder(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begun(data, encoder, tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def other(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = replace(RECIPE.labels, rate=2e-3)
    return begun(data, encoder, tmp_path_factory.mktemp("other"), labels=labels)


@pytest.fixture(scope="module")
def kept(folder: Path, other: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return fit_text(data, tmp_path_factory.mktemp("kept"), start=folder, beside=other, recipe=RECIPE)


def line(corpus: str, **labels: float) -> Line:
    return Line(corpus, "train", "x", "x:1", labels)


def test_what_has_no_label_is_held_and_what_has_one_is_not() -> None:
    import torch

    targets = targets_of(
        [
            line("meld"),
            line("sentences:threat", aggression=0.97, sentiment=0.0),
            line("sentences:no abuse of a machine", aggression=0.03, abuse=0.0),
        ]
    )
    wanted = torch.from_numpy(np.random.default_rng(1).normal(size=(3, len(SHIPPED))).astype(np.float32))
    least = float(loss_beside(wanted, wanted, targets))

    def loss(row: int, output: slice, by: float = 0.3) -> float:
        moved = wanted.clone()
        moved[row, output] += by
        return float(loss_beside(moved, wanted, targets)) - least

    for together in (slice(0, 3), slice(4, 7), slice(11, 14)):
        assert loss(0, together) == pytest.approx(0, abs=1e-6)  # says the same
    for output in range(len(SHIPPED)):
        share = 2 / 3 if output in (0, 1, 2, 4, 5, 6, 11, 12, 13) else 1
        assert loss(0, slice(output, output + 1)) == pytest.approx(share * 0.09 / 3, rel=1e-3)
    # A threat's own outputs go where its label is, whatever was said before.
    assert loss(1, slice(3, 4), 0.1) < 0 < loss(1, slice(3, 4), -0.1)
    assert loss(1, slice(0, 1), 0.1) < 0 < loss(1, slice(2, 3), 0.1)
    for output in (3, 8):
        assert loss(2, slice(output, output + 1), -0.1) < 0 < loss(2, slice(output, output + 1), 0.1)
    assert loss(2, slice(0, 1)) == pytest.approx(2 / 3 * 0.09 / 3, rel=1e-3)


def test_only_our_own_sentences_teach(kept: Trained, folder: Path, other: Path, data: Path) -> None:
    from tokenizers import Tokenizer

    assert kept.logits.shape == (len(kept.validation), len(SHIPPED))
    assert [row.get("epoch", row.get("mean_of")) for row in kept.history] == [1, 2, 2]
    assert validation_score(kept.logits, kept.validation) == kept.history[-1]["validation"]
    assert kept.tokenizer == (folder / "tokenizer.json").read_text(encoding="utf-8")
    ours = [
        one
        for one in read_lines(data, RECIPE.seed)
        if one.side == "train" and one.corpus.startswith("sentences")
    ]
    others = [one for one in kept.validation if not one.corpus.startswith(("sentences", "templates"))]
    both = [(model.eval(), Tokenizer.from_str(pieces)) for model, pieces in (_begun(folder), _begun(other))]

    def said(lines: list[Line]) -> tuple[Logits, Logits, Logits]:
        texts = [one.text for one in lines]
        one, two = (logits_of(*each, texts) for each in both)
        return logits_of(kept.model, both[0][1], texts), one, two

    now, one, two = said(others)
    unlabelled = [SHIPPED.index("insult"), SHIPPED.index("toxic")]  # by our own sentences
    held = np.abs(now - (one + two) / 2)[:, unlabelled].mean()
    assert held < np.abs(one - two)[:, unlabelled].mean()  # nearer to their mean than they are to one another
    now, one, two = said(ours)
    assert np.abs(now - (one + two) / 2)[:, 3].mean() > 2 * held
    wanted = np.array([one.labels["aggression"] for one in ours])

    def error(logits: Logits) -> float:
        return float(np.mean((1 / (1 + np.exp(-logits[:, 3])) - wanted) ** 2))

    assert error(now) < 0.8 * error((one + two) / 2)


def test_it_is_written_and_resumed(
    kept: Trained, folder: Path, other: Path, data: Path, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int]] = []

    def learn() -> Trained:
        return fit_text(
            *(data, tmp_path / "work"),
            start=folder,
            beside=other,
            recipe=RECIPE,
            progress=lambda *step: steps.append(step),
        )

    found = learn()
    assert {name for name, _, _ in steps} == {"sentences"}
    np.testing.assert_allclose(found.logits, kept.logits, atol=1e-5)
    steps.clear()
    np.testing.assert_allclose(learn().logits, kept.logits, atol=1e-5)
    assert [done == total for _, done, total in steps] == [True]
    assert Shipped(written(found, tmp_path / "after")).score(["you vile thing"]).logits.shape == (1, 14)


def test_labels_of_the_corpora_are_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    seen: list[Line] = []

    def targets(lines: list[Line]) -> Any:
        seen.extend(lines)
        return targets_of(lines)

    def nothing(*given: Any, **options: Any) -> list[Any]:
        assert options == {"dropout": False}
        return []

    monkeypatch.setattr(keeping, "epochs_in", lambda folder, epochs: [torch.nn.Linear(1, 1).state_dict()])
    monkeypatch.setattr("blipper.training.text.batches.targets_of", targets)
    monkeypatch.setattr(keeping, "run_epochs", nothing)
    lines = [line("meld", sentiment=0.0), line("templates:threat", aggression=1.0), line("sentences:threat")]
    pupil: Any = (torch.nn.Linear(1, 1), None)
    keeping.learn_and_keep(
        *(torch.nn.Linear(1, 1), pupil, lines, RECIPE.kept),
        seed=1,
        folder=tmp_path,
        validate=lambda epoch: 0.0,
    )
    assert {one.corpus: dict(one.labels) for one in seen} == {
        "meld": {},
        "templates:threat": {"aggression": 1.0},
        "sentences:threat": {},
    }


def test_the_other_model_has_the_same_word_pieces(
    folder: Path, data: Path, encoder: Path, tmp_path: Path
) -> None:
    fewer = begun(data, encoder, tmp_path, pieces=90)
    with pytest.raises(ModelError, match=r"model: has other word pieces than .*model"):
        fit_text(data, tmp_path / "work2", start=folder, beside=fewer, recipe=RECIPE)
    with pytest.raises(ModelError, match="or with a text model and one of these"):
        fit_text(data, tmp_path / "work3", beside=folder, recipe=RECIPE)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--beside", "FOLDER"], 2, "--beside goes with --from"),
        (["--from", "FOLDER", "--beside", "FOLDER", "--siblings"], 2, "one kind of help at a time"),
        (["--from", "FOLDER", "--beside", "FOLDER", "--init", "FOLDER"], 2, "one kind of help at a time"),
        (["--from", "FOLDER", "--beside", "FOLDER", "--teacher", "FOLDER"], 2, "one kind of help at a time"),
        (["--from", "FOLDER", "--beside", "NOWHERE"], 1, "NOWHERE: lacks model.safetensors"),
    ],
)
def test_help_that_excludes_other_help_is_refused(
    data: Path, folder: Path, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    check_refused(data, folder, tmp_path / "model", options, code, message)
