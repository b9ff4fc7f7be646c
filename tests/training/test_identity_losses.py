from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from likeness.models.comparators.euclidean import Euclidean
from likeness.training.losses.arcface import ArcFace
from likeness.training.losses.miners.random import random_triplets
from likeness.training.losses.multi_similarity import MultiSimilarity
from likeness.training.losses.objective import LOSSES, Objective
from likeness.training.losses.ramp import Ramp
from likeness.training.losses.softmax import Softmax
from likeness.training.losses.supcon import SupervisedContrastive
from likeness.training.losses.triplet import Triplet
from tests.training.plane import at, person_batch, siamese


def squared(degrees: float) -> float:
    """Squared distance of two points on the unit circle."""
    return 2 - 2 * math.cos(math.radians(degrees))


def steady(margin: float) -> Ramp:
    return Ramp(margin, margin, 1.0)


def value(objective: Objective, points: Tensor, *labels: int, progress: float = 0.0) -> float:
    return objective(siamese(Euclidean()), points, person_batch(*labels), progress).value.item()


def test_batch_hard_takes_the_farthest_positive_with_the_nearest_negative() -> None:
    # person 0 at 0° and 30°, person 1 at 50°; anchors with a positive: the first two
    triplets = [squared(30) - squared(50) + 0.5, squared(30) - squared(20) + 0.5]
    loss = value(Triplet("batch-hard", steady(0.5), 0.0), at(0, 30, 50), 0, 0, 1)
    assert loss == pytest.approx(sum(max(0, t) for t in triplets) / sum(t > 0 for t in triplets), rel=1e-12)


def test_semi_hard_takes_negatives_beyond_the_positive_but_within_the_margin() -> None:
    # anchor 0°: positive 30°; negative 50° is semi-hard, 120° too easy. Anchor 30°: negative 50° is too hard.
    loss = value(Triplet("semi-hard", steady(0.6), 0.0), at(0, 30, 50, 120), 0, 0, 1, 2)
    assert loss == pytest.approx(squared(30) - squared(50) + 0.6, rel=1e-12)


def test_random_triplets_pair_each_anchor_and_positive_with_any_negative() -> None:
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    torch.manual_seed(0)
    seen = set()
    for _ in range(50):
        anchors, positives, negatives = random_triplets(labels)
        assert len(anchors) == 3 * 2 + 2 * 1
        assert (labels[anchors] == labels[positives]).all()
        assert (anchors != positives).all()
        assert (labels[anchors] != labels[negatives]).all()
        seen |= {(int(a), int(n)) for a, n in zip(anchors, negatives, strict=True)}
    assert seen == {(a, n) for a in range(5) for n in range(6) if labels[a] != labels[n]}


def test_one_person_alone_gives_no_triplet_and_a_loss_of_zero_with_a_gradient() -> None:
    points = at(0, 30)
    objective = Triplet("random", steady(0.5), 0.0)
    loss = objective(siamese(Euclidean()), points, person_batch(0, 0), 0.0).value
    loss.backward()
    assert loss.item() == 0
    assert points.grad is not None


def test_curriculum_is_random_first_and_mined_later() -> None:
    objective = Triplet("batch-hard", steady(0.1), easy_until=0.5)
    points, labels = at(0, 30, 31, 180, 181), (0, 0, 1, 2, 2)
    hard = value(Triplet("batch-hard", steady(0.1), 0.0), points, *labels)
    torch.manual_seed(0)
    easy = {round(value(objective, points, *labels, progress=0.4), 9) for _ in range(20)}
    assert len(easy) > 1  # drawn again each time
    assert value(objective, points, *labels, progress=0.5) == hard


@pytest.mark.parametrize("name", ["arcface", "cosface"])
def test_margin_softmax_handicaps_the_right_person_alone(name: str) -> None:
    objective = LOSSES.part(name)(2, 2, Ramp(0.0, 0.3, until=0.5), scale=8.0).double()
    objective.head.W.data = (
        torch.stack([at(0)[0], at(90)[0] * 5]).T.contiguous().detach()
    )  # length must not matter
    for progress, margin in [(0.0, 0.0), (0.25, 0.15), (1.0, 0.3)]:
        right = math.cos(math.radians(40) + margin) if name == "arcface" else math.cos(math.radians(40)) - margin
        logits = [8 * right, 8 * math.cos(math.radians(50))]
        expected = math.log(math.exp(logits[0]) + math.exp(logits[1])) - logits[0]
        assert value(objective, at(40, length=3.0), 0, progress=progress) == pytest.approx(expected, rel=1e-9)


def test_margin_softmax_names_people_without_the_margin() -> None:
    objective = ArcFace(2, 2, steady(0.5), scale=8.0).double()
    objective.head.W.data = torch.stack([at(0)[0], at(90)[0]]).T.contiguous().detach()
    loss = objective(siamese(), at(40, 80, 60), person_batch(0, 1, 0), 0.0)
    assert loss.accuracy.item() == pytest.approx(2 / 3)


def test_softmax_is_the_cross_entropy_of_a_dense_layer() -> None:
    objective = Softmax(2, 2, scale=2.0).double()
    objective.head.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    objective.head.bias.data = torch.tensor([0.1, 0.0], dtype=torch.float64)
    logits = [2 * math.cos(math.radians(30)) + 0.1, 2 * math.sin(math.radians(30))]
    expected = math.log(math.exp(logits[0]) + math.exp(logits[1])) - logits[1]
    assert value(objective, at(30), 1) == pytest.approx(expected, rel=1e-12)


def test_supervised_contrastive_averages_over_anchors_with_a_partner() -> None:
    degrees, labels, temperature = [0, 40, 90], [0, 0, 1], 0.5

    def similarity(i: int, j: int) -> float:
        return math.exp(math.cos(math.radians(degrees[i] - degrees[j])) / temperature)

    anchors = [-math.log(similarity(i, 1 - i) / (similarity(i, 1 - i) + similarity(i, 2))) for i in (0, 1)]
    loss = value(SupervisedContrastive(temperature), at(*degrees, length=7.0), *labels)
    assert loss == pytest.approx(sum(anchors) / 2, rel=1e-9)


def test_multi_similarity_is_its_two_soft_maxima_over_the_hard_pairs() -> None:
    # people at 0° and 60°, 80° and 140°: only the two in the middle have a negative nearer than their positive
    positive = math.log(1 + math.exp(-2 * (math.cos(math.radians(60)) - 0.5))) / 2
    negative = math.log(1 + math.exp(50 * (math.cos(math.radians(20)) - 0.5))) / 50
    loss = value(MultiSimilarity(), at(0, 60, 80, 140), 0, 0, 1, 1)
    assert loss == pytest.approx(2 * (positive + negative) / 4, rel=1e-9)
