from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from likeness.errors import DivergedError
from likeness.models.comparators.euclidean import Euclidean
from likeness.training import lr_finder
from likeness.training.losses.objective import LOSSES
from likeness.training.lr_finder import find_learning_rate
from likeness.training.params import TrainParams
from likeness.training.samplers.sampler import SAMPLERS
from tests.training.tiny import PREPROCESS, network, world

PARAMS = TrainParams(
    batch_size=32,
    optimizer="sgd",
    loss=LOSSES.params("contrastive", balanced=True),
    sampler=SAMPLERS.params("identities"),
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


@pytest.mark.fault("A8")
@pytest.mark.parametrize("ramp", [{"margin_start": 0.0, "margin": 2.0, "margin_until": 1.0}, {}])
def test_nothing_is_suggested_where_nothing_is_learnt(ramp: dict[str, float]) -> None:
    """Rates too small to learn at, and a margin that would raise the loss at every step."""
    pixels, _, identities, _ = world(48)
    params = dataclasses.replace(PARAMS, loss=LOSSES.params("triplet", miner="random", **{"margin": 0.5, **ramp}))
    found = find_learning_rate(
        identities,
        pixels,
        network(Euclidean, dropout=0),
        PREPROCESS,
        params,
        seed=0,
        low=1e-12,
        high=1e-10,
        device="cpu",
    )
    assert found.suggestion is None
    assert found.losses[-1] == pytest.approx(found.losses[10], rel=0.1)  # the ramp is frozen


@pytest.mark.fault("A8")
def test_a_loss_that_only_rises_suggests_nothing() -> None:
    rates = np.geomspace(1e-6, 1.0, 60)
    assert lr_finder._suggestion(rates, np.linspace(1.0, 3.0, 50)) is None
    assert lr_finder._suggestion(rates, np.full(50, 2.0)) is None
    falling = np.concatenate([np.full(20, 2.0), np.linspace(2.0, 1.0, 10), np.linspace(1.0, 4.0, 20)])
    assert lr_finder._suggestion(rates, falling) == pytest.approx(rates[10 + 21], rel=0.6)


def test_a_start_that_is_too_high_is_named() -> None:
    pixels, _, identities, _ = world()
    params = dataclasses.replace(PARAMS, loss=LOSSES.params("softmax", scale=8.0))
    with pytest.raises(DivergedError, match="begin with a lower rate"):
        find_learning_rate(
            identities, pixels, network(Euclidean), PREPROCESS, params, seed=0, device="cpu", low=1e3, high=1e6
        )
