"""Our own sentences: what they say, and that they stay away from what the model is measured by."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pytest

from blipper.errors import DatasetError
from blipper.training.text import sentences
from blipper.training.text.calibrate import attacks
from blipper.training.text.corpora import Line
from blipper.training.text.sentences import (
    KINDS,
    MEASURING,
    NEAR,
    TWINS,
    VALIDATING,
    make_sentences,
    nearness,
    sentences_to_check,
)
from blipper.training.text_bias import bias_sentences
from blipper.training.text_checks import read_checklist


def near_to(texts: list[str], others: list[str]) -> list[str]:
    return [text for text, share in zip(texts, nearness(texts, others), strict=True) if share >= NEAR]


def test_every_kind_has_a_harmless_twin_and_no_text_is_both() -> None:
    lines = make_sentences()
    by_kind = {kind: {line.text for line in lines if line.corpus == f"sentences:{kind}"} for kind in KINDS}
    assert all(len(texts) > 250 for texts in by_kind.values())
    assert set().union(TWINS, *TWINS.values()) == set(KINDS)
    for kind, twins in TWINS.items():
        assert 0.7 < sum(len(by_kind[twin]) for twin in twins) / len(by_kind[kind]) < 2.2
    hostile = {line.text for line in lines if attacks(line) == 1}
    harmless = {line.text for line in lines if attacks(line) == 0}
    assert len(hostile) > 8500 and len(harmless) > 8500 and not hostile & harmless
    assert hostile == set().union(*(by_kind[kind] for kind in TWINS))
    assert all(line.labels.get("sentiment", 0) == 0 for line in lines)


def test_a_writer_teaches_or_validates() -> None:
    lines = make_sentences()
    sides: dict[str, list[Line]] = {"train": [], "validation": [], "test": []}
    for line in lines:
        sides[line.side].append(line)
    writers = {side: {line.group for line in ours} for side, ours in sides.items()}
    assert writers["validation"] == {f"sentences:{writer}" for writer in VALIDATING}
    assert writers["test"] == {f"sentences:{writer}" for writer in MEASURING}
    assert len(writers["train"]) == 44 and len(set().union(*writers.values())) == 54
    assert len({line.text for line in lines}) == len(lines)
    teaching = [line.text for side in ("train", "validation") for line in sides[side]]
    assert not near_to([line.text for line in sides["test"]], teaching)
    checked = sentences_to_check(lines)
    assert [one.text for one in checked] == [line.text for line in sides["test"]]
    assert {one.category for one in checked if one.expected} == set(TWINS)
    assert {one.category for one in checked} == set(KINDS)


def test_nothing_that_teaches_is_near_to_what_measures() -> None:
    measured = [one.text for one in read_checklist()]
    assert not near_to([line.text for line in make_sentences()], measured)
    assert not {line.text for line in make_sentences()} & {text.lower() for text in bias_sentences()}


def test_nearness_is_the_share_of_pairs_in_common() -> None:
    texts = ["The train, is late!", "the train is late", "late"]
    assert nearness(texts, ["the bus is late", "a dog", "the train is late"]) == [1, 1, 0]
    assert nearness(texts, ["the bus is late", "a dog"]) == pytest.approx([1 / 5, 1 / 5, 0])
    assert nearness(texts, ["late is train the", "late"]) == [0, 0, 1]
    assert nearness(texts, []) == [0, 0, 0] and nearness([], texts) == []


def test_an_unknown_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentences.tsv").write_text("set\tkind\ttext\n01\tsong\tla la\n", encoding="utf-8")
    monkeypatch.setattr(sentences.resources, "files", lambda package: tmp_path)
    with pytest.raises(DatasetError, match="kind is 'song', expected one of veiled threat, threat"):
        make_sentences()


def test_the_file_holds_one_sentence_a_line() -> None:
    content = resources.files("blipper.training.text").joinpath("sentences.tsv").read_text(encoding="utf-8")
    rows = list(csv.reader(content.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows[0] == ["set", "kind", "text"] and {len(row) for row in rows} == {3}
    assert len({row[2].casefold() for row in rows}) == len(rows)
    assert all(row[2] == row[2].strip() and 1 <= len(row[2].split()) <= 30 for row in rows[1:])
