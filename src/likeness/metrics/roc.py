"""ROC and DET curves, and the figures read from them: AUC, EER, TMR at a stated FMR.

Comparisons with equal scores are always accepted together. A curve is computed for R weightings of the same P
comparisons at once: one row of ones gives the figure itself, two thousand rows of counts give its bootstrap
distribution, by the very same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.metrics.scores import Floats, checked

# Rates are quotients of small whole numbers; this only absorbs the rounding of one division.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Roc:
    """What is accepted as the threshold falls from above every score to the lowest one.

    FMR and TMR are the ROC curve, FMR and FNMR the DET curve.

    Attributes:
        thresholds: float64 [T], falling: +inf (nothing accepted), then every distinct score.
        mated: float64 [R, T], weight of the accepted mated comparisons, rising from 0 to that of all.
        non_mated: float64 [R, T], of the accepted non-mated ones.
    """

    thresholds: Floats
    mated: Floats
    non_mated: Floats

    @cached_property
    def fmr(self) -> Floats:
        """False match rate [R, T], rising from 0 to 1; NaN in a row without a non-mated comparison."""
        return _shares(self.non_mated)

    @cached_property
    def tmr(self) -> Floats:
        """True accept rate 1 - FNMR [R, T], rising from 0 to 1; NaN in a row without a mated comparison."""
        return _shares(self.mated)

    @property
    def fnmr(self) -> Floats:
        """False non-match rate [R, T], falling from 1 to 0; NaN in a row without a mated comparison."""
        return 1 - self.tmr

    def auc(self) -> Floats:
        """Area under the ROC curve, [R]: P(mated score > non-mated score), ties counting half.

        A quotient of sums of weights, which are exact where the weights are counts.
        """
        heights = (self.mated[:, 1:] + self.mated[:, :-1]) / 2
        area = np.sum(np.diff(self.non_mated, axis=1) * heights, axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(area / (self.mated[:, -1] * self.non_mated[:, -1]))

    def eer(self) -> Floats:
        """Equal error rate: where FMR = FNMR, [R], on the straight line between the two thresholds around it."""
        excess = self.fmr + self.tmr - 1  # FMR - FNMR: rises from -1 to 1
        after = np.argmax(excess >= 0, axis=1)
        rows = np.arange(len(excess))
        low, high = excess[rows, after - 1], excess[rows, after]
        share = -low / (high - low)
        start = self.fmr[rows, after - 1]
        return np.asarray(start + share * (self.fmr[rows, after] - start))

    def tmr_at_fmr(self, level: float) -> Floats:
        """The highest TMR among thresholds whose FMR is at most `level`, [R].

        Never interpolated: with fewer than 1 / level non-mated comparisons no false match is affordable, and the
        figure is the TMR at FMR 0. NaN where a kind is absent.
        """
        last = np.sum(self.fmr <= level + _ROUNDING, axis=1).clip(min=1) - 1
        return np.where(np.isnan(self.fmr[:, 0]), np.nan, self.tmr[np.arange(len(last)), last])


def roc(scores: ArrayLike, mated: ArrayLike, weights: Floats | None = None) -> Roc:
    """The curve of P comparisons.

    Args:
        scores: [P], higher = more alike; finite.
        mated: bool [P].
        weights: [R, P], how often each comparison counts; one row of ones when left out.

    Raises:
        DataError: no comparisons, unequal lengths, or a score that is not finite.
    """
    values, truth = checked(scores, mated)
    counts = np.ones((1, len(values))) if weights is None else weights
    order = np.argsort(-values, kind="stable")
    falling = values[order]
    last_of_tie = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    thresholds = np.concatenate([[np.inf], falling[last_of_tie]])
    ordered = counts[:, order]
    return Roc(
        thresholds,
        mated=_accepted(ordered * truth[order], last_of_tie),
        non_mated=_accepted(ordered * ~truth[order], last_of_tie),
    )


def auc(scores: ArrayLike, mated: ArrayLike) -> float:
    """Area under the ROC curve in [0, 1], ties counting half; NaN if a kind is absent."""
    return float(roc(scores, mated).auc()[0])


def equal_error_rate(scores: ArrayLike, mated: ArrayLike) -> float:
    """The rate in [0, 1] at which FMR and FNMR are equal, interpolated; NaN if a kind is absent."""
    return float(roc(scores, mated).eer()[0])


def _accepted(counts: Floats, last_of_tie: NDArray[np.intp]) -> Floats:
    reached = np.cumsum(counts, axis=1)[:, last_of_tie]
    return np.concatenate([np.zeros((len(counts), 1)), reached], axis=1)


def _shares(accepted: Floats) -> Floats:
    with np.errstate(invalid="ignore"):  # 0 / 0 in a resample that lacks the kind is a NaN on purpose
        return np.asarray(accepted / accepted[:, -1:])
