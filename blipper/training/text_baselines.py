"""What a small text model has to beat: TF-IDF with logistic regression, and VADER.

Pure functions from texts to scores. The caller gives both baselines the same texts, in the same form, as the
model that they are compared with; VADER reads capitals and punctuation too, so it may do better on text as
people write it than on a recogniser's, and its figure is of the form that it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import DatasetError, SettingsError

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

#: At or beyond it VADER's authors call a text positive or negative (Hutto and Gilbert 2014, README).
VADER_NEUTRAL: Final = 0.05


def tfidf_lr(
    train_texts: Sequence[str],
    train_labels: Sequence[int] | Labels,
    test_texts: Sequence[str],
    *,
    strength: float = 1.0,
    balanced: bool = False,
    seed: int = 0,
) -> Floats:
    """Fit logistic regression on TF-IDF of words and characters, and score texts.

    Words and pairs of words, and three to five characters inside words, each that occurs in two texts or
    more, with logarithmic counts, after lower-casing.

    Parameters
    ----------
    train_texts : sequence of str
    train_labels : sequence of int
        In 0 … k-1, each of which must occur, k at least 2.
    test_texts : sequence of str
    strength : float
        scikit-learn's ``C``: the inverse of the L2 penalty.
    balanced : bool
        Whether rare classes weigh as much as frequent ones.
    seed : int

    Returns
    -------
    numpy.ndarray, shape (n_test, k)
        Probabilities; rows sum to 1.

    Raises
    ------
    DatasetError
        If the lengths differ, or a class does not occur.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    labels = np.asarray(train_labels, dtype=np.int64)
    if len(labels) != len(train_texts):
        raise DatasetError(f"{len(labels)} labels for {len(train_texts)} texts; expected as many")
    classes = np.unique(labels)
    if len(classes) < 2 or not np.array_equal(classes, np.arange(len(classes))):
        raise DatasetError(f"labels are {classes.tolist()}, expected 0 to k-1 with k at least 2")
    if not len(test_texts):
        return np.zeros((0, len(classes)))
    fitted = make_pipeline(
        make_union(
            TfidfVectorizer(
                ngram_range=(1, 2),
                min_df=2,
                sublinear_tf=True,
                token_pattern=r"(?u)\b\w+\b",
                dtype=np.float32,
            ),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True, dtype=np.float32
            ),
        ),
        LogisticRegression(
            C=strength,
            max_iter=1000,
            class_weight="balanced" if balanced else None,
            random_state=seed,
        ),
    )
    fitted.fit(list(train_texts), labels)
    return np.asarray(fitted.predict_proba(list(test_texts)), dtype=np.float64)


def vader_compound(texts: Sequence[str]) -> Floats:
    """Score texts by VADER's lexicon and rules (Hutto and Gilbert 2014; vaderSentiment, MIT).

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    numpy.ndarray, shape (n,)
        The compound score, from -1 (negative) to 1 (positive); 0 for a text without a word of the lexicon.

    Raises
    ------
    SettingsError
        If vaderSentiment is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise SettingsError(
            "VADER needs the package vaderSentiment: pip install -r requirements-dev.txt"
        ) from error
    analyser = SentimentIntensityAnalyzer()
    return np.array([analyser.polarity_scores(text)["compound"] for text in texts], dtype=np.float64)


def vader_sentiment(compound: Floats) -> Labels:
    """Return VADER's class of each compound score: 0 negative, 1 neutral, 2 positive, shape (n,)."""
    compound = np.asarray(compound, dtype=np.float64)
    return np.asarray(
        np.where(compound <= -VADER_NEUTRAL, 0, np.where(compound >= VADER_NEUTRAL, 2, 1)), dtype=np.int64
    )
