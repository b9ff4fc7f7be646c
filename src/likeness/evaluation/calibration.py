"""Is a stated probability of "same person" what it says? Reliability, ECE (Guo et al. 2017) and Brier score.

Bins are of equal mass: their edges are quantiles of the probabilities, so that each bin holds about as many
pairs as any other (equal probabilities stay in one bin). Equal-width bins would leave the middle, where
decisions hang, to a handful of pairs. For the bootstrap the edges stay those of the whole sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from likeness.evaluation.binning import equal_mass_bins
from likeness.evaluation.metrics import Floats, checked, weighted_mean


@dataclass(frozen=True, eq=False)
class Reliability:
    """P probabilities sorted into at most B bins of equal mass.

    Attributes:
        probability: float64 [P] in [0, 1].
        same: float64 [P], 1.0 where the pair shows the same person.
        bin: int64 [P], dense from 0, rising with the probability.
    """

    probability: Floats
    same: Floats
    bin: NDArray[np.int64]

    @classmethod
    def of(cls, probability: ArrayLike, same: ArrayLike, bins: int) -> Reliability:
        """Sorts pairs into bins.

        Raises:
            DataError: no pairs, unequal lengths, or a probability that is not finite.
        """
        values, truth = checked(probability, same)
        return cls(values, truth.astype(np.float64), equal_mass_bins(values, bins))

    def expected_calibration_error(self, weights: Floats) -> Floats:
        """Mean over pairs of their bin's |mean probability - share of same pairs|, [R] for weights [R, P]."""
        member = np.eye(int(self.bin.max()) + 1)[self.bin]
        gap = np.abs(weights @ (member * (self.probability - self.same)[:, None]))
        return np.asarray(gap.sum(axis=1) / weights.sum(axis=1))

    def brier_score(self, weights: Floats) -> Floats:
        """Mean squared difference of probability and truth in [0, 1], [R] for weights [R, P] (Brier 1950)."""
        return weighted_mean((self.probability - self.same) ** 2, weights)

    def table(self) -> pd.DataFrame:
        """One row a bin: bin, low, high (its probabilities), pairs, mean_probability, share_same."""
        frame = pd.DataFrame({"bin": self.bin, "probability": self.probability, "same": self.same})
        table = frame.groupby("bin").agg(
            low=("probability", "min"),
            high=("probability", "max"),
            pairs=("same", "size"),
            mean_probability=("probability", "mean"),
            share_same=("same", "mean"),
        )
        return table.reset_index()


def expected_calibration_error(probability: ArrayLike, same: ArrayLike, bins: int) -> float:
    """ECE over equal-mass bins, in [0, 1]; 0 is perfect."""
    reliability = Reliability.of(probability, same, bins)
    return float(reliability.expected_calibration_error(np.ones((1, len(reliability.bin))))[0])


def brier_score(probability: ArrayLike, same: ArrayLike) -> float:
    """Brier score in [0, 1]; 0 is perfect, 0.25 is what a constant one half gets."""
    reliability = Reliability.of(probability, same, bins=1)
    return float(reliability.brier_score(np.ones((1, len(reliability.bin))))[0])
