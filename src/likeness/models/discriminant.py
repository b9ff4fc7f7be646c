"""Linear maps that make faces of one person alike and keep people apart: WCCN and LDA, in closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]


def within_class_residuals(features: Floats, labels: Labels) -> Floats:
    """What each photograph differs from the mean of its person, for people with at least two.

    Args:
        features: float64 [N, D].
        labels: int64 [N], the person of each, from 0.

    Returns:
        float64 [M, D], M ≤ N.
    """
    counts, centres = _centres(features, labels)
    residuals: Floats = (features - centres[labels])[counts[labels] > 1]
    return residuals


def within_class_whitening(residuals: Floats, shrinkage: float) -> Floats:
    """B [D, D] with B Bᵀ the inverse of the shrunk within-class covariance (WCCN, Hatch et al. 2006).

    Args:
        residuals: float64 [M, D], see `within_class_residuals`.
        shrinkage: share of the covariance that is replaced by its mean variance, in [0, 1].
    """
    dimensions = residuals.shape[1]
    covariance = residuals.T @ residuals / max(1, len(residuals))
    variance = np.trace(covariance) / dimensions or 1.0
    shrunk = (1 - shrinkage) * covariance + max(shrinkage, 1e-6) * variance * np.eye(dimensions)
    return np.asarray(np.linalg.cholesky(np.linalg.inv(shrunk)))


def discriminant_axes(features: Floats, labels: Labels, shrinkage: float, directions: int) -> Floats:
    """WCCN followed by LDA, as one matrix [D, K] that features are multiplied by.

    Whitening by the within-class covariance makes the variation of one person's photographs the same in all
    directions; the directions in which people then differ most are kept (Fisher 1936).

    Args:
        features: float64 [N, D].
        labels: int64 [N], the person of each, dense from 0.
        shrinkage: see `within_class_whitening`.
        directions: K, cut to D.

    Returns:
        float64 [D, K]. Without any person of two photographs there is no within-class variation to whiten.
    """
    counts, centres = _centres(features, labels)
    whiten = within_class_whitening(within_class_residuals(features, labels), shrinkage)
    several = counts > 1 if np.any(counts > 1) else counts > 0
    spread = ((centres - centres.mean(axis=0)) @ whiten)[several]
    _, axes = np.linalg.eigh(spread.T @ spread)
    return np.asarray(whiten @ axes[:, ::-1][:, :directions])


def _centres(features: Floats, labels: Labels) -> tuple[Labels, Floats]:
    """Photographs of each person, and their mean [C, D]."""
    counts = np.bincount(labels)
    centres = np.zeros((len(counts), features.shape[1]))
    np.add.at(centres, labels, features)
    return counts, centres / np.maximum(counts, 1)[:, None]
