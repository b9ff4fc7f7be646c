"""Comparison scores, checked, and the counts of the decisions made on them.

A comparison is *mated* when both pictures show one person, else *non-mated*. It is accepted when its score reaches
the threshold. FMR, the false match rate, is the share of non-mated comparisons that are accepted; FNMR, the false
non-match rate, the share of mated ones that are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likeness.errors import DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def checked(scores: ArrayLike, mated: ArrayLike) -> tuple[Floats, Bools]:
    """Scores and truths as vectors of one length.

    Raises:
        DataError: no comparisons, unequal lengths, or a score that is not finite.
    """
    values, truth = np.asarray(scores, np.float64), np.asarray(mated, bool)
    if values.ndim != 1 or values.shape != truth.shape or not len(values):
        raise DataError(
            f"expected as many scores as pairs, at least one, found shapes {values.shape} and {truth.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} of {len(values)} scores are not finite, the first is {values[wrong[0]]} of pair "
            f"{wrong[0]}: the network's training has diverged, or its files are damaged"
        )
    return values, truth


def checked_kinds(scores: ArrayLike, mated: ArrayLike) -> tuple[Floats, Bools]:
    """Scores and truths of which both kinds are present.

    Raises:
        DataError: as for `checked`, or all comparisons are of one kind.
    """
    values, truth = checked(scores, mated)
    if not truth.any() or truth.all():
        raise DataError(
            f"a threshold needs pairs of the same person and of different people, found {int(truth.sum())} of the "
            f"one kind and {int((~truth).sum())} of the other; draw more held-out pairs"
        )
    return values, truth


def weighted_mean(values: ArrayLike, weights: Floats) -> Floats:
    """Mean of [P] values under each of R weightings, [R]; NaN where a weighting is all zero."""
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ np.asarray(values, np.float64) / weights.sum(axis=1))


@dataclass(frozen=True)
class Confusion:
    """Counts of the four outcomes of a decision."""

    true_matches: int
    false_non_matches: int
    true_non_matches: int
    false_matches: int


def confusion(accepted: ArrayLike, mated: ArrayLike) -> Confusion:
    """Counts P decisions (bool, True = same person) against the truth."""
    said, truth = np.asarray(accepted, bool), np.asarray(mated, bool)
    return Confusion(
        true_matches=int(np.sum(said & truth)),
        false_non_matches=int(np.sum(~said & truth)),
        true_non_matches=int(np.sum(~said & ~truth)),
        false_matches=int(np.sum(said & ~truth)),
    )
