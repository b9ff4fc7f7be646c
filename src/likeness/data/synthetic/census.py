"""Who is in a set, and in how many photographs: a long tail as in LFW, where most people have just one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from likeness.data.synthetic.chance import COUNTS, Chance
from likeness.data.synthetic.names import person_name
from likeness.params import Range

MOST_IMAGES = 24
"""Photographs of the most photographed people."""

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class SyntheticParams:
    """Section `synthetic` of params.yaml: how many faces to draw, and which lists of pairs to write with them.

    Attributes:
        people: how many; the first people of a set are the same whatever their number.
        seed: names everything that is drawn.
        mean_images: photographs per person, 2.3 in LFW; with fewer, forty people would not fill ten folds.
        train_pairs: pairs per class in pairsDevTrain.txt, fewer if there are not so many people.
        test_pairs: likewise in pairsDevTest.txt.
        fold_pairs: likewise in each fold of pairs.txt.
    """

    people: Annotated[int, Range(low=40, high=100_000)]
    seed: Annotated[int, Range(low=0, high=2**32 - 1)]
    mean_images: Annotated[float, Range(low=1.8, high=8.0)]
    train_pairs: Annotated[int, Range(low=10)]
    test_pairs: Annotated[int, Range(low=10)]
    fold_pairs: Annotated[int, Range(low=1)]


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


def take_census(params: SyntheticParams) -> Census:
    """Names and counts of all people of a set."""
    everyone = np.arange(params.people)
    names = [person_name(params.seed, int(person)) for person in everyone]
    order = np.array(sorted(everyone, key=names.__getitem__), dtype=np.int64)
    images = _images(params, everyone)
    return Census([names[person] for person in order], order, images[order])


def _images(params: SyntheticParams, people: NDArray[np.int64]) -> NDArray[np.int64]:
    """Photographs of each person, by a power law whose exponent gives the wanted mean.

    Quantiles come from a golden-ratio sequence instead of dice, so that also forty people have their share of
    the tail and more people do not change the first ones.
    """
    cumulated = np.cumsum(_power_law(params.mean_images))
    quantiles = (Chance(params.seed, COUNTS).rng.random() + people * _GOLDEN) % 1.0
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
