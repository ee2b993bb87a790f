"""The running mean of weights: what it is, and that showing it changes nothing."""

from __future__ import annotations

import pytest
import torch

from blipper.training.text.running_mean import RunningMean


def moved(decay: float, values: list[float]) -> tuple[torch.nn.Linear, RunningMean]:
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(values[0])
    mean = RunningMean(model, decay)
    for step, value in enumerate(values[1:]):
        model.weight.data.fill_(value)
        mean.step(step + 1000)
    return model, mean


@pytest.mark.parametrize(("decay", "expected"), [(0.0, 5.0), (0.5, (1 / 4 + 3 / 4) + 5 / 2), (0.9, 1.58)])
def test_each_step_leaves_its_share(decay: float, expected: float) -> None:
    model, mean = moved(decay, [1.0, 3.0, 5.0])
    with mean.shown():
        assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 5.0


def test_the_first_steps_are_not_held_back_by_what_it_began_with() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(100.0)
    mean = RunningMean(model, 0.999)
    model.weight.data.fill_(0.0)
    for step in range(20):
        mean.step(step)
    with mean.shown():
        assert model.weight.item() < 0.01


def test_the_network_has_its_own_weights_back_even_after_an_error() -> None:
    model, mean = moved(0.5, [1.0, 3.0])
    with pytest.raises(ZeroDivisionError), mean.shown():
        raise ZeroDivisionError
    assert model.weight.item() == 3.0
    mean.restart()
    with mean.shown():
        assert model.weight.item() == 3.0
