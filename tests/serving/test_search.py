from __future__ import annotations

import numpy as np
import pytest

from likeness.serving.numpy_comparators import (
    NumpyComparator,
    NumpyCosine,
    NumpyCsls,
    NumpyEuclidean,
    NumpyWeightedL1,
)
from likeness.serving.search import Search

DIM = 32


def sphere(count: int, seed: int, dim: int = DIM) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def brute(
    comparator: NumpyComparator, probes: np.ndarray, gallery: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    scores = np.stack([comparator.pairs(np.tile(probe, (len(gallery), 1)), gallery) for probe in probes])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


COMPARATORS = {
    "cosine": NumpyCosine(),
    "csls": NumpyCsls(sphere(200, 10), 8),
    "euclidean": NumpyEuclidean(),
    "mahalanobis": NumpyEuclidean(np.random.default_rng(0).standard_normal((DIM, DIM))),
    "weighted-l1": NumpyWeightedL1(-np.random.default_rng(0).random(DIM), 1.0),
}


@pytest.mark.parametrize("name", COMPARATORS)
@pytest.mark.parametrize("limit", [10**6, 100], ids=["exact", "compressed"])
def test_the_best_are_found_with_their_scores(name: str, limit: int) -> None:
    comparator, gallery, probes = COMPARATORS[name], sphere(5000, 1), sphere(20, 2)
    search = Search(gallery, comparator, exact_limit=limit)
    assert search.exact == (limit == 10**6 or name == "weighted-l1")
    rows, scores = brute(comparator, probes, gallery, 5)
    found = search.best(probes, 5)
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-12)


@pytest.mark.slow
def test_compressed_and_exact_agree_on_a_gallery_of_real_size() -> None:
    gallery = sphere(110_000, 3, dim=64)
    probes = np.concatenate([sphere(50, 4, dim=64), gallery[:50] + 0.1 * sphere(50, 5, dim=64)])
    compressed = Search(gallery, NumpyCosine())
    assert not compressed.exact
    exact = Search(gallery, NumpyCosine(), exact_limit=10**9)
    agree = compressed.best(probes).rows == exact.best(probes).rows
    assert agree.mean() >= 0.99
    assert agree[50:].all()


def test_equal_scores_come_in_the_gallerys_order() -> None:
    gallery = np.tile(sphere(1, 6), (50, 1))
    assert Search(gallery, NumpyCosine()).best(gallery[:1], 3).rows.tolist() == [[0, 1, 2]]


def test_fewer_people_than_asked_for() -> None:
    gallery = sphere(3, 7)
    assert Search(gallery, NumpyCosine()).best(gallery[:2], 10).rows.shape == (2, 3)
    assert Search(gallery[:0], NumpyCosine()).best(gallery, 5).rows.shape == (3, 0)


def test_odd_dimensions_are_compressed_too() -> None:
    gallery = sphere(3000, 8, dim=33)
    found = Search(gallery, NumpyCosine(), exact_limit=100).best(gallery[:40])
    assert found.rows[:, 0].tolist() == list(range(40))


@pytest.mark.parametrize("name", ["cosine", "csls"])
@pytest.mark.parametrize("limit", [10**6, 100])
def test_renewed_finds_the_new_and_forgets_the_removed(limit: int, name: str) -> None:
    gallery = sphere(3000, 9)
    search = Search(gallery[:2990], COMPARATORS[name], exact_limit=limit)
    grown = search.renewed(gallery)
    assert grown.best(gallery[2990:]).rows[:, 0].tolist() == list(range(2990, 3000))
    assert search.best(gallery[2990:]).rows.max() < 2990  # the one in use elsewhere is as it was
    shrunk = grown.renewed(gallery[1:])
    assert shrunk.best(gallery[:1]).scores[0, 0] < 0.99
    assert shrunk.best(gallery[1:3]).rows[:, 0].tolist() == [0, 1]
