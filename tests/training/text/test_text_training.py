"""The text model from corpora to a folder with figures, on corpora and an encoder that the tests make."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper.errors import DatasetError, ModelError
from blipper.training.text.advice import ADVISED, advise, drawn, features_of
from blipper.training.text.augment import ALIKE, recognised
from blipper.training.text.batches import N_ADVISED, TEACHING, batches, padded, targets_of
from blipper.training.text.calibrate import calibrate_text
from blipper.training.text.corpora import Line, read_corpora
from blipper.training.text.evaluate import evaluate, report
from blipper.training.text.export import FILES, write_model
from blipper.training.text.network import SHIPPED
from blipper.training.text.shipped import Shipped
from blipper.training.text.templates import make_lines
from blipper.training.text.train import Trained, fit_text
from blipper.training.text.vocabulary import prune
from blipper.words.text_torch import beside_tensorflow
from tests.training.text.conftest import NASTY, NICE, PLAIN, RECIPE, say, tells_insults_apart


@pytest.fixture(scope="module")
def trained(data: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    work = tmp_path_factory.mktemp("work")
    return fit_text(data, work, init=encoder, recipe=RECIPE), work


@pytest.fixture(scope="module")
def folder(trained: tuple[Trained, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("models") / "tiny-text"
    calibration = calibrate_text(trained[0].logits, trained[0].validation)
    write_model(trained[0], calibration, output, name="tiny-text", recipe=RECIPE, initialised_from="a test")
    return output


def test_no_held_out_text_teaches(data: Path) -> None:
    lines = read_corpora(data / "text", seed=3)
    held_out = {line.text for line in lines if line.side in ("dev", "test")}
    validating = {line.text for line in lines if line.side == "validation"}
    teaching = {line.text for line in lines if line.side == "train"}
    assert held_out and validating and teaching
    assert not held_out & (teaching | validating)
    assert not validating & teaching
    by_dialogue: dict[str, set[str]] = {}
    for line in lines:
        if line.corpus == "meld" and line.side in ("train", "validation"):
            by_dialogue.setdefault(line.group, set()).add(line.side)
    assert all(len(sides) == 1 for sides in by_dialogue.values()), "a dialogue lies on both sides"


def test_what_is_missing_or_unknown_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"trac1-en\.tsv: cannot be read"):
        read_corpora(tmp_path)
    for path in (data / "text").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "meld.tsv").write_text(
        "split\ttext\temotion\tsentiment\tdialogue\ntrain\thello\tjoy\tgreat\t1\n", encoding="utf-8"
    )
    with pytest.raises(DatasetError, match=r"meld\.tsv, row 2: unknown label"):
        read_corpora(tmp_path)


def test_it_learns_what_the_corpora_say(trained: tuple[Trained, Path]) -> None:
    found = trained[0]
    assert found.history[-1]["loss"] < found.history[0]["loss"]
    assert found.logits.shape == (len(found.validation), len(TEACHING))
    tells_insults_apart(found, SHIPPED.index("aggression"))


def test_a_finished_run_is_not_trained_again(
    trained: tuple[Trained, Path], data: Path, encoder: Path
) -> None:
    seen: list[str] = []

    def progress(step: str, completed: float, total: float) -> None:
        if 0 < completed < total:
            seen.append(step)

    again = fit_text(data, trained[1], init=encoder, recipe=RECIPE, progress=progress)
    assert seen == []
    np.testing.assert_allclose(again.logits, trained[0].logits, atol=1e-5)


def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    trained: tuple[Trained, Path], data: Path, encoder: Path, tmp_path: Path
) -> None:
    class Stopped(Exception):
        pass

    def stop(step: str, completed: float, total: float) -> None:
        if step == "labels" and completed > 0.5 * total:
            raise Stopped

    with pytest.raises(Stopped):
        fit_text(data, tmp_path, init=encoder, recipe=RECIPE, progress=stop)
    again = fit_text(data, tmp_path, init=encoder, recipe=RECIPE)
    assert [row["epoch"] for row in again.history] == [1, 2, 3]
    np.testing.assert_allclose(again.logits, trained[0].logits, atol=2e-2)


def test_the_folder_is_vouched_for_and_loads_in_transformers(folder: Path) -> None:
    import hashlib

    with beside_tensorflow():
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

    described = json.loads((folder / "blipper.json").read_text(encoding="utf-8"))
    assert set(described["files"]) == set(FILES)
    for file, digest in described["files"].items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
        model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
    assert tuple(model.config.id2label.values()) == SHIPPED
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "you rotten vile thing"
    ours = Shipped(folder).score([text]).logits[0]
    theirs = model.float()(**tokenizer(text, return_tensors="pt")).logits[0].detach().numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_text_model_goes_on_with_a_larger_encoders_advice(
    folder: Path, data: Path, encoder: Path, tmp_path: Path
) -> None:
    before = Shipped(folder)
    steps: list[str] = []
    found = fit_text(
        *(data, tmp_path),
        start=folder,
        teacher=encoder,
        recipe=RECIPE,
        progress=lambda step, done, total: steps.append(step),
    )
    assert set(steps) == {"larger encoder", "labels and advice"}
    assert found.logits.shape == (len(found.validation), len(SHIPPED))
    assert [row["epoch"] for row in found.history] == [1]
    texts = [line.text for line in found.validation]
    assert np.abs(found.logits - before.score(texts).logits).max() > 0.01, "nothing was learned"
    tells_insults_apart(found, SHIPPED.index("insult"))
    steps.clear()
    again = fit_text(
        *(data, tmp_path),
        start=folder,
        teacher=encoder,
        recipe=RECIPE,
        progress=lambda step, done, total: steps.append(step) if 0 < done < total else None,
    )
    assert steps == []
    np.testing.assert_allclose(again.logits, found.logits, atol=1e-5)


def test_training_begins_with_one_thing(folder: Path, data: Path, encoder: Path, tmp_path: Path) -> None:
    for given in ({}, {"start": folder}, {"start": folder, "init": encoder, "teacher": encoder}):
        with pytest.raises(ModelError, match="one of these"):
            fit_text(data, tmp_path, recipe=RECIPE, **given)
    with pytest.raises(ModelError, match="word pieces already; more than 60 were expected"):
        fit_text(data, tmp_path, start=folder, init=encoder, recipe=replace(RECIPE, grown_pieces=60))
    with pytest.raises(ModelError, match="no text model to go on from"):
        fit_text(data, tmp_path, start=tmp_path, teacher=encoder, recipe=RECIPE)
    with pytest.raises(ModelError, match="--teacher takes the folder of an encoder"):
        features_of(tmp_path, ["hello"], tmp_path)


def test_features_are_read_once_and_are_means_over_words(encoder: Path, tmp_path: Path) -> None:
    texts = ["you rotten thing", "a lovely warm sunny thing", "you rotten thing"]
    found = features_of(encoder, texts, tmp_path)
    assert found.shape == (3, 96) and np.isfinite(found).all()
    np.testing.assert_allclose(found[0], found[2], atol=2e-3)  # padding takes no part
    stamp = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")}
    again = features_of(encoder, texts, tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.json")} == stamp
    np.testing.assert_array_equal(np.asarray(again), np.asarray(found))


def test_nobody_advises_on_what_it_was_told() -> None:
    rng = random.Random(4)
    lines, features = [], []
    for number in range(240):
        kind = number % 3
        labels = {"insult": float(kind == 0), "abuse": float(kind == 0), "trac": 2 - kind, "sentiment": kind}
        for corpus, taken in zip(
            *(("insults", "convabuse", "trac1-en", "goemotions"), ("insult", "abuse", "trac", "sentiment")),
            strict=True,
        ):
            text = say((NASTY, PLAIN, NICE)[kind], rng)
            lines.append(Line(corpus, "train", text, f"{corpus}:{number}", {taken: labels[taken]}))
            features.append([float(kind == k) + rng.gauss(0, 0.1) for k in range(3)])
    # One harmless line that its raters called an insult, and one of another corpus that nobody rated so.
    odd = next(i for i, line in enumerate(lines) if line.corpus == "insults" and line.labels["insult"] == 0)
    lines[odd] = Line("insults", "train", lines[odd].text, lines[odd].group, {"insult": 1.0})
    found = advise(np.array(features), lines, seed=1)
    assert found.shape == (len(lines), sum(len(outputs) for *_, outputs in ADVISED))
    assert found.shape[1] < N_ADVISED  # what it leaves out is aggression, which no single corpus teaches
    np.testing.assert_allclose(found[:, :3].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found[:, 3:6].sum(axis=1), 1, atol=1e-5)
    hostile = np.array([i // 4 % 3 == 0 for i in range(len(lines))])
    assert found[odd, 6] < 0.3
    assert found[hostile, 6].min() > found[~hostile, 6].max()
    taken = drawn(lines, {"insults": 10, "convabuse": 1000}, seed=1)
    assert len(taken) == 250 and (np.diff(taken) > 0).all()


def test_figures_come_with_baselines_intervals_and_a_card(folder: Path, data: Path) -> None:
    metrics = evaluate(data, folder, resamples=20)
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == metrics
    insults, by_score = (one for one in metrics["corpora"] if one["corpus"] == "insults")
    assert (insults["target"], by_score["target"]) == (0.91, None)
    assert insults["output"] != by_score["output"] and insults["task"] != by_score["task"]
    assert insults["value"] > 0.95 and insults["n"] == 1299 and insults["low"] <= insults["value"]
    assert insults["baselines"]["tfidf-lr"]["value"] > 0.95
    trac = metrics["corpora"][0]
    assert (trac["corpus"], trac["metric"], trac["target"]) == ("trac1-en", "weighted F1", 0.60)
    assert trac["baselines"]["vader"] is None
    assert {one["head"] for one in metrics["calibration"]} == {"aggression", "sentiment"}
    assert len(metrics["checklist"]["sentences"]) >= 150
    kinds = metrics["sentences"]["categories"]
    assert len(kinds) == 16 and all(one["n"] == 2 and one["passed"] <= 2 for one in kinds)
    assert [one["n"] for one in metrics["corpora"] if one["corpus"] == "sentences"] == [
        *([4] * 4),
        *(8, 4, 4),  # reports, denials and words about oneself are the twins of one kind
    ]
    assert metrics["lines"]["sentences"] == {"train": 48, "validation": 32, "test": 32}
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{insults['value']:.3f}" in card and "{" not in card.replace("{name}", "")
    assert f"insults (dev), insult: ROC-AUC {insults['value']:.3f}" in report(metrics)


def test_another_encoder_is_refused(tmp_path: Path, encoder: Path, data: Path) -> None:
    wrong = json.loads((encoder / "tokenizer.json").read_text(encoding="utf-8"))
    wrong["model"] = {"type": "BPE", "vocab": {}, "merges": []}
    (tmp_path / "tokenizer.json").write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(ModelError, match="holds no WordPiece tokenizer"):
        prune(tmp_path / "tokenizer.json", ["hello"], 100)
    with pytest.raises(ModelError, match="holds no text model"):
        Shipped(tmp_path)


def test_pieces_that_nobody_uses_are_left_out_and_all_words_can_be_spelt(encoder: Path) -> None:
    from tokenizers import Tokenizer

    content, rows = prune(encoder / "tokenizer.json", ["lovely lovely train"], 90)
    tokenizer = Tokenizer.from_str(content)
    assert tokenizer.encode("lovely train").tokens == ["[CLS]", "lovely", "train", "[SEP]"]
    assert "[UNK]" not in tokenizer.encode("wretched zebra 42").tokens
    assert tokenizer.token_to_id("wretched") is None
    old = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    assert rows[tokenizer.token_to_id("lovely")] == old.token_to_id("lovely")


def test_templates_teach_both_sides_and_never_the_same_sentence_on_two() -> None:
    lines = make_lines(seed=1)
    assert lines == make_lines(seed=1) != make_lines(seed=2)
    hostile = {line.text for line in lines if line.labels["aggression"] > 0.5}
    harmless = {line.text for line in lines if line.labels["aggression"] < 0.5}
    assert len(hostile) > 1000 and len(harmless) > 1000
    assert not hostile & harmless
    assert not any(set("{}|") & set(line.text) for line in lines)


def test_a_recogniser_mishears_but_never_writes_nothing() -> None:
    rng = np.random.default_rng(0)
    text = "you are going to hear your fool of a son there"
    heard = {recognised(text, rng) for _ in range(50)}
    assert len(heard) > 20 and all(heard)
    assert recognised(text, rng, strength=0) == text
    assert {recognised("no", rng, strength=3).split()[0] for _ in range(20)}
    assert all(other != word for word, others in ALIKE.items() for other in others)


def test_batches_hold_every_text_once_and_pad_to_the_longest() -> None:
    pieces = [[2, *range(5, 5 + n), 3] for n in (1, 9, 4, 4, 30, 2, 7)]
    order = [row for rows in batches(pieces, 3, np.random.default_rng(0)) for row in rows]
    assert sorted(order) == list(range(7))
    ids, mask = padded(pieces, np.array([0, 2]))
    assert (
        ids.shape == (2, 6) and mask.sum(axis=1).tolist() == [3, 6] and ids[0].tolist() == [2, 5, 3, 0, 0, 0]
    )


def test_unknown_labels_stay_unknown() -> None:
    line = Line("sst2", "train", "a lovely thing", "sst2:0", {"sentiment": 2.0, "aggression": 0.0})
    found = targets_of([line])
    assert found.sentiment.tolist() == [2] and found.trac.tolist() == [-1] and found.turn.tolist() == [-1]
    assert np.isnan(found.binary[0, 1:]).all() and found.binary[0, 0] == 0
    assert np.isnan(found.emotions).all()


def test_calibration_needs_both_sides() -> None:
    lines = [Line("insults", "validation", "x", f"insults:{n}", {"insult": 0.0}) for n in range(4)]
    with pytest.raises(ModelError, match="lack a class"):
        calibrate_text(np.zeros((4, 11)), lines)
