"""A fused score in one plain sentence: which side gives it, what in the voice, which words.

Never surer than the explanation of the voice (:func:`blipper.explain.wording.judge`), the words' standard
errors and how surely the words were heard allow.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from blipper.explain.attribution import Attribution
from blipper.explain.decomposition import Decomposition
from blipper.explain.targets import probability
from blipper.explain.wording import Certainty, Told, judge, main_range
from blipper.explain.words import WordShares

#: A part below this, in log-odds, adds little: it moves a score of 0.5 by 0.06 at most.
LITTLE: Final = 0.25
#: A side gives a score "mostly" if so much of what points its way is its own; as :mod:`blipper.fusion.cases`.
MOSTLY: Final = 2 / 3
#: A word is named if it gives so much of what its utterance's words give the same way, and so many log-odds.
NAMED: Final = 0.25
#: Standard errors by which a named word must lie above zero.
SURE: Final = 2.0
#: Words named at most.
MOST: Final = 3
#: Mean confidence of an engine below which "if they were heard right" is added.
HEARD: Final = 0.8


def tell_fused(
    found: Decomposition,
    attribution: Attribution | None = None,
    stability: float | None = None,
    words: WordShares | None = None,
    *,
    draft: bool = False,
) -> Told:
    """Put a decomposition into words.

    Parameters
    ----------
    found : Decomposition
    attribution : Attribution, optional
        Of the voice's aggression at that moment.
    stability : float, optional
        Of `attribution`.
    words : WordShares, optional
        Of the utterance that counts there.
    draft : bool
        Whether the transcript is only a rough draft.

    Returns
    -------
    Told
    """
    certainty, reason = _certainty(found, attribution, stability, words, draft)
    together = found.voice + found.words
    start = f"The score at {found.time:.1f} s is {found.score:.2f}"
    if abs(together) < LITTLE:
        usual = float(probability(found.prior))
        return Told(f"{start}, about that of any speech ({usual:.2f}): {_balance(found)}.", certainty, reason)
    direction = 1.0 if together > 0 else -1.0
    voice, said = max(0.0, direction * found.voice), max(0.0, direction * found.words)
    part = voice / (voice + said)
    side = (
        "mostly the voice" if part >= MOSTLY else "mostly the words" if part <= 1 - MOSTLY else "both sides"
    )
    details = []
    if part > 1 - MOSTLY:
        details.append(_voice(attribution, direction, certainty))
    if part < MOSTLY:
        details.append(_words(found, direction, words, draft))
    if len(details) == 2:
        names = ("in the voice", "of the words")
        details = [f"{name}, {detail}" for name, detail in zip(names, details, strict=True) if detail]
    detail = "; ".join(filter(None, details))
    lead = f"{start}, {side}: {detail}" if detail else f"{start}, {side}"
    return Told("; ".join(filter(None, (lead, _other(found, part, direction)))) + ".", certainty, reason)


def top_words(words: WordShares, direction: float, target: str = "aggression") -> list[str]:
    """Return the words that clearly push a score one way, the strongest first; at most :data:`MOST`.

    Parameters
    ----------
    words : WordShares
    direction : float
        1 for what raises the score, -1 for what lowers it.
    target : str

    Returns
    -------
    list of str
        As written, without punctuation around; each once.
    """
    pushes = direction * words.of(target)
    errors = words.errors_of(target)
    total = float(np.clip(pushes, 0, None).sum())
    named: list[str] = []
    for index in np.argsort(-pushes, kind="stable"):
        push = float(pushes[index])
        if push < LITTLE or push < NAMED * total or push < SURE * float(errors[index]):
            break
        text = words.words[index].text.strip(".,;:!?\"'()[]…–—-")
        if text and text.casefold() not in {name.casefold() for name in named}:
            named.append(text)
    return named[:MOST]


def _voice(attribution: Attribution | None, direction: float, certainty: Certainty) -> str:
    if attribution is None or attribution.target != "aggression":
        return ""
    if certainty == "poor":
        return "what in the voice does so cannot be told apart reliably"
    # The map compares with neutral speech: where that differs the other way, it does not explain this.
    if direction * attribution.difference <= 0:
        return ""
    main = main_range(attribution)
    if main is None:
        return "many bands share in it, and none stands out"
    hedge = "" if certainty == "good" else "probably "
    what = f"is {main.level} than" if main.level else "moves otherwise than"
    if main.start is None:
        when = ""
    elif main.to_the_end:
        when = f" from {main.start:.1f} s on"
    else:
        when = f" between {main.start:.1f} and {main.end:.1f} s"
    return f"{hedge}the sound {_at(main.name)} {what} in neutral speech{when}"


def _at(name: str) -> str:
    return name if name.startswith("below") else f"at {name}"


def _words(found: Decomposition, direction: float, words: WordShares | None, draft: bool) -> str:
    if words is None or not found.shares:
        return ""
    named = top_words(words, direction)
    if not named:
        return "no single word stands out"
    quoted = " and ".join(f"“{text}”" for text in named)
    known = [word.confidence for word in words.words if word.seen and word.confidence is not None]
    unsure = draft or (len(known) > 0 and float(np.mean(known)) < HEARD)
    return f"most of all {quoted}" + (", if they were heard right" if unsure else "")


def _other(found: Decomposition, part: float, direction: float) -> str:
    """Say what the side that does not lead gives."""
    if not found.fused:
        return "no words were scored"
    if MOSTLY > part > 1 - MOSTLY:
        return ""
    name, given = ("the words", found.words) if part >= MOSTLY else ("the voice", found.voice)
    verb = "add" if name == "the words" else "adds"
    if name == "the words" and found.utterance is None:
        return "no words count at that moment"
    if abs(given) < LITTLE:
        return f"{name} {verb} little"
    if direction * given < 0:
        return f"{name} {'speak' if verb == 'add' else 'speaks'} against it"
    return f"{name} {verb} some"


def _balance(found: Decomposition) -> str:
    if not found.fused:
        return "the voice says little either way, and no words were scored"
    if abs(found.voice) < LITTLE and abs(found.words) < LITTLE:
        return "neither voice nor words say much either way"
    return "voice and words speak against each other"


def _certainty(
    found: Decomposition,
    attribution: Attribution | None,
    stability: float | None,
    words: WordShares | None,
    draft: bool,
) -> tuple[Certainty, str]:
    """Return the worst grade of all that the sentence stands on, and why."""
    order: tuple[Certainty, ...] = ("good", "fair", "poor")
    grades: list[tuple[int, str]] = [(0, "Prior, voice and words add up to the score exactly")]
    if attribution is not None and attribution.target == "aggression":
        grade, why = judge(attribution, stability)
        grades.append((order.index(grade), f"of the voice, {why[0].lower()}{why[1:].rstrip('.')}"))
    if found.words != 0:
        if draft:
            grades.append((1, "the transcript is a rough draft"))
        if words is not None and words.method == "permutations":
            error = float(np.sqrt((words.errors_of("aggression") ** 2).mean()))
            size = float(np.abs(words.of("aggression")).max(initial=0.0))
            coarse = error > 0.2 * max(size, LITTLE)
            grades.append((int(coarse), f"shares of words are good to about {error:.2f} log-odds"))
    return order[max(grade for grade, _ in grades)], "; ".join(why for _, why in grades) + "."
