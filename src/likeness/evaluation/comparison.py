"""Two systems on the same pairs: paired bootstrap of the difference, and McNemar's exact test.

Both systems are resampled together (the same person-pairs in every draw), so that what makes a pair hard
for both cancels out: far sharper than comparing two separate intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from likeness.artifacts.metrics import McNemarResult
from likeness.errors import DataError
from likeness.metrics.intervals import Estimate, Resampling, bootstrap
from likeness.metrics.roc import roc
from likeness.metrics.scores import Bools, Floats, weighted_mean


@dataclass(frozen=True, eq=False)
class Scored:
    """What one system says about P pairs.

    Attributes:
        scores: float64 [P], higher = more alike.
        threshold: chosen elsewhere (on the holdout); a pair is accepted when its score reaches it.
    """

    scores: Floats
    threshold: float

    @property
    def predicted(self) -> Bools:
        """bool [P], True where the pair is accepted."""
        return np.asarray(self.scores >= self.threshold)


def difference(
    first: Scored,
    second: Scored,
    same: Bools,
    groups: ArrayLike,
    resampling: Resampling,
    fmr_levels: Sequence[float] = (),
) -> dict[str, Estimate]:
    """First minus second, with the 95 % interval of the difference, by paired bootstrap over person-pairs.

    Args:
        first: the system that should be better.
        second: the system it is held against, on the same pairs in the same order.
        same: bool [P].
        groups: int [P] from `pair_groups`.
        resampling: number and seed.
        fmr_levels: FMRs at which the TMRs are compared as well.

    Returns:
        Figures named accuracy, auc and `tmr_name(level)` for each level, each in [-1, 1].

    Raises:
        DataError: the two systems were not scored on the same number of pairs.
    """
    if first.scores.shape != second.scores.shape:
        raise DataError(
            f"expected two systems on the same pairs, found {len(first.scores)} and {len(second.scores)} scores"
        )

    def statistics(weights: Floats) -> dict[str, Floats]:
        one, two = (_measures(system, same, weights, fmr_levels) for system in (first, second))
        return {name: one[name] - two[name] for name in one}

    return bootstrap(statistics, groups, resampling, same, shares=False)


def _measures(system: Scored, same: Bools, weights: Floats, fmr_levels: Sequence[float]) -> dict[str, Floats]:
    curve = roc(system.scores, same, weights)
    return {
        "accuracy": weighted_mean(system.predicted == same, weights),
        "auc": curve.auc(),
        **{tmr_name(level): curve.tmr_at_fmr(level) for level in fmr_levels},
    }


def tmr_name(level: float) -> str:
    """Name of the figure "TMR at this FMR" without a point, which would part a dotted key: tmr_at_fmr_1e-2."""
    mantissa, exponent = f"{level:e}".split("e")
    return f"tmr_at_fmr_{mantissa.rstrip('0').rstrip('.').replace('.', '_')}e{int(exponent)}"


def mcnemar(first_correct: ArrayLike, second_correct: ArrayLike) -> McNemarResult:
    """McNemar's test (1947) in its exact binomial form, on P pairs decided by both systems.

    The p-value is two-sided: the probability of a division at least so uneven, were both equally good.
    """
    from scipy.stats import binomtest  # takes half a second to import

    first, second = np.asarray(first_correct, bool), np.asarray(second_correct, bool)
    first_only, second_only = int(np.sum(first & ~second)), int(np.sum(~first & second))
    divided = first_only + second_only
    return McNemarResult(first_only, second_only, float(binomtest(first_only, divided).pvalue) if divided else 1.0)
