"""Small corpora, an encoder at random and a recipe, for the tests of the text model's training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from blipper.cli import app
from blipper.training.text.calibrate import attacks, calibrate_text
from blipper.training.text.corpora import Line
from blipper.training.text.export import write_model
from blipper.training.text.fit import Schedule
from blipper.training.text.sentences import make_sentences
from blipper.training.text.siblings import SiblingRecipe
from blipper.training.text.train import TextRecipe, Trained
from blipper.words.text_torch import beside_tensorflow

NICE = ["what", "a", "lovely", "kind", "bright", "warm", "sunny", "calm", "happy", "gentle", "thing"]
NASTY = ["you", "rotten", "nasty", "vile", "foul", "mean", "cruel", "horrid", "awful", "wretched", "thing"]
PLAIN = ["the", "train", "leaves", "from", "platform", "seven", "nine", "at", "noon", "on", "a", "weekday"]

RECIPE = TextRecipe(
    pieces=400,
    layers=(0, 1),
    hidden=48,
    heads=4,
    words=Schedule(epochs=1, rate=1e-3, batch=32),
    labels=Schedule(epochs=3, rate=3e-3, batch=32),
    advised=Schedule(epochs=1, rate=1e-3, batch=32),
    grown=Schedule(epochs=1, rate=1e-3, batch=32),
    again=Schedule(epochs=1, rate=1e-3, batch=32),
    kept=Schedule(epochs=2, rate=3e-3, batch=32),
    grown_pieces=120,
    siblings=SiblingRecipe(schedule=Schedule(epochs=1, rate=3e-3, batch=32)),
    seed=3,
)


def say(words: list[str], rng: random.Random) -> str:
    return " ".join(rng.choices(words, k=rng.randint(3, 7)))


def rows_of(corpus: str, rng: random.Random) -> Iterator[list[str]]:
    """Yield a head and rows in which nasty words attack and nice words please."""
    heads = {
        "trac1-en": ["aggression"],
        "convabuse": ["agent", "severity"],
        "detoxy-common-voice": ["toxic"],
        "insults": ["insult"],
        "conda": ["intent"],
        "goemotions": ["emotions", "groups"],
        "emocontext": ["turn1", "turn2", "emotion"],
        "meld": ["emotion", "sentiment", "dialogue"],
        "sst2": ["sentiment"],
        "airline": ["sentiment"],
    }
    labels = {
        "trac1-en": (["OAG"], ["NAG"], ["CAG"]),
        "convabuse": (["hello", "-2.0"], ["hello", "1.0"], ["hello", "0.0"]),
        "detoxy-common-voice": (["1"], ["0"], ["0"]),
        "insults": (["1"], ["0"], ["0"]),
        "conda": (["E"], ["O"], ["A"]),
        "goemotions": (["anger", "negative"], ["joy", "positive"], ["neutral", "neutral"]),
        "emocontext": (["a", "b", "angry"], ["a", "b", "happy"], ["a", "b", "others"]),
        "meld": (["anger", "negative"], ["joy", "positive"], ["neutral", "neutral"]),
        "sst2": (["0"], ["1"], ["1"]),
        "airline": (["negative"], ["positive"], ["neutral"]),
    }
    yield ["split", "text", *heads[corpus]]
    for number in range({"insults": 1500, "airline": 1660}.get(corpus, 90)):
        kind = number % (2 if corpus == "sst2" else 3)
        text = say((NASTY, NICE, PLAIN)[kind], rng)
        split = "dev" if number % 5 == 0 else "test" if number % 5 == 1 else "train"
        if corpus in ("insults", "airline", "emocontext"):
            split = "train"
        label = labels[corpus][kind]
        yield [split, text, *label, *([str(number // 4)] if corpus == "meld" else [])]


@pytest.fixture(scope="session", autouse=True)
def few_sentences() -> Iterator[None]:
    """Let few of our own 24,000 sentences teach and validate: these networks are to learn in seconds."""
    of_each: dict[tuple[str, str], list[Line]] = {}
    for line in make_sentences():
        of_each.setdefault((line.corpus, line.side), []).append(line)
    few = [line for (_, side), lines in of_each.items() for line in lines[: 3 if side == "train" else 2]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("blipper.training.text.train.make_sentences", lambda: tuple(few))
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpora")
    (root / "text").mkdir()
    rng = random.Random(0)
    for corpus in (
        *("trac1-en", "convabuse", "detoxy-common-voice", "insults", "conda"),
        *("goemotions", "emocontext", "meld", "sst2", "airline"),
    ):
        lines = ["\t".join(row) for row in rows_of(corpus, rng)]
        (root / "text" / f"{corpus}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT at random with WordPiece pieces, in Hugging Face format."""
    import torch
    from tokenizers import BertWordPieceTokenizer

    with beside_tensorflow():
        from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = sorted({*NICE, *NASTY, *PLAIN, "never", "used"})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "'", *letters, *(f"##{one}" for one in letters)]
    pieces += [word for word in words if len(word) > 1]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True).save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=192,
        max_position_embeddings=160,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def written(trained: Trained, output: Path) -> Path:
    """Write a text model as the command does, and return its folder."""
    calibration = calibrate_text(trained.logits, trained.validation)
    write_model(trained, calibration, output, name=output.name, recipe=RECIPE, initialised_from="a test")
    return output


def check_refused(
    data: Path, folder: Path, output: Path, options: list[str], code: int, message: str
) -> None:
    """Check that the command refuses options, in which FOLDER is a text model's, and writes nothing."""
    given = [str(folder) if one == "FOLDER" else one for one in options]
    result = CliRunner().invoke(app, ["train-text", str(data), "--output", str(output), *given])
    assert result.exit_code == code and message in " ".join(result.stderr.split())
    assert not output.exists()


def tells_insults_apart(found: Trained, output: int) -> None:
    """Check that an output puts every insult among the validation lines above every line that is none."""
    of_insults = np.array([line.corpus == "insults" for line in found.validation])
    hostile = np.array([attacks(line) == 1 for line in found.validation])
    harmless = np.array([attacks(line) == 0 for line in found.validation])
    assert (
        found.logits[of_insults & hostile, output].min() > found.logits[of_insults & harmless, output].max()
    )
