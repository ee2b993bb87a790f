"""What text models make of a transcript: which words they may read, and which they were not asked about."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from blipper.progress import Progress, silent
from blipper.recording import Notice
from blipper.words.text_info import SENTIMENTS, TextModelInfo
from blipper.words.text_labels import NOT_READ
from blipper.words.text_language import Foreign, in_other_languages
from blipper.words.text_models import TextModel
from blipper.words.text_suggested import multilingual
from blipper.words.transcript import LOW_CONFIDENCE, Transcript, Utterance

#: Notices whose code begins so are about what was read, and are renewed whenever a text is read again.
NOTICES: Final = "text-"

#: Share of a text's letters that are Latin, below which it is not in a language of Latin letters.
_LATIN: Final = 0.5

#: Languages written in other letters; a model that reads any of them is given every text.
_OTHER_LETTERS: Final = frozenset(
    ("am", "ar", "bg", "el", "fa", "he", "hi", "ja", "ko", "ru", "th", "uk", "ur", "zh")
)


def text_for_model(utterance: Utterance) -> str:
    """Return what of an utterance a model may read.

    Parameters
    ----------
    utterance : Utterance

    Returns
    -------
    str
        As written, without words whose confidence is known and below
        :data:`~blipper.words.transcript.LOW_CONFIDENCE`; empty where nothing is left.
    """
    if not utterance.words:
        return "" if _unsure(utterance.confidence) else utterance.text
    kept = [word.text for word in utterance.words if not _unsure(word.confidence)]
    # Words joined by spaces may differ from the text as it is written, in Chinese, say.
    return utterance.text if len(kept) == len(utterance.words) else " ".join(kept)


def read_transcript(
    transcript: Transcript,
    models: TextModel | Sequence[TextModel],
    *,
    keep: bool = False,
    progress: Progress = silent,
) -> Transcript:
    """Score every utterance of a transcript.

    Parameters
    ----------
    transcript : Transcript
    models : TextModel or sequence of TextModel
        For sentiment and for verbal aggression the first that reads it is taken.
    keep : bool, optional
        Leave utterances alone that have scores already, if these very models gave them.
    progress : Progress, optional
        Told about ``"reading"`` in texts.

    Returns
    -------
    Transcript
        With :attr:`Utterance.sentiment` and :attr:`Utterance.aggression` filled, which models gave them, and
        notices on what has no scores. An utterance with nothing left to read, or in a language that a model
        does not know, keeps None; where the transcript names no language, its text is judged
        (:mod:`blipper.words.text_language`).
    """
    used = _share_out([models] if isinstance(models, TextModel) else models)
    infos = tuple(_info(model, roles) for model, roles in used)
    keep = keep and infos == transcript.text_models
    utterances = list(transcript.utterances)
    if not keep:
        utterances = [replace(one, sentiment=None, aggression=None) for one in utterances]
    readable = [text_for_model(utterance) for utterance in utterances]
    notices = [notice for notice in transcript.notices if not notice.code.startswith(NOTICES)]
    # What a model's form leaves of a text decides, too: of a link or a user's name it leaves nothing.
    blank = [
        {i for i, text in enumerate(readable) if not _has_letters(model.form(text))} for model, _ in used
    ]
    unread = set().union(*blank)
    if unread:
        notices.append(_unread_notice(len(unread), len(utterances)))
    for (model, roles), info, nothing in zip(used, infos, blank, strict=True):
        if not _knows(info, transcript.language):
            notices.append(_language_notice(info, str(transcript.language)))
            continue
        foreign = {
            index for index, text in enumerate(readable) if index not in nothing and _foreign(info, text)
        }
        if foreign:
            notices.append(_letters_notice(info, len(foreign), len(utterances)))
        if transcript.language is None and info.languages:
            passed = nothing | foreign
            judged = ["" if index in passed else text for index, text in enumerate(readable)]
            if (other := in_other_languages(judged, info.languages)).indexes:
                notices.append(_other_notice(info, other, len(utterances)))
                foreign |= other.indexes
        asked = [
            index
            for index, one in enumerate(utterances)
            if index not in nothing | foreign
            and not (keep and one.sentiment is not None and "sentiment" in roles)
            and not (keep and one.aggression is not None and "aggression" in roles)
        ]
        scores = model.score([readable[index] for index in asked], progress)
        for row, index in enumerate(asked):
            one = utterances[index]
            if scores.sentiment is not None and "sentiment" in roles:
                shares = scores.sentiment[row].tolist()
                one = replace(one, sentiment=dict(zip(SENTIMENTS, shares, strict=True)))
            if scores.aggression is not None and "aggression" in roles:
                one = replace(one, aggression=float(scores.aggression[row]))
            utterances[index] = one
        if not info.calibrated:
            notices.append(_uncalibrated_notice(info))
    return replace(transcript, utterances=tuple(utterances), notices=tuple(notices), text_models=infos)


def without_scores(transcript: Transcript, notice: Notice | None = None) -> Transcript:
    """Return a transcript that no text model has read, with a notice on why, if there is a reason to tell."""
    notices = tuple(one for one in transcript.notices if not one.code.startswith(NOTICES))
    return replace(
        transcript,
        utterances=tuple(replace(one, sentiment=None, aggression=None) for one in transcript.utterances),
        notices=(*notices, notice) if notice is not None else notices,
        text_models=(),
    )


def latin_share(text: str) -> float | None:
    """Return the share of a text's letters that are Latin, in [0, 1]; None without letters."""
    letters = [char for char in text if char.isalpha()]
    return sum(map(_is_latin, letters)) / len(letters) if letters else None


def _share_out(models: Sequence[TextModel]) -> list[tuple[TextModel, tuple[str, ...]]]:
    """Give each role to the first model that has it."""
    used: list[tuple[TextModel, tuple[str, ...]]] = []
    taken: set[str] = set()
    for model in models:
        having = {"sentiment": model.has_sentiment, "aggression": model.has_aggression}
        roles = tuple(role for role, has in having.items() if has and role not in taken)
        if roles:
            used.append((model, roles))
            taken.update(roles)
    return used


def _info(model: TextModel, roles: tuple[str, ...]) -> TextModelInfo:
    """Return what a model was used for: outputs of a role that another model has were not read."""
    words = {"sentiment": "sentiment", "aggression": "verbal aggression"}
    read = tuple(words[role] for role in roles)
    labels = {
        label: meaning if meaning.startswith(read) else NOT_READ
        for label, meaning in model.info.labels.items()
    }
    return replace(model.info, reads=roles, labels=labels)


def _unsure(confidence: float | None) -> bool:
    return confidence is not None and confidence < LOW_CONFIDENCE


def _has_letters(text: str) -> bool:
    return any(char.isalpha() for char in text)


def _knows(info: TextModelInfo, language: str | None) -> bool:
    """Say whether a model reads a language, as far as both are known."""
    return language is None or not info.languages or _short(language) in info.languages


def _short(language: str) -> str:
    code = language.lower().replace("_", "-").partition("-")[0]
    return {"eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es"}.get(code, code)


def _foreign(info: TextModelInfo, text: str) -> bool:
    """Say whether a text's letters are none that the model's languages are written in."""
    if not info.languages or _OTHER_LETTERS & set(info.languages):
        return False
    share = latin_share(text)
    return share is not None and share < _LATIN


@functools.lru_cache(maxsize=4096)
def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith("LATIN")


def _unread_notice(count: int, total: int) -> Notice:
    return Notice(
        "text-nothing-left",
        f"{_of(count, total)} no scores of their words: no word of theirs is heard surely enough to be read.",
        "info",
    )


def _language_notice(info: TextModelInfo, language: str) -> Notice:
    return Notice(
        "text-language",
        f"The words have no scores from {info.name}: it reads {', '.join(info.languages)}, and this "
        f"transcript's language is {language}. {multilingual()}",
        "warning",
    )


def _other_notice(info: TextModelInfo, other: Foreign, total: int) -> Notice:
    count = len(other.indexes)
    return Notice(
        "text-other-language",
        f"{_of(count, total)} no scores from {info.name}: it reads {', '.join(info.languages)}. Nothing says "
        f"what language this transcript is in, and {'this' if count == 1 else 'these'} read as "
        f"{other.language}; name the language where that is wrong. {multilingual()}",
        "warning",
    )


def _letters_notice(info: TextModelInfo, count: int, total: int) -> Notice:
    return Notice(
        "text-letters",
        f"{_of(count, total)} no scores from {info.name}: it reads {', '.join(info.languages)}, and most of "
        f"their letters are not Latin. {multilingual()}",
        "warning",
    )


def _uncalibrated_notice(info: TextModelInfo) -> Notice:
    what = " and ".join("verbal aggression" if role == "aggression" else role for role in info.reads)
    return Notice(
        "text-uncalibrated",
        f"The scores of {what or 'words'} come from {info.name}, which was not calibrated here: a score of "
        "0.7 does not mean seven in ten, and its scores compare with those of no other model.",
        "info",
    )


def _of(count: int, total: int) -> str:
    return f"{count} of {total} utterances {'has' if count == 1 else 'have'}"


def roles_of(infos: Sequence[TextModelInfo]) -> Mapping[str, TextModelInfo]:
    """Return which model gave which score, by the role's name."""
    return {role: info for info in infos for role in info.reads}
