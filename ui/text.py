"""Text from outside on its way into Markdown, and the words that several pages share."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

#: Shown wherever scores are.
WHAT_A_SCORE_IS = """
A score says how much a stretch of speech **sounds angry** to a model, from 0 to 1. It ranks what is
**worth a listen**. It does not say what anybody feels or means, and it decides nothing: listen before you
conclude, and never act on a score alone.

- The model learned from **actors speaking English**, in short sentences in quiet rooms. Real quarrels, other
  languages, children, illness, accents, noise and telephone lines are further from that, and scores there
  are less reliable.
- Loud, fast or high speech can sound angry without being so: cheering, pain, a bad line, a passionate story.
  Cold, quiet hostility can score low. So can an insult in a calm voice, as long as no words are scored beside
  it; where they are, the score is of both, and each event says which side carries it.
- A score is computed only where somebody speaks. Windows of a few seconds are scored and averaged with the
  seconds around them: one outburst in calm talk scores lower than the same outburst in a quarrel, and an
  event's edges are good to about half a second.
- Do not use scores to judge, rank, hire, discipline or police people.
"""

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
# What Streamlit's Markdown may turn into links, addresses, emoji, icons or colours even when it is escaped.
_LIVE = re.compile(r"(?i)(www(?=\.)|@(?=\w)|:(?=//|\w+\[|[\w+/-]*[a-z_+-][\w+/-]*:))")
_WORD_JOINER = "\u2060"


def printable(text: str) -> str:
    """Return text on one line without control characters or marks that reverse its direction."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return "".join(
        char for char in kept if char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def plain(text: str) -> str:
    """Return Markdown that shows `text` as it stands, whatever it contains.

    For file names and messages with file names in them: no markup, no link, no picture, no formula.
    """
    broken = _LIVE.sub(lambda match: match.group(1) + _WORD_JOINER, printable(text))
    return _MARKDOWN.sub(r"\\\1", broken)


def shorten(name: str, length: int = 48) -> str:
    """Return a file name of at most `length` characters, with its ending kept."""
    name = printable(name)
    if len(name) <= length:
        return name
    suffix = PurePath(name).suffix[:8]
    return name[: length - len(suffix) - 1] + "…" + suffix


def safe_stem(name: str) -> str:
    """Return a file name's stem with nothing in it that a file system or a header could trip over."""
    stem = re.sub(r"[^\w.-]+", "_", PurePath(printable(name)).stem, flags=re.UNICODE).strip("._")
    return stem[:80] or "recording"
