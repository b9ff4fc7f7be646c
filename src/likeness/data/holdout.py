"""A person-disjoint holdout out of listed pairs, with no pair lost.

Pairs of two people tie these two together: put one into training and the other into the holdout, and their
pair belongs to neither. So whole connected components of the pair graph (people are nodes, pairs are edges)
go to one side, and a subset of components is searched for whose pairs are the wanted share of both classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from likeness.errors import DataError

# Pairs per class up to which the search over subsets is exhaustive; a larger holdout is filled with components
# in random order until this many are missing, so that the search's table stays small.
WINDOW = 256


def components(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """The component of each pair, int64 [P], dense from 0.

    Args:
        first: int64 [P], code of the person on the first image.
        second: int64 [P], of the person on the second.
    """
    people, ends = np.unique(np.concatenate([first, second]), return_inverse=True)
    ends = ends.reshape(2, -1)
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(len(people), len(people)))
    _, label = connected_components(graph, directed=False)
    return np.asarray(label[ends[0]], dtype=np.int64)


def choose_holdout(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    fraction: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Which pairs to hold out, bool [P]: whole components, as near as can be to the fraction of each class.

    Args:
        first: int64 [P], code of the person on the first image.
        second: int64 [P], of the person on the second; equal to `first` where the pair is of one person.
        fraction: share of the pairs of each class to hold out, in (0, 1).
        rng: the order in which components are tried.

    Raises:
        DataError: no choice leaves pairs of both classes on both sides.
    """
    component = components(first, second)
    count = int(component.max()) + 1 if len(component) else 0
    same = first == second
    sizes = np.stack([np.bincount(component[kind], minlength=count) for kind in (same, ~same)], axis=1)
    order = rng.permutation(count)
    chosen = _fill(sizes[order], fraction)
    if chosen is None:
        largest = int(sizes.sum(axis=1).max()) if count else 0
        raise DataError(
            f"no person-disjoint holdout can be taken from these {len(first)} pairs: they are connected in "
            f"{count} groups of people (the largest has {largest} pairs), and no choice of whole groups leaves "
            "pairs of both classes on both sides. Use more pairs of different people, or drop the pair lists "
            "so that pairs are drawn"
        )
    return np.isin(component, order[chosen])


def _fill(sizes: NDArray[np.int64], fraction: float) -> list[int] | None:
    """Positions of components whose sizes [C, 2] sum to the fraction of the total, or as near as can be."""
    total = sizes.sum(axis=0)
    wanted = np.clip(np.rint(total * fraction).astype(np.int64), 1, np.maximum(total - 1, 1))
    have = np.zeros_like(total)
    taken: list[int] = []
    for item, size in enumerate(sizes):
        if np.any(wanted - have <= WINDOW):
            break
        if np.all(have + size <= wanted):
            taken.append(item)
            have = have + size
    rest = np.setdiff1d(np.arange(len(sizes)), taken)
    subset = _subset(sizes[rest], wanted - have, 1 - have, total - 1 - have)
    return None if subset is None else taken + rest[subset].tolist()


def _subset(
    sizes: NDArray[np.int64], wanted: NDArray[np.int64], least: NDArray[np.int64], most: NDArray[np.int64]
) -> list[int] | None:
    """The subset of `sizes` [C, 2] whose sum comes nearest to `wanted` and lies in [least, most].

    Dynamic programming: `reached[s, d]` is the component with which s pairs of one person and d of two could
    first be summed up. A subset that reaches a sum with component c for the first time consists of c and of a
    sum reached before it, so following the entries back gives the subset.
    """
    top = np.minimum(sizes.sum(axis=0), wanted + WINDOW)
    reached = np.full(top + 1, -1, dtype=np.int32)
    reached[0, 0] = len(sizes)  # the empty sum, which no component makes
    attainable = bool(np.all(wanted <= top))
    for item, (s, d) in enumerate(sizes):
        if s > top[0] or d > top[1]:
            continue
        before = reached[: top[0] + 1 - s, : top[1] + 1 - d] >= 0
        after = reached[s:, d:]
        after[before & (after < 0)] = item
        if attainable and reached[tuple(wanted)] >= 0:
            break
    sums = np.argwhere(reached >= 0)
    sums = sums[np.all((sums >= least) & (sums <= most), axis=1)]
    if not len(sums):
        return None
    return _trace(reached, sizes, _nearest(sums, wanted))


def _nearest(sums: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum with the fewest pairs too many or too few, and among those the most balanced."""
    off = sums - wanted
    best = np.lexsort((np.abs(off[:, 0] - off[:, 1]), np.abs(off).sum(axis=1)))[0]
    return np.asarray(sums[best])


def _trace(reached: NDArray[np.int32], sizes: NDArray[np.int64], sum_: NDArray[np.int64]) -> list[int]:
    chosen: list[int] = []
    while sum_.any():
        chosen.append(int(reached[tuple(sum_)]))
        sum_ = sum_ - sizes[chosen[-1]]
    return chosen
