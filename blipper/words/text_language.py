"""Which texts are in a language that a model does not read, where nobody says what language they are in.

Utterances are judged together: "no", "ok" and "genau" alone could be of many languages, ten of them in a row
hardly. py3langid knows 139 languages from the model in its package, so nothing is fetched.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Letters that are judged in one go: utterances are joined until they have so many. English talk of this
#: length keeps its probability above 0.1, and German, Spanish, French or Turkish gives English under 0.001
#: (the tests hold both).
TOGETHER: Final = 60

#: Letters below which a whole transcript is too short to tell.
LEAST: Final = 30

#: Probability of the languages that a model reads below which a text is in another one; and below which it
#: is, where the transcript as a whole is.
SURE: Final = 0.02
LIKELY: Final = 0.5

# Classes of py3langid that are no answer here: what is no language, and a creole that is close to English.
_LEFT_OUT: Final = frozenset(("zxx", "pcm"))


@dataclass(frozen=True)
class Foreign:
    """What is in another language.

    Parameters
    ----------
    indexes : frozenset of int
        Which texts.
    language : str or None
        ISO 639 code of the most probable language of them together; None where there are none.
    """

    indexes: frozenset[int] = frozenset()
    language: str | None = None


def in_other_languages(texts: Sequence[str], languages: Collection[str]) -> Foreign:
    """Find the texts that are in none of some languages.

    Parameters
    ----------
    texts : sequence of str
        Utterances in their order; empty ones are passed over.
    languages : collection of str
        ISO 639-1 codes.

    Returns
    -------
    Foreign
        Nothing where all texts together are too short to tell, or none of the languages is known.
    """
    known = {code for code in languages if code in _labels()}
    spoken = [index for index, text in enumerate(texts) if _letters(text)]
    if not known or sum(_letters(texts[index]) for index in spoken) < LEAST:
        return Foreign()
    bound = LIKELY if _share(texts, spoken, known) < SURE else SURE
    found = [index for run in _runs(texts, spoken) if _share(texts, run, known) < bound for index in run]
    if not found:
        return Foreign()
    ranked = _identifier().rank(_joined(texts, found))
    guess = next(code for code, _ in ranked if code not in known)
    return Foreign(frozenset(found), guess)


def _runs(texts: Sequence[str], spoken: Sequence[int]) -> list[list[int]]:
    """Put utterances together that follow each other, until there are letters enough; none stays alone."""
    runs: list[list[int]] = [[]]
    letters = 0
    for index in spoken:
        if letters >= TOGETHER:
            runs.append([])
            letters = 0
        runs[-1].append(index)
        letters += _letters(texts[index])
    if letters < TOGETHER and len(runs) > 1:
        rest = runs.pop()
        runs[-1] += rest
    return runs


def _share(texts: Sequence[str], indexes: Sequence[int], known: Collection[str]) -> float:
    """Return the probability that texts together are in one of the languages."""
    ranked: list[tuple[str, float]] = _identifier().rank(_joined(texts, indexes))
    return sum(probability for code, probability in ranked if code in known)


def _joined(texts: Sequence[str], indexes: Sequence[int]) -> str:
    return " ".join(texts[index] for index in indexes)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@functools.cache
def _labels() -> frozenset[str]:
    return frozenset(_identifier().labels)


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if code not in _LEFT_OUT])
    return identifier
