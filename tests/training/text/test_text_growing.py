"""A text model that is given more word pieces, on the corpora and the encoder of the training's tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.training.text.growing import grow, with_outputs
from blipper.training.text.network import PIECES, SHIPPED, only_shipped
from blipper.training.text.relearning import mean_weights
from blipper.training.text.scoring import logits_of, validation_score
from blipper.training.text.shipped import Shipped
from blipper.training.text.train import Trained, fit_text
from blipper.words.text_builtin import load_built_in
from blipper.words.text_torch import beside_tensorflow
from tests.training.text.conftest import RECIPE, tells_insults_apart, written
from tests.words.tiny_text_model import save_built_in

#: Letters, digits and special pieces, and few words: the rest is spelt until the model grows.
FEW = 90
MORE = 105


@pytest.fixture(scope="module")
def begun(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return fit_text(data, tmp_path_factory.mktemp("begun"), init=encoder, recipe=replace(RECIPE, pieces=FEW))


@pytest.fixture(scope="module")
def folder(begun: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(begun, tmp_path_factory.mktemp("models") / "few")


def test_it_knows_more_words_and_forgets_none(begun: Trained, encoder: Path) -> None:
    texts = ["you rotten vile wretched thing", "a lovely gentle sunny thing"]
    model, tokenizer = grow(begun.model, begun.tokenizer, encoder, texts, MORE)
    had = json.loads(begun.tokenizer)["model"]["vocab"]
    has = json.loads(tokenizer)["model"]["vocab"]
    assert len(had) == FEW < len(has) <= MORE
    assert set(had) < set(has) and sorted(has.values()) == list(range(len(has)))
    before, after = (one.state_dict() for one in (begun.model, model))
    for piece, number in had.items():
        np.testing.assert_array_equal(after[PIECES][has[piece]], before[PIECES][number])
    assert {name for name in after if after[name].shape != before[name].shape} == {PIECES}
    # A further piece moved from the encoder's row as the common ones did on average.
    from safetensors.torch import load_file

    rows = load_file(encoder / "model.safetensors")["embeddings.word_embeddings.weight"]
    numbers = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    moved = np.mean([before[PIECES][had[one]].numpy() - rows[numbers[one]].numpy() for one in had], axis=0)
    further = next(piece for piece in has if piece not in had)
    np.testing.assert_allclose(
        after[PIECES][has[further]].numpy() - rows[numbers[further]].numpy(), moved, atol=1e-5
    )
    assert np.abs(moved).max() > 1e-4


def test_an_encoder_that_does_not_fit_is_refused(begun: Trained, encoder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    description = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.safetensors: not there"):
        grow(begun.model, begun.tokenizer, tmp_path, ["thing"], MORE)
    save_file({"other": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"lacks embeddings\.word_embeddings\.weight"):
        grow(begun.model, begun.tokenizer, tmp_path, ["thing"], MORE)
    save_file({PIECES: torch.zeros(500, 16)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="is 16 wide; the text model is 48 wide"):
        grow(begun.model, begun.tokenizer, tmp_path, ["thing"], MORE)
    had = next(
        piece for piece in json.loads(begun.tokenizer)["model"]["vocab"] if piece.isalpha() and len(piece) > 3
    )
    vocabulary = description["model"]["vocab"]
    vocabulary["another"] = vocabulary.pop(had)
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(ModelError, match=f"lacks 1 word pieces, among them '{had}'"):
        grow(begun.model, begun.tokenizer, tmp_path, ["thing"], MORE)


def test_goemotions_own_outputs_begin_as_the_shared_ones() -> None:
    import torch

    with beside_tensorflow():
        from transformers import BertConfig, BertForSequenceClassification

        names = dict(enumerate(SHIPPED[:-3]))
        config = BertConfig(
            vocab_size=FEW, hidden_size=48, num_hidden_layers=1, num_attention_heads=4, id2label=names
        )
        older = BertForSequenceClassification(config).eval()
    newer = with_outputs(older)
    assert tuple(newer.config.id2label.values()) == SHIPPED
    ids = torch.tensor([[2, 50, 60, 3]])
    before, after = (one(input_ids=ids).logits[0].detach() for one in (older, newer))
    torch.testing.assert_close(after[: len(names)], before)
    torch.testing.assert_close(after[-3:], before[:3])
    assert with_outputs(newer) is newer


def test_a_model_without_these_outputs_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="other outputs than train-text gives now; --from adds them"):
        Shipped(save_built_in(tmp_path / "older"))


def test_a_mean_of_weights_lies_in_the_middle() -> None:
    import torch

    found = mean_weights({"w": torch.full((2,), value, dtype=torch.float16)} for value in (1.0, 2.0, 6.0))
    torch.testing.assert_close(found["w"], torch.full((2,), 3.0))


def test_a_text_model_goes_on_with_more_words(
    folder: Path, data: Path, encoder: Path, tmp_path: Path
) -> None:
    from tokenizers import Tokenizer

    steps: list[str] = []
    found = fit_text(
        *(data, tmp_path / "work"),
        start=folder,
        init=encoder,
        recipe=replace(RECIPE, grown_pieces=MORE),
        progress=lambda step, done, total: steps.append(step),
    )
    assert set(steps) == {
        f"{step}, run {run}" for step in ("answers", "labels and answers") for run in (1, 2)
    }
    assert found.logits.shape == (len(found.validation), len(SHIPPED))
    *taught, after, mean = found.history
    assert [(row["run"], row["epoch"]) for row in taught] == [(1, 1), (2, 1)]
    assert (after["mean_of"], mean["mean_of"]) == (2, 3)
    judged = validation_score(found.logits, found.validation)
    assert judged == max(row["validation"] for row in found.history)
    assert FEW < len(json.loads(found.tokenizer)["model"]["vocab"]) <= MORE
    tells_insults_apart(found, SHIPPED.index("insult"))
    steps.clear()
    resumed = fit_text(
        *(data, tmp_path / "work"),
        start=folder,
        init=encoder,
        recipe=replace(RECIPE, grown_pieces=MORE),
        progress=lambda step, done, total: steps.append(step) if done < total else None,
    )
    assert steps == []
    np.testing.assert_allclose(resumed.logits, found.logits, atol=1e-5)
    again = written(found, tmp_path / "more")
    texts = [line.text for line in found.validation]
    # What is read again is the network as it was rounded.
    found.model.load_state_dict({name: one.float() for name, one in only_shipped(found.model).items()})
    rounded = logits_of(found.model, Tokenizer.from_str(found.tokenizer), texts)
    np.testing.assert_allclose(Shipped(again).score(texts).logits, rounded, atol=1e-4)
    shown = load_built_in(again).score(texts)
    assert shown.aggression is not None
    np.testing.assert_allclose(shown.aggression, Shipped(again).score(texts).aggression, atol=1e-4)


def test_the_table_of_pieces_is_stored_in_eight_bits(folder: Path) -> None:
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="pt") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert kinds.pop(PIECES) == "F8_E4M3"
    assert set(kinds.values()) == {"F16"}
