"""Pairs for photo sets that come without lists: people are divided first, then pairs are drawn among them.

The pairs are drawn as those of LFW were (Huang et al. 2007, section on its views): for a pair of one person,
a person with at least two images uniformly, then two of the images; for a pair of two people, two people
uniformly, then an image of each; no pair twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likeness.data.splits import Pairs
from likeness.errors import DataError

Rows = Sequence[NDArray[np.int64]]
"""Manifest rows of each person's images."""


def divide_people(
    images: NDArray[np.int64], shares: Sequence[float], parts: Sequence[int], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Divides people at random into groups, in which pairs of both classes can be drawn.

    People with one image and people with more are divided apart from each other, so that each group gets its
    share of both.

    Args:
        images: int64 [P], images of each person, at least 1.
        shares: share of people of each of the G groups, summing to 1.
        parts: in how many usable parts each group must be divisible later on, usually 1; a usable part has
            two people, one of them with two images.
        rng: who goes where.

    Returns:
        int64 [P], the group of each person.

    Raises:
        DataError: too few people.
    """
    several = rng.permutation(np.flatnonzero(images >= 2))
    single = rng.permutation(np.flatnonzero(images < 2))
    need = np.asarray(parts, dtype=np.int64)
    if len(several) < need.sum() or len(images) < 2 * need.sum():
        raise DataError(
            f"too few people to split: training, holdout and test need {2 * need.sum()} people, "
            f"{need.sum()} of them with two images or more; found {len(images)} people, {len(several)} of them "
            "with two images or more. Add people, or ask for fewer parts (view 1 instead of 2)"
        )
    first = _sizes(len(several), shares, 2 * need - _filled(need, shares, len(single)))
    second = _sizes(len(single), shares, np.maximum(2 * need - first, 0))
    group = np.empty(len(images), dtype=np.int64)
    group[several] = np.repeat(np.arange(len(shares)), first)
    group[single] = np.repeat(np.arange(len(shares)), second)
    return group


def _filled(need: NDArray[np.int64], shares: Sequence[float], spare: int) -> NDArray[np.int64]:
    """How many people with one image may stand in for people with more, the smallest groups served first."""
    filled = np.zeros_like(need)
    for group in np.argsort(shares, kind="stable"):
        filled[group] = min(int(need[group]), spare - int(filled.sum()))
    return filled


def draw_pairs(people: Rows, per_class: int, rng: np.random.Generator, taken: Pairs | None = None) -> Pairs:
    """Draws pairs of one person, then as many of two people.

    Args:
        people: manifest rows of each person's images.
        per_class: pairs of each class; fewer are drawn, of both classes alike, if there are no more.
        rng: which ones.
        taken: pairs that must not come again.

    Returns:
        At most 2 x `per_class` pairs, marked as drawn.
    """
    before = set() if taken is None else _keys(taken.a, taken.b)
    images = np.array([len(rows) for rows in people], dtype=np.int64)
    total = int(images.sum())
    possible_same = int((images * (images - 1) // 2).sum())
    possible_different = total * (total - 1) // 2 - possible_same
    taken_same = 0 if taken is None else int(taken.same.sum())
    count = min(per_class, possible_same - taken_same, possible_different - (len(before) - taken_same))
    if count <= 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Pairs(nothing, nothing, nothing.astype(bool))
    same = _same(people, images, count, before, rng)
    different = _different(people, images, count, before, rng)
    a, b = np.concatenate([same, different]).T
    truth = np.repeat([True, False], count)
    return Pairs(a, b, truth, np.ones(2 * count, dtype=bool))


def _same(
    people: Rows, images: NDArray[np.int64], count: int, taken: set[tuple[int, int]], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Pairs of one person, int64 [count, 2]; as many more as are taken are drawn to replace these."""
    possible = images * (images - 1) // 2
    shares = _shares(min(count + len(taken), int(possible.sum())), possible, rng)
    drawn = np.concatenate(
        [
            people[int(person)][_corner(rng.choice(possible[person], shares[person], replace=False))]
            for person in np.flatnonzero(shares)
        ]
    )
    return _fresh(rng.permutation(drawn), taken)[:count]


def _different(
    people: Rows, images: NDArray[np.int64], count: int, taken: set[tuple[int, int]], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Pairs of two people, int64 [count, 2], by drawing until enough are new."""
    rows, start = np.concatenate(people), np.cumsum(images) - images
    drawn = np.zeros((0, 2), dtype=np.int64)
    while len(drawn) < count:
        one = rng.integers(len(people), size=2 * count)
        two = (one + rng.integers(1, len(people), size=2 * count)) % len(people)
        ends = [rows[start[who] + rng.integers(images[who])] for who in (one, two)]
        drawn = _fresh(np.concatenate([drawn, np.stack(ends, axis=1)]), taken)
    return drawn[:count]


def _fresh(pairs: NDArray[np.int64], taken: set[tuple[int, int]]) -> NDArray[np.int64]:
    """The pairs without repetitions and without the taken ones, in the order of their first occurrence."""
    _, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
    kept = pairs[np.sort(first)]
    if not taken:
        return np.asarray(kept)
    new = np.array([(min(a, b), max(a, b)) not in taken for a, b in kept.tolist()], dtype=bool)
    return np.asarray(kept[new])


def _keys(a: NDArray[np.int64], b: NDArray[np.int64]) -> set[tuple[int, int]]:
    return set(zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), strict=True))


def _shares(count: int, possible: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """How many of `count` uniform draws fall on each person who can still give a pair."""
    shares = np.zeros_like(possible)
    while (missing := count - int(shares.sum())) > 0:
        able = np.flatnonzero(shares < possible)
        shares += np.bincount(rng.choice(able, missing), minlength=len(possible))
        shares = np.minimum(shares, possible)
    return shares


def _corner(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pair i < j that each code counts, int64 [K, 2]: code = j (j - 1) / 2 + i."""
    j = ((1 + np.sqrt(1 + 8 * codes)) // 2).astype(np.int64)
    return np.stack([codes - j * (j - 1) // 2, j], axis=1)


def _sizes(count: int, shares: Sequence[float], least: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole sizes of groups, summing to `count`, near their shares and none under its least."""
    wanted = count * np.asarray(shares)
    sizes: NDArray[np.int64] = np.maximum(np.rint(wanted).astype(np.int64), least)
    while sizes.sum() < count:
        sizes[np.argmax(wanted - sizes)] += 1
    while sizes.sum() > count and np.any(sizes > least):
        sizes[np.argmax(np.where(sizes > least, sizes - wanted, -np.inf))] -= 1
    return sizes
