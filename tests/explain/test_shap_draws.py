"""Evenly spread draws: the same expectation as SHAP's own, less noise, and nothing of NumPy is changed."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import ModelError
from blipper.explain.gradients import log_odds
from blipper.explain.shap_draws import Plan, dealt
from blipper.explain.shap_gradients import ROUND, _explainer, shap_pieces, with_length
from blipper.explain.targets import target_index
from tests.explain.made import FRONT, inputs_of, neutral, voice_model

AGGRESSION = target_index("aggression")


def test_a_plan_has_every_window_equally_often_and_a_point_in_every_stretch():
    plan = Plan(6, 32, seed=3)
    counts = np.bincount(plan.which, minlength=6)
    assert set(counts) == {5, 6}
    assert sorted((plan.where * 32).astype(int)) == list(range(32))
    other = Plan(6, 32, seed=4)
    assert list(other.which) != list(plan.which)
    assert abs(np.corrcoef(plan.which, plan.where)[0, 1]) < 0.5


def test_draws_otherwise_than_planned_are_refused():
    plan = Plan(4, 8, seed=0)
    with pytest.raises(ModelError, match="not as planned"):
        plan.choice(5)
    with pytest.raises(ModelError, match="0 and 0 of 8 draws"), dealt(plan):
        pass
    from shap.explainers import _gradient

    assert _gradient.np is np


@pytest.fixture(scope="module")
def curved():
    """Return a model that bends: its answer depends on how far the input has come and from where."""
    from keras import ops

    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.05, (FRONT.frames, FRONT.mels)).astype("float32")

    def make(frames, lengths):
        weighed = ops.sum(frames * ops.convert_to_tensor(weights), axis=(1, 2))
        bent = ops.sum(ops.tanh(frames) * ops.convert_to_tensor(np.abs(weights)), axis=(1, 2))
        out = weighed + 0.4 * bent + 0.3 * weighed * ops.tanh(bent)
        return ops.concatenate([ops.stack([0.1 * k * out for k in range(8)], axis=1), out[:, None]], axis=1)

    return voice_model(make)


def test_the_same_expectation_with_less_noise_than_shap_s_own_draws(curved):
    rng = np.random.default_rng(1)
    background = neutral(rng, n=8, frames=FRONT.frames)
    frames = rng.normal(0, 1, (1, FRONT.frames, FRONT.mels)).astype(np.float32)
    inputs = inputs_of(frames, np.array([FRONT.frames]))
    explainer = _explainer(curved, background)
    picture = with_length(frames[0], FRONT.frames)[np.newaxis]

    def own(seed: int) -> np.ndarray:
        values, _ = explainer.shap_values(
            picture, nsamples=2 * ROUND, ranked_outputs=np.array([[AGGRESSION]]),
            output_rank_order="custom", rseed=seed,
        )  # fmt: skip
        return np.asarray(values)[0, :, :-1, 0]

    pieces = [
        shap_pieces(curved, inputs, background, AGGRESSION, draws=2 * ROUND, seed=s)[0] for s in range(12)
    ]
    planned = np.array([piece.values for piece in pieces])
    at_random = np.array([own(seed) for seed in range(12)])
    # What both estimate: the log-odds here less the background's mean.
    truth = float(
        log_odds(curved, inputs.frames, inputs.lengths)[0, AGGRESSION]
        - log_odds(curved, background.tiled(FRONT.frames), np.full(8, FRONT.frames, np.int32))[
            :, AGGRESSION
        ].mean()
    )
    sums, random_sums = planned.sum(axis=(1, 2)), at_random.sum(axis=(1, 2))
    assert sums.mean() == pytest.approx(truth, abs=4 * sums.std() / np.sqrt(12) + 1e-3)
    assert random_sums.mean() == pytest.approx(truth, abs=4 * random_sums.std() / np.sqrt(12))
    assert sums.std() < 0.5 * random_sums.std()
    reference = planned.mean(axis=0)
    error = np.sqrt(((planned - reference) ** 2).mean())
    assert error < 0.8 * np.sqrt(((at_random - reference) ** 2).mean())
    # What a piece says of its own uncertainty is about how much pieces differ.
    said = np.sqrt(np.mean([piece.variance for piece in pieces]))
    assert 0.4 * sums.std() < said < 2.5 * sums.std()
