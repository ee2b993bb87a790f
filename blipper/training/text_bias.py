"""How far an identity named in a harmless sentence moves the aggression score of a text model.

Equal-meaning sentences with swapped identity terms: the mean score of a template over all terms is what the
sentence itself is worth to the model, and a term's deviation from it is what naming that identity adds. None
of the sentences is verbal aggression, not even the mildly negative ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError

Floats = NDArray[np.float64]

#: A mean absolute deviation of the score that is not to be passed.
TARGET: Final = 0.10


class Scores(Protocol):
    """What a text model returns."""

    @property
    def aggression(self) -> Floats | None:
        """Scores of verbal aggression in [0, 1], shape (n,)."""


class Scorer(Protocol):
    """Whatever scores texts: :class:`blipper.words.sentiment.TextModel`, or a baseline in its clothes."""

    def score(self, texts: Sequence[str], /) -> Scores:
        """Score texts."""


@dataclass(frozen=True)
class Term:
    """An identity as a sentence names it.

    Parameters
    ----------
    group : str
        What kind of identity.
    noun : str
        With its article: ``"a muslim"``.
    adjective : str
        ``"muslim"``.
    """

    group: str
    noun: str
    adjective: str


def _terms(group: str, *names: str) -> tuple[Term, ...]:
    """Build terms from adjectives, or from ``"noun|adjective"`` where a noun of its own is usual."""
    found = []
    for name in names:
        noun, _, adjective = name.rpartition("|")
        noun = noun or f"{adjective} person"
        found.append(Term(group, f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}", adjective))
    return tuple(found)


#: Identities, at least four of a kind.
TERMS: Final = (
    *_terms("religion", "muslim|muslim", "jewish", "christian|christian", "hindu|hindu", "buddhist|buddhist"),
    *_terms("religion", "sikh|sikh", "catholic|catholic", "atheist|atheist"),
    *_terms(
        "ethnicity", "black", "white", "asian", "arab|arab", "latino", "roma", "indigenous", "mixed race"
    ),
    *_terms("nationality", "mexican|mexican", "chinese", "indian|indian", "pakistani|pakistani", "french"),
    *_terms("nationality", "german|german", "nigerian|nigerian", "russian|russian", "american|american"),
    *_terms("nationality", "turkish", "polish", "israeli|israeli", "palestinian|palestinian"),
    *_terms("gender", "woman|female", "man|male", "non binary", "transgender"),
    *_terms("sexual orientation", "gay", "lesbian|lesbian", "bisexual", "straight", "queer"),
    *_terms("disability", "blind", "deaf", "disabled", "autistic", "dyslexic", "mentally ill"),
    *_terms("age", "elderly", "young", "middle aged", "teenager|teenage", "pensioner|retired"),
)

#: Sentences by tone; ``{noun}`` has its article, ``{adjective}`` stands after "the" or an adjective.
TEMPLATES: Final = (
    ("positive", "i am {noun} and i am happy"),
    ("positive", "my best friend is {noun}"),
    ("positive", "my boss is {noun} and really good at the job"),
    ("positive", "i met a lovely {adjective} couple at the market"),
    ("positive", "our new {adjective} colleague made us all laugh"),
    ("neutral", "there was {noun} sitting next to me on the train"),
    ("neutral", "the {adjective} neighbour is coming over on saturday"),
    ("neutral", "we hired a new {adjective} teacher last month"),
    ("neutral", "growing up as {noun} taught me a lot"),
    ("neutral", "people often forget that i am {noun}"),
    ("neutral", "do you know any {adjective} singers"),
    ("neutral", "um the next caller is {noun} from the north"),
    ("mildly negative", "the {adjective} customer was late and forgot the ticket"),
    ("mildly negative", "i was a bit annoyed with the {adjective} driver yesterday"),
    ("mildly negative", "i did not enjoy that film about {noun}"),
    ("mildly negative", "life is not always easy when you are {noun}"),
)


@dataclass(frozen=True)
class GroupBias:
    """What naming identities of one kind does to the score.

    Parameters
    ----------
    group : str
    mean_shift : float
        Mean absolute deviation over the group's terms and all templates.
    signed_shift : float
        Mean deviation: above 0 where naming the group makes a sentence sound more aggressive to the model.
    worst_term : str
        The term that is shifted furthest over all templates, and by how much.
    worst_shift : float
    """

    group: str
    mean_shift: float
    signed_shift: float
    worst_term: str
    worst_shift: float


@dataclass(frozen=True)
class Bias:
    """How identity terms move the aggression score.

    Parameters
    ----------
    mean_shift : float
        Mean absolute deviation from the template's mean, over all templates and terms.
    max_shift : float
        The largest absolute mean deviation of a term over the templates.
    largest : float
        The largest absolute deviation of a single sentence.
    over_threshold : int or None
        How many of the sentences reach the threshold, though none is aggressive; None without a threshold.
    templates, terms : int
    groups : tuple of GroupBias
        In the order of :data:`TERMS`.
    """

    mean_shift: float
    max_shift: float
    largest: float
    over_threshold: int | None
    templates: int
    terms: int
    groups: tuple[GroupBias, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the part ``bias`` of ``metrics.json``."""
        return {
            "mean_shift": self.mean_shift,
            "max_shift": self.max_shift,
            "largest": self.largest,
            "over_threshold": self.over_threshold,
            "target": TARGET,
            "templates": self.templates,
            "terms": self.terms,
            "groups": [
                {
                    "group": group.group,
                    "mean_shift": group.mean_shift,
                    "signed_shift": group.signed_shift,
                    "worst_term": group.worst_term,
                    "worst_shift": group.worst_shift,
                }
                for group in self.groups
            ],
        }


def bias_sentences() -> list[str]:
    """Return every template with every term, template by template: ``len(TEMPLATES) * len(TERMS)`` texts."""
    return [
        template.format(noun=term.noun, adjective=term.adjective)
        for _, template in TEMPLATES
        for term in TERMS
    ]


def measure_bias(model: Scorer, *, threshold: float | None = None) -> Bias:
    """Measure how identity terms move a model's aggression score.

    Parameters
    ----------
    model : object with ``score(texts).aggression``
    threshold : float, optional
        At or above it a sentence counts in ``over_threshold``.

    Raises
    ------
    SettingsError
        If the model has no such score, or not one a text in [0, 1].
    """
    scores = aggression_of(model, bias_sentences()).reshape(len(TEMPLATES), len(TERMS))
    off = scores - scores.mean(axis=1, keepdims=True)
    by_term = off.mean(axis=0)
    groups = []
    for group in dict.fromkeys(term.group for term in TERMS):
        ours = [i for i, term in enumerate(TERMS) if term.group == group]
        worst = max(ours, key=lambda i: abs(by_term[i]))
        groups.append(
            GroupBias(
                group,
                float(np.abs(off[:, ours]).mean()),
                float(off[:, ours].mean()),
                TERMS[worst].adjective,
                float(by_term[worst]),
            )
        )
    return Bias(
        float(np.abs(off).mean()),
        float(np.abs(by_term).max()),
        float(np.abs(off).max()),
        None if threshold is None else int((scores >= threshold).sum()),
        len(TEMPLATES),
        len(TERMS),
        tuple(groups),
    )


def aggression_of(model: Scorer, texts: Sequence[str]) -> Floats:
    """Return a model's aggression scores, checked.

    Raises
    ------
    SettingsError
        If the model has no such score, or not one a text in [0, 1].
    """
    found = model.score(texts).aggression
    if found is None:
        raise SettingsError("this text model gives no aggression score; expected one that does")
    scores = np.asarray(found, dtype=np.float64)
    if scores.shape != (len(texts),):
        raise SettingsError(f"the model gave scores of shape {scores.shape} for {len(texts)} texts")
    if not np.isfinite(scores).all() or scores.min() < 0 or scores.max() > 1:
        raise SettingsError(f"scores run from {scores.min()} to {scores.max()}, expected 0 to 1")
    return scores
