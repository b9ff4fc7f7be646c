"""How a verification accuracy on LFW is made: View 1, and the aggregate over the folds of View 2.

In both the threshold comes from other people's pairs than those that are scored (Huang et al. 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.errors import DataError
from likeness.evaluation.metrics import Bools, Floats, accuracy
from likeness.models.decision import best_threshold


@dataclass(frozen=True)
class View1:
    """One division.

    Attributes:
        threshold: most accurate on the holdout pairs.
        holdout_accuracy: at that threshold, on the pairs that chose it.
        accuracy: at that threshold, on the test pairs.
    """

    threshold: float
    holdout_accuracy: float
    accuracy: float


def view1(holdout_scores: Floats, holdout_same: Bools, test_scores: Floats, test_same: Bools) -> View1:
    """Chooses the threshold on the holdout, then scores the test pairs once.

    Raises:
        DataError: the holdout lacks a class.
    """
    threshold = best_threshold(holdout_scores, holdout_same)
    return View1(
        threshold,
        accuracy(holdout_scores >= threshold, holdout_same),
        accuracy(test_scores >= threshold, test_same),
    )


@dataclass(frozen=True)
class View2:
    """The aggregate over folds.

    Attributes:
        mean: of the folds' accuracies.
        standard_error: their standard deviation (with n - 1) over the square root of n.
        accuracies: of each fold, in order.
    """

    mean: float
    standard_error: float
    accuracies: tuple[float, ...]


def aggregate_folds(accuracies: Sequence[float]) -> View2:
    """Mean ± standard error over folds, each trained and thresholded on the others.

    Raises:
        DataError: fewer than two folds, which have no standard error.
    """
    if len(accuracies) < 2:
        raise DataError(f"a standard error needs at least 2 folds, found {len(accuracies)}")
    values = np.asarray(accuracies, np.float64)
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return View2(float(values.mean()), error, tuple(float(value) for value in values))


def cross_thresholded(scores: ArrayLike, same: ArrayLike, folds: ArrayLike) -> View2:
    """View 2 of a system that was trained on none of these pairs: only the threshold comes from the other folds.

    Args:
        scores: [P].
        same: bool [P].
        folds: [P], the fold of each pair.

    Raises:
        DataError: fewer than two folds, or the other folds lack a class.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(same, bool)
    fold: NDArray[np.int64] = np.asarray(folds)
    results = []
    for number in np.unique(fold):
        left_out = fold == number
        results.append(view1(values[~left_out], truth[~left_out], values[left_out], truth[left_out]).accuracy)
    return aggregate_folds(results)
