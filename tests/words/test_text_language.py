"""Text of unnamed language: other languages are told from English, over utterances together."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper import audio
from blipper.words.files import FileEngine
from blipper.words.sentiment import read_transcript
from blipper.words.spoken import spoken
from blipper.words.text_language import LEAST, TOGETHER, in_other_languages
from blipper.words.text_models import TextModel
from blipper.words.transcript import Transcript, Utterance
from tests.words.tiny_text_model import tiny_model

#: As people talk, and as a recogniser writes it: lower case, no punctuation, most utterances short.
SAID = {
    "de": (
        *("was willst du denn von mir", "hau ab du idiot", "ja genau", "nein"),
        *("das ist mir doch egal", "ich habe dir das schon hundertmal gesagt", "ach so", "okay"),
        *("wir sehen uns morgen um acht am bahnhof", "lass mich in ruhe"),
    ),
    "es": (
        *("qué quieres de mí", "vete de aquí imbécil", "sí claro", "no"),
        *("no me importa nada", "ya te lo he dicho cien veces", "bueno", "vale"),
        *("nos vemos mañana a las ocho en la estación", "déjame en paz"),
    ),
    "fr": (
        *("qu'est-ce que tu veux", "va-t'en espèce d'imbécile", "oui bien sûr", "non"),
        *("je m'en fiche complètement", "je te l'ai déjà dit cent fois", "ah bon", "d'accord"),
        *("on se voit demain à huit heures à la gare", "laisse-moi tranquille"),
    ),
    "tr": (
        *("benden ne istiyorsun", "defol git buradan aptal", "evet tabii", "hayır"),
        *("umurumda değil", "sana bunu yüz kere söyledim", "öyle mi", "tamam"),
        *("yarın saat sekizde istasyonda görüşürüz", "beni rahat bırak"),
    ),
}
ENGLISH = (
    *("what do you want from me", "get lost you idiot", "yeah right", "no", "ok", "i don't care"),
    *("i told you a hundred times", "um", "see you tomorrow at eight", "leave me alone"),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TextModel:
    return tiny_model(tmp_path_factory.mktemp("models") / "text-small")


def written(texts: tuple[str, ...], language: str | None = None) -> Transcript:
    utterances = tuple(Utterance(i, i + 1, text) for i, text in enumerate(texts))
    return replace(Transcript("file:srt", None, utterances), language=language)


@pytest.mark.parametrize("language", list(SAID))
def test_other_languages_get_no_score_and_are_told(model: TextModel, language: str) -> None:
    read = read_transcript(written(SAID[language]), model)
    assert all(one.aggression is None and one.sentiment is None for one in read.utterances)
    (notice,) = read.notices
    assert notice.code == "text-other-language"
    assert notice.severity == "warning"
    assert "10 of 10 utterances have no scores from text-small: it reads en. " in notice.message
    assert f"these read as {language}; name the language where that is wrong" in notice.message
    assert "A multilingual model can be chosen instead" in notice.message


@pytest.mark.parametrize("language", list(SAID))
def test_without_accents_too(language: str) -> None:
    plain = [text.encode("ascii", "ignore").decode() for text in SAID[language]]
    assert in_other_languages(plain, ("en",)).indexes == frozenset(range(10))


def test_english_is_read_however_short_its_utterances(model: TextModel) -> None:
    read = read_transcript(written(ENGLISH), model)
    assert all(one.aggression is not None for one in read.utterances)
    assert read.notices == ()
    for text in ("no", "ok", "Hello.", "non", "gracias amigo", "ha ha ha", ""):  # too short to tell
        assert in_other_languages([text], ("en",)).indexes == frozenset()


def test_short_utterances_are_judged_together(model: TextModel) -> None:
    short = tuple(text for text in SAID["de"] if len(text) < 16)
    assert max(map(len, short)) < LEAST
    assert in_other_languages(short, ("en",)).indexes == frozenset(range(len(short)))
    assert all(in_other_languages([text], ("en",)).indexes == frozenset() for text in short)


def test_a_part_in_another_language_is_left_out_alone(model: TextModel) -> None:
    texts = (*ENGLISH, *SAID["es"], *ENGLISH)
    read = read_transcript(written(texts), model)
    scored = {i for i, one in enumerate(read.utterances) if one.aggression is not None}
    first, last = len(ENGLISH), len(ENGLISH) + len(SAID["es"])
    # Where the languages meet, a stretch may hold some of both.
    assert set(range(first - 3)) | set(range(last + 3, len(texts))) <= scored
    assert not set(range(first + 3, last - 3)) & scored
    assert "read as es" in read.notices[0].message


def test_a_language_that_is_named_is_believed(model: TextModel) -> None:
    assert read_transcript(written(SAID["de"], "en"), model).utterances[0].aggression is not None
    named = read_transcript(written(ENGLISH, "de"), model)
    assert named.utterances[0].aggression is None
    assert [notice.code for notice in named.notices] == ["text-language"]


def test_languages_that_a_model_reads_are_no_other_ones() -> None:
    assert in_other_languages(SAID["de"], ("en", "de")).indexes == frozenset()
    assert in_other_languages(SAID["fr"], ("en", "de")).language == "fr"
    assert in_other_languages(SAID["fr"], ("tlh",)).indexes == frozenset()  # nobody can tell


def test_a_correction_is_judged_with_the_rest(model: TextModel) -> None:
    read = read_transcript(written(SAID["de"]), model)
    corrected = read_transcript(read.corrected(2, "ja ganz genau"), model, keep=True)
    assert all(one.aggression is None for one in corrected.utterances)


def test_a_file_takes_the_language_that_is_named() -> None:
    srt = b"1\n00:00:01,000 --> 00:00:02,000\nHau ab\n"
    sound = audio.from_samples(np.zeros((1, 48_000), np.float32), 16_000)
    assert FileEngine(srt).transcribe(sound, 0, ()).language is None
    assert FileEngine(srt, language="de").transcribe(sound, 0, ()).language == "de"
    whisper = b'{"language": "fr", "segments": [{"start": 0, "end": 1, "text": "Bonjour"}]}'
    assert FileEngine(whisper).transcribe(sound, 0, ()).language == "fr"
    assert FileEngine(whisper, language="en").transcribe(sound, 0, ()).language == "en"


def test_english_talk_is_hardly_ever_taken_for_another_language(data_dir: Path) -> None:
    """Dialogue of MELD in order, as a recogniser would write it: no stretch of it may be left out."""
    with (data_dir / "text" / "meld.tsv").open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        texts = [spoken(row["text"]) for row in rows][:3000]
    left_out = in_other_languages(texts, ("en",)).indexes
    assert len(left_out) <= 0.002 * len(texts), [texts[index] for index in sorted(left_out)]
    assert sum(map(len, texts)) / TOGETHER > 1000  # stretches
