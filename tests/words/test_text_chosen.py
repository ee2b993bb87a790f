"""Classifiers that somebody chose: from a folder, with their labels, and what is refused."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from blipper.errors import ModelError, SettingsError
from blipper.words.sentiment import load_readers, load_text_model, load_text_models, setting_of
from blipper.words.text_chosen import load_chosen
from blipper.words.text_names import parse, without_folders
from tests.words.tiny_text_model import SENTENCES, save_built_in, save_classifier

STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of sentiment that no test spoils."""
    return save_classifier(tmp_path_factory.mktemp("chosen") / "stars", STARS, seed=5)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "stars"))


class Bomb:
    """Leaves a trace where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path, ...]]:
        return Path.touch, (self.path,)


def change(folder: Path, **values: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))


def test_it_gets_the_text_as_written_and_gives_what_transformers_gives(made: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = load_text_model(str(made))
    tokenizer = AutoTokenizer.from_pretrained(made)
    network = AutoModelForSequenceClassification.from_pretrained(made).eval()
    texts = [*SENTENCES, "SHUT UP!!!"]
    with torch.inference_mode():
        logits = [
            network(input_ids=torch.tensor([tokenizer(text)["input_ids"]])).logits[0].numpy()
            for text in texts
        ]
    powers = np.exp(np.array(logits, dtype=np.float64))
    shares = powers / powers.sum(1, keepdims=True)
    expected = np.stack([shares[:, :2].sum(1), shares[:, 2], shares[:, 3:].sum(1)], axis=1)
    scores = model.score(texts)
    np.testing.assert_allclose(scores.sentiment, expected, atol=2e-5)
    assert scores.aggression is None
    with pytest.raises(ValueError, match="verbal aggression"):
        model.aggression_log_odds(texts)
    assert model.form("SHUT up!") == "SHUT up!"


def test_what_is_known_about_it(made: Path) -> None:
    info = load_text_model(str(made)).info
    weights = (made / "model.safetensors").read_bytes()
    assert info.name == "stars"
    assert info.sha256 == hashlib.sha256(weights).hexdigest()
    assert (info.revision, info.calibrated, info.languages) == (None, False, ())
    assert info.labels["2 stars"] == "sentiment: negative"


def test_pickles_are_refused_and_not_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    with pytest.raises(ModelError, match=r"pytorch_model\.bin, pickles, which can run code"):
        load_text_model(str(folder))
    assert not (tmp_path / "trace").exists()


def test_a_pickle_beside_safetensors_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "trace")))
    load_text_model(str(folder))
    assert not (tmp_path / "trace").exists()


def test_code_of_the_models_own_is_not_run(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (folder / "own.py").write_text(f"from pathlib import Path\nPath({str(trace)!r}).touch()\n")
    names = {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}
    change(folder, auto_map=names)
    load_text_model(str(folder))  # a kind that transformers knows: its own code is taken
    change(folder, model_type="mystery", auto_map=names)
    with pytest.raises(ModelError, match="cannot be loaded from"):
        load_text_model(str(folder))
    assert not trace.exists()


def test_parts_of_weights_in_several_files(folder: Path, made: Path) -> None:
    import safetensors.torch

    tensors = safetensors.torch.load((folder / "model.safetensors").read_bytes())
    names = sorted(tensors)
    halves = {"a.safetensors": names[: len(names) // 2], "b.safetensors": names[len(names) // 2 :]}
    for file, part in halves.items():
        safetensors.torch.save_file({name: tensors[name] for name in part}, folder / file, {"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, part in halves.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()
    model = load_text_model(str(folder))
    np.testing.assert_allclose(
        model.sentiment_logits(SENTENCES), load_text_model(str(made)).sentiment_logits(SENTENCES), atol=1e-6
    )
    (folder / "b.safetensors").unlink()
    with pytest.raises(ModelError, match=r"b\.safetensors is missing, which model\.safetensors\.index\.json"):
        load_text_model(str(folder))
    index["weight_map"]["x"] = "../../etc/passwd"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="names no files of weights in its folder"):
        load_text_model(str(folder))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "is a BertForMaskedLM; a sequence classifier"),
        ({"architectures": None}, "model of no named kind"),
        ({"id2label": {"0": "joy", "1": "anger"}}, r"its labels are 0 'joy', 1 'anger'"),
        ({"id2label": 7}, "id2label is 7"),
        ({"problem_type": "regression"}, "is a regression"),
        ({"hidden_size": 64}, "cannot be loaded|weights lack"),
    ],
)
def test_a_configuration_that_does_not_fit(folder: Path, values: dict[str, object], complaint: str) -> None:
    change(folder, **values)
    with pytest.raises(ModelError, match=complaint):
        load_text_model(str(folder))


def test_a_head_that_was_never_trained_is_refused(folder: Path) -> None:
    import safetensors.torch

    tensors = safetensors.torch.load((folder / "model.safetensors").read_bytes())
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier")}
    safetensors.torch.save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ModelError, match=r"weights lack classifier\.bias, classifier\.weight, which would be"
    ):
        load_text_model(str(folder))


def test_damaged_files_are_named(folder: Path) -> None:
    good = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(good[:100])
    with pytest.raises(ModelError, match="stars: cannot be loaded from"):
        load_text_model(str(folder))
    (folder / "model.safetensors").write_bytes(good)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="its tokenizer cannot be loaded"):
        load_text_model(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        load_text_model(str(folder))
    (folder / "config.json").write_text("[]")
    with pytest.raises(ModelError, match=r"config\.json: holds a list"):
        load_text_model(str(folder))
    with pytest.raises(ModelError, match="is no folder"):
        load_chosen(folder / "nowhere", "a/b")


def test_it_prints_nothing(made: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_text_model(str(made)).score(SENTENCES)
    assert capfd.readouterr() == ("", "")


def test_labels_mapped_by_hand(folder: Path) -> None:
    change(folder, id2label=dict(enumerate("abcde")))
    with pytest.raises(ModelError, match="say what they mean after the name"):
        load_text_model(str(folder))
    model = load_text_model(f"{folder}#negative=a,positive=e,aggression=c/3")
    assert model.has_sentiment
    assert model.has_aggression
    assert model.info.labels["d"] == "verbal aggression"
    assert model.info.labels["b"] == "not read"


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("none", []),
        ("built-in", [("built-in", None, None)]),
        ("org/name", [("org/name", None, None)]),
        ("org/name@v1.0#aggression=1", [("org/name", "v1.0", "aggression=1")]),
        ("org/name@refs/pr/10+built-in", [("org/name", "refs/pr/10", None), ("built-in", None, None)]),
    ],
)
def test_how_models_are_asked_for(setting: str, found: list[tuple[str, str | None, str | None]]) -> None:
    assert [(one.where, one.revision, one.mapping) for one in parse(setting)] == found


@pytest.mark.parametrize(
    "setting",
    [
        *("", "parrot", "none+built-in", "built-in#aggression=1", "built-in+built-in", "https://x.y/z"),
        *("a/../b", "a/b/c", "org/name@", "org/name@../x", "org/na me", "org/name+", "org--x/name"),
        *("x" * 5000, "a\0b"),
    ],
)
def test_what_is_no_model_is_refused_with_what_is_accepted(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"accepted: none, built-in|no mapping|a model twice"):
        parse(setting)


def test_a_folder_may_be_called_anything(made: Path, tmp_path: Path) -> None:
    odd = Path(shutil.copytree(made, tmp_path / "a+b#c@d"))
    assert parse(str(odd))[0].where == str(odd)
    assert load_text_model(str(odd)).info.name == "a+b#c@d"
    assert without_folders(str(odd)) == "a+b#c@d"
    assert without_folders(f"{made}#negative=0,positive=4+built-in") == "stars#negative=0,positive=4+built-in"
    assert without_folders("org/name@abc+built-in") == "org/name@abc+built-in"


def test_models_for_each_score(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toxic = save_classifier(tmp_path / "toxic", ("neutral", "toxic"))
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    readers = load_readers(f"{made}+built-in")
    assert [model.info.name for model in readers.models] == ["stars"]
    assert readers.notice is not None
    assert "built-in text model is not installed" in readers.notice.message
    save_built_in(tmp_path / "text-small")
    readers = load_readers(f"{made}+built-in")
    assert [model.info.name for model in readers.models] == ["stars", "text-small"]
    assert readers.notice is None
    assert len(load_text_models(f"{made}+{toxic}")) == 2
    with pytest.raises(SettingsError, match="reads sentiment, which a model before it reads already"):
        load_text_models(f"built-in+{made}")
    with pytest.raises(SettingsError, match="one model is needed"):
        load_text_model(f"{made}+{toxic}")
    with pytest.raises(SettingsError, match="one model is needed"):
        load_text_model("none")
    assert load_text_models("none") == ()
    assert load_text_model("text-small").info.calibrated
    assert load_text_model(str(tmp_path / "text-small")).info.calibrated
    infos = [model.info for model in readers.models]
    assert setting_of(infos) == "built-in"  # a folder is named nowhere
    assert setting_of([load_chosen(toxic, "org/toxic", "c" * 40).info]) == f"org/toxic@{'c' * 40}"
    assert setting_of([]) == "none"


def test_a_damaged_built_in_model_is_an_error_and_no_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_built_in(tmp_path / "text-small")
    (tmp_path / "text-small" / "model.safetensors").write_bytes(b"x")
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="changed or damaged"):
        load_readers("built-in")
