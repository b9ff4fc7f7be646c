"""The lists that go with a set, in LFW's formats: View 1 for development, View 2 in ten folds.

The pairs are drawn as LFW's were, with one bound: people are divided into small circles first, and pairs of two
people stay within a circle. LFW has so many people that its pairs tie only a few of them together (at most 18
in pairsDevTrain.txt), so that whole groups can be held out and no pair is lost. With hundreds of people instead
of thousands, pairs drawn freely would tie all of them into one.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from drawnfaces import Census
from likeness.data.pair_drawing import divide_people, draw_pairs
from likeness.data.sources import SyntheticParams

log = logging.getLogger(__name__)

FOLDS = 10
_STREAM = 4  # of random numbers, beside those that drawnfaces draws people and photographs from
TRAIN_SHARE = 0.7  # of the people, as in LFW
CIRCLE = 14  # people in a circle
LEAST_CIRCLES = 5  # so that a fifth of the pairs can be held out

Indices = NDArray[np.int64]


def draw_lists(census: Census, params: SyntheticParams) -> dict[str, str]:
    """Text of each list by its official file name."""
    rng = np.random.default_rng((params.seed, _STREAM))
    return _view_1(census, params, rng) | _view_2(census, params, rng)


def _view_1(census: Census, params: SyntheticParams, rng: np.random.Generator) -> dict[str, str]:
    circles = max(LEAST_CIRCLES, int(TRAIN_SHARE * params.people) // CIRCLE)
    part = divide_people(census.images, (TRAIN_SHARE, 1 - TRAIN_SHARE), (circles, 1), rng)
    train, test = np.flatnonzero(part == 0), np.flatnonzero(part == 1)
    train_pairs = _PairSampler(census, train, circles, rng)
    test_pairs = _PairSampler(census, test, 1, rng)
    return {
        "pairsDevTrain.txt": _single("pairsDevTrain.txt", train_pairs, params.train_pairs),
        "pairsDevTest.txt": _single("pairsDevTest.txt", test_pairs, params.test_pairs),
        "peopleDevTrain.txt": _people_text(census, train),
        "peopleDevTest.txt": _people_text(census, test),
    }


def _view_2(census: Census, params: SyntheticParams, rng: np.random.Generator) -> dict[str, str]:
    fold = divide_people(census.images, (1 / FOLDS,) * FOLDS, (1,) * FOLDS, rng)
    members = [np.flatnonzero(fold == index) for index in range(FOLDS)]
    draws = [_PairSampler(census, people, max(1, len(people) // CIRCLE), rng) for people in members]
    count = _possible_pairs("pairs.txt", params.fold_pairs, min(draw.most for draw in draws))
    return {
        "pairs.txt": f"{FOLDS}\t{count}\n" + "".join(draw.text(count) for draw in draws),
        "people.txt": f"{FOLDS}\n" + "".join(_people_text(census, people) for people in members),
    }


class _PairSampler:
    """Pairs among some people of a census, kept within circles."""

    def __init__(self, census: Census, people: Indices, circles: int, rng: np.random.Generator) -> None:
        self._census = census
        self._rng = rng
        self._offsets = np.cumsum(census.images) - census.images
        circle = divide_people(census.images[people], (1 / circles,) * circles, (1,) * circles, rng)
        self._circles = [people[circle == index] for index in range(circles)]
        self._capacity = np.array([_capacity(census.images[circle]) for circle in self._circles], dtype=np.int64)

    @property
    def most(self) -> int:
        """Pairs per class that can be drawn at most."""
        return int(self._capacity.sum())

    def text(self, per_class: int) -> str:
        """Lines of `per_class` pairs of one person, then of as many of two."""
        found: list[Indices] = []
        truth: list[NDArray[np.bool_]] = []
        for people, count in zip(self._circles, _even_shares(per_class, self._capacity), strict=True):
            pairs = draw_pairs([self._images_of(person) for person in people], int(count), self._rng)
            found.append(np.sort(np.stack([pairs.a, pairs.b], axis=1), axis=1))
            truth.append(pairs.same)
        ends, same = np.concatenate(found), np.concatenate(truth)
        order = np.lexsort((ends[:, 1], ends[:, 0], ~same))
        return "".join(self._line(int(a), int(b)) for a, b in ends[order])

    def _images_of(self, person: int) -> Indices:
        return np.asarray(self._offsets[person] + np.arange(self._census.images[person]))

    def _line(self, a: int, b: int) -> str:
        """One pair of images, which are counted through the whole census."""
        first, second = (int(at) for at in np.searchsorted(self._offsets, (a, b), side="right") - 1)
        name, number = self._census.names[first], a - self._offsets[first] + 1
        other = "" if first == second else f"{self._census.names[second]}\t"
        return f"{name}\t{number}\t{other}{b - self._offsets[second] + 1}\n"


def _single(name: str, draw: _PairSampler, wanted: int) -> str:
    count = _possible_pairs(name, wanted, draw.most)
    return f"{count}\n{draw.text(count)}"


def _possible_pairs(name: str, wanted: int, most: int) -> int:
    if most < wanted:
        log.warning("%s: %d pairs per class instead of %d, more people are needed for more", name, most, wanted)
    return min(wanted, most)


def _people_text(census: Census, people: Indices) -> str:
    return f"{len(people)}\n" + "".join(f"{census.names[person]}\t{census.images[person]}\n" for person in people)


def _capacity(images: Indices) -> int:
    """Pairs of one person and of two that these counts of images allow, whichever is less."""
    same = int((images * (images - 1) // 2).sum())
    total = int(images.sum())
    return min(same, total * (total - 1) // 2 - same)


def _even_shares(total: int, capacity: Indices) -> Indices:
    """`total` dealt out as evenly as the capacities allow."""
    shares = np.zeros_like(capacity)
    left = total
    for rank, place in enumerate(np.argsort(capacity, kind="stable")):
        shares[place] = min(int(capacity[place]), left // (len(capacity) - rank))
        left -= int(shares[place])
    return shares
