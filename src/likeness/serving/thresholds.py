"""Which threshold belongs to a stated false-accept rate, for one comparison and for a whole gallery.

A model's card holds thresholds at a few rates that its held-out impostor pairs can support. Between them the
logarithm of the rate is taken as linear in the threshold.

**Gallery.** A stranger who is compared with N people has N chances to be taken for one of them. If the
comparisons were independent, the chance that none of them passes is (1 - FAR₁)ᴺ, so a rate FAR for the whole
gallery leaves each comparison

    FAR₁ = 1 - (1 - FAR)^(1/N)

the binomial model of one-to-many search. For a large gallery that lies beyond anything that held-out pairs can
measure, and the tail of the impostor scores is extended as an exponential: the line through the shallowest and
the deepest well-supported point of (threshold, log rate). The logarithm of a light tail, such as a normal one,
bends downwards, so that the line lies above it and the extended threshold errs on the side of refusing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likeness.errors import ModelError
from likeness.models.decision import Decision, FarPoint

_WELL_SUPPORTED = 10  # accepted impostor pairs that a point of the table must rest on to anchor the tail


@dataclass(frozen=True)
class GalleryThreshold:
    """What a match in a gallery must reach.

    Attributes:
        threshold: a probe whose best score is below it is unknown.
        far: stated rate at which a stranger is taken for anyone in the gallery; None where a threshold was given.
        far_each: the rate that this leaves to each comparison.
        people: size of the gallery.
        extended: whether `far_each` lies beyond the rates that were measured, so that the tail was extended.
    """

    threshold: float
    far: float | None
    far_each: float | None
    people: int
    extended: bool


def threshold_at(decision: Decision, far: float) -> float:
    """The threshold at which a share `far` of comparisons between strangers is accepted.

    Raises:
        ModelError: the rate lies outside those that the model's card supports.
    """
    points = _points(decision)
    rates = [point.far for point in points]
    if not points or not rates[-1] <= far <= rates[0]:
        known = f"from {rates[-1]:g} to {rates[0]:g}" if points else "for no rate"
        raise ModelError(
            f"a false-accept rate of {far:g} is asked for, but this model's card supports thresholds {known}; "
            "choose such a rate, or give the threshold itself"
        )
    return float(np.interp(-np.log(far), -np.log(rates), [point.threshold for point in points]))


def far_at(decision: Decision, threshold: float) -> float | None:
    """The share of comparisons between strangers that a threshold accepts; None where the card cannot tell."""
    points = _points(decision)
    thresholds = [point.threshold for point in points]
    if not points or not thresholds[0] <= threshold <= thresholds[-1]:
        return None
    return float(np.exp(np.interp(threshold, thresholds, np.log([point.far for point in points]))))


def gallery_threshold(decision: Decision, people: int, far: float) -> GalleryThreshold:
    """The threshold at which a stranger is taken for anyone of `people` at the rate `far`; see the module.

    Raises:
        ModelError: `far` is no rate, or the card's table holds fewer than two thresholds, so that its tail cannot
            be extended to the rate that one comparison may have.
    """
    if not 0 < far < 1:
        raise ModelError(f"a false-accept rate lies between 0 and 1, found {far:g}")
    far_each = float(-np.expm1(np.log1p(-far) / max(people, 1)))
    points = _points(decision)
    if points and points[-1].far <= far_each <= points[0].far:
        return GalleryThreshold(threshold_at(decision, far_each), far, far_each, people, extended=False)
    return GalleryThreshold(_extended(points, far_each), far, far_each, people, extended=True)


def _extended(points: Sequence[FarPoint], far: float) -> float:
    """The threshold on the exponential tail, and never below that of the deepest measured point above the rate."""
    supported = [point for point in points if point.far * point.impostor_pairs >= _WELL_SUPPORTED]
    line = supported if len(supported) >= 2 else list(points)
    if len(line) < 2 or line[-1].threshold <= line[0].threshold:
        raise ModelError(
            "this model's card holds too few thresholds at stated false-accept rates to extend them to a gallery; "
            "train with more held-out pairs, or give the threshold itself"
        )
    first, last = line[0], line[-1]
    slope = (np.log(last.far) - np.log(first.far)) / (last.threshold - first.threshold)
    threshold = float(last.threshold + (np.log(far) - np.log(last.far)) / slope)
    measured = [point.threshold for point in points if point.far >= far]
    return max([threshold, *measured])


def _points(decision: Decision) -> list[FarPoint]:
    """The table, highest rate first."""
    return sorted(decision.far_table, key=lambda point: -point.far)
