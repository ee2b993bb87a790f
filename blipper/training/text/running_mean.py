"""A running mean of a network's weights, which is steadier than where the last steps happened to end.

Polyak & Juditsky 1992; with an exponential decay as in Tarvainen & Valpola 2017 ("Mean teachers").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


class RunningMean:
    """The running mean of a network's weights.

    Parameters
    ----------
    model : torch.nn.Module
        Its weights begin the mean.
    decay : float
        In [0, 1): share of the old mean that a step leaves; 0 follows the weights themselves.
    """

    def __init__(self, model: Module, decay: float) -> None:
        self._weights = dict(model.named_parameters())
        self._decay = decay
        self._mean: dict[str, Tensor] = {name: w.detach().clone() for name, w in self._weights.items()}

    def step(self, done: int) -> None:
        """Take the weights as they are after `done` steps into the mean."""
        # The mean of few steps would still be mostly the weights that it began with.
        decay = min(self._decay, (1 + done) / (10 + done)) if self._decay else 0.0
        for name, weight in self._weights.items():
            self._mean[name].lerp_(weight.detach(), 1 - decay)

    def restart(self) -> None:
        """Take the network's weights as the mean."""
        for name, weight in self._weights.items():
            self._mean[name].copy_(weight.detach())

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Let the network have the mean's weights for a while."""
        own = {name: weight.detach().clone() for name, weight in self._weights.items()}
        self._give(self._mean)
        try:
            yield
        finally:
            self._give(own)

    def _give(self, values: dict[str, Tensor]) -> None:
        for name, weight in self._weights.items():
            weight.data.copy_(values[name])
