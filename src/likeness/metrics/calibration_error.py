"""Is a stated probability of "same person" what it says? Reliability, ECE (Guo et al. 2017) and Brier score.

Bins are of equal mass: their edges are quantiles of the probabilities, so that each bin holds about as many
pairs as any other (equal probabilities stay in one bin). Equal-width bins would leave the middle, where
decisions depend, to a handful of pairs. For the bootstrap the edges stay those of the whole sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.metrics.scores import Bools, Floats, checked, weighted_mean


@dataclass(frozen=True, eq=False)
class Reliability:
    """P probabilities sorted into at most B bins of equal mass.

    Attributes:
        probability: float64 [P] in [0, 1].
        mated: float64 [P], 1.0 where the pair shows one person.
        bin: int64 [P], dense from 0, rising with the probability.
    """

    probability: Floats
    mated: Floats
    bin: NDArray[np.int64]

    @classmethod
    def of(cls, probability: ArrayLike, mated: ArrayLike, bins: int) -> Reliability:
        """Sorts pairs into bins.

        Raises:
            DataError: no pairs, unequal lengths, or a probability that is not finite.
        """
        values, truth = checked(probability, mated)
        return cls(values, truth.astype(np.float64), equal_mass_bins(values, bins))

    def expected_calibration_error(self, weights: Floats) -> Floats:
        """Mean over pairs of their bin's |mean probability - share of mated pairs|, [R] for weights [R, P]."""
        member = np.eye(int(self.bin.max()) + 1)[self.bin]
        gap = np.abs(weights @ (member * (self.probability - self.mated)[:, None]))
        return np.asarray(gap.sum(axis=1) / weights.sum(axis=1))

    def brier_score(self, weights: Floats) -> Floats:
        """Mean squared difference of probability and truth in [0, 1], [R] for weights [R, P] (Brier 1950)."""
        return weighted_mean((self.probability - self.mated) ** 2, weights)


def expected_calibration_error(probability: ArrayLike, mated: ArrayLike, bins: int) -> float:
    """ECE over equal-mass bins, in [0, 1]; 0 is perfect."""
    reliability = Reliability.of(probability, mated, bins)
    return float(reliability.expected_calibration_error(np.ones((1, len(reliability.bin))))[0])


def log_loss(probability: Floats, mated: Bools) -> float:
    """Mean cross-entropy of P probabilities of being mated, in nats."""
    right = np.where(mated, probability, 1 - probability)
    return float(-np.log(np.maximum(right, np.finfo(np.float64).tiny)).mean())


def equal_mass_bins(values: Floats, bins: int) -> NDArray[np.int64]:
    """Bin of each value, with about as many values in any bin as in any other.

    Equal values share a bin, so there may be fewer bins than asked for.

    Args:
        values: [N].
        bins: how many at most.

    Returns:
        int64 [N], dense from 0, rising with the value.
    """
    edges = np.quantile(values, np.arange(1, bins) / bins)
    _, dense = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    return np.asarray(dense, np.int64)
