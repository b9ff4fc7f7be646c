from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.data import holdout
from likeness.data.holdout import choose_holdout, components
from likeness.data.pairs import read_pairs
from likeness.errors import DataError

LFW = os.environ.get("LIKENESS_LFW")

# Pairs too many or too few, and by how many more in the one class than in the other.
Misfit = tuple[int, int]

# Pairs as ends in a graph of a dozen people, which mostly hang together,
TANGLES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=2, max_size=24)
# and groups with so many pairs of one person and, in a chain of people, so many of two.
GROUPS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9)


def grouped(groups: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs as ends, of which no two groups share a person."""
    return [
        pair
        for group, (same, different) in enumerate(groups)
        for pair in [
            *[(100 * group, 100 * group)] * same,
            *((100 * group + i, 100 * group + i + 1) for i in range(different)),
        ]
    ]


GRAPHS = st.one_of(TANGLES, GROUPS.map(grouped).filter(lambda graph: len(graph) > 1).flatmap(st.permutations))


def ends(graph: list[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = np.array(graph, dtype=np.int64).T
    return first, second


def misfit(off: NDArray[np.float64]) -> Misfit:
    return int(np.abs(off).sum()), int(abs(off[0] - off[1]))


def nearest_by_trial(first: NDArray[np.int64], second: NDArray[np.int64], fraction: float) -> Misfit | None:
    """The misfit of the best of all choices, by trying every one of them."""
    label, same = components(first, second), first == second
    sizes = np.stack([np.bincount(label[kind], minlength=label.max() + 1) for kind in (same, ~same)], axis=1)
    total = sizes.sum(axis=0)
    wanted = np.clip(np.rint(total * fraction), 1, np.maximum(total - 1, 1))
    choices = np.array(list(product([0, 1], repeat=len(sizes)))) @ sizes
    usable = choices[np.all((choices >= 1) & (choices <= total - 1), axis=1)]
    return min((misfit(choice - wanted) for choice in usable), default=None)


@settings(deadline=None)
@given(GRAPHS, st.sampled_from([0.1, 0.2, 0.5, 0.8]), st.integers(0, 5))
def test_the_holdout_shares_nobody_and_is_as_near_as_can_be(
    graph: list[tuple[int, int]], fraction: float, seed: int
) -> None:
    first, second = ends(graph)
    assume(len(set(components(first, second))) <= 10)
    best = nearest_by_trial(first, second, fraction)
    if best is None:
        with pytest.raises(DataError, match="no person-disjoint holdout"):
            choose_holdout(first, second, fraction, np.random.default_rng(seed))
        return
    held = choose_holdout(first, second, fraction, np.random.default_rng(seed))
    same = first == second
    assert not {*first[held], *second[held]} & {*first[~held], *second[~held]}
    total, chosen = (np.array([(of & same).sum(), (of & ~same).sum()]) for of in (np.ones_like(held), held))
    assert np.all((chosen > 0) & (chosen < total))
    assert misfit(chosen - np.clip(np.rint(total * fraction), 1, np.maximum(total - 1, 1))) == best


def test_a_holdout_beyond_the_window_is_exact_too() -> None:
    rng = np.random.default_rng(1)
    people = np.arange(6000)
    first = np.concatenate([people, people[:-1:2]])
    second = np.concatenate([people, people[1::2]])
    assert 0.2 * len(people) > 2 * holdout.WINDOW
    held = choose_holdout(first, second, 0.2, rng)
    same = first == second
    assert ((held & same).sum(), (held & ~same).sum()) == (1200, 600)
    assert not {*first[held], *second[held]} & {*first[~held], *second[~held]}


def test_a_group_too_large_to_hold_out_stays_in_training() -> None:
    """A tenth of the pairs, and one person who is tied to half of all."""
    star = [(0, other) for other in range(1, 2001)]
    others = [(10_000 + i, 20_000 + i) for i in range(2000)] + [(30_000 + i, 30_000 + i) for i in range(4000)]
    first, second = ends(star + others)
    held = choose_holdout(first, second, 0.1, np.random.default_rng(0))
    assert not held[:2000].any()
    assert held.sum() == 800


def test_the_seed_decides_who_is_held_out() -> None:
    first, second = ends([(i, i) for i in range(40)] + [(i, i + 1) for i in range(0, 40, 2)])
    one, again, other = (choose_holdout(first, second, 0.2, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.lfw
@pytest.mark.skipif(LFW is None, reason="LIKENESS_LFW names no folder with real faces")
@pytest.mark.parametrize("seed", range(20))
def test_view_1_gives_exactly_440_of_2200(seed: int) -> None:
    (listed,) = read_pairs(Path(LFW or "") / "pairsDevTrain.txt")
    names = [(pair.first.person, pair.second.person) for pair in listed]
    codes = {name: code for code, name in enumerate(sorted({name for pair in names for name in pair}))}
    first, second = ends([(codes[a], codes[b]) for a, b in names])
    assert len(set(components(first, second))) == 1032
    held = choose_holdout(first, second, 0.2, np.random.default_rng(seed))
    same = first == second
    assert ((held & same).sum(), (held & ~same).sum(), (~held).sum()) == (220, 220, 1760)
    assert not {*first[held], *second[held]} & {*first[~held], *second[~held]}
