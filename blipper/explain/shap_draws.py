"""Draws that cover what ``shap.GradientExplainer`` would leave to chance.

For every draw it takes one background window and one point on the way from it to the input, both at random.
An average over draws that are spread evenly has the same expectation and far less noise: here every window
comes up equally often, and the points are one in each of as many equal stretches of the way as there are
draws, in random order (a Latin hypercube; McKay, Beckman and Conover 1979). Tests compare both at the same
number of draws.

``shap`` has no way to hand draws over. It takes them from ``numpy.random``, so for the time of a call its own
module is given a NumPy whose ``random`` deals the planned ones. Nobody else's NumPy is touched, and a version
of ``shap`` that drew otherwise would be noticed and refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from blipper.errors import ModelError

_lock = threading.Lock()


class Plan:
    """Evenly spread draws, in the order in which ``shap`` asks for them.

    Parameters
    ----------
    windows : int
        Of the background.
    draws : int
    seed : int

    Attributes
    ----------
    which : numpy.ndarray of int, shape (draws,)
        Background windows, each as often as any other, give or take one.
    where : numpy.ndarray, shape (draws,)
        Points on the way, in (0, 1).
    """

    def __init__(self, windows: int, draws: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.which = rng.permutation(np.resize(rng.permutation(windows), draws))
        self.where = rng.permutation((np.arange(draws) + rng.random(draws)) / draws)
        self._windows = windows
        self._chosen = self._placed = 0

    def seed(self, _: int) -> None:
        """Take no notice: the plan has its own seed."""

    def choice(self, windows: int) -> int:
        """Deal the next window."""
        if windows != self._windows or self._chosen >= len(self.which):
            raise ModelError(f"shap asked for draw {self._chosen + 1} of {windows} windows: not as planned")
        self._chosen += 1
        return int(self.which[self._chosen - 1])

    def uniform(self) -> float:
        """Deal the next point."""
        self._placed += 1
        return float(self.where[self._placed - 1])

    def check(self) -> None:
        """Raise ModelError unless all was dealt: this version of ``shap`` draws otherwise then."""
        if self._chosen != len(self.which) or self._placed != len(self.where):
            raise ModelError(
                f"this version of shap took {self._chosen} and {self._placed} of {len(self.which)} draws; "
                "install the one in requirements.lock"
            )


class _Numpy:
    """NumPy, but for `random`."""

    def __init__(self, plan: Plan) -> None:
        self.random = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@contextmanager
def dealt(plan: Plan) -> Iterator[None]:
    """Let ``shap``'s gradient explainers draw from a plan meanwhile; one thread at a time.

    Raises
    ------
    ModelError
        If ``shap`` drew otherwise than planned.
    """
    from shap.explainers import _gradient

    with _lock:
        held = _gradient.np
        _gradient.np = _Numpy(plan)
        try:
            yield
        finally:
            _gradient.np = held
    plan.check()
