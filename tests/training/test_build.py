from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import ParamsError
from likeness.models.comparators import Mahalanobis, WeightedL1
from likeness.params import from_mapping
from likeness.training.losses.build import WeightedSum, build_objective
from likeness.training.losses.params import LossParams
from likeness.training.params import TrainParams
from tests.training.plane import at, person_batch, siamese

PEOPLE = Identities(np.arange(4), np.array([0, 0, 1, 2]))
PAIRS = Pairs(np.array([0]), np.array([1]), np.array([True]))


@pytest.mark.parametrize("name", ["triplet", "softmax", "arcface", "cosface", "supcon", "multi-similarity"])
def test_losses_over_identities_are_refused_where_there_are_none(name: str) -> None:
    with pytest.raises(ParamsError, match=r"train\.sampler\.kind: identities"):
        build_objective([LossParams(name)], siamese(), PAIRS, by_identity=False, seed=0)


@pytest.mark.parametrize(
    ("comparator", "names"),
    [(WeightedL1, ["contrastive"]), (WeightedL1, ["triplet", "arcface"]), (Mahalanobis, ["arcface", "supcon"])],
)
def test_a_comparator_that_no_loss_would_train_is_refused(comparator: type[nn.Module], names: list[str]) -> None:
    sections = [LossParams(name) for name in names]
    with pytest.raises(ParamsError, match=r"no loss would train the comparator .*: choose one of bce"):
        build_objective(sections, siamese(comparator(2)), PEOPLE, by_identity=True, seed=0)


@pytest.mark.parametrize(
    ("comparator", "names"),
    [(WeightedL1, ["arcface", "bce"]), (Mahalanobis, ["triplet"]), (Mahalanobis, ["supcon", "contrastive"])],
)
def test_one_loss_that_trains_the_comparator_is_enough(comparator: type[nn.Module], names: list[str]) -> None:
    """Every weight gets a gradient: what parallel training relies on."""
    sections, network = [LossParams(name) for name in names], siamese(comparator(2))
    objective = build_objective(sections, network, PEOPLE, by_identity=True, seed=0).double()
    objective(network, at(0, 30, 90), person_batch(0, 0, 1), 0.5).value.backward()
    weights = [*network.parameters(), *objective.parameters()]
    assert all(weight.grad is not None for weight in weights)


def test_all_misfits_are_named_at_once() -> None:
    sections = [LossParams("triplet"), LossParams("arcface")]
    with pytest.raises(ParamsError) as error:
        build_objective(sections, siamese(WeightedL1(2)), PAIRS, by_identity=False, seed=0)
    for part in ("the loss triplet needs", "the loss arcface needs", "the comparator weighted-l1"):
        assert part in str(error.value)


def test_weighted_sum_adds_its_parts() -> None:
    sections = [LossParams("arcface", weight=2.0, scale=8.0), LossParams("supcon", weight=0.5)]
    both = build_objective(sections, siamese(), PEOPLE, by_identity=True, seed=3).double()
    assert isinstance(both, WeightedSum)
    points, batch = at(0, 30, 90), person_batch(0, 0, 1)
    parts = [part(siamese(), points, batch, 0.5).value.item() for part in both.parts]
    loss = both(siamese(), points, batch, 0.5)
    assert loss.value.item() == pytest.approx(2 * parts[0] + 0.5 * parts[1], rel=1e-12)
    assert loss.accuracy is not None  # arcface's
    assert both.formula.startswith("2·[−log softmax")


@pytest.mark.parametrize("data", [PEOPLE])
def test_initial_weights_come_from_the_seed_and_leave_the_global_state_alone(data: TrainingData) -> None:
    def head(seed: int) -> torch.Tensor:
        objective = build_objective([LossParams("softmax")], siamese(), data, by_identity=True, seed=seed)
        return objective.head.weight.detach()

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(head(5), head(5))
    assert not torch.equal(head(5), head(6))
    assert torch.equal(torch.rand(1), expected)


def test_a_key_that_the_loss_does_not_read_is_refused_by_name() -> None:
    section = {"loss": {"name": "supcon", "margin": 0.3, "scale": 5}}
    with pytest.raises(ParamsError, match=r"train\.yaml.*\n  loss: the loss supcon does not read margin, scale"):
        from_mapping(TrainParams, section, "train.yaml")


def test_null_stands_for_the_authors_value() -> None:
    assert LossParams("arcface").get("scale") == 64.0
    assert LossParams("arcface", scale=24.0).get("scale") == 24.0
