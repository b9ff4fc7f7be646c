"""Which threshold belongs to a stated false match rate, for one comparison and for a whole gallery.

A model's card holds thresholds at a few rates that its held-out pairs of different people can support. Between
them, and beyond them, the threshold is taken as linear in the normal quantile of the rate: the upper tail of the
scores of different people is taken as normal.

**Gallery.** An unknown person who is compared with N people has N chances to be taken for one of them. If the
comparisons were independent, the chance that none of them passes is (1 - FMR)ᴺ, so a rate FPIR for the whole
gallery leaves each comparison

    FMR = 1 - (1 - FPIR)^(1/N)

the binomial model of one-to-many search. For a large gallery that is beyond anything that was measured, and
the line through the two deepest well-supported points of the table is extended. Cosines are bounded, so that
their tail is lighter than a normal one, and the extended threshold errs on the side of refusing: over 6.8 million
pairs of test people of LFW deep-funneled (an ArcFace network trained on LFW alone) the thresholds of 1e-1 and 1e-2
predict 0.80 for 1e-4 and 1.01 for 1e-6, where 0.74 and 0.85 were true. An exponential tail would ask for 0.94
and 1.36.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from likeness.deprecated import former_attribute
from likeness.errors import ModelError
from likeness.models.decision import Decision, FmrPoint

_WELL_SUPPORTED = 10  # pairs of different people that a point must have accepted to carry the tail
_NORMAL = NormalDist()


@dataclass(frozen=True)
class GalleryThreshold:
    """What a match in a gallery must reach.

    Attributes:
        threshold: a probe whose best score is below it is unknown.
        fpir: stated rate at which somebody not enrolled is taken for anyone; None where a threshold was given.
        fmr: the false match rate that this leaves to each comparison.
        people: size of the gallery.
        extended: whether `fmr` is beyond the rates that were measured, so that the tail was extended.
    """

    threshold: float
    fpir: float | None
    fmr: float | None
    people: int
    extended: bool

    far = former_attribute("far", "fpir")
    far_each = former_attribute("far_each", "fmr")


def threshold_at(decision: Decision, fmr: float) -> float:
    """The threshold at which a share `fmr` of non-mated comparisons is accepted.

    Raises:
        ModelError: the rate is outside those that the model's card supports.
    """
    points = _points(decision)
    for point in points:
        if point.fmr == fmr:
            return point.threshold
    for above, below in pairwise(points):
        if below.fmr < fmr < above.fmr:
            return _threshold_on(above, below, fmr)
    known = f"from {points[-1].fmr:g} to {points[0].fmr:g}" if points else "for no rate"
    raise ModelError(
        f"a false match rate of {fmr:g} is asked for, but this model's card supports thresholds {known}; choose "
        "such a rate, or give the threshold itself"
    )


def fmr_at(decision: Decision, threshold: float) -> float | None:
    """The share of non-mated comparisons that a threshold accepts; None where the card cannot say."""
    points = _points(decision)
    for point in points:
        if point.threshold == threshold:
            return point.fmr
    for above, below in pairwise(points):
        if above.threshold < threshold < below.threshold:
            share = (threshold - above.threshold) / (below.threshold - above.threshold)
            return _NORMAL.cdf((1 - share) * _NORMAL.inv_cdf(above.fmr) + share * _NORMAL.inv_cdf(below.fmr))
    return None


def gallery_threshold(decision: Decision, people: int, fpir: float) -> GalleryThreshold:
    """The threshold at which somebody not enrolled is taken for anyone of `people` at the rate `fpir`.

    Raises:
        ModelError: `fpir` is no rate, or the card's table holds fewer than two thresholds, so that its tail cannot
            be extended to the rate that one comparison may have.
    """
    if not 0 < fpir < 1:
        raise ModelError(f"a false positive identification rate lies between 0 and 1, found {fpir:g}")
    fmr = fpir if people <= 1 else -math.expm1(math.log1p(-fpir) / people)
    points = _points(decision)
    if points and points[-1].fmr <= fmr <= points[0].fmr:
        return GalleryThreshold(threshold_at(decision, fmr), fpir, fmr, people, extended=False)
    return GalleryThreshold(_extended(points, fmr), fpir, fmr, people, extended=True)


def _extended(points: list[FmrPoint], fmr: float) -> float:
    """The threshold on the normal tail, never below a measured one of a rate that is higher."""
    supported = [point for point in points if point.fmr * point.impostor_pairs >= _WELL_SUPPORTED]
    line = (supported if len(supported) >= 2 else points)[-2:]
    if len(line) < 2 or line[0].threshold >= line[1].threshold:
        raise ModelError(
            "this model's card holds too few thresholds at stated false match rates to extend them to a gallery; "
            "train with more held-out pairs, or give the threshold itself"
        )
    measured = [point.threshold for point in points if point.fmr >= fmr]
    return max([_threshold_on(line[0], line[1], fmr), *measured])


def _threshold_on(above: FmrPoint, below: FmrPoint, fmr: float) -> float:
    """The threshold of a rate on the line through two points of (normal quantile, threshold)."""
    high, low = _NORMAL.inv_cdf(above.fmr), _NORMAL.inv_cdf(below.fmr)
    share = (_NORMAL.inv_cdf(fmr) - high) / (low - high)
    return above.threshold + share * (below.threshold - above.threshold)


def _points(decision: Decision) -> list[FmrPoint]:
    """The table, highest rate first."""
    return sorted(decision.fmr_table, key=lambda point: -point.fmr)
