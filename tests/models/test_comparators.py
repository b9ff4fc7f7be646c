from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch

from likeness.models.comparators.comparator import Comparator
from likeness.models.comparators.cosine import Cosine
from likeness.models.comparators.csls import Csls
from likeness.models.comparators.euclidean import Euclidean
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.models.comparators.weighted_l1 import WeightedL1

Doubles = npt.NDArray[np.float64]
DIM = 6


def _numbers(seed: int, *shape: int) -> Doubles:
    return np.random.default_rng(seed).normal(size=shape)


def _comparators() -> dict[str, tuple[Comparator, Callable[[Doubles, Doubles], float]]]:
    """Each comparator beside its formula for one pair, written out in NumPy."""
    weight, bias, factor = _numbers(1, DIM), 0.3, _numbers(2, DIM, DIM)
    weighted, mahalanobis = WeightedL1(DIM), Mahalanobis(DIM)
    with torch.no_grad():
        weighted.logit.weight.copy_(torch.from_numpy(weight)[None])
        weighted.logit.bias.fill_(bias)
        mahalanobis.factor.weight.copy_(torch.from_numpy(factor))
    metric = factor.T @ factor
    csls, cohort = Csls(DIM, people=5, nearest=2), _numbers(10, 5, DIM)
    cohort /= np.linalg.norm(cohort, axis=1, keepdims=True)
    csls.cohort.copy_(torch.from_numpy(cohort))

    def cosine(x: Doubles, y: Doubles) -> float:
        return float((x @ y) / np.sqrt((x @ x) * (y @ y)))

    def resembles(x: Doubles) -> float:
        return sum(sorted(cosine(x, other) for other in cohort)[-2:]) / 2

    return {
        "weighted-l1": (weighted, lambda x, y: sum(weight[i] * abs(x[i] - y[i]) for i in range(DIM)) + bias),
        "euclidean": (Euclidean(), lambda x, y: -np.sqrt(sum((x[i] - y[i]) ** 2 for i in range(DIM)))),
        "cosine": (Cosine(), cosine),
        "csls": (csls, lambda x, y: cosine(x, y) - (resembles(x) + resembles(y)) / 2),
        "mahalanobis": (mahalanobis, lambda x, y: -np.sqrt((x - y) @ metric @ (x - y))),
    }


@pytest.mark.parametrize("name", ["weighted-l1", "euclidean", "cosine", "csls", "mahalanobis"])
def test_scores_agree_with_the_formula(name: str) -> None:
    comparator, formula = _comparators()[name]
    first, second = _numbers(3, 20, DIM), _numbers(4, 20, DIM)
    scores = comparator(*(torch.from_numpy(side).float() for side in (first, second)))
    expected = [formula(x, y) for x, y in zip(first, second, strict=True)]
    np.testing.assert_allclose(scores.detach().numpy(), expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ["weighted-l1", "euclidean", "cosine", "csls", "mahalanobis"])
def test_the_order_of_the_photographs_does_not_matter_to_the_last_bit(name: str) -> None:
    comparator, _ = _comparators()[name]
    first, second = (torch.from_numpy(_numbers(seed, 500, DIM)).float() for seed in (5, 6))
    scores = comparator(first, second)
    assert torch.equal(scores, comparator(second, first))
    assert torch.equal(scores, comparator.compare(comparator.prepared(first), comparator.prepared(second)))


@pytest.mark.parametrize("name", ["euclidean", "cosine", "mahalanobis"])
def test_the_same_point_scores_highest_and_keeps_gradients_finite(name: str) -> None:
    comparator, _ = _comparators()[name]
    points = torch.from_numpy(_numbers(7, 5, DIM)).float().requires_grad_()
    scores = comparator(points, points.detach())
    others = comparator(points.detach(), points.detach().roll(1, 0))
    scores.sum().backward()
    assert (scores > others).all()
    assert points.grad is not None
    assert points.grad.isfinite().all()


def test_mahalanobis_starts_as_the_euclidean_distance() -> None:
    first, second = (torch.from_numpy(_numbers(seed, 9, DIM)).float() for seed in (8, 9))
    assert torch.equal(Mahalanobis(DIM)(first, second), Euclidean()(first, second))


def test_cosine_of_a_zero_embedding_is_zero() -> None:
    assert Cosine()(torch.zeros(1, DIM), torch.ones(1, DIM)).item() == 0


def test_a_face_that_resembles_everybody_is_not_taken_for_others() -> None:
    """Of two faces at one cosine, that near to the cohort scores lower. Without a cohort, it is the cosine."""
    comparator, (x, everybody, y) = Csls(3, people=4, nearest=4), torch.eye(3)[[0, 1, 2]] + 0.5
    plain = comparator(x[None], y[None])
    assert torch.allclose(plain, Cosine()(x[None], y[None]))
    comparator.cohort.copy_(
        torch.nn.functional.normalize(everybody[None].repeat(4, 1) + torch.eye(4, 3) * 0.1, dim=-1)
    )
    scores = [comparator(x[None], other[None]) for other in (everybody, y)]
    assert scores[0] < scores[1]
