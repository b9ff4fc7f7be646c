from __future__ import annotations

import numpy as np
import numpy.typing as npt

from likeness.models.discriminant import discriminant_axes


def planted(seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """People differ along axis 0 alone; axis 1 is a loud nuisance within each person."""
    rng = np.random.default_rng(seed)
    labels = np.arange(60).repeat(5)
    centres = np.zeros((60, 6))
    centres[:, 0] = rng.normal(size=60) * 3
    return centres[labels] + rng.normal(size=(300, 6)) * [1, 40, 1, 1, 1, 1], labels


def test_lda_finds_what_tells_people_apart() -> None:
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
