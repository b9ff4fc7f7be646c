"""Percentile intervals by resampling whole groups of pairs that share their people (Efron 1979).

The unit that is drawn is the *person-pair*: all pairs between the same two people (in either order), or all
pairs of one and the same person, are drawn or left out together, because they do not err independently.
Groups are drawn with replacement within each class (mated, non-mated), so that the class balance that the
protocol fixed stays. Not covered: a person who is in several person-pairs ties these weakly together,
and the variation of another training run; both make the true interval somewhat wider.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.errors import DataError
from likeness.metrics.scores import Bools, Floats

UNIT = (
    "person-pair: pairs of the same two people (in either order) are drawn together, with replacement, per class"
)
CONFIDENCE = 0.95
_Z = 1.959964  # its quantile of the normal distribution
_FEW = 5  # outcomes, below which percentiles of resamples are too narrow

# Weights [R, P] in, one figure a weighting [R] out, by name.
Statistics = Callable[[Floats], Mapping[str, Floats]]

# Weights held at a time: 16 MB a block of float64, which keeps the cache warm and memory independent of R.
_BLOCK = 2_000_000


_UNDEFINABLE = {"null_is_nan": True}
"""Says to `likeness.params`, which is above this module, that JSON has null where the value is NaN."""


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval; NaN where it is undefined (a class is absent).

    Attributes:
        value: the figure on all units as they are.
        low: 2.5th percentile of the resamples.
        high: 97.5th percentile of the resamples.
        n: number of pairs (or probes, or trials) it was measured on.
    """

    value: float = field(metadata=_UNDEFINABLE)
    low: float = field(metadata=_UNDEFINABLE)
    high: float = field(metadata=_UNDEFINABLE)
    n: int

    def as_json(self) -> dict[str, float | int | None]:
        """Plain values; an undefined figure is null, which JSON can hold."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def pair_groups(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
    """Group number of each of P pairs, from the people of its two pictures.

    Args:
        first: [P], names or numbers of the first person.
        second: [P], of the second person.

    Returns:
        int64 [P], equal where the unordered two people are equal; dense from 0.
    """
    one, two = np.asarray(first), np.asarray(second)
    _, codes = np.unique(np.concatenate([one, two]), return_inverse=True)
    low, high = np.sort(codes.reshape(2, len(one)), axis=0)
    _, groups = np.unique(low * (int(codes.max(initial=0)) + 1) + high, return_inverse=True)
    return groups.astype(np.int64)


@dataclass(frozen=True)
class Resampling:
    """How often, and from which seed, resamples are drawn."""

    resamples: int
    seed: int

    def weights(self, groups: ArrayLike, strata: ArrayLike | None = None) -> Iterator[Floats]:
        """Blocks of weights [r, P] (how often each unit is drawn) that make up the R resamples.

        Args:
            groups: int [P], units with one number move together.
            strata: bool [P], drawn separately, each keeping its number of groups; constant within a group.
        """
        labels = np.asarray(groups)
        classes = np.zeros(len(labels), bool) if strata is None else np.asarray(strata, bool)
        rng = np.random.default_rng(self.seed)
        rows = max(1, _BLOCK // max(1, len(labels)))
        for start in range(0, self.resamples, rows):
            yield _draw(labels, classes, min(rows, self.resamples - start), rng)


def _draw(groups: NDArray[Any], strata: Bools, rows: int, rng: np.random.Generator) -> Floats:
    weights = np.zeros((rows, len(groups)))
    for stratum in (False, True):
        members = np.flatnonzero(strata == stratum)
        if len(members):
            _, codes = np.unique(groups[members], return_inverse=True)
            weights[:, members] = _group_counts(int(codes.max()) + 1, rows, rng)[:, codes]
    return weights


def _group_counts(groups: int, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each group comes up in `groups` draws with replacement, [rows, groups]."""
    drawn = rng.integers(0, groups, size=(rows, groups))
    drawn += np.arange(rows)[:, None] * groups
    return np.bincount(drawn.ravel(), minlength=rows * groups).reshape(rows, groups)


def bootstrap(
    statistics: Statistics,
    groups: ArrayLike,
    resampling: Resampling,
    strata: Bools | None = None,
    *,
    shares: bool = True,
    members: Mapping[str, Bools] | None = None,
) -> dict[str, Estimate]:
    """Every statistic with its percentile interval, all from the same resamples.

    Args:
        statistics: weights [R, P] -> name: [R].
        groups: int [P], units that move together.
        resampling: number and seed.
        strata: bool [P], the class of each unit; None if there are no classes.
        shares: the statistics are shares, of which 0 and 1 have Wilson's interval; differences of shares are none.
        members: of statistics that count outcomes, by name: bool [P], the units that are counted. Where few of
            them, or all but few, have the outcome, the interval is at least Wilson's.

    Returns:
        One estimate a name. Resamples in which a statistic is undefined are left out of its interval.
    """
    labels = np.asarray(groups)
    units = len(labels)
    values = statistics(np.ones((1, units)))
    blocks = [statistics(weights) for weights in resampling.weights(groups, strata)]
    found = {}
    for name, (value,) in values.items():
        low, high = _percentiles([block[name] for block in blocks])
        counted = (members or {}).get(name)
        independent = len(np.unique(labels if counted is None else labels[counted]))
        few = counted is not None and min(value, 1 - value) * independent < _FEW
        if shares and (few or (low == high == value and value in (0.0, 1.0))):
            least, most = wilson(float(value), independent)
            low, high = min(low, least), max(high, most)
        found[name] = Estimate(float(value), low, high, units)
    return found


def wilson(share: float, count: int) -> tuple[float, float]:
    """Interval of a share of independent outcomes (Wilson 1927, "Probable inference"), inside [0, 1].

    Resamples of 500 decisions without an error hold no error either, which does not show that there are none: the
    error rate may be as high as z² / (n + z²), 0.8 %.

    Args:
        share: of the outcomes, in [0, 1].
        count: of them, at least 1.
    """
    scale = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / scale
    reach = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / scale
    return (0.0 if share == 0 else max(0.0, middle - reach)), (1.0 if share == 1 else min(1.0, middle + reach))


def _percentiles(blocks: Sequence[Floats]) -> tuple[float, float]:
    drawn = np.concatenate(blocks)
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class FoldMean:
    """A figure over the folds of a cross-validation.

    Attributes:
        mean: over the folds.
        standard_error: their standard deviation (with n - 1) over the square root of n.
    """

    mean: float
    standard_error: float


def mean_over_folds(values: Sequence[float]) -> FoldMean:
    """Mean ± standard error over folds, each trained and thresholded on the others (Huang et al. 2007, View 2).

    Raises:
        DataError: fewer than two folds, which have no standard error.
    """
    if len(values) < 2:
        raise DataError(f"a standard error needs at least 2 folds, found {len(values)}")
    folds = np.asarray(values, np.float64)
    return FoldMean(float(folds.mean()), float(folds.std(ddof=1) / np.sqrt(len(folds))))
