"""What of a transcript is read, by which model, and what the transcript says about the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blipper.export.reader import Reader
from blipper.export.transcript_json import transcript_from, transcript_to_dict
from blipper.recording import Notice
from blipper.words.sentiment import SENTIMENTS, read_transcript, roles_of, text_for_model, without_scores
from blipper.words.text_chosen import load_chosen
from blipper.words.text_models import TextModel
from blipper.words.text_reading import latin_share
from blipper.words.transcript import Transcript, Utterance, Word
from tests.words.tiny_text_model import SENTENCES, save_classifier, tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    return tiny_model(tmp_path_factory.mktemp("models") / "text-small")


@pytest.fixture(scope="module")
def toxic(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    folder = save_classifier(tmp_path_factory.mktemp("chosen") / "toxic", ("neutral", "toxic"), seed=3)
    return load_chosen(folder, "somebody/toxic", "a" * 40)


def said(text: str, *confidences: float | None, start: float = 0.0) -> Utterance:
    texts = text.split()
    words = tuple(
        Word(word, start + index, start + index + 1, confidence)
        for index, (word, confidence) in enumerate(zip(texts, confidences, strict=True))
    )
    return Utterance(start, start + len(texts), text, words)


def written(*texts: str, **values: object) -> Transcript:
    utterances = tuple(Utterance(index, index + 1, text) for index, text in enumerate(texts))
    return replace(Transcript("file:srt", None, utterances), **values)  # type: ignore[arg-type]


def test_unsure_words_are_left_out() -> None:
    assert text_for_model(said("I will kill you", 0.9, None, 0.49, 0.5)) == "I will you"
    assert text_for_model(said("No, never!", 0.9, 0.8)) == "No, never!"
    assert text_for_model(said("gone", 0.1)) == ""
    assert text_for_model(Utterance(0, 1, "as a whole", confidence=0.3)) == ""
    assert text_for_model(Utterance(0, 1, "as a whole", confidence=0.5)) == "as a whole"
    assert text_for_model(Utterance(0, 1, "as a whole")) == "as a whole"
    chinese = Utterance(0, 1, "你好吗", (Word("你好", 0, 1, 0.9), Word("吗", 1, 2, 0.9)))
    assert text_for_model(chinese) == "你好吗"


def test_every_utterance_gets_its_own_scores(model: TextModel) -> None:
    read = read_transcript(written(*SENTENCES), model)
    scores = model.score(SENTENCES)
    assert scores.sentiment is not None
    assert scores.aggression is not None
    for index, utterance in enumerate(read.utterances):
        assert utterance.aggression == pytest.approx(scores.aggression[index])
        assert utterance.sentiment is not None
        assert tuple(utterance.sentiment) == SENTIMENTS
        assert list(utterance.sentiment.values()) == pytest.approx(list(scores.sentiment[index]))
        assert type(utterance.aggression) is float
    assert read.text_models == (model.info,)
    assert read.notices == ()


def test_a_word_that_was_hardly_heard_says_nothing(model: TextModel) -> None:
    drafted = replace(written(), utterances=(said("thank you stupid", 0.9, 0.9, 0.2),), draft=True)
    (utterance,) = read_transcript(drafted, model).utterances
    assert utterance.aggression == pytest.approx(float(model.score(["thank you"]).aggression[0]))  # type: ignore[index]
    assert utterance.text == "thank you stupid"


def test_nothing_left_to_read_keeps_none_and_is_told(model: TextModel) -> None:
    transcript = written(SENTENCES[0], "@somebody https://a.example", "... 10!", "♪♪")
    transcript = replace(transcript, utterances=(*transcript.utterances, said("no way", 0.1, 0.2)))
    read = read_transcript(transcript, [model])
    assert [one.aggression is None for one in read.utterances] == [False, True, True, True, True]
    assert [one.sentiment is None for one in read.utterances] == [False, True, True, True, True]
    (notice,) = read.notices
    assert (notice.code, notice.severity) == ("text-nothing-left", "info")
    assert notice.message.startswith("4 of 5 utterances have no scores")


def test_no_utterances_and_no_models(model: TextModel) -> None:
    assert read_transcript(written(), model).utterances == ()
    bare = read_transcript(written(*SENTENCES), ())
    assert all(one.aggression is None for one in bare.utterances)
    assert bare.text_models == ()


@pytest.mark.parametrize("language", ["de", "fr", "ar"])
def test_another_language_is_not_read_and_the_way_is_named(model: TextModel, language: str) -> None:
    read = read_transcript(written("Das ist mir egal", language=language), model)
    assert read.utterances[0].aggression is None
    (notice,) = read.notices
    assert notice.severity == "warning"
    assert f"reads en, and this transcript's language is {language}" in notice.message
    assert "textdetox/xlmr-large-toxicity-classifier for verbal aggression" in notice.message


@pytest.mark.parametrize("language", [None, "en", "eng", "en-US"])
def test_english_is_read(model: TextModel, language: str | None) -> None:
    read = read_transcript(written(SENTENCES[0], language=language), model)
    assert read.utterances[0].aggression is not None


def test_other_letters_are_not_read(model: TextModel, toxic: TextModel) -> None:
    texts = ("Где моя посылка?", "أين طردي", "Where is my посылка?", "Where is my parcel")
    read = read_transcript(written(*texts), model)
    assert [one.aggression is None for one in read.utterances] == [True, True, False, False]
    assert read.notices[0].message.startswith("2 of 4 utterances have no scores from text-small")
    # Of a model that nobody knows the languages of, every text is asked for.
    read = read_transcript(written(*texts), toxic)
    assert all(one.aggression is not None for one in read.utterances)
    assert latin_share("Wo ist мой") == pytest.approx(5 / 8)
    assert latin_share("123") is None


def test_each_score_comes_from_the_first_model_that_gives_it(model: TextModel, toxic: TextModel) -> None:
    read = read_transcript(written(*SENTENCES), [toxic, model])
    first, second = toxic.score(SENTENCES), model.score(SENTENCES)
    assert first.sentiment is None
    assert first.aggression is not None
    assert second.sentiment is not None
    for index, utterance in enumerate(read.utterances):
        assert utterance.aggression == pytest.approx(first.aggression[index])
        assert utterance.sentiment is not None
        assert utterance.sentiment["negative"] == pytest.approx(second.sentiment[index, 0])
    assert [info.reads for info in read.text_models] == [("aggression",), ("sentiment",)]
    assert read.text_models[1].labels["aggression"] == "not read"
    assert read.text_models[1].labels["negative"] == "sentiment: negative"
    assert roles_of(read.text_models)["aggression"].name == "somebody/toxic"
    (notice,) = read.notices
    assert "verbal aggression come from somebody/toxic, which was not calibrated" in notice.message


def test_reading_again_renews_scores_and_notices(model: TextModel, toxic: TextModel) -> None:
    kept = Notice("spread", "Times are a guess.", "info")
    once = read_transcript(written(*SENTENCES, "", notices=(kept,)), [toxic, model])
    again = read_transcript(once, [toxic, model])
    assert again.utterances == once.utterances
    assert again.notices == once.notices
    other = read_transcript(once, model)
    assert [notice.code for notice in other.notices] == ["spread", "text-nothing-left"]
    bare = without_scores(once, Notice("text-missing", "None is there."))
    assert [notice.code for notice in bare.notices] == ["spread", "text-missing"]
    assert all(one.sentiment is None and one.aggression is None for one in bare.utterances)


def test_only_what_has_no_scores_is_read_when_the_rest_is_kept(
    model: TextModel, toxic: TextModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = read_transcript(written(*SENTENCES), model)
    corrected = once.corrected(2, "You are all liars")
    assert corrected.utterances[2].aggression is None
    asked: list[str] = []
    score = TextModel.score
    monkeypatch.setattr(
        TextModel, "score", lambda self, texts, *rest: asked.extend(texts) or score(self, texts, *rest)
    )
    again = read_transcript(corrected, model, keep=True)
    assert asked == ["You are all liars"]
    assert again.utterances[2].aggression is not None
    assert again.utterances[:2] == once.utterances[:2]
    asked.clear()
    read_transcript(corrected, [toxic, model], keep=True)
    assert len(asked) == 2 * len(SENTENCES)  # other models: their scores are not those that are there


def test_progress_is_told_in_texts(model: TextModel) -> None:
    told: list[tuple[str, float, float]] = []
    read_transcript(written(*SENTENCES), model, progress=lambda *report: told.append(report))
    assert told[0] == ("reading", 0, len(SENTENCES))
    assert told[-1] == ("reading", len(SENTENCES), len(SENTENCES))


def test_json_keeps_scores_and_models(model: TextModel, toxic: TextModel) -> None:
    read = read_transcript(written(*SENTENCES, ""), [toxic, model])
    values = json.loads(json.dumps(transcript_to_dict(read), allow_nan=False))
    assert transcript_from(Reader(values)) == read
    assert values["text_models"][0]["revision"] == "a" * 40
    del values["text_models"]  # a file from before
    assert transcript_from(Reader(values)).text_models == ()


def test_markup_in_a_text_is_text(model: TextModel, tmp_path: Path) -> None:
    (utterance,) = read_transcript(written("<b>Where</b> is [my] parcel"), model).utterances
    assert utterance.text == "<b>Where</b> is [my] parcel"
