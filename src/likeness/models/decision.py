"""From a score to a decision and to a probability; fitted on held-out pairs, kept with the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from likeness.metrics.platt_scaling import logistic, platt_scaling
from likeness.metrics.scores import checked_kinds
from likeness.metrics.thresholds import best_threshold, threshold_at_fmr

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FALSE_MATCH_RATES = (1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class FmrPoint:
    """A threshold at which at most the share `fmr` of pairs of different people is accepted.

    Attributes:
        fmr: stated false match rate.
        threshold: scores at or above it are accepted.
        impostor_pairs: number of pairs of different people that this rests on.
    """

    fmr: float
    threshold: float
    impostor_pairs: int


@dataclass(frozen=True)
class Decision:
    """How a model's score is read.

    Attributes:
        threshold: scores at or above it mean the same person.
        slope: of the log-odds over the score.
        intercept: of the log-odds at score 0.
        fmr_table: thresholds at stated false match rates, highest rate first; only rates that the held-out pairs
            can support.
    """

    threshold: float
    slope: float
    intercept: float
    fmr_table: tuple[FmrPoint, ...] = ()

    def probability(self, scores: Floats) -> Doubles:
        """Calibrated probability that both photographs show one person, where as many pairs do as do not."""
        return logistic(self.slope * np.asarray(scores, dtype=np.float64) + self.intercept)

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
    slope, intercept = platt_scaling(scores, same)
    different = scores[~same] if impostors is None else np.concatenate([scores[~same], impostors])
    return Decision(best_threshold(scores, same), slope, intercept, fmr_table(different))


def fmr_table(impostors: Floats, rates: Sequence[float] = FALSE_MATCH_RATES) -> tuple[FmrPoint, ...]:
    """Thresholds at stated false match rates, from scores of pairs of different people.

    A rate needs at least one false match among the pairs, 1 / rate of them; rates beyond that are left out
    rather than extrapolated.

    Args:
        impostors: [P], finite scores.
        rates: false match rates in (0, 1).
    """
    found = ((rate, threshold_at_fmr(impostors, rate)) for rate in sorted(rates, reverse=True))
    return tuple(FmrPoint(rate, threshold, len(impostors)) for rate, threshold in found if threshold is not None)
