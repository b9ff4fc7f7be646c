"""Platt scaling, by logistic regression: scores of held-out pairs become calibrated probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from likeness.metrics.scores import checked_kinds

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NEWTON_STEPS = 100


def platt_scaling(scores: Floats, same: Bools) -> tuple[float, float]:
    """Slope and intercept of P(same) = 1 / (1 + exp(-(slope · score + intercept))).

    See `logistic_regression`; Platt 1999, "Probabilistic outputs for support vector machines".

    Args:
        scores: [P], higher = more alike.
        same: [P], whether a pair shows one person.

    Raises:
        DataError: a score is not finite, or one of the two kinds of pairs is missing.
    """
    scores, same = checked_kinds(scores, same)
    slopes, intercept = logistic_regression(scores[:, None], same)
    return float(slopes[0]), intercept


def logistic_regression(features: Floats, same: Bools) -> tuple[Doubles, float]:
    """Slopes and intercept of P(same) = 1 / (1 + exp(-(slopes · features + intercept))).

    The maximum-likelihood fit to Platt's smoothed targets (N₊ + 1) / (N₊ + 2) and 1 / (N₋ + 2), which stays
    finite where the features separate the pairs perfectly; found by Newton's method with step halving.

    Args:
        features: [P, F], finite.
        same: [P], whether a pair shows one person; some do and some do not.

    Returns:
        Slopes [F], and the intercept.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([(features - centre) / spread, np.ones(len(features))])
    positives = int(same.sum())
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (len(same) - positives + 2))
    weights = np.zeros(design.shape[1])
    weights[-1] = np.log((positives + 1) / (len(same) - positives + 1))
    for _ in range(_NEWTON_STEPS):
        step = _newton_step(design, target, weights)
        weights = weights + step
        if np.abs(step).max() < 1e-12:
            break
    slopes = weights[:-1] / spread
    return slopes, float(weights[-1] - slopes @ centre)


def _newton_step(design: Doubles, target: Doubles, weights: Doubles) -> Doubles:
    """A Newton step on the cross-entropy, halved until it does not raise it."""
    probability = logistic(design @ weights)
    gradient = design.T @ (probability - target)
    curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-12 * np.eye(len(weights))
    step = np.asarray(-np.linalg.solve(curvature, gradient), dtype=np.float64)
    before = _cross_entropy(design @ weights, target)
    while _cross_entropy(design @ (weights + step), target) > before and np.abs(step).max() > 1e-12:
        step = step / 2
    return step


def _cross_entropy(logits: Doubles, target: Doubles) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


def logistic(logits: Doubles) -> Doubles:
    """Logistic function without overflow."""
    return np.exp(-np.logaddexp(0, -logits))
