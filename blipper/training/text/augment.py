"""What a recogniser does to a text: fillers, lost words, and words that sound alike.

The sound-alike pairs are common confusions of English recognisers, written down by hand.
"""

from __future__ import annotations

from typing import Final

import numpy as np

FILLERS: Final = ("uh", "um", "er", "you know", "like", "i mean", "well", "okay", "so")
_ALIKE: Final = """
there their they're|your you're|to too two|its it's|then than|were where we're|who's whose|hear here|no know
new knew|right write|buy by bye|for four|one won|would wood|week weak|piece peace|weather whether|wait weight
accept except|affect effect|brake break|son sun|our are|and an|in and|a the|this these|is as|want won't
can can't|fool full|hate ate|kill keel|idiot idiots|shut shot|ask us|stop top|leave live|think thing|said set
you u|what water|gonna going|wanna want|because cause|them him|of have|it that|bitch beach|ass as|damn down
""".strip()
ALIKE: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(other for other in group.split() if other != word)
    for group in _ALIKE.replace("\n", "|").split("|")
    for word in group.split()
}


def recognised(text: str, rng: np.random.Generator, *, strength: float = 1.0) -> str:
    """Return a text as a recogniser might have heard it.

    Parameters
    ----------
    text : str
        In spoken form.
    rng : numpy.random.Generator
    strength : float, optional
        0 leaves the text as it is; 1 loses 4 % of the words, mishears a quarter of those that sound like
        others, and adds a filler to every third utterance.

    Returns
    -------
    str
        Never empty if `text` is not.
    """
    words = text.split()
    if not words or strength <= 0:
        return text
    lost, heard = rng.random(len(words)), rng.random(len(words))
    out: list[str] = []
    for word, loss, mishearing in zip(words, lost, heard, strict=True):
        if loss < 0.04 * strength and len(words) > 3:
            continue
        bare = word.rstrip(".,?!")
        others = ALIKE.get(bare)
        if others and mishearing < 0.25 * strength:
            word = others[int(rng.integers(len(others)))] + word[len(bare) :]
        out.append(word)
    if rng.random() < strength / 3:
        out.insert(int(rng.integers(len(out) + 1)), FILLERS[int(rng.integers(len(FILLERS)))])
    if rng.random() < 0.05 * strength and len(out) > 1:  # a stutter
        at = int(rng.integers(len(out)))
        out.insert(at, out[at])
    return " ".join(out) or text
