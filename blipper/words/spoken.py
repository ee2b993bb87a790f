"""Text as a recogniser writes it: the one form that text models are trained on and given.

Lower case, no emoji, links or user names, and of punctuation only what Whisper writes and what says
something: full stops, commas, question and exclamation marks, one in a row, and apostrophes inside words. A
recogniser that writes no punctuation gives the same words without. Each word is put into this form by itself,
so a model's reading of a text can be traced back to the words on the page.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Raised whenever :func:`spoken_word` changes; a model says for which form it was trained.
FORM: Final = "spoken-2"

_LINK: Final = re.compile(r"^\W*(?:https?:|www\.|pic\.twitter\.)", re.IGNORECASE)
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
#: Marks in a row count once, the most telling of them.
_MARKS: Final = re.compile(r"[.,?!]+")
#: What a recogniser never writes: all but letters, digits, apostrophes and marks separates words or goes.
_OTHER: Final = re.compile(r"[^\w'.,?!]|_")
#: A mark inside a word separates (``"wait...what"``), but not between digits (``"3.5"``).
_INSIDE: Final = re.compile(r"(?<=\w)([.,?!])(?=[^\W\d])|(?<=[^\W\d])([.,?!])(?=\w)")


def spoken(text: str) -> str:
    """Return a text as a recogniser would have written it.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The words' :func:`spoken_word` forms, joined by single spaces; empty where nothing is left.
    """
    return " ".join(filter(None, map(spoken_word, text.split())))


def spoken_word(word: str) -> str:
    """Return one written word, without white space, as a recogniser would have written it.

    Parameters
    ----------
    word : str

    Returns
    -------
    str
        Lower case; may hold several words (``"well-known"`` gives ``"well known"``) or none (an emoji, a
        link, a user name). Marks of its own alone (``"?!"``) are left out.
    """
    if _LINK.match(word) or word.startswith("@"):
        return ""
    word = unicodedata.normalize("NFKC", word).translate(_QUOTES).lower().replace("…", ".")
    word = _MARKS.sub(lambda found: _telling(found.group()), _OTHER.sub(" ", word))
    word = _INSIDE.sub(r"\1\2 ", word)
    parts = (_bare(part) for part in word.split())
    return " ".join(part for part in parts if part)


def unmarked(text: str) -> str:
    """Return a text in spoken form without its marks, as a recogniser writes it that knows none."""
    return " ".join(filter(None, (word.rstrip(".,?!") for word in text.split())))


def _telling(marks: str) -> str:
    return next(mark for mark in "?!.," if mark in marks)


def _bare(part: str) -> str:
    """Take quotes and leading marks off a word; one without letters or digits is none."""
    core = part.strip("'.,?!")
    if not core:
        return ""
    mark = next((one for one in reversed(part) if one in ".,?!"), "") if part[-1] in "'.,?!" else ""
    return core + mark
