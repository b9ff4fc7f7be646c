"""Who is in a set, and in how many photographs: a long tail as in LFW, where most people have just one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drawnfaces.chance import COUNTS, Chance
from drawnfaces.names import person_name

MOST_IMAGES = 24
"""Photographs of the most photographed people."""

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Census:
    """The people of a set in the order of their names.

    Attributes:
        names: P unique names.
        numbers: int64 [P], by which the generator knows them.
        images: int64 [P], photographs of each, 1 to MOST_IMAGES.
    """

    names: list[str]
    numbers: NDArray[np.int64]
    images: NDArray[np.int64]


def take_census(people: int, seed: int, mean_images: float) -> Census:
    """Names and counts of all people of a set.

    Args:
        people: how many; the first people of a set are the same whatever their number.
        seed: names everything that is drawn.
        mean_images: photographs per person, in [1.8, 8].
    """
    everyone = np.arange(people)
    names = [person_name(seed, int(person)) for person in everyone]
    order = np.array(sorted(everyone, key=names.__getitem__), dtype=np.int64)
    images = _images(everyone, seed, mean_images)
    return Census([names[person] for person in order], order, images[order])


def _images(people: NDArray[np.int64], seed: int, mean: float) -> NDArray[np.int64]:
    """Photographs of each person, by a power law whose exponent gives the wanted mean.

    Quantiles come from a golden-ratio sequence instead of dice, so that also forty people have their share of
    the tail and more people do not change the first ones.
    """
    cumulated = np.cumsum(_power_law(mean))
    quantiles = (Chance(seed, COUNTS).rng.random() + people * _GOLDEN) % 1.0
    return np.minimum(np.searchsorted(cumulated, quantiles, side="right") + 1, MOST_IMAGES).astype(np.int64)


def _power_law(mean: float) -> NDArray[np.float64]:
    """Shares of people with 1, 2, … MOST_IMAGES photographs, with this mean (bisection over the exponent)."""
    counts = np.arange(1, MOST_IMAGES + 1, dtype=np.float64)
    flat, steep = 0.0, 8.0
    for _ in range(50):
        middle = (flat + steep) / 2
        shares = counts**-middle / np.sum(counts**-middle)
        flat, steep = (middle, steep) if shares @ counts > mean else (flat, middle)
    return np.asarray(shares)
