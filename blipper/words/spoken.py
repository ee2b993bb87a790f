"""Text as a recogniser writes it: the one form that text models are trained on and given.

Lower case, no punctuation but apostrophes inside words, no emoji, links or user names. Each word is put into
this form by itself, so a model's reading of a text can be traced back to the words on the page.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Raised whenever :func:`spoken_word` changes; a model says for which form it was trained.
FORM: Final = "spoken-1"

_LINK: Final = re.compile(r"^\W*(?:https?:|www\.|pic\.twitter\.)", re.IGNORECASE)
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
#: What a recogniser never writes: everything but letters, digits and apostrophes separates words.
_OTHER: Final = re.compile(r"[^\w']|_")


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
        link, a user name, punctuation alone).
    """
    if _LINK.match(word) or word.startswith("@"):
        return ""
    word = unicodedata.normalize("NFKC", word).translate(_QUOTES).lower()
    parts = _OTHER.sub(" ", word).split()
    return " ".join(filter(None, (part.strip("'") for part in parts)))
