"""What a file with a transcript holds before it is laid beside a recording."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from blipper.words.transcript import Word, spread_words


@dataclass(frozen=True)
class Cue:
    """A stretch of text as a file has it, in seconds; `words` where the file times them."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


#: What Blipper's own files begin with where the text is a rough draft, by which engine; see
#: :func:`is_draft_mark`.
DRAFT_MARK = "[rough draft by {}: many words are wrong]"
#: The same in the name of a tier.
DRAFT_TIER = " (rough draft)"
_DRAFT = re.compile(re.escape(DRAFT_MARK).replace(r"\{\}", ".*"))

#: Scripts written without spaces between words: each character is clicked and marked by itself. Han, kana,
#: Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]"
)


def tidy(text: str) -> str:
    """Fold white space, and drop what is no character: controls, and marks that reverse the direction."""
    kept = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) != "Cc"
        if char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    return " ".join(kept.split())


def is_draft_mark(text: str) -> bool:
    """Return whether a text is no words but the mark of a rough draft."""
    return _DRAFT.fullmatch(text) is not None


def split_words(text: str) -> list[str]:
    """Split at white space, and within scripts that have none at every character and its marks."""
    words: list[str] = []
    for token in text.split():
        if not _UNSPACED.search(token):
            words.append(token)
            continue
        run = ""
        for char in token:
            begins = bool(_UNSPACED.match(char)) and not unicodedata.category(char).startswith("M")
            if begins and run:
                words.append(run)
                run = ""
            run += char
        words.append(run)
    return words


def evenly(text: str, start: float, end: float) -> tuple[Word, ...]:
    """Share an utterance's time among its words, where a file has no times for them."""
    return spread_words(split_words(text), start, end, None)
