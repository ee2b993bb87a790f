"""Which words moved a text model: SHAP values of whole words, joined to their times.

Every word that the model was given is a player; a coalition's value is the model's log-odds for the text that
its words make. A word that does not take part is **left out**, and nothing stands in for it: SHAP's own text
masker puts ``...`` there, and a tokenizer's mask token is the other usual choice, but no recogniser ever
writes either, and models that read transcripts have not met them. A transcript that lacks a word is what they
do meet: words that were not surely heard are left out of what they read. Words and not word pieces are
players, since a person can judge a word, and half a word left out makes another one.

The base is the model's answer to a text without words. With the shares of all words it adds up to the
log-odds whose sigmoid is the score that is shown. Up to :data:`EXACT` words all coalitions are tried, which
gives Shapley values themselves; above, SHAP's permutations estimate them, forwards and backwards (Mitchell et
al. 2022), with a standard error, and add up all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from blipper.errors import SettingsError
from blipper.explain.shap_state import generator_lent
from blipper.explain.targets import probability
from blipper.progress import Progress, silent
from blipper.words.text_models import TextModel
from blipper.words.text_reading import text_for_model
from blipper.words.transcript import LOW_CONFIDENCE, Utterance, spread_words

Float = NDArray[np.float64]

#: What can be explained: verbal aggression, and each sentiment, in the order of every array here.
WORD_TARGETS: Final = ("aggression", "negative", "neutral", "positive")
#: Words up to which all coalitions are tried: 2 ** 8 = 256 texts.
EXACT: Final = 8
#: Random orders above that, each walked forwards and backwards.
PERMUTATIONS: Final = 10
#: Texts in one call of the model; progress is told in between.
BATCH: Final = 64


class Reader(Protocol):
    """What an explanation needs of a text model; see :class:`blipper.words.sentiment.TextModel`."""

    @property
    def info(self) -> Any:
        """Its name and hash, among others."""

    @property
    def has_sentiment(self) -> bool:
        """Whether it reads sentiment."""

    @property
    def has_aggression(self) -> bool:
        """Whether it reads verbal aggression."""

    def aggression_log_odds(self, texts: Sequence[str]) -> Float:
        """Return log-odds of verbal aggression, shape (n,)."""

    def sentiment_logits(self, texts: Sequence[str]) -> Float:
        """Return numbers whose softmax is the sentiment, shape (n, 3)."""


@dataclass(frozen=True)
class ReadWord:
    """One word of an utterance and whether a model was given it.

    Parameters
    ----------
    text : str
        As written.
    start, end : float
        Seconds from the recording's start.
    seen : bool
        False where the engine was too unsure of it (:data:`blipper.words.transcript.LOW_CONFIDENCE`): the
        model never saw the word, so its share is 0.
    confidence : float or None
        The engine's.
    """

    text: str
    start: float
    end: float
    seen: bool
    confidence: float | None


@dataclass(frozen=True, eq=False)
class WordShares:
    """What each word of an utterance gives each score, in log-odds.

    Parameters
    ----------
    targets : tuple of str
        Those of :data:`WORD_TARGETS` that the models read.
    words : tuple of ReadWord
        All words of the utterance, in order.
    values : numpy.ndarray, shape (n_words, n_targets)
        SHAP values; 0 for words that the model never saw.
    errors : numpy.ndarray, shape (n_words, n_targets)
        Their standard errors from random orders; 0 where all coalitions were tried.
    base, log_odds : numpy.ndarray, shape (n_targets,)
        Of a text without words, and of what the model was given.
    method : {"exact", "permutations"}
    text : str
        What the model was given.
    models : tuple of str
        Names of the models, in the order of `targets`.
    """

    targets: tuple[str, ...]
    words: tuple[ReadWord, ...]
    values: Float
    errors: Float
    base: Float
    log_odds: Float
    method: Literal["exact", "permutations"]
    text: str
    models: tuple[str, ...]

    def of(self, target: str) -> Float:
        """Return each word's share of one score, shape (n_words,).

        Raises
        ------
        SettingsError
            If no model reads that.
        """
        shares: Float = self.values[:, self._column(target)]
        return shares

    def errors_of(self, target: str) -> Float:
        """Return the shares' standard errors, shape (n_words,)."""
        errors: Float = self.errors[:, self._column(target)]
        return errors

    def ends_of(self, target: str) -> tuple[float, float]:
        """Return the log-odds of a text without words, and of this one."""
        column = self._column(target)
        return float(self.base[column]), float(self.log_odds[column])

    def score_of(self, target: str) -> float:
        """Return the score, in (0, 1)."""
        return float(probability(self.ends_of(target)[1]))

    @property
    def unseen(self) -> tuple[ReadWord, ...]:
        """The words that the model never saw."""
        return tuple(word for word in self.words if not word.seen)

    def _column(self, target: str) -> int:
        if target not in self.targets:
            raise SettingsError(f"explaining {target!r}: the text models read {', '.join(self.targets)}")
        return self.targets.index(target)


def explain_words(
    utterance: Utterance,
    models: Sequence[Reader],
    *,
    permutations: int = PERMUTATIONS,
    exact: int = EXACT,
    seed: int = 0,
    progress: Progress = silent,
) -> WordShares | None:
    """Explain by its words what text models make of an utterance.

    Parameters
    ----------
    utterance : Utterance
    models : sequence of Reader
        For sentiment and for verbal aggression the first that reads it is taken.
    permutations : int
        Random orders where there are more than `exact` words, at least 2.
    exact : int
        Words up to which all coalitions are tried.
    seed : int
        Of the orders.
    progress : Progress
        Told texts, as step ``"words"``; what it raises ends the work there.

    Returns
    -------
    WordShares or None
        None where no word was sure enough for a model to see it.

    Raises
    ------
    SettingsError
        If no model reads anything, or a number lies outside its domain.
    """
    if permutations < 2 or not 0 <= exact <= 12:
        raise SettingsError(
            f"{permutations} permutations and {exact} words: expected at least 2, and 0 to 12 words"
        )
    words = words_of(utterance)
    seen = [index for index, word in enumerate(words) if word.seen]
    if not seen:
        return None
    value = _Value(models, _Texts([words[index].text for index in seen], text_for_model(utterance)), progress)
    value.expect(2 ** len(seen) if len(seen) <= exact else permutations * (2 * len(seen) + 1))
    shares, errors = _shap(value, len(seen), len(seen) <= exact, permutations, seed)
    ends = value(np.array([value.texts.of(np.zeros(len(seen), bool)), value.texts.whole], dtype=object))
    values = np.zeros((len(words), len(value.targets)))
    spread = np.zeros_like(values)
    values[seen], spread[seen] = shares, errors
    value.finish()
    return WordShares(
        targets=value.targets,
        words=words,
        values=values,
        errors=spread,
        base=ends[0],
        log_odds=ends[1],
        method="exact" if len(seen) <= exact else "permutations",
        text=value.texts.whole,
        models=value.names,
    )


def words_of(utterance: Utterance) -> tuple[ReadWord, ...]:
    """Return an utterance's words and whether a model sees them; without times they share the utterance's."""
    words = utterance.words or spread_words(
        utterance.text.split(), utterance.start, utterance.end, utterance.confidence
    )
    return tuple(
        ReadWord(
            word.text,
            word.start,
            word.end,
            word.confidence is None or word.confidence >= LOW_CONFIDENCE,
            word.confidence,
        )
        for word in words
    )


class _Texts:
    """The texts that coalitions of words make."""

    def __init__(self, words: Sequence[str], whole: str) -> None:
        self.words = words
        self.whole = whole

    def of(self, kept: NDArray[np.bool_]) -> str:
        """Return the text of the words that are kept; all together they are the text as it is written."""
        if kept.all():
            return self.whole
        return " ".join(word for word, stays in zip(self.words, kept, strict=True) if stays)


class _LeaveOut:
    """A masker for ``shap``: words that are not in the mask are left out."""

    clustering = None
    immutable_outputs = True

    def __init__(self, texts: _Texts) -> None:
        self.texts = texts
        self.shape = (1, len(texts.words))

    def __call__(self, mask: NDArray[np.bool_], _: Any) -> tuple[NDArray[Any]]:
        return (np.array([self.texts.of(np.asarray(mask, bool))], dtype=object),)


class _Value:
    """What the models make of texts, one column a target; no text is read twice."""

    def __init__(self, models: Sequence[Reader], texts: _Texts, progress: Progress) -> None:
        aggression = next((model for model in models if model.has_aggression), None)
        sentiment = next((model for model in models if model.has_sentiment), None)
        if aggression is None and sentiment is None:
            raise SettingsError("no text model that reads sentiment or verbal aggression was given")
        self.aggression, self.sentiment, self.texts = aggression, sentiment, texts
        heads = [aggression] * (aggression is not None) + [sentiment] * (3 * (sentiment is not None))
        self.names = tuple(model.info.name for model in heads if model is not None)
        self.targets = WORD_TARGETS[0 if aggression is not None else 1 : 4 if sentiment is not None else 1]
        self._known: dict[str, Float] = {}
        self._progress, self._done, self._total = progress, 0, 1

    def expect(self, total: int) -> None:
        """Say how many texts there will be, known ones included."""
        self._total = total

    def finish(self) -> None:
        """Report that nothing is left to do."""
        self._progress("words", self._total, self._total)

    def __call__(self, texts: NDArray[Any]) -> Float:
        """Return log-odds, shape (n, n_targets)."""
        wanted = [str(text) for text in texts]
        new = [text for text in dict.fromkeys(wanted) if text not in self._known]
        for first in range(0, len(new), BATCH):
            part = new[first : first + BATCH]
            self._progress("words", min(self._done + first, self._total), self._total)
            self._known.update(zip(part, self._read(part), strict=True))
        self._done += len(wanted)
        return np.stack([self._known[text] for text in wanted])

    def _read(self, texts: Sequence[str]) -> Float:
        if self.sentiment is self.aggression and isinstance(self.sentiment, TextModel):
            model: TextModel = self.sentiment
            found = _both(model, texts)
            if np.isfinite(found).all():  # else a score lies within rounding of 0 or 1
                return found
        columns = []
        if self.aggression is not None:
            columns.append(np.asarray(self.aggression.aggression_log_odds(texts), dtype=np.float64)[:, None])
        if self.sentiment is not None:
            logits = np.asarray(self.sentiment.sentiment_logits(texts), dtype=np.float64)
            others = [np.logaddexp(logits[:, (k + 1) % 3], logits[:, (k + 2) % 3]) for k in range(3)]
            columns.append(logits - np.stack(others, axis=1))
        return np.concatenate(columns, axis=1)


def _both(model: TextModel, texts: Sequence[str]) -> Float:
    """Ask one model for all log-odds at once, which is half the work; scores have double precision."""
    scores = model.score(texts)
    assert scores.aggression is not None
    assert scores.sentiment is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(scores.aggression) - np.log1p(-scores.aggression)
        logs = np.log(scores.sentiment)
        others = [np.logaddexp(logs[:, (k + 1) % 3], logs[:, (k + 2) % 3]) for k in range(3)]
        return np.column_stack([odds, logs - np.stack(others, axis=1)])


def _shap(value: _Value, n_words: int, exactly: bool, permutations: int, seed: int) -> tuple[Float, Float]:
    """Return SHAP values and their standard errors, both of shape (n_words, n_targets)."""
    import shap

    players = np.array([value.texts.words], dtype=object)
    with generator_lent():
        explainer = shap.Explainer(
            value,
            _LeaveOut(value.texts),
            algorithm="exact" if exactly else "permutation",
            **({} if exactly else {"seed": seed}),
        )
        limits: dict[str, Any] = (
            {"max_evals": 2**n_words}
            if exactly
            else {"max_evals": permutations * (2 * n_words + 1), "error_bounds": True}
        )
        found = explainer(players, batch_size=BATCH, silent=True, **limits)
    values = np.asarray(found.values, dtype=np.float64)[0].reshape(n_words, -1)
    if exactly:
        return values, np.zeros_like(values)
    spread = np.asarray(found.error_std, dtype=np.float64)[0].reshape(n_words, -1)
    return values, spread / np.sqrt(2 * permutations)
