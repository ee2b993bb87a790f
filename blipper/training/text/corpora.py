"""Ten labelled corpora of text, made one: lines in spoken form with the labels that each corpus has.

A line's text decides its side: whatever stands in a test part of any corpus teaches nowhere, whichever corpus
repeats it. Validation lines come out of the training parts.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from blipper.errors import DatasetError
from blipper.words.spoken import spoken, unmarked

Side = Literal["train", "validation", "dev", "test"]

SENTIMENTS: Final = ("negative", "neutral", "positive")
TRAC: Final = ("NAG", "CAG", "OAG")
TURNS: Final = ("others", "angry", "sad", "happy")
#: GoEmotions' 27 emotions and neutral, in alphabetical order.
EMOTIONS: Final = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity"),
    *("desire", "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear"),
    *("gratitude", "grief", "joy", "love", "nervousness", "neutral", "optimism", "pride", "realization"),
    *("relief", "remorse", "sadness", "surprise"),
)
#: Share of training lines that validate, and the last rows of the shuffled `insults` that test.
VALIDATION: Final = 0.06
INSULTS_TEST: Final = 1299
AIRLINE_TEST: Final = 1464


@dataclass(frozen=True)
class Line:
    """One utterance with what its corpus says about it.

    Parameters
    ----------
    corpus : str
    side : {"train", "validation", "dev", "test"}
        ``"dev"`` and ``"test"`` are both held out; figures are reported on them and nothing is chosen.
    text : str
        In spoken form.
    group : str
        What belongs together (MELD's dialogues); a line of its own elsewhere.
    labels : mapping of str to float
        ``"sentiment"`` 0, 1, 2; ``"aggression"`` in [0, 1]; ``"trac"`` 0, 1, 2; ``"insult"``, ``"abuse"``,
        ``"toxic"``, ``"explicit"`` 0 or 1; ``"turn"`` 0 to 3; ``"emotion:NAME"`` 1.
    """

    corpus: str
    side: Side
    text: str
    group: str
    labels: Mapping[str, float]


Row = Mapping[str, str]


def _trac(row: Row) -> dict[str, float]:
    grade = TRAC.index(row["aggression"])
    # Covert aggression is often a matter of opinion (the raters agreed on little more than half).
    return {"trac": grade, "aggression": (0.02, 0.5, 0.9)[grade]}


def _convabuse(row: Row) -> dict[str, float]:
    abusive = float(float(row["severity"]) < 0)
    return {"abuse": abusive, "aggression": abusive}


def _detoxy(row: Row) -> dict[str, float]:
    return {"toxic": float(row["toxic"]), "aggression": 0.7 if row["toxic"] == "1" else 0.02}


def _insults(row: Row) -> dict[str, float]:
    return {"insult": float(row["insult"]), "aggression": float(row["insult"])}


def _conda(row: Row) -> dict[str, float]:
    intent = row["intent"]
    return {
        "explicit": float(intent == "E"),
        "aggression": {"E": 0.85, "I": 0.5, "A": 0.0, "O": 0.0}[intent],
    }


def _goemotions(row: Row) -> dict[str, float]:
    labels: dict[str, float] = {f"emotion:{name}": 1.0 for name in row["emotions"].split("|")}
    if row["groups"] in SENTIMENTS:
        labels["sentiment"] = SENTIMENTS.index(row["groups"])
    if row["groups"] == "positive":
        # Praise is not aggression, whatever words it takes.
        labels["aggression"] = 0.0
    return labels


def _emocontext(row: Row) -> dict[str, float]:
    labels: dict[str, float] = {"turn": TURNS.index(row["emotion"])}
    if row["emotion"] != "others":
        labels["sentiment"] = 2 if row["emotion"] == "happy" else 0
    if row["emotion"] == "happy":
        labels["aggression"] = 0.0
    return labels


def _meld(row: Row) -> dict[str, float]:
    labels: dict[str, float] = {"sentiment": SENTIMENTS.index(row["sentiment"])}
    if row["emotion"] in ("neutral", "joy", "surprise"):
        labels["aggression"] = 0.02
    return labels


def _sst2(row: Row) -> dict[str, float]:
    return {"sentiment": 2.0 * float(row["sentiment"]), "aggression": 0.0}


def _airline(row: Row) -> dict[str, float]:
    labels: dict[str, float] = {"sentiment": SENTIMENTS.index(row["sentiment"])}
    # A complaint about a service is no attack on a person, as a rule.
    labels["aggression"] = 0.05 if row["sentiment"] == "negative" else 0.0
    return labels


READERS: Final[dict[str, Callable[[Row], dict[str, float]]]] = {
    "trac1-en": _trac,
    "convabuse": _convabuse,
    "detoxy-common-voice": _detoxy,
    "insults": _insults,
    "conda": _conda,
    "goemotions": _goemotions,
    "emocontext": _emocontext,
    "meld": _meld,
    "sst2": _sst2,
    "airline": _airline,
}


def read_corpora(folder: str | Path, *, seed: int = 0) -> tuple[Line, ...]:
    """Read all ten corpora.

    Parameters
    ----------
    folder : path
        Where ``trac1-en.tsv`` and the others lie.
    seed : int, optional
        Of the validation lines, and of the test lines of corpora that come without.

    Returns
    -------
    tuple of Line
        Without empty lines. No text of a ``"dev"`` or ``"test"`` line is also one of another side, marks
        aside, and none of validation is also one of training.

    Raises
    ------
    DatasetError
        If a file is missing, or holds a label that is unknown.
    """
    root = Path(folder)
    lines = [line for corpus in READERS for line in _read(root, corpus, seed)]
    return tuple(without_repeats(_with_validation(lines, seed)))


def _read(root: Path, corpus: str, seed: int) -> Iterator[Line]:
    path = root / f"{corpus}.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot be read: {error.strerror}; expected the corpus {corpus}"
        ) from error
    sides: list[Side] = [_side(row.get("split", "train"), path) for row in rows]
    held_out = {"insults": INSULTS_TEST, "airline": AIRLINE_TEST}.get(corpus, 0)
    if held_out:
        order = np.random.default_rng(seed).permutation(len(rows))
        for index in order[-held_out:]:
            sides[index] = "dev"
    for number, (row, side) in enumerate(zip(rows, sides, strict=True)):
        text = spoken(_MENDED.get(corpus, str)(row["text"]))
        try:
            labels = READERS[corpus](row)
        except (KeyError, ValueError) as error:
            raise DatasetError(f"{path}, row {number + 2}: unknown label: {error}") from error
        if text:
            group = f"{corpus}:{row.get('dialogue') or number}"
            yield Line(corpus, side, text, group, labels)


def _side(name: str, path: Path) -> Side:
    if name == "train":
        return "train"
    if name == "dev":
        return "dev"
    if name == "test":
        return "test"
    raise DatasetError(f"{path}: split is {name!r}, expected train, dev or test")


def _unescaped(text: str) -> str:
    """Undo the written-out escapes of the insults corpus, as far as they matter to words."""
    for escape in (r"\\xa0", r"\xa0", r"\\n", r"\n", r"\\xc2", r"\xc2", r"\\t", r"\t", r"\\r", r"\r"):
        text = text.replace(escape, " ")
    return text.replace("\\'", "'").replace('\\"', '"')


def _untokenised(text: str) -> str:
    """Put a tokenised text (``"it 's great , is n't it ?"``) together again."""
    for mark in (" .", " ,", " ?", " !", " n't", " 's", " 're", " 've", " 'll", " 'd", " 'm"):
        text = text.replace(mark, mark[1:])
    return text


_MENDED: Final[dict[str, Callable[[str], str]]] = {"insults": _unescaped, "sst2": _untokenised}


def _with_validation(lines: Sequence[Line], seed: int) -> Iterator[Line]:
    """Let a share of the training groups validate; which, a hash says, so that order does not matter."""
    for line in lines:
        digest = hashlib.sha256(f"{seed}:{line.group}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        validates = line.side == "train" and drawn < VALIDATION
        yield replace(line, side="validation") if validates else line


def without_repeats(lines: Iterable[Line]) -> Iterator[Line]:
    """Leave out of what teaches whatever is held out or validates, of what validates whatever is held out."""
    kept = list(lines)
    # Marks make no other text of it.
    held_out = {unmarked(line.text) for line in kept if line.side in ("dev", "test")}
    validating = {unmarked(line.text) for line in kept if line.side == "validation"} - held_out
    seen: set[tuple[str, str, tuple[tuple[str, float], ...]]] = set()
    for line in kept:
        bare = unmarked(line.text)
        if line.side in ("train", "validation") and bare in held_out:
            continue
        if line.side == "train" and bare in validating:
            continue
        key = (line.corpus, line.text, tuple(sorted(line.labels.items())))
        if line.side == "train" and key in seen:
            continue
        seen.add(key)
        yield line
