from __future__ import annotations

import math

import pytest
import torch

from likeness.models.comparators.euclidean import Euclidean
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.models.comparators.weighted_l1 import WeightedL1
from likeness.training.losses.bce import BinaryCrossEntropy
from likeness.training.losses.contrastive import Contrastive
from likeness.training.losses.multibatch import Multibatch
from likeness.training.losses.pair_mean import pair_mean
from likeness.training.losses.ramp import Ramp
from tests.training.plane import at, pair_batch, person_batch, siamese


def chord(degrees: float) -> float:
    """Distance of two points on the unit circle."""
    return 2 * math.sin(math.radians(degrees) / 2)


def steady(margin: float) -> Ramp:
    return Ramp(margin, margin, 1.0)


def test_cross_entropy_takes_the_weighted_l1_score_as_the_logit() -> None:
    network = siamese(WeightedL1(2))
    network.comparator.logit.weight.data = torch.tensor([[-2.0, -3.0]], dtype=torch.float64)
    network.comparator.logit.bias.data = torch.tensor([1.0], dtype=torch.float64)
    points = torch.tensor([[0.0, 0.0], [0.5, 0.1], [0.2, 0.4]], dtype=torch.float64)
    batch = pair_batch([0, 0], [1, 2], [True, False])
    logits = [1 - 2 * 0.5 - 3 * 0.1, 1 - 2 * 0.2 - 3 * 0.4]  # -0.3 (wrong: same), -0.6 (right: different)
    expected = (math.log1p(math.exp(-logits[0])) + math.log1p(math.exp(logits[1]))) / 2

    loss = BinaryCrossEntropy(network, 10.0, balanced=False)(network, points, batch, 0.0)

    assert loss.value.item() == pytest.approx(expected, rel=1e-12)
    assert loss.accuracy is not None
    assert loss.accuracy.item() == 0.5


def test_cross_entropy_learns_scale_and_threshold_for_other_scores() -> None:
    network = siamese()
    objective = BinaryCrossEntropy(network, 4.0, balanced=False).double()
    objective.threshold.data.fill_(0.5)
    batch = pair_batch([0, 0], [1, 2], [True, False])
    logits = [4 * (math.cos(math.radians(30)) - 0.5), 4 * (0.0 - 0.5)]
    expected = (math.log1p(math.exp(-logits[0])) + math.log1p(math.exp(logits[1]))) / 2

    loss = objective(network, at(0, 30, 90), batch, 0.0).value
    loss.backward()

    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert objective.scale.grad is not None
    assert objective.threshold.grad is not None


@pytest.mark.parametrize(
    ("form", "far_loss"),
    [("lecture", 1.2**2 - chord(60) ** 2), ("hadsell", (1.2 - chord(60)) ** 2)],
)
def test_contrastive_pulls_same_pairs_and_pushes_different_ones_out_to_the_margin(
    form: str, far_loss: float
) -> None:
    batch = pair_batch([0, 0, 1], [1, 2, 3], [True, False, False])  # 20°, 60° inside and 130° outside the margin
    loss = Contrastive(form, steady(1.2), balanced=False)(siamese(Euclidean()), at(0, 20, 60, 150), batch, 0.0)
    assert loss.value.item() == pytest.approx((chord(20) ** 2 + far_loss + 0) / 3, rel=1e-12)


def test_lecture_form_equals_the_hinge_of_pytorch_metric_learning_on_squared_distances() -> None:
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import ContrastiveLoss
    from pytorch_metric_learning.reducers import SumReducer

    points, labels = at(0, 10, 35, 60, 200, 230), (0, 0, 1, 1, 2, 2)
    distance = LpDistance(normalize_embeddings=False, p=2, power=2)
    theirs = ContrastiveLoss(pos_margin=0, neg_margin=1.2**2, distance=distance, reducer=SumReducer())
    summed_twice = theirs(points, torch.tensor(labels))  # over ordered pairs
    ours = Contrastive("lecture", steady(1.2), balanced=False)
    loss = ours(siamese(Euclidean()), points, person_batch(*labels), 0.0).value
    assert loss.item() == pytest.approx(summed_twice.item() / 2 / 15, rel=1e-12)


@pytest.mark.parametrize("form", ["lecture", "hadsell"])
def test_contrastive_gradient_is_finite_where_two_embeddings_are_one_point(form: str) -> None:
    points = at(0, 0)
    batch = pair_batch([0], [1], [False])
    Contrastive(form, steady(1.0), balanced=False)(siamese(Euclidean()), points, batch, 0.0).value.backward()
    assert torch.isfinite(points.grad).all()


def test_distances_are_those_of_the_learnt_metric() -> None:
    network = siamese(Mahalanobis(2))
    network.comparator.factor.weight.data = torch.tensor([[3.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    loss = Contrastive("hadsell", steady(1.0), balanced=False)(
        network, torch.tensor([[0.0, 0.0], [0.1, 0.2]], dtype=torch.float64), pair_batch([0], [1], [True]), 0.0
    )
    assert loss.value.item() == pytest.approx(0.3**2 + 0.2**2, rel=1e-12)


def test_margin_rises_with_the_training() -> None:
    objective = Contrastive("hadsell", Ramp(0.4, 1.0, until=0.5), balanced=False)
    network, points, batch = siamese(Euclidean()), at(0, 10), pair_batch([0], [1], [False])
    for progress, margin in [(0.0, 0.4), (0.25, 0.7), (0.5, 1.0), (0.9, 1.0)]:
        loss = objective(network, points, batch, progress).value
        assert loss.item() == pytest.approx((margin - chord(10)) ** 2, rel=1e-12)


def test_multibatch_takes_every_pair_against_the_learnt_threshold() -> None:
    objective = Multibatch(margin=1.0, threshold=0.8, balanced=False).double()
    objective.threshold.data.fill_(0.8)
    points, batch = at(0, 20, 100), person_batch(0, 0, 1)
    same, different = [chord(20) ** 2], [chord(100) ** 2, chord(80) ** 2]
    hinges = [max(0.0, 1 - (0.8 - d)) for d in same] + [max(0.0, 1 + (0.8 - d)) for d in different]

    loss = objective(siamese(Euclidean()), points, batch, 0.0)
    loss.value.backward()

    assert loss.value.item() == pytest.approx(sum(hinges) / 3, rel=1e-12)
    active = sum(h > 0 for h in hinges[1:]) - sum(h > 0 for h in hinges[:1])
    assert objective.threshold.grad.item() == pytest.approx(active / 3, rel=1e-12)
    assert loss.accuracy.item() == 1.0


def test_balanced_mean_weighs_both_kinds_alike() -> None:
    losses = torch.tensor([1.0, 2.0, 3.0, 10.0])
    same = torch.tensor([False, False, False, True])
    assert pair_mean(losses, same, balanced=False).item() == 4.0
    assert pair_mean(losses, same, balanced=True).item() == (2.0 + 10.0) / 2
    assert pair_mean(losses, torch.ones(4, dtype=torch.bool), balanced=True).item() == 2.0  # no different pair
