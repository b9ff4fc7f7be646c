"""Thresholds chosen on held-out comparisons: the most accurate one, and that of a stated false match rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from likeness.metrics.scores import checked_kinds


def best_threshold(scores: ArrayLike, mated: ArrayLike) -> float:
    """The threshold with the most correct decisions: halfway between two neighbouring scores.

    Where several thresholds are equally correct, the one in the widest gap is taken, as the least likely to be
    crossed by a new comparison.

    Raises:
        DataError: a score is not finite, or one of the two kinds is missing.
    """
    values, truth = checked_kinds(scores, mated)
    distinct, place = np.unique(values, return_inverse=True)
    mated_at = np.bincount(place, weights=truth, minlength=len(distinct))
    non_mated_at = np.bincount(place, weights=~truth, minlength=len(distinct))
    # Cut i accepts distinct[i:]; cut 0 accepts everything and the last cut nothing.
    accepted_mated = np.append(np.cumsum(mated_at[::-1])[::-1], 0)
    refused_non_mated = np.insert(np.cumsum(non_mated_at), 0, 0)
    correct = accepted_mated + refused_non_mated
    gaps = np.concatenate([[0.0], np.diff(distinct), [0.0]])
    best = np.flatnonzero(correct == correct.max())
    cut = int(best[np.argmax(gaps[best])])
    if cut == 0:
        return float(distinct[0])
    if cut == len(distinct):
        return float(np.nextafter(distinct[-1], np.inf))
    return _between(float(distinct[cut - 1]), float(distinct[cut]))


def threshold_at_fmr(non_mated: ArrayLike, fmr: float) -> float | None:
    """The threshold at which at most the share `fmr` of non-mated comparisons is accepted.

    Of all thresholds that keep the rate, the highest with the same accepted comparisons: the last accepted score.
    Equal scores at the border are all refused, so that the rate is never exceeded.

    Args:
        non_mated: finite scores [P].
        fmr: in (0, 1).

    Returns:
        None where there are fewer than 1 / fmr comparisons: a rate without a false match is not extrapolated.
    """
    falling = np.sort(np.asarray(non_mated, np.float64))[::-1]
    allowed = int(len(falling) * fmr + 1e-9)  # the small term keeps 1 000 × 1e-3 from counting as 0.999…
    if allowed < 1:
        return None
    last = falling[allowed - 1]
    if allowed < len(falling) and falling[allowed] == last:
        return float(np.nextafter(last, np.inf))
    return float(last)


def _between(low: float, high: float) -> float:
    """A number above `low` and at most `high`: their middle, or `high` where they are neighbours."""
    middle = low + (high - low) / 2
    return middle if low < middle else high
