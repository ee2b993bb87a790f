"""The bootstrap's figures at once are those computed draw by draw."""

from __future__ import annotations

import time

import numpy as np
import pytest

from blipper.training import bootstrap, metrics
from blipper.training.bootstrap import Bootstrap


@pytest.fixture
def clips(rng: np.random.Generator):  # type: ignore[no-untyped-def]
    n = 600
    speakers = [f"s{i}" for i in rng.integers(0, 9, n)]
    labels = rng.integers(0, 5, n)
    guessed = np.where(rng.random(n) < 0.6, labels, rng.integers(0, 5, n))
    scores = np.round(np.clip(rng.normal(0.3 + 0.3 * (labels == 4), 0.2), 0, 1), 2)  # with ties
    return speakers, labels, guessed, scores


def test_every_figure_is_that_of_single_draws(clips) -> None:  # type: ignore[no-untyped-def]
    speakers, labels, guessed, scores = clips
    draws = Bootstrap(speakers, seed=3, resamples=60)
    counts = draws.confusion(labels, guessed, range(5))
    angry = labels == 4
    measured = {
        "accuracy": (bootstrap.accuracy(counts), lambda r: metrics.accuracy(labels[r], guessed[r])),
        "uar": (bootstrap.uar(counts), lambda r: metrics.uar(labels[r], guessed[r])),
        "macro_f1": (bootstrap.macro_f1(counts), lambda r: metrics.macro_f1(labels[r], guessed[r])),
        "roc_auc": (draws.roc_auc(angry, scores), lambda r: metrics.roc_auc(angry[r], scores[r])),
        "pr_auc": (draws.pr_auc(angry, scores), lambda r: metrics.pr_auc(angry[r], scores[r])),
        "share": (draws.share(scores >= 0.5, angry), lambda r: float((scores[r][angry[r]] >= 0.5).mean())),
        "calibration": (
            draws.calibration_error(angry, scores),
            lambda r: metrics.calibration_error(angry[r], scores[r]),
        ),
    }
    for name, (at_once, one) in measured.items():
        found = draws.interval(at_once)
        expected = metrics.interval(one, speakers, seed=3, resamples=60)
        assert found == pytest.approx(expected), name


def test_a_part_of_the_clips_is_as_if_the_others_were_not_there(clips) -> None:  # type: ignore[no-untyped-def]
    speakers, labels, _, scores = clips
    part = scores < 0.7
    draws = Bootstrap(speakers, resamples=20)
    whole = draws.roc_auc(labels == 4, scores, part)
    alone = Bootstrap([s for s, inside in zip(speakers, part, strict=True) if inside], resamples=20)
    assert whole == pytest.approx(alone.roc_auc((labels == 4)[part], scores[part]))


def test_what_a_draw_lacks_is_left_out() -> None:
    positive, scores = np.array([True, False, False, False]), np.array([0.9, 0.1, 0.2, 0.3])
    draws = Bootstrap(["a", "b", "c", "d"], seed=3)
    found = draws.roc_auc(positive, scores)
    assert np.isnan(found).any()
    assert draws.interval(found) == (1.0, 1.0)
    never = draws.share(positive, np.zeros(4, dtype=bool))
    assert np.isnan(never).all()
    assert draws.interval(never) is None
    assert Bootstrap(["a"] * 4).interval(np.full(1000, 0.5)) is None


def test_all_clips_of_all_corpora_take_a_moment(rng: np.random.Generator) -> None:
    n = 12_000
    speakers = [f"s{i}" for i in rng.integers(0, 121, n)]
    positive, scores = rng.random(n) < 0.2, rng.random(n)
    began = time.process_time()
    draws = Bootstrap(speakers)
    assert draws.roc_auc(positive, scores).shape == draws.pr_auc(positive, scores).shape == (1000,)
    assert time.process_time() - began < 20
