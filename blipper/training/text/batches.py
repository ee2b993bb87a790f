"""Lines as padded batches of word pieces, of like length, so that little is spent on padding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from blipper.training.text.augment import recognised
from blipper.training.text.corpora import EMOTIONS, Line
from blipper.training.text.network import SHIPPED
from blipper.words.spoken import unmarked

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

#: The shipped outputs and what teaches beside them: GoEmotions' emotions, EmoContext's four classes.
TEACHING: Final = (
    *SHIPPED,
    *(f"emotion-{name}" for name in EMOTIONS),
    *("turn-others", "turn-angry", "turn-sad", "turn-happy"),
)
#: Columns of an advice: three sentiments, three of TRAC-1, insult, abuse, aggression.
N_ADVISED: Final = 9
#: How often an epoch shows a corpus' lines; once unless named.
REPEATS: Final = {"convabuse": 4, "insults": 2, "meld": 2, "sst2": 2, "templates": 2, "sentences": 2}
#: How much a corpus' say about verbal aggression counts. Less where it was only inferred from another label.
AGGRESSION_WEIGHT: Final = {
    "goemotions": 0.3,
    "emocontext": 0.3,
    "meld": 0.5,
    "sst2": 0.2,
    "airline": 0.4,
    "conda": 0.7,
}


@dataclass(frozen=True, eq=False)
class Targets:
    """Labels of n lines; NaN or -1 where unknown.

    Parameters
    ----------
    sentiment, trac, turn : numpy.ndarray of int64, shape (n,)
    own_sentiment : numpy.ndarray of int64, shape (n,)
        The same as `sentiment` for the lines of GoEmotions, whose raters draw the line elsewhere.
    binary : numpy.ndarray, shape (n, 5)
        Aggression, insult, abuse, toxic, explicit.
    weight : numpy.ndarray, shape (n,)
        Of the aggression label.
    emotions : numpy.ndarray, shape (n, 28)
    advice : numpy.ndarray, shape (n, 9)
        Soft targets of :mod:`blipper.training.text.advice`.
    """

    sentiment: Ints
    own_sentiment: Ints
    trac: Ints
    turn: Ints
    binary: Floats
    weight: Floats
    emotions: Floats
    advice: Floats


def targets_of(lines: Sequence[Line], advice: Floats | None = None) -> Targets:
    """Return the labels of lines as arrays, beside the advice on them."""

    def classes(name: str) -> Ints:
        return np.array([line.labels.get(name, -1) for line in lines], dtype=np.int64)

    names = ("aggression", "insult", "abuse", "toxic", "explicit")
    binary = np.array([[line.labels.get(name, np.nan) for name in names] for line in lines], dtype=np.float32)
    emotions = np.full((len(lines), len(EMOTIONS)), np.nan, dtype=np.float32)
    for row, line in enumerate(lines):
        if line.corpus == "goemotions":
            emotions[row] = [float(f"emotion:{name}" in line.labels) for name in EMOTIONS]
    weight = np.array([AGGRESSION_WEIGHT.get(line.corpus, 1.0) for line in lines], dtype=np.float32)
    sentiment = classes("sentiment")
    of_goemotions = np.array([line.corpus == "goemotions" for line in lines], dtype=bool)
    return Targets(
        sentiment,
        np.where(of_goemotions, sentiment, -1),
        classes("trac"),
        classes("turn"),
        binary.reshape(-1, len(names)),
        weight,
        emotions,
        np.full((len(lines), N_ADVISED), np.nan, dtype=np.float32) if advice is None else advice,
    )


def take(targets: Targets, rows: Ints) -> Targets:
    """Return some lines' labels."""
    return Targets(
        *(
            getattr(targets, name)[rows]
            for name in (
                *("sentiment", "own_sentiment", "trac", "turn"),
                *("binary", "weight", "emotions", "advice"),
            )
        )
    )


def epoch_rows(lines: Sequence[Line], repeats: Mapping[str, int] = REPEATS) -> Ints:
    """Return the lines that one epoch shows, some of them several times."""
    times = [repeats.get(line.corpus.partition(":")[0], 1) for line in lines]
    return np.repeat(np.arange(len(lines)), times)


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], *, longest: int, rng: np.random.Generator | None = None
) -> list[list[int]]:
    """Return each text's word pieces; with `rng`, as recognisers write: half without marks, half misheard."""
    if rng is not None:
        texts = [_heard(text, rng) for text in texts]
    encoded = tokenizer.encode_batch(list(texts))
    return [
        ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]] for ids in (e.ids for e in encoded)
    ]


def _heard(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        text = unmarked(text)
    return recognised(text, rng, strength=float(rng.random() < 0.5) * rng.random() * 1.5)


def batches(
    pieces: Sequence[Sequence[int]], size: int, rng: np.random.Generator | None = None
) -> Iterator[Ints]:
    """Yield which texts go together: of like length, in random order with `rng`, else the shortest first."""
    lengths = np.array([len(ids) for ids in pieces])
    noise = rng.random(len(pieces)) * 3 if rng is not None else np.zeros(len(pieces))
    order = np.argsort(lengths + noise, kind="stable")
    starts = np.arange(0, len(order), size)
    for start in rng.permutation(starts) if rng is not None else starts:
        yield order[start : start + size]


def padded(pieces: Sequence[Sequence[int]], rows: Ints) -> tuple[Ints, Ints]:
    """Return word pieces and mask of some texts, both of shape (n, longest of them)."""
    longest = max(len(pieces[row]) for row in rows)
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(pieces[row])] = pieces[row]
    return ids, (np.arange(longest)[None, :] < np.array([len(pieces[row]) for row in rows])[:, None]).astype(
        np.int64
    )
