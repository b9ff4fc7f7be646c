"""From a score to a decision and to a probability; fitted on held-out pairs, kept with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likeness.metrics.scores import checked_kinds
from likeness.metrics.thresholds import best_threshold, threshold_at_fmr

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FALSE_ACCEPT_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
_NEWTON_STEPS = 100


@dataclass(frozen=True)
class FarPoint:
    """A threshold at which at most the share `far` of pairs of different people is accepted.

    Attributes:
        far: stated false match rate.
        threshold: scores at or above it are accepted.
        impostor_pairs: number of pairs of different people that this rests on.
    """

    far: float
    threshold: float
    impostor_pairs: int


@dataclass(frozen=True)
class Decision:
    """How a model's score is read.

    Attributes:
        threshold: scores at or above it mean the same person.
        slope: of the log-odds over the score.
        intercept: of the log-odds at score 0.
        far_table: thresholds at stated false match rates, highest rate first; only rates that the held-out pairs
            can support.
    """

    threshold: float
    slope: float
    intercept: float
    far_table: tuple[FarPoint, ...] = ()

    def probability(self, scores: Floats) -> Doubles:
        """Calibrated probability that both photographs show one person, where as many pairs do as do not."""
        return _sigmoid(self.slope * np.asarray(scores, dtype=np.float64) + self.intercept)

    def predict(self, scores: Floats) -> Bools:
        """Whether each pair is taken to show one person."""
        return np.asarray(scores) >= self.threshold


def fit_decision(scores: Floats, same: Bools, impostors: Floats | None = None) -> Decision:
    """Fits threshold, calibration and false match table on held-out pairs.

    Args:
        scores: [P], higher = more alike.
        same: [P], whether a pair shows one person.
        impostors: more scores of pairs of different people, for the false match table alone, which otherwise
            rests on the pairs of `scores`.

    Raises:
        DataError: a score is not finite, or one of the two kinds of pairs is missing.
    """
    scores, same = checked_kinds(scores, same)
    slope, intercept = platt(scores, same)
    different = scores[~same] if impostors is None else np.concatenate([scores[~same], impostors])
    return Decision(best_threshold(scores, same), slope, intercept, far_table(different))


def platt(scores: Floats, same: Bools) -> tuple[float, float]:
    """Slope and intercept of P(same) = 1 / (1 + exp(-(slope · score + intercept))).

    See `logistic_regression`; Platt 1999, "Probabilistic outputs for support vector machines".

    Raises:
        DataError: as for `fit_decision`.
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


def far_table(impostors: Floats, rates: Sequence[float] = FALSE_ACCEPT_RATES) -> tuple[FarPoint, ...]:
    """Thresholds at stated false match rates, from scores of pairs of different people.

    A rate needs at least one false accept among the pairs, 1 / rate of them; rates beyond that are left out
    rather than extrapolated.

    Args:
        impostors: [P], finite scores.
        rates: false match rates in (0, 1).
    """
    found = ((rate, threshold_at_fmr(impostors, rate)) for rate in sorted(rates, reverse=True))
    return tuple(FarPoint(rate, threshold, len(impostors)) for rate, threshold in found if threshold is not None)


def _newton_step(design: Doubles, target: Doubles, weights: Doubles) -> Doubles:
    """A Newton step on the cross-entropy, halved until it does not raise it."""
    probability = _sigmoid(design @ weights)
    gradient = design.T @ (probability - target)
    curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-12 * np.eye(len(weights))
    step = np.asarray(-np.linalg.solve(curvature, gradient), dtype=np.float64)
    before = _cross_entropy(design @ weights, target)
    while _cross_entropy(design @ (weights + step), target) > before and np.abs(step).max() > 1e-12:
        step = step / 2
    return step


def _cross_entropy(logits: Doubles, target: Doubles) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


def _sigmoid(logits: Doubles) -> Doubles:
    """Logistic function without overflow."""
    return np.exp(-np.logaddexp(0, -logits))
