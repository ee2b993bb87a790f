"""Sentences written one by one for what no corpus labels, with harmless twins: ``sentences.tsv``.

54 writers (language models, each told a setting and some of the kinds below, none of which saw the others'
sentences, the templates or the checklist) wrote them for this. What came near to a sentence of the checklist
was taken out by :func:`nearness`, and so was what the writers who only measure had near to what teaches.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import pairwise
from typing import Final

from blipper.errors import DatasetError
from blipper.training.text.corpora import Line, Side
from blipper.training.text_checks import Sentence
from blipper.words.spoken import spoken, unmarked

#: What each kind of sentence teaches about verbal aggression.
KINDS: Final = {
    **{"veiled threat": 0.9, "threat": 0.97, "insult": 0.97, "hostile command": 0.93},
    **{"no veiled threat": 0.03, "no threat": 0.03, "no insult": 0.05, "no hostile command": 0.04},
    **{"quoted attack": 0.93, "report": 0.04, "denial": 0.04, "about oneself": 0.05},
    **{"group hostility": 0.93, "no group hostility": 0.03},
    **{"abuse of a machine": 0.9, "no abuse of a machine": 0.03},
}
#: Hostile kinds and their harmless twins.
TWINS: Final[Mapping[str, Sequence[str]]] = {
    **{kind: (f"no {kind}",) for kind in ("veiled threat", "threat", "insult", "hostile command")},
    "quoted attack": ("report", "denial", "about oneself"),
    **{kind: (f"no {kind}",) for kind in ("group hostility", "abuse of a machine")},
}
#: Writers whose sentences validate, so that validation meets wording and settings that taught nothing.
VALIDATING: Final = ("03", "08", "33", "41", "45", "46")
#: Writers whose sentences measure, and nothing else.
MEASURING: Final = ("25", "26", "34", "42")
#: Share of pairs of words in common with a sentence of the checklist from which one may not teach.
NEAR: Final = 0.3


def make_sentences() -> tuple[Line, ...]:
    """Read the sentences.

    Returns
    -------
    tuple of Line
        Corpus ``"sentences:KIND"``, group ``"sentences:WRITER"``.

    Raises
    ------
    DatasetError
        If a kind is unknown.
    """
    content = resources.files(__package__).joinpath("sentences.tsv").read_text(encoding="utf-8")
    lines = []
    for row in csv.DictReader(content.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        kind, writer = row["kind"], row["set"]
        if kind not in KINDS:
            raise DatasetError(f"sentences.tsv: kind is {kind!r}, expected one of {', '.join(KINDS)}")
        hostile = KINDS[kind] > 0.5
        labels = {"aggression": KINDS[kind]}
        if kind.endswith("abuse of a machine"):  # which may be in the best of moods, as harassment is
            labels["abuse"] = float(hostile)
        elif hostile:
            labels["sentiment"] = 0.0
        side: Side = "validation" if writer in VALIDATING else "test" if writer in MEASURING else "train"
        lines.append(Line(f"sentences:{kind}", side, spoken(row["text"]), f"sentences:{writer}", labels))
    return tuple(lines)


def sentences_to_check(lines: Sequence[Line]) -> tuple[Sentence, ...]:
    """Return the sentences among lines that measure, each with the side on which its score must fall."""
    return tuple(
        Sentence(line.corpus.partition(":")[2], line.labels["aggression"] > 0.5, line.text)
        for line in lines
        if line.corpus.startswith("sentences:") and line.side == "test"
    )


def nearness(texts: Sequence[str], others: Sequence[str]) -> list[float]:
    """Return of each text the largest share of pairs of neighbouring words in common with one of others.

    Parameters
    ----------
    texts, others : sequence of str

    Returns
    -------
    list of float
        Jaccard's index in [0, 1]; a text of one word counts as a pair.
    """
    theirs = [_pairs(other) for other in others]
    having: dict[tuple[str, ...], list[int]] = {}
    for number, pairs in enumerate(theirs):
        for pair in pairs:
            having.setdefault(pair, []).append(number)

    def nearest(own: frozenset[tuple[str, ...]]) -> float:
        common = Counter(number for pair in own for number in having.get(pair, ()))
        return max((n / (len(own) + len(theirs[other]) - n) for other, n in common.items()), default=0.0)

    return [nearest(_pairs(text)) for text in texts]


def _pairs(text: str) -> frozenset[tuple[str, ...]]:
    words = unmarked(spoken(text)).split()
    return frozenset(pairwise(words)) or frozenset([tuple(words)])
