from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import ParamsError
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.models.siamese import Siamese
from likeness.params import from_mapping
from likeness.training.batches import Batch
from likeness.training.losses.build import WeightedSum, build_objective
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective
from likeness.training.params import TrainParams
from tests.training.plane import at, person_batch, siamese

PEOPLE = Identities(np.arange(4), np.array([0, 0, 1, 2]))
PAIRS = Pairs(np.array([0]), np.array([1]), np.array([True]))


@pytest.mark.parametrize("name", ["triplet", "softmax", "arcface", "cosface", "supcon", "multi-similarity"])
def test_losses_over_identities_are_refused_where_there_are_none(name: str) -> None:
    with pytest.raises(ParamsError, match=r"train\.sampler\.name: identities"):
        build_objective([LOSSES.params(name)], siamese(), PAIRS, by_identity=False, seed=0)


@pytest.mark.parametrize(
    ("comparator", "names"),
    [(WeightedL1, ["contrastive"]), (WeightedL1, ["triplet", "arcface"]), (Mahalanobis, ["arcface", "supcon"])],
)
def test_a_comparator_that_no_loss_would_train_is_refused(comparator: type[nn.Module], names: list[str]) -> None:
    sections = [LOSSES.params(name) for name in names]
    with pytest.raises(ParamsError, match=r"no loss would train the comparator .*: choose one of bce"):
        build_objective(sections, siamese(comparator(2)), PEOPLE, by_identity=True, seed=0)


@pytest.mark.parametrize(
    ("comparator", "names"),
    [(WeightedL1, ["arcface", "bce"]), (Mahalanobis, ["triplet"]), (Mahalanobis, ["supcon", "contrastive"])],
)
def test_one_loss_that_trains_the_comparator_is_enough(comparator: type[nn.Module], names: list[str]) -> None:
    """Every weight gets a gradient: what parallel training relies on."""
    sections, network = [LOSSES.params(name) for name in names], siamese(comparator(2))
    objective = build_objective(sections, network, PEOPLE, by_identity=True, seed=0).double()
    objective(network, at(0, 30, 90), person_batch(0, 0, 1), 0.5).value.backward()
    weights = [*network.parameters(), *objective.parameters()]
    assert all(weight.grad is not None for weight in weights)


def test_all_misfits_are_named_at_once() -> None:
    sections = [LOSSES.params("triplet"), LOSSES.params("arcface")]
    with pytest.raises(ParamsError) as error:
        build_objective(sections, siamese(WeightedL1(2)), PAIRS, by_identity=False, seed=0)
    for part in ("the loss triplet needs", "the loss arcface needs", "the comparator weighted-l1"):
        assert part in str(error.value)


def test_weighted_sum_adds_its_parts() -> None:
    sections = [LOSSES.params("arcface", weight=2.0, scale=8.0), LOSSES.params("supcon", weight=0.5)]
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
        objective = build_objective([LOSSES.params("softmax")], siamese(), data, by_identity=True, seed=seed)
        return objective.head.weight.detach()

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(head(5), head(5))
    assert not torch.equal(head(5), head(6))
    assert torch.equal(torch.rand(1), expected)


def test_a_key_that_the_loss_does_not_read_is_refused_by_name() -> None:
    section = {"loss": {"name": "supcon", "margin": 0.3, "scale": 5}}
    with pytest.raises(
        ParamsError, match=r"train\.yaml.*\n.*loss\.margin: not read by supcon, known.*\n.*loss\.scale"
    ):
        from_mapping(TrainParams, section, "train.yaml")


def test_the_section_that_version_0_1_wrote_is_read() -> None:
    """It lists the keys of all losses, null where the one chosen does not read them or has its authors' value."""
    keys = [
        "form",
        "margin",
        "margin_start",
        "margin_until",
        "scale",
        "temperature",
        "miner",
        "easy_until",
        "threshold",
        "balanced",
    ]
    old = {"name": "arcface", "weight": 1.0, **dict.fromkeys(keys), "margin": 0.3}
    read = from_mapping(TrainParams, {"loss": old}, "params.yaml").loss
    assert read == LOSSES.params("arcface", margin=0.3)
    assert dataclasses.asdict(read) == {
        "name": "arcface",
        "weight": 1.0,
        "margin": 0.3,
        "margin_start": None,
        "margin_until": 1 / 3,
        "scale": 64.0,
    }


def test_an_unknown_loss_or_miner_is_refused_with_the_known_names() -> None:
    for loss, known in (
        ({"name": "arcfase"}, r"loss\.name: unknown loss 'arcfase'; known are arcface, bce, .*triplet"),
        (
            {"name": "triplet", "miner": "hard"},
            "loss: unknown miner 'hard'; known are batch-hard, random, semi-hard",
        ),
    ):
        with pytest.raises(ParamsError, match=known):
            from_mapping(TrainParams, {"loss": loss}, "params.yaml")


def test_a_loss_of_ones_own_is_read_and_built_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LOSSES, "_parts", dict(LOSSES._loaded()))

    @dataclasses.dataclass(frozen=True)
    class SpreadParams(LossParams):
        factor: float = 2.0

    @LOSSES.register("spread", SpreadParams)
    class Spread(Objective):
        formula = "factor"

        @classmethod
        def build(cls, params: SpreadParams, siamese: Siamese, people: int) -> Spread:
            part = cls()
            part.factor = params.factor
            return part

        def forward(self, siamese: Siamese, embeddings: torch.Tensor, batch: Batch, progress: float) -> Loss:
            return Loss(self.factor * embeddings.square().mean())

    section = from_mapping(TrainParams, {"loss": {"name": "spread", "factor": 3}}, "params.yaml").loss
    objective = build_objective([section], siamese(), PEOPLE, by_identity=True, seed=0)
    assert objective(siamese(), at(0, 90), person_batch(0, 1), 0.0).value.item() == pytest.approx(1.5)
