"""From a score to a decision and to a probability; fitted on held-out pairs, kept with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likeness.errors import DataError

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FALSE_ACCEPT_RATES = (1e-1, 1e-2, 1e-3, 1e-4)
_NEWTON_STEPS = 100


@dataclass(frozen=True)
class FarPoint:
    """A threshold at which at most the share `far` of pairs of different people is accepted.

    Attributes:
        far: stated false-accept rate.
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
        far_table: thresholds at stated false-accept rates, highest rate first; only rates that the held-out pairs
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
    """Fits threshold, calibration and false-accept table on held-out pairs.

    Args:
        scores: [P], higher = more alike.
        same: [P], whether a pair shows one person.
        impostors: more scores of pairs of different people, for the false-accept table alone, which otherwise
            rests on the pairs of `scores`.

    Raises:
        DataError: a score is not finite, or one of the two kinds of pairs is missing.
    """
    scores, same = _checked(scores, same)
    slope, intercept = platt(scores, same)
    different = scores[~same] if impostors is None else np.concatenate([scores[~same], impostors])
    return Decision(best_threshold(scores, same), slope, intercept, far_table(different))


def best_threshold(scores: Floats, same: Bools) -> float:
    """The threshold with the most correct decisions: halfway between two neighbouring scores.

    Where several thresholds are equally right, the one in the widest gap is taken, as the least likely to be
    crossed by a new pair.

    Raises:
        DataError: as for `fit_decision`.
    """
    scores, same = _checked(scores, same)
    values, place = np.unique(scores, return_inverse=True)
    same_at = np.bincount(place, weights=same, minlength=len(values))
    different_at = np.bincount(place, weights=~same, minlength=len(values))
    # Cut i accepts values[i:]; cut 0 accepts everything and the last cut nothing.
    accepted_same = np.append(np.cumsum(same_at[::-1])[::-1], 0)
    refused_different = np.insert(np.cumsum(different_at), 0, 0)
    correct = accepted_same + refused_different
    gaps = np.concatenate([[0.0], np.diff(values), [0.0]])
    best = np.flatnonzero(correct == correct.max())
    cut = int(best[np.argmax(gaps[best])])
    if cut == 0:
        return float(values[0])
    if cut == len(values):
        return float(np.nextafter(values[-1], np.inf))
    return _between(float(values[cut - 1]), float(values[cut]))


def platt(scores: Floats, same: Bools) -> tuple[float, float]:
    """Slope and intercept of P(same) = 1 / (1 + exp(-(slope · score + intercept))).

    The maximum-likelihood fit to Platt's smoothed targets (N₊ + 1) / (N₊ + 2) and 1 / (N₋ + 2), which stays
    finite where the scores separate the pairs perfectly (Platt 1999, "Probabilistic outputs for support vector
    machines"; found by Newton's method with step halving).

    Raises:
        DataError: as for `fit_decision`.
    """
    scores, same = _checked(scores, same)
    centre, spread = scores.mean(), scores.std() or 1.0
    design = np.stack([(scores - centre) / spread, np.ones_like(scores)], axis=1)
    positives = int(same.sum())
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (len(same) - positives + 2))
    weights = np.array([0.0, np.log((positives + 1) / (len(same) - positives + 1))])
    for _ in range(_NEWTON_STEPS):
        step = _newton_step(design, target, weights)
        weights = weights + step
        if np.abs(step).max() < 1e-12:
            break
    slope = weights[0] / spread
    return float(slope), float(weights[1] - slope * centre)


def far_table(impostors: Floats, rates: Sequence[float] = FALSE_ACCEPT_RATES) -> tuple[FarPoint, ...]:
    """Thresholds at stated false-accept rates, from scores of pairs of different people.

    A rate needs at least one false accept among the pairs, 1 / rate of them; rates beyond that are left out
    rather than extrapolated. Of all thresholds that keep the rate the highest with the same accepted pairs is
    taken: the score of the last accepted impostor.

    Args:
        impostors: [P], finite scores.
        rates: false-accept rates in (0, 1).
    """
    ordered = np.sort(np.asarray(impostors, dtype=np.float64))[::-1]
    return tuple(
        FarPoint(rate, _strict_threshold(ordered, rate), len(ordered))
        for rate in sorted(rates, reverse=True)
        if _allowed(len(ordered), rate) >= 1
    )


def _allowed(pairs: int, rate: float) -> int:
    """False accepts that a rate allows; the small term keeps 1 000 × 1e-3 from counting as 0.999…"""
    return int(pairs * rate + 1e-9)


def _strict_threshold(ordered: Doubles, rate: float) -> float:
    """`ordered` falls; equal scores at the border are all refused, so that the rate is never exceeded."""
    allowed = _allowed(len(ordered), rate)
    last = ordered[allowed - 1]
    if allowed < len(ordered) and ordered[allowed] == last:
        return float(np.nextafter(last, np.inf))
    return float(last)


def _newton_step(design: Doubles, target: Doubles, weights: Doubles) -> Doubles:
    """A Newton step on the cross-entropy, halved until it does not raise it."""
    probability = _sigmoid(design @ weights)
    gradient = design.T @ (probability - target)
    curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-12 * np.eye(2)
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


def _between(low: float, high: float) -> float:
    """A number above `low` and at most `high`: their middle, or `high` where they are neighbours."""
    middle = low + (high - low) / 2
    return middle if low < middle else high


def _checked(scores: Floats, same: Bools) -> tuple[Doubles, Bools]:
    values, kinds = np.asarray(scores, dtype=np.float64), np.asarray(same, dtype=np.bool_)
    if values.shape != kinds.shape or values.ndim != 1:
        raise DataError(f"expected as many scores as pairs, found {list(values.shape)} and {list(kinds.shape)}")
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise DataError(f"{wrong} of {len(values)} scores are not finite; the network's training has diverged")
    if not kinds.any() or kinds.all():
        raise DataError(
            f"a threshold needs pairs of the same person and of different people, found {int(kinds.sum())} of the "
            f"one kind and {int((~kinds).sum())} of the other; draw more held-out pairs"
        )
    return values, kinds
