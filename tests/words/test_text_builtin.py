"""The built-in text model: checked before it is opened, and scoring what its files say it scores."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper.errors import Cancelled, ModelError
from blipper.words.sentiment import load_text_model
from blipper.words.spoken import FORM, spoken
from blipper.words.text_builtin import available_text_models, load_built_in
from blipper.words.text_models import TextModel
from tests.words.tiny_text_model import SENTENCES, describe, save_built_in, save_classifier, tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_built_in(tmp_path_factory.mktemp("models") / "text-small")


@pytest.fixture(scope="module")
def model(folder: Path) -> TextModel:
    return load_built_in(folder)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder that a test may spoil."""
    return save_built_in(tmp_path / "text-small")


def reference(folder: Path, texts: list[str]) -> np.ndarray:
    """The logits by transformers' own road, one text at a time, without padding."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            inputs = tokenizer(spoken(text), return_tensors="pt")
            inputs.pop("token_type_ids", None)
            rows.append(network(**inputs).logits[0].numpy())
    return np.array(rows, dtype=np.float64)


def test_scores_are_those_of_the_logits_by_transformers_own_road(folder: Path, model: TextModel) -> None:
    texts = [*SENTENCES, "Gone.", "zyx qwv"]
    logits = reference(folder, texts)
    scores = model.score(texts)
    assert scores.sentiment is not None
    assert scores.aggression is not None
    powers = np.exp(logits[:, :3] / 1.2)
    np.testing.assert_allclose(scores.sentiment, powers / powers.sum(1, keepdims=True), atol=2e-5)
    np.testing.assert_allclose(scores.aggression, 1 / (1 + np.exp(-(1.1 * logits[:, 3] - 0.3))), atol=2e-5)
    assert np.ptp(scores.aggression) > 0.05  # a model that always says the same would pass the rest
    assert scores.aggression.dtype == scores.sentiment.dtype == np.float64


def test_log_odds_and_logits_are_the_scores(model: TextModel) -> None:
    scores = model.score(SENTENCES)
    odds, logits = model.aggression_log_odds(SENTENCES), model.sentiment_logits(SENTENCES)
    assert odds.shape == (len(SENTENCES),)
    assert logits.shape == (len(SENTENCES), 3)
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), scores.aggression, atol=1e-12)
    powers = np.exp(logits)
    np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), scores.sentiment, atol=1e-12)


def test_what_is_known_about_it(model: TextModel, folder: Path) -> None:
    info = model.info
    assert (info.name, info.revision, info.calibrated, info.languages) == ("text-small", None, True, ("en",))
    assert info.sha256 == json.loads((folder / "blipper.json").read_text())["files"]["model.safetensors"]
    assert info.threshold == 0.5
    assert info.labels == {
        "negative": "sentiment: negative",
        "neutral": "sentiment: neutral",
        "positive": "sentiment: positive",
        "aggression": "verbal aggression",
        "insult": "not read",
    }
    assert model.has_sentiment
    assert model.has_aggression
    assert info.sha256[:12] in repr(model)
    weights = {parameter.dtype for parameter in model.network.parameters()}
    assert [str(dtype) for dtype in weights] == ["torch.float32"]


def test_the_form_of_speech_alone_counts(model: TextModel) -> None:
    written, said = "SHUT up — and DO what you are told!!! 😡", "shut up and do what you are told!"
    np.testing.assert_allclose(*model.aggression_log_odds([written, said]), atol=1e-5)


def test_batches_do_not_touch_scores(model: TextModel) -> None:
    rng = np.random.default_rng(0)
    words = " ".join(SENTENCES).split()
    texts = [" ".join(rng.choice(words, rng.integers(1, 25))) for _ in range(150)]
    together = model.aggression_log_odds(texts)
    alone = np.concatenate([model.aggression_log_odds([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_no_texts_and_empty_texts(model: TextModel) -> None:
    scores = model.score([])
    assert scores.sentiment is not None
    assert scores.aggression is not None
    assert scores.sentiment.shape == (0, 3)
    assert scores.aggression.shape == (0,)
    assert np.isfinite(model.aggression_log_odds(["", "   ", "!?"])).all()
    with pytest.raises(TypeError, match="one str"):
        model.score("one text")


def test_a_long_text_is_read_in_pieces_to_its_end(model: TextModel) -> None:
    """The threat at the end counts, and nothing is cut off in silence."""
    long = " ".join(["the train leaves at ten past four"] * 20)
    ends = [long, f"{long} {SENTENCES[0]}"]
    pieces = model.tokenizer.encode(spoken(ends[1]))
    ids = [pieces.ids, *(piece.ids for piece in pieces.overflowing)]
    assert len(ids) > 3
    assert max(map(len, ids)) <= 32
    odds = [model._forward([piece]) for piece in ids]
    highest = max(float(model.heads.aggression_log_odds(one)[0]) for one in odds)
    found = model.aggression_log_odds(ends)
    assert found[1] == pytest.approx(highest, abs=1e-4)
    weights = np.array(list(map(len, ids)), dtype=float)
    logits = np.concatenate([model.heads.sentiment_logits(one) for one in odds])
    mean = (logits * weights[:, None]).sum(0) / weights.sum()
    sentiment = model.sentiment_logits(ends)
    np.testing.assert_allclose(sentiment[1], mean, atol=1e-4)
    assert np.abs(sentiment[0] - sentiment[1]).max() > 0.01


def test_ten_thousand_texts_in_bounded_memory(model: TextModel) -> None:
    words = " ".join(SENTENCES).split()
    texts = [" ".join(words[index % 40 : index % 40 + 12]) for index in range(10_000)]
    told: list[tuple[str, float, float]] = []
    model.score(texts[:100])
    tracemalloc.start()
    scores = model.score(texts, lambda *report: told.append(report))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scores.aggression is not None
    assert len(scores.aggression) == 10_000
    np.testing.assert_allclose(scores.aggression[:40], scores.aggression[40:80], atol=1e-5)
    assert peak < 20e6  # Python's own; the network sees at most 2048 tokens at a time
    assert told[0] == ("reading", 0, 10_000)
    assert told[-1] == ("reading", 10_000, 10_000)


def test_cancelling_stops_it(model: TextModel) -> None:
    def stop(step: str, completed: float, total: float) -> None:
        if completed:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        model.score(["hello"] * 5000, stop)


def test_threads_share_it(model: TextModel) -> None:
    expected = model.aggression_log_odds(SENTENCES)
    found: list[Any] = []

    def work() -> None:
        for _ in range(10):
            found.append(model.aggression_log_odds(SENTENCES))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    for one in found:
        np.testing.assert_allclose(one, expected, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
)
def test_a_changed_file_is_refused_before_it_is_opened(own: Path, name: str) -> None:
    data = bytearray((own / name).read_bytes())
    data[len(data) // 2] ^= 1
    (own / name).write_bytes(data)
    with pytest.raises(ModelError, match=rf"{name}: SHA-256 is .*changed or damaged"):
        load_built_in(own)
    (own / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: cannot be read"):
        load_built_in(own)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"schema": 2}, r"schema and kind are \(2, 'text'\)"),
        ({"kind": "voice"}, "schema and kind"),
        ({"form": "spoken-9"}, f"form is 'spoken-9', expected one of {FORM}"),
        ({"languages": "en"}, "languages is 'en'"),
        ({"max_length": 4}, "max_length is 4"),
        ({"max_length": 500}, "the network reads 128 tokens"),
        ({"files": {"model.safetensors": "0" * 64}}, "no SHA-256 of config.json"),
        ({"files": {"../secret": "0" * 64}}, "'../secret'"),
        ({"sentiment": {"negative": 0, "neutral": 1, "positive": 9, "temperature": 1}}, "positive is 9"),
        ({"sentiment": {"negative": 0, "neutral": 1, "positive": 2, "temperature": 0}}, "temperature is 0"),
        ({"sentiment": {"negative": 0, "neutral": 0, "positive": 2, "temperature": 1}}, "an output twice"),
        ({"aggression": {"output": True, "scale": 1, "bias": 0, "threshold": 0.5}}, "output is True"),
        ({"aggression": {"output": 3, "scale": 1, "bias": 0, "threshold": 1.5}}, "threshold is 1.5"),
        ({"aggression": {"output": 3, "scale": 1, "bias": 1e400, "threshold": 0.5}}, "bias is inf"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    own: Path, changes: dict[str, Any], complaint: str
) -> None:
    describe(own, **changes)
    with pytest.raises(ModelError, match=complaint):
        load_built_in(own)


def test_files_that_do_not_fit_each_other(own: Path, tmp_path: Path) -> None:
    values = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps({**values, "hidden_size": 64}))
    describe(own)
    with pytest.raises(ModelError, match=r"config\.json and model\.safetensors do not fit each other"):
        load_built_in(own)
    (own / "config.json").write_text(json.dumps({**values, "model_type": "roberta"}))
    describe(own)
    with pytest.raises(ModelError, match="model_type is 'roberta', expected 'bert'"):
        load_built_in(own)
    (own / "config.json").write_text(json.dumps(values))
    (own / "model.safetensors").write_bytes(b"not tensors at all")
    describe(own)
    with pytest.raises(ModelError, match="do not fit"):
        load_built_in(own)


def test_numbers_that_are_none_and_a_tokenizer_of_another_kind(own: Path) -> None:
    import safetensors.torch

    good = (own / "model.safetensors").read_bytes()
    tensors = safetensors.torch.load(good)
    tensors["classifier.bias"][0] = float("nan")
    (own / "model.safetensors").write_bytes(safetensors.torch.save(tensors))
    describe(own)
    with pytest.raises(ModelError, match="not finite"):
        load_built_in(own)
    (own / "model.safetensors").write_bytes(good)
    tokens = json.loads((own / "tokenizer.json").read_text())
    (own / "tokenizer.json").write_text(json.dumps({**tokens, "post_processor": None}))
    describe(own)
    with pytest.raises(ModelError, match=r"no \[CLS\]"):
        load_built_in(own)
    (own / "tokenizer.json").write_text("{}")
    describe(own)
    with pytest.raises(ModelError, match="cannot be read as a tokenizer"):
        load_built_in(own)


def test_it_is_found_like_the_voice_models_and_is_none_of_them(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blipper.voice.models import available_models

    monkeypatch.setenv("BLIPPER_MODELS", str(own.parent))
    assert load_text_model().info.name == "text-small"
    assert available_text_models() == ("text-small",)
    assert available_models() == ()
    monkeypatch.setenv("BLIPPER_MODELS", str(own.parent / "nowhere"))
    with pytest.raises(ModelError, match="text-small: missing"):
        load_text_model()


def test_without_a_description_nothing_is_opened(tmp_path: Path) -> None:
    save_classifier(tmp_path / "bare")
    with pytest.raises(ModelError, match=r"blipper\.json: cannot be read"):
        load_built_in(tmp_path / "bare")


def test_a_seed_makes_another_model(tmp_path: Path, model: TextModel) -> None:
    other = tiny_model(tmp_path / "other", seed=1)
    assert not np.allclose(other.aggression_log_odds(SENTENCES), model.aggression_log_odds(SENTENCES))


@pytest.mark.parametrize("first", ["tensorflow", "transformers"])
def test_it_lives_beside_tensorflow(folder: Path, tmp_path: Path, first: str) -> None:
    """Both bring an LLVM where triton is imported, and the process would end."""
    chosen = save_classifier(tmp_path / "chosen", ("neutral", "toxic"))
    load = (
        "from blipper.words.sentiment import load_text_model\n"
        f"for where in {str(folder)!r}, {str(chosen)!r}:\n"
        "    load_text_model(where).score(['hello there'])\n"
    )
    both = ["import tensorflow\n", load] if first == "tensorflow" else [load, "import tensorflow\n"]
    code = "".join(both) + "import sys\nassert 'triton' not in sys.modules\nprint('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "alive\n", done.stderr
    assert done.returncode == 0
    assert "nanobind" not in done.stderr
