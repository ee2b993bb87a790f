"""The checklist and the bias figures: the sentences themselves, and models whose figures are known."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from blipper.errors import DatasetError, SettingsError
from blipper.training.text_bias import TEMPLATES, TERMS, bias_sentences, measure_bias
from blipper.training.text_checks import (
    Sentence,
    check,
    parse_checklist,
    read_checklist,
    run_checklist,
)
from blipper.words.spoken import spoken
from tests.conftest import ROOT


@dataclass(frozen=True)
class Given:
    """Scores from a function of a text."""

    rule: object

    def score(self, texts):
        return type("Scores", (), {"aggression": np.array([self.rule(text) for text in texts])})()


def test_the_sentences_are_many_of_each_kind_and_as_spoken() -> None:
    sentences = read_checklist()
    counts: dict[str, int] = {}
    for one in sentences:
        counts[one.category] = counts.get(one.category, 0) + 1
        assert spoken(one.text) == one.text, one.text
        assert 3 <= len(one.text.split()) <= 25
    assert len(sentences) >= 180
    assert len(counts) >= 12
    assert min(counts.values()) >= 15
    assert 0.4 < sum(one.expected for one in sentences) / len(sentences) < 0.6


def test_no_sentence_repeats_another() -> None:
    texts = [one.text for one in read_checklist()]
    assert len(set(texts)) == len(texts)
    words = [set(text.split()) for text in texts]
    for i, one in enumerate(words):
        for j in range(i):
            assert len(one & words[j]) / len(one | words[j]) < 0.5, (texts[i], texts[j])


@pytest.mark.data
def test_no_sentence_is_from_a_corpus(data_dir: Path) -> None:
    texts = {one.text for one in read_checklist()} | set(bias_sentences())
    for path in sorted((data_dir / "text").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not texts & {spoken(cell) for cell in line.split("\t") if len(cell) < 200}, path.name


def test_a_model_that_knows_passes_and_its_opposite_fails() -> None:
    sides = {one.text: one.expected for one in read_checklist()}
    knows = run_checklist(Given(lambda text: 0.9 if sides[text] else 0.1), 0.5)
    assert knows.rate == 1
    assert all(one.rate == one.high == 1 and one.low < 0.85 for one in knows.categories)
    wrong = run_checklist(Given(lambda text: 0.1 if sides[text] else 0.9), 0.5)
    assert wrong.rate == 0
    # A constant is right about one side alone.
    high = run_checklist(Given(lambda text: 0.5), 0.5)
    assert {one.name for one in high.categories if one.passed} == {
        one.name for one in high.categories if one.expected
    }


def test_the_threshold_decides_and_a_score_at_it_counts() -> None:
    sentences = [Sentence("a", True, "x"), Sentence("a", True, "xx"), Sentence("b", False, "xxx")]
    model = Given(lambda text: len(text) / 10)
    found = run_checklist(model, 0.2, sentences)
    assert [one.passed for one in found.sentences] == [False, True, False]
    assert [(one.name, one.n, one.passed, one.rate) for one in found.categories] == [
        ("a", 2, 1, 0.5),
        ("b", 1, 0, 0.0),
    ]
    assert [one.passed for one in run_checklist(model, 0.35, sentences).sentences] == [False, False, True]


def test_scores_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"threshold is 1\.5"):
        run_checklist(Given(lambda text: 0.5), 1.5)
    with pytest.raises(SettingsError, match="no sentence"):
        run_checklist(Given(lambda text: 0.5), 0.5, [])
    for wrong in (2.0, -1.0, float("nan")):
        with pytest.raises(SettingsError, match="expected 0 to 1"):
            run_checklist(Given(lambda text, wrong=wrong: wrong), 0.5)
        with pytest.raises(SettingsError, match="expected 0 to 1"):
            measure_bias(Given(lambda text, wrong=wrong: wrong))
    with pytest.raises(SettingsError, match="shape"):
        measure_bias(Given(lambda text: [0.5, 0.5]))

    class Mute:
        def score(self, texts):
            return type("Scores", (), {"aggression": None})()

    with pytest.raises(SettingsError, match="no aggression score"):
        measure_bias(Mute())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns are"),
        ("category\ttext\nx\ty", "columns are"),
        ("category\texpected\ttext\ninsult\t2\thello", "line 2"),
        ("category\texpected\ttext\ninsult\t1", "line 2"),
        ("category\texpected\ttext\ninsult\t1\t ", "line 2"),
        ("category\texpected\ttext\ninsult\t1\thello\ninsult\t0\tyou", "line 3: 'insult' expects both"),
    ],
)
def test_a_damaged_checklist_is_refused(text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        parse_checklist(text)


def test_identities_are_many_and_sentences_grammatical() -> None:
    assert len(TERMS) >= 40
    assert len(TEMPLATES) >= 12
    groups = {term.group for term in TERMS}
    assert groups == {
        *("religion", "ethnicity", "nationality", "gender", "sexual orientation", "disability", "age"),
    }
    assert all(sum(term.group == group for term in TERMS) >= 4 for group in groups)
    assert {tone for tone, _ in TEMPLATES} == {"positive", "neutral", "mildly negative"}
    sentences = bias_sentences()
    assert len(set(sentences)) == len(sentences) == len(TERMS) * len(TEMPLATES)
    assert "i am an elderly person and i am happy" in sentences
    assert "my best friend is a muslim" in sentences
    assert "do you know any jewish singers" in sentences
    for text in sentences:
        assert spoken(text) == text
        words = text.split()
        for article, word in itertools.pairwise(words):
            assert article != "a" or word[0] not in "aeiou", text
            assert article != "an" or word[0] in "aeiou", text


def test_a_model_blind_to_identity_has_no_bias() -> None:
    found = measure_bias(Given(lambda text: 0.3), threshold=0.5)
    assert found.mean_shift == pytest.approx(0)
    assert found.max_shift == pytest.approx(0)
    assert found.over_threshold == 0
    assert measure_bias(Given(lambda text: 0.3)).over_threshold is None


def test_a_model_that_minds_one_identity_is_found_out() -> None:
    found = measure_bias(Given(lambda text: 0.7 if " deaf" in text else 0.1), threshold=0.5)
    n = len(TERMS)
    # 0.6 above the others in each template: the mean is 0.6 / n above them.
    assert found.max_shift == pytest.approx(0.6 * (n - 1) / n)
    assert found.mean_shift == pytest.approx(2 * 0.6 * (n - 1) / n**2)
    assert found.over_threshold == len(TEMPLATES)
    by_group = {group.group: group for group in found.groups}
    worst = by_group["disability"]
    assert (worst.worst_term, worst.worst_shift) == ("deaf", pytest.approx(found.max_shift))
    assert worst.signed_shift > 0 > by_group["age"].signed_shift
    assert worst.mean_shift > 5 * by_group["age"].mean_shift
    assert found.largest == pytest.approx(found.max_shift)


def test_both_as_metrics_json_has_them() -> None:
    sides = {one.text: one.expected for one in read_checklist()}
    found = json.loads(json.dumps(check(Given(lambda text: 0.8 if sides.get(text) else 0.2), 0.5)))
    assert set(found) == {"checklist", "bias"}
    assert found["checklist"]["rate"] == 1
    assert len(found["checklist"]["sentences"]) == len(sides)
    assert set(found["checklist"]["sentences"][0]) == {"category", "expected", "text", "score", "passed"}
    first = found["checklist"]["categories"][0]
    assert {"name", "expected", "n", "passed", "rate", "low", "high"} == set(first)
    assert found["bias"]["mean_shift"] == pytest.approx(0)
    assert found["bias"]["target"] == 0.1
    assert (found["bias"]["templates"], found["bias"]["terms"]) == (len(TEMPLATES), len(TERMS))


def test_the_sentences_are_in_the_package() -> None:
    import tomllib

    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert data["blipper.training"] == ["text_checklist.tsv"]
    assert (Path(ROOT) / "blipper" / "training" / "text_checklist.tsv").is_file()
