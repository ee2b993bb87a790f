"""The Explain page's words: each coloured by its share of a score, with its number on hover, focus and touch.

A component, because Streamlit's Markdown would need markup around text from a recording. The front end sets
``textContent`` alone, so no text can become markup, whatever it holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from blipper.explain.words import ReadWord
from blipper.figures.explain import LOWERS, RAISES
from ui.text import printable

_FOLDER = Path(__file__).parent

_component = st.components.v2.component(
    "blipper_words",
    css=(_FOLDER / "words.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "words.js").read_text(encoding="utf-8"),
)


def show_words(
    words: tuple[ReadWord, ...], values: np.ndarray, errors: np.ndarray, *, key: str, label: str
) -> None:
    """Show an utterance's words.

    Parameters
    ----------
    words : tuple of ReadWord
    values, errors : numpy.ndarray, shape (n_words,)
        Shares and their standard errors, in log-odds.
    key : str
    label : str
        What the shares are of, for a screen reader.
    """
    _component(key=key, data={"label": label, "words": coloured(words, values, errors)})


def coloured(words: tuple[ReadWord, ...], values: np.ndarray, errors: np.ndarray) -> list[dict[str, Any]]:
    """Return what the front end draws: a word's text, colour, line and what is told of it.

    A word that raises the score is vermillion over a solid line and has a +; one that lowers it blue over a
    dotted line with a −; one that the model never saw is grey in brackets. So no sign hangs on colour alone.
    """
    strongest = max(float(np.abs(values).max(initial=0.0)), 1e-9)
    found = []
    for word, value, error in zip(words, map(float, values), map(float, errors), strict=True):
        share = abs(value) / strongest
        time = f"{word.start:.1f} to {word.end:.1f} s"
        if not word.seen:
            sure = "" if word.confidence is None else f" (confidence {word.confidence:.2f})"
            sign, told = "unseen", f"not surely heard{sure}, so the model never saw it: 0"
        else:
            sign = "raises" if value > 0 else "lowers"
            sign = "neither" if share < 0.05 else sign
            told = f"{value:+.2f} log-odds" + (f" (± {error:.2f})" if error >= 0.005 else "")
        found.append(
            {
                "text": printable(word.text),
                "sign": sign,
                "mark": {"raises": "+", "lowers": "−"}.get(sign, ""),
                "colour": {"raises": RAISES, "lowers": LOWERS}.get(sign, ""),
                "strength": round(share, 3) if sign in ("raises", "lowers") else 0.0,
                "told": f"{told}; {time}",
            }
        )
    return found
