from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from likeness.errors import DataError
from likeness.training.fitting.lmnn import impostor_triplets, lmnn, lmnn_loss, target_neighbours
from likeness.training.fitting.params import FitParams

PARAMS = FitParams("lmnn", neighbours=2)
TRIANGLE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
"""Two photographs of one person, at distance 1, and an impostor at distances 1 and √2 from them."""


def noisy(seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """20 people of 4 photographs who differ along axis 0; axis 1 is a nuisance six times as loud."""
    random = np.random.default_rng(seed)
    labels = np.arange(20).repeat(4)
    points = random.normal(size=(80, 5)) * [0.05, 1.5, 0.1, 0.1, 0.1]
    points[:, 0] += 0.25 * labels
    return points, labels


def test_the_objective_by_hand() -> None:
    """Both targets pull with 1; at μ = ½ and m = 1 the impostor pushes with 1 + 1 − 1 and with 1 + 1 − 2."""
    people = torch.tensor([0, 0, 1])
    targets = target_neighbours(TRIANGLE, people, 3)
    assert targets.tolist() == [[0, 1], [1, 0]]
    triplets = impostor_triplets(TRIANGLE, people, targets)
    assert triplets.tolist() == [[0, 2], [1, 2]]
    assert float(lmnn_loss(TRIANGLE, targets, triplets, 0.5, 1.0)) == pytest.approx((0.5 * 2 + 0.5 * 1) / 2)
    stretched = TRIANGLE * torch.tensor([1.0, 2.0])  # L = diag(1, 2): the impostor is beyond the margin
    assert float(lmnn_loss(stretched, targets, triplets, 0.5, 1.0)) == pytest.approx(0.5)
    assert float(lmnn_loss(stretched, targets, triplets, 0.5, 5.0)) == pytest.approx((1 + 0.5 * (2 + 1)) / 2)


def test_the_gradient_is_the_papers() -> None:
    """dε/dL = 2·L·G, G = (1 − μ)·Σ Cᵢⱼ + μ·Σ (Cᵢⱼ − Cᵢₗ) of active triplets, Cᵢⱼ = (xᵢ − xⱼ)(xᵢ − xⱼ)ᵀ."""
    points, labels = noisy()
    x, people = torch.from_numpy(points), torch.from_numpy(labels)
    factor = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    targets = target_neighbours(x, people, 2)
    triplets = impostor_triplets(x @ factor.T, people, targets)
    leaf = factor.clone().requires_grad_()
    lmnn_loss(x @ leaf.T, targets, triplets, 0.3, 0.7).backward()
    metric = (factor.T @ factor).numpy()
    expected = np.zeros((5, 5))
    for i, j in targets.tolist():
        expected += 0.7 * np.outer(points[i] - points[j], points[i] - points[j])
    for row, impostor in triplets.tolist():
        i, j = targets[row].tolist()
        near, far = points[i] - points[j], points[i] - points[impostor]
        if 0.7 + near @ metric @ near - far @ metric @ far > 0:
            expected += 0.3 * (np.outer(near, near) - np.outer(far, far))
    np.testing.assert_allclose(leaf.grad, 2 * factor.numpy() @ expected / len(targets), rtol=1e-9)


def nearest_is_own(points: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> float:
    distance = torch.cdist(torch.from_numpy(points), torch.from_numpy(points)).fill_diagonal_(torch.inf)
    return float((labels[distance.argmin(dim=1).numpy()] == labels).mean())


def test_people_it_has_never_seen_come_nearer_to_themselves_and_the_metric_is_positive() -> None:
    factor = lmnn(*noisy(0), FitParams("lmnn", learning_rate=2e-2, rounds=20))
    unseen, labels = noisy(1)
    assert nearest_is_own(unseen @ factor.T, labels) > nearest_is_own(unseen, labels) + 0.3
    metric = factor.T @ factor
    assert np.linalg.eigvalsh(metric).min() >= 0
    assert metric[1, 1] < 0.2 * metric[0, 0]


def test_impostors_are_the_nearest_of_other_people() -> None:
    points, labels = noisy()
    x, people = torch.from_numpy(points), torch.from_numpy(labels)
    targets = target_neighbours(x, people, 1)
    for row, impostor in impostor_triplets(x, people, targets)[:40].tolist():
        anchor = int(targets[row, 0])
        distance = np.linalg.norm(points - points[anchor], axis=1)
        others = np.sort(distance[labels != labels[anchor]])
        assert labels[impostor] != labels[anchor]
        assert distance[impostor] <= others[9] + 1e-6


def test_one_round_after_the_other_can_be_interrupted() -> None:
    class EnoughError(Exception):
        pass

    def between(number: int) -> None:
        if number == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        lmnn(*noisy(), PARAMS, between)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0]])
def test_nothing_to_learn_from(labels: list[int]) -> None:
    with pytest.raises(DataError, match="two people, one of them with two photographs"):
        lmnn(np.eye(3), np.array(labels), PARAMS)
