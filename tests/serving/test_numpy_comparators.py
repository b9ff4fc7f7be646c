from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.errors import ModelError
from likeness.models.architecture import COMPARATORS
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.serving.numpy_comparators import (
    NumpyComparator,
    NumpyCosine,
    NumpyEuclidean,
    NumpyWeightedL1,
    build_comparator,
)

DIM = 24


def both(name: str) -> tuple[NumpyComparator, torch.nn.Module]:
    """The NumPy comparator and the torch module whose weights it was given."""
    torch.manual_seed(5)
    module = COMPARATORS.part(name).build(COMPARATORS.params(name), DIM)
    if isinstance(module, Mahalanobis):
        torch.nn.init.normal_(module.factor.weight)
    weights = {f"comparator.{key}": value.detach().numpy() for key, value in module.state_dict().items()}
    return build_comparator(name, weights), module.double()


def vectors(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)


@pytest.mark.parametrize("name", ["cosine", "euclidean", "mahalanobis", "weighted-l1"])
def test_pairs_are_scored_as_torch_scores_them(name: str) -> None:
    comparator, module = both(name)
    first, second = vectors(50, 1), vectors(50, 2)
    second[0], second[1] = first[0], 0
    with torch.no_grad():
        expected = module(torch.from_numpy(first).double(), torch.from_numpy(second).double()).numpy()
    np.testing.assert_allclose(comparator.pairs(first, second), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["cosine", "euclidean", "mahalanobis", "weighted-l1"])
def test_a_scan_puts_a_gallery_in_the_order_of_its_scores(name: str) -> None:
    comparator, _ = both(name)
    gallery, probes = vectors(300, 3), vectors(4, 4)
    scanned = comparator.scan(gallery)(probes)
    for row, probe in zip(scanned, probes, strict=True):
        exact = comparator.pairs(np.tile(probe, (300, 1)), gallery)
        np.testing.assert_array_equal(np.argsort(-row), np.argsort(-exact))


@pytest.mark.parametrize("comparator", [NumpyCosine(), NumpyEuclidean(), NumpyEuclidean(np.eye(DIM)[:10])])
def test_vectors_compare_by_the_metric_as_the_embeddings_by_the_comparator(comparator: NumpyComparator) -> None:
    x, y = vectors(20, 5), vectors(20, 6)
    a, b = comparator.vectors(x).astype(float), comparator.vectors(y).astype(float)
    similarity = {"inner product": (a * b).sum(axis=1), "squared distance": -np.square(a - b).sum(axis=1)}
    np.testing.assert_array_equal(np.argsort(similarity[comparator.metric]), np.argsort(comparator.pairs(x, y)))


def test_unit_vectors_are_not_copied() -> None:
    unit = vectors(10, 7)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    assert np.shares_memory(NumpyCosine().vectors(unit), unit)


def test_weights_of_either_sign_have_no_metric() -> None:
    assert NumpyWeightedL1(np.ones(DIM), 0.0).metric is None


def test_unknown_name_and_missing_weights_are_reported() -> None:
    with pytest.raises(ModelError, match="no comparator is called 'hyperbolic'"):
        build_comparator("hyperbolic", {})
    with pytest.raises(ModelError, match=r"comparator\.factor\.weight"):
        build_comparator("mahalanobis", {})
