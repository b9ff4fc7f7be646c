"""Linear maps in closed form: PCA; WCCN and LDA, which make faces of one person alike and keep people apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg

from likeness.errors import DataError

Floats = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Projection:
    """x -> (x - mean) @ matrix, of [N, D] to [N, K]."""

    mean: Floats
    matrix: Floats

    def __call__(self, features: Floats) -> npt.NDArray[np.float32]:
        """Projected features float32 [N, K]."""
        return np.asarray((features - self.mean) @ self.matrix, np.float32)


def principal_axes(
    features: Floats, dimensions: int, *, fitted: int, seed: int, whiten: bool = False
) -> Projection:
    """PCA by the Gram matrix of at most `fitted` rows: there are far fewer faces than dimensions.

    Args:
        features: float32 [N, D].
        dimensions: K; cut to what the rows span.
        fitted: rows that it is fitted on at most, drawn at random.
        seed: of that draw.
        whiten: scale each axis to unit variance.

    Raises:
        DataError: all rows are alike.
    """
    sample = np.random.default_rng(seed).permutation(len(features))[:fitted]
    mean = features[sample].mean(axis=0)
    centred = features[sample] - mean
    count = len(centred)
    kept = min(dimensions, count - 1)
    values, axes = scipy.linalg.eigh(centred @ centred.T, subset_by_index=(count - kept, count - 1))
    spanned = values > max(values[-1], 0) * 1e-6
    if not spanned.any():
        raise DataError("the training faces are all alike, so there are no directions in which they differ")
    values, axes = values[spanned][::-1], axes[:, spanned][:, ::-1]
    matrix = centred.T @ (axes / np.sqrt(values))
    return Projection(mean, matrix / np.sqrt(values / (count - 1)) if whiten else matrix)


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
