from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from likeness.errors import DataError
from likeness.models.discriminant import discriminant_axes, principal_axes


def planted(seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """People differ along axis 0 alone; axis 1 is a loud nuisance within each person."""
    rng = np.random.default_rng(seed)
    labels = np.arange(60).repeat(5)
    centres = np.zeros((60, 6))
    centres[:, 0] = rng.normal(size=60) * 3
    return centres[labels] + rng.normal(size=(300, 6)) * [1, 40, 1, 1, 1, 1], labels


def test_lda_finds_what_separates_people() -> None:
    features, labels = planted()
    first = discriminant_axes(features, labels, 0.0, 1)[:, 0]
    assert np.abs(first).argmax() == 0
    assert abs(first[1]) < 0.05 * abs(first[0])


def test_within_class_whitening_makes_the_variation_of_a_person_round() -> None:
    features, labels = planted()
    reduced = features @ discriminant_axes(features, labels, 0.0, 6)
    centres = np.stack([reduced[labels == person].mean(axis=0) for person in range(60)])
    residuals = reduced - centres[labels]
    np.testing.assert_allclose(residuals.T @ residuals / len(residuals), np.eye(6), atol=0.01)


def test_people_with_one_photograph_alone_are_no_reason_to_fail() -> None:
    features = np.random.default_rng(0).normal(size=(10, 4))
    assert discriminant_axes(features, np.arange(10), 0.1, 2).shape == (4, 2)


def test_whitening_gives_unit_covariance() -> None:
    mixing = np.random.default_rng(0).normal(size=(5, 20))
    features = (np.random.default_rng(1).normal(size=(300, 5)) @ mixing + 7).astype(np.float32)
    white = principal_axes(features, 5, fitted=3000, seed=0, whiten=True)(features)
    np.testing.assert_allclose(np.cov(white.T), np.eye(5), atol=1e-3)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-4)


def test_axes_that_carry_nothing_are_left_out() -> None:
    flat = np.random.default_rng(0).normal(size=(40, 2)) @ np.random.default_rng(1).normal(size=(2, 9))
    assert principal_axes(flat.astype(np.float32), 8, fitted=3000, seed=0).matrix.shape == (9, 2)
    with pytest.raises(DataError, match="all alike"):
        principal_axes(np.ones((4, 3), np.float32), 2, fitted=3000, seed=0)


def test_principal_axes_are_in_falling_order_of_variance_and_orthonormal() -> None:
    features = (np.random.default_rng(0).normal(size=(500, 4)) * [1, 9, 3, 0.5]).astype(np.float32)
    found = principal_axes(features, 3, fitted=3000, seed=0).matrix
    assert np.abs(found).argmax(axis=0).tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.T @ found, np.eye(3), atol=1e-4)
