from __future__ import annotations

import pytest
import torch
from torch import nn

from likeness.training.ema import ExponentialMovingAverage


def test_average_follows_the_weights_and_is_there_only_inside_the_block() -> None:
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(1.0)
    average = ExponentialMovingAverage(module, decay=0.9)
    expected = 1.0
    for step, value in enumerate([2.0, 4.0, 8.0], start=1):
        module.weight.data.fill_(value)
        average.update(step)
        keep = (1 + step) / (10 + step)  # still below the decay
        expected = keep * expected + (1 - keep) * value
    with average.applied():
        assert module.weight.item() == pytest.approx(expected)
    assert module.weight.item() == 8.0


def test_late_steps_keep_the_stated_share() -> None:
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(0.0)
    average = ExponentialMovingAverage(module, decay=0.9)
    module.weight.data.fill_(1.0)
    average.update(10_000)
    assert average.tensors["weight"].item() == pytest.approx(0.1)


def test_running_statistics_are_averaged_too_and_counters_are_not() -> None:
    module = nn.BatchNorm1d(2)
    average = ExponentialMovingAverage(module, decay=0.5)
    module(torch.randn(8, 2) + 3)
    average.update(10_000)
    assert set(average.tensors) == {"weight", "bias", "running_mean", "running_var"}
    assert torch.allclose(average.tensors["running_mean"], module.running_mean / 2)
