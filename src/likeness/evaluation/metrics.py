"""Figures of verification from scores alone: ROC, AUC, EER, TAR at a FAR, accuracy, confusion.

A pair is accepted (said to show the same person) when its score reaches the threshold. FAR, the false-accept
rate, is the share of pairs of different people that are accepted; TAR, the true-accept rate, the share of
pairs of one person that are. Pairs with equal scores are always accepted together.

Everything is computed by one `Sweep` for R weightings of the same pairs at once: one row of ones gives the
figure itself, two thousand rows of counts give its bootstrap distribution, by the very same rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.errors import DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Rates are quotients of small whole numbers; this only absorbs the rounding of one division.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Sweep:
    """TAR and FAR as the threshold falls from above every score to the lowest one.

    Attributes:
        thresholds: float64 [T], falling: +inf (nothing accepted), then every distinct score.
        far: float64 [R, T], rising from 0 to 1; NaN in a row without a pair of different people.
        tar: float64 [R, T], rising from 0 to 1; NaN in a row without a pair of one person.
    """

    thresholds: Floats
    far: Floats
    tar: Floats

    def auc(self) -> Floats:
        """Area under the ROC, [R]: P(score of a same pair > score of a different pair), ties counting half."""
        steps = np.diff(self.far, axis=1)
        heights = (self.tar[:, 1:] + self.tar[:, :-1]) / 2
        return np.asarray(np.sum(steps * heights, axis=1))

    def equal_error_rate(self) -> Floats:
        """The rate where FAR = 1 - TAR, [R], on the straight line between the two thresholds around it."""
        excess = self.far + self.tar - 1  # FAR minus the false-reject rate: rises from -1 to 1
        after = np.argmax(excess >= 0, axis=1)
        rows = np.arange(len(excess))
        low, high = excess[rows, after - 1], excess[rows, after]
        share = -low / (high - low)
        start = self.far[rows, after - 1]
        return np.asarray(start + share * (self.far[rows, after] - start))

    def tar_at_far(self, level: float) -> Floats:
        """The highest TAR among thresholds whose FAR is at most `level`, [R].

        Never interpolated: with fewer than 1 / level pairs of different people no false accept is
        affordable, and the figure is the TAR at FAR 0. NaN where a class is absent.
        """
        reached = self.tar[np.arange(len(self.tar)), self._last_within(level)]
        return np.where(np.isnan(self.far[:, 0]), np.nan, reached)

    def threshold_at_far(self, level: float) -> Floats:
        """The lowest threshold whose FAR is at most `level`, [R]; +inf where every score accepts too many."""
        return np.asarray(self.thresholds[self._last_within(level)])

    def _last_within(self, level: float) -> NDArray[np.int64]:
        return np.asarray(np.sum(self.far <= level + _ROUNDING, axis=1).clip(min=1) - 1)


def sweep(scores: ArrayLike, same: ArrayLike, weights: Floats | None = None) -> Sweep:
    """Moves the threshold over the scores of P pairs.

    Args:
        scores: [P], higher = more alike; finite.
        same: bool [P].
        weights: [R, P], how often each pair counts; one row of ones when left out.

    Raises:
        DataError: no pairs, unequal lengths, or a score that is not finite.
    """
    values, truth = checked(scores, same)
    counts = np.ones((1, len(values))) if weights is None else weights
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    last_of_tie = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    thresholds = np.concatenate([[np.inf], falling[last_of_tie]])
    accepted = counts[:, order]
    return Sweep(
        thresholds,
        far=_share_accepted(accepted * ~truth[order], last_of_tie),
        tar=_share_accepted(accepted * truth[order], last_of_tie),
    )


def _share_accepted(counts: Floats, last_of_tie: NDArray[np.intp]) -> Floats:
    reached = np.cumsum(counts, axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0 in a resample that lacks the class is a NaN on purpose
        rates = reached[:, last_of_tie] / reached[:, -1:]
    nothing = np.where(np.isnan(rates[:, :1]), np.nan, 0.0)
    return np.concatenate([nothing, rates], axis=1)


def checked(scores: ArrayLike, same: ArrayLike) -> tuple[Floats, Bools]:
    """Scores and truths as vectors of one length.

    Raises:
        DataError: no pairs, unequal lengths, or a score that is not finite.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(same, bool)
    if values.ndim != 1 or values.shape != truth.shape or not len(values):
        raise DataError(
            f"expected as many scores as pairs, at least one, found shapes {values.shape} and {truth.shape}"
        )
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"the score of pair {place} is {values[place]}: a model that gives no number cannot be measured"
        )
    return values, truth


def auc(scores: ArrayLike, same: ArrayLike) -> float:
    """Area under the ROC in [0, 1], ties counting half; NaN if a class is absent."""
    return float(sweep(scores, same).auc()[0])


def equal_error_rate(scores: ArrayLike, same: ArrayLike) -> float:
    """The error rate in [0, 1] where false accepts and false rejects are equally frequent, interpolated."""
    return float(sweep(scores, same).equal_error_rate()[0])


def tar_at_far(scores: ArrayLike, same: ArrayLike, level: float) -> float:
    """The highest TAR whose FAR is at most `level`, without interpolation; see `Sweep.tar_at_far`."""
    return float(sweep(scores, same).tar_at_far(level)[0])


def accuracy(predicted: ArrayLike, same: ArrayLike) -> float:
    """Share of the pairs that are decided rightly."""
    return float(np.mean(np.asarray(predicted, bool) == np.asarray(same, bool)))


def weighted_mean(values: ArrayLike, weights: Floats) -> Floats:
    """Mean of [P] values under each of R weightings, [R]; NaN where a weighting is all zero."""
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ np.asarray(values, np.float64) / weights.sum(axis=1))


@dataclass(frozen=True)
class Confusion:
    """Counts of the four outcomes of a decision."""

    true_accepts: int
    false_rejects: int
    true_rejects: int
    false_accepts: int


def confusion(predicted: ArrayLike, same: ArrayLike) -> Confusion:
    """Counts P decisions (bool, True = same person) against the truth."""
    said, truth = np.asarray(predicted, bool), np.asarray(same, bool)
    return Confusion(
        true_accepts=int(np.sum(said & truth)),
        false_rejects=int(np.sum(~said & truth)),
        true_rejects=int(np.sum(~said & ~truth)),
        false_accepts=int(np.sum(said & ~truth)),
    )
