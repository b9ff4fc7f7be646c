from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from likeness.errors import DivergedError
from likeness.models.comparators import Euclidean
from likeness.training.losses.params import LossParams
from likeness.training.lr_finder import find_learning_rate
from likeness.training.params import TrainParams
from likeness.training.samplers import SamplerParams
from tests.training.tiny import PREPROCESS, network, world

PARAMS = TrainParams(
    batch_size=32,
    optimizer="sgd",
    loss=LossParams("contrastive", balanced=True),
    sampler=SamplerParams("identities"),
)


def test_the_suggested_rate_trains_and_the_network_is_left_alone() -> None:
    pixels, _, identities, _ = world(48)
    siamese = network(Euclidean, dropout=0)
    before = {name: tensor.clone() for name, tensor in siamese.state_dict().items()}
    found = find_learning_rate(
        identities, pixels, siamese, PREPROCESS, PARAMS, seed=0, device="cpu", low=1e-4, high=1e3
    )
    assert all(torch.equal(before[name], tensor) for name, tensor in siamese.state_dict().items())
    assert len(found.rates) == len(found.losses)
    assert 1e-3 < found.suggestion < 10
    at = int(np.searchsorted(found.rates, found.suggestion))
    assert found.losses[at] < 0.98 * found.losses[0]  # it falls there,
    assert found.losses[at] > found.losses.min()  # and goes on falling


def test_a_start_that_is_too_high_is_named() -> None:
    pixels, _, identities, _ = world()
    params = dataclasses.replace(PARAMS, loss=LossParams("softmax", scale=8.0))
    with pytest.raises(DivergedError, match="begin with a lower rate"):
        find_learning_rate(
            identities, pixels, network(Euclidean), PREPROCESS, params, seed=0, device="cpu", low=1e3, high=1e6
        )
