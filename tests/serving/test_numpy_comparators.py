from __future__ import annotations

import numpy as np
import pytest
import torch

from likeness.errors import ModelError
from likeness.models.architecture import COMPARATORS
from likeness.models.comparators.comparator import Comparator
from likeness.models.comparators.csls import Csls
from likeness.models.comparators.mahalanobis import Mahalanobis
from likeness.serving.numpy_comparators import (
    NumpyComparator,
    NumpyCosine,
    NumpyCsls,
    NumpyEuclidean,
    NumpyWeightedL1,
    build_comparator,
)

DIM = 24
COHORT = np.eye(DIM, dtype=np.float32)[:10]


def both(name: str) -> tuple[NumpyComparator, Comparator]:
    """The NumPy comparator and the torch module whose weights it was given."""
    torch.manual_seed(5)
    given = {"people": 40, "nearest": 5} if name == "csls" else {}
    module = COMPARATORS.part(name).build(COMPARATORS.params(name, **given), DIM)
    if isinstance(module, Csls):
        module.cohort.copy_(torch.nn.functional.normalize(torch.randn(40, DIM), dim=-1))
    if isinstance(module, Mahalanobis):
        torch.nn.init.normal_(module.factor.weight)
    weights = {f"comparator.{key}": value.detach().numpy() for key, value in module.state_dict().items()}
    return build_comparator(name, weights, given), module.double()


def vectors(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)


@pytest.mark.parametrize("name", ["cosine", "csls", "euclidean", "mahalanobis", "weighted-l1"])
def test_pairs_are_scored_as_torch_scores_them(name: str) -> None:
    comparator, module = both(name)
    first, second = vectors(50, 1), vectors(50, 2)
    second[0], second[1] = first[0], 0
    with torch.no_grad():
        expected = module(torch.from_numpy(first).double(), torch.from_numpy(second).double()).numpy()
    absolute = 1e-6 if name == "csls" else 1e-12  # prepared embeddings are in single precision
    np.testing.assert_allclose(comparator.pairs(first, second), expected, rtol=1e-9, atol=absolute)


@pytest.mark.parametrize("name", ["cosine", "csls", "euclidean", "mahalanobis", "weighted-l1"])
def test_a_scan_puts_a_gallery_in_the_order_of_its_scores(name: str) -> None:
    comparator, _ = both(name)
    gallery, probes = vectors(300, 3), vectors(4, 4)
    scanned = comparator.scan(comparator.prepared(gallery))(comparator.prepared(probes))
    for row, probe in zip(scanned, probes, strict=True):
        exact = comparator.pairs(np.tile(probe, (300, 1)), gallery)
        np.testing.assert_array_equal(np.argsort(-row), np.argsort(-exact))


@pytest.mark.parametrize(
    "comparator", [NumpyCosine(), NumpyCsls(COHORT, 3), NumpyEuclidean(), NumpyEuclidean(np.eye(DIM)[:10])]
)
def test_an_index_orders_a_gallery_by_vectors_and_queries_as_the_comparator_does(
    comparator: NumpyComparator,
) -> None:
    gallery, probe = vectors(20, 5), vectors(1, 6)
    stored = comparator.vectors(comparator.prepared(gallery)).astype(float)
    asked = comparator.queries(comparator.prepared(probe)).astype(float)
    similarity = {"inner product": stored @ asked[0], "squared distance": -np.square(stored - asked).sum(axis=1)}
    scores = comparator.pairs(np.broadcast_to(probe, gallery.shape), gallery)
    np.testing.assert_array_equal(np.argsort(similarity[comparator.metric]), np.argsort(scores))


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


@pytest.mark.parametrize("nearest", [0, -1, True, 2.5, "5", None])
def test_a_number_of_the_nearest_that_cannot_be_is_refused(nearest: object) -> None:
    with pytest.raises(ModelError, match="nearest: expected a whole number of at least 1"):
        build_comparator("csls", {"comparator.cohort": COHORT}, {"nearest": nearest})


def test_a_cohort_of_nobody_is_refused() -> None:
    with pytest.raises(ModelError, match=r"expected embeddings of people, \[N, D\], found \[0, 24\]"):
        build_comparator("csls", {"comparator.cohort": COHORT[:0]}, {"nearest": 1})


def test_more_nearest_than_people_are_all() -> None:
    few = build_comparator("csls", {"comparator.cohort": COHORT[:2]}, {"nearest": 20})
    first, second = vectors(5, 1), vectors(5, 2)
    np.testing.assert_array_equal(few.pairs(first, second), NumpyCsls(COHORT[:2], 2).pairs(first, second))
