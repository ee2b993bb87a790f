"""The text model that ships, as it lies in the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from blipper.training.text.card import card
from blipper.words.sentiment import load_text_model
from blipper.words.text_builtin import built_in_folder
from blipper.words.text_models import TextModel
from tests.conftest import ROOT

HOSTILE = (
    "You are a stupid, useless idiot and everybody hates you.",
    "Shut your mouth or I will break your face.",
    "I'm going to find you and you will regret this, you liar.",
)
HARMLESS = (
    "Thank you so much, that was very kind of you.",
    "The train to the coast leaves at ten past four.",
    "Could you tell me when my parcel will be here?",
)


@pytest.fixture(scope="module")
def model() -> Iterator[TextModel]:
    # What ships is what the repository holds, whatever folder of models this machine uses otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLIPPER_MODELS", str(ROOT / "models"))
        yield load_text_model()


def test_it_tells_hostile_words_from_harmless_ones(model: TextModel) -> None:
    scores = model.score([*HOSTILE, *HARMLESS])
    assert scores.aggression is not None
    assert scores.sentiment is not None
    assert (scores.aggression[:3] >= model.info.threshold).all()
    assert (scores.aggression[3:] < model.info.threshold).all()
    assert (scores.sentiment[:3].argmax(axis=1) == 0).all()
    assert scores.sentiment[3].argmax() == 2


def test_it_is_as_small_and_as_described_as_promised(model: TextModel) -> None:
    folder = built_in_folder()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 25e6
    assert model.info.name == folder.name == "text-small"
    assert model.info.languages == ("en",)
    figures = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert figures["sha256"] == model.info.sha256


def test_its_card_says_what_its_figures_say_and_these_reach_what_was_set_out(model: TextModel) -> None:
    folder = built_in_folder()
    described, figures, config = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("blipper.json", "metrics.json", "config.json")
    )
    size = (folder / "model.safetensors").stat().st_size
    assert (folder / "MODEL_CARD.md").read_text(encoding="utf-8") == card(described, figures, config, size)
    aims = {(one["corpus"], one["task"]): one for one in figures["corpora"] if one["target"] is not None}
    assert len(aims) == 7
    assert [name for name, one in aims.items() if one["value"] < one["target"]] == []
    assert [one["name"] for one in figures["checklist"]["categories"] if one["rate"] < 0.8] == []
    assert figures["bias"]["mean_shift"] <= 0.10
