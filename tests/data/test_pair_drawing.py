from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from likeness.data.pair_drawing import divide_people, draw_pairs
from likeness.data.splits import Pairs
from likeness.errors import DataError


def rows_of(images: list[int]) -> list[NDArray[np.int64]]:
    return np.split(np.arange(sum(images)), np.cumsum(images)[:-1])


def persons(images: list[int]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(images)), images)


def unordered(pairs: Pairs) -> set[tuple[int, int]]:
    return {(min(a, b), max(a, b)) for a, b in zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)}


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), max_size=40), st.sampled_from([(0.3, 0.7), (0.05, 0.95), (0.9, 0.1)]), st.data()
)
def test_each_group_has_what_pairs_need_whenever_there_are_enough(
    images: list[int], shares: tuple[float, float], data: st.DataObject
) -> None:
    counts, rng = np.array(images, dtype=np.int64), np.random.default_rng(data.draw(st.integers(0, 9)))
    enough = len(images) >= 6 and sum(count > 1 for count in images) >= 3
    if not enough:
        with pytest.raises(DataError, match="too few people to split"):
            divide_people(counts, shares, [1, 2], rng)
        return
    group = divide_people(counts, shares, [1, 2], rng)
    for label, parts in enumerate([1, 2]):
        assert (group == label).sum() >= 2 * parts
        assert ((group == label) & (counts > 1)).sum() >= parts


def test_groups_get_their_shares_of_people_with_one_image_and_with_more() -> None:
    images = np.array([1] * 700 + [3] * 300)
    group = divide_people(images, [0.3, 0.7], [1, 1], np.random.default_rng(0))
    assert ((group == 0) & (images == 1)).sum() == 210
    assert ((group == 0) & (images == 3)).sum() == 90


def test_the_message_about_too_few_people_counts_them() -> None:
    with pytest.raises(DataError, match="need 6 people, 3 of them with two images or more; found 5 people, 2 of"):
        divide_people(np.array([1, 1, 1, 2, 2]), [0.3, 0.7], [1, 2], np.random.default_rng(0))


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=12), st.integers(1, 60), st.integers(0, 3))
def test_drawn_pairs_are_balanced_true_and_never_twice(images: list[int], per_class: int, seed: int) -> None:
    pairs = draw_pairs(rows_of(images), per_class, np.random.default_rng(seed))
    same = sum(count * (count - 1) // 2 for count in images)
    different = sum(images) * (sum(images) - 1) // 2 - same
    assert pairs.same.sum() == (~pairs.same).sum() == min(per_class, same, different)
    person = persons(images)
    assert ((person[pairs.a] == person[pairs.b]) == pairs.same).all()
    assert len(unordered(pairs)) == len(pairs)
    assert (pairs.a != pairs.b).all()
    assert pairs.drawn.all()


def test_taken_pairs_do_not_come_again() -> None:
    rows = rows_of([3, 2, 4])
    rng = np.random.default_rng(0)
    first = draw_pairs(rows, 6, rng)
    rest = draw_pairs(rows, 100, rng, taken=first)
    assert not unordered(first) & unordered(rest)
    assert rest.same.sum() == 3 + 1 + 6 - 6


def test_people_are_drawn_uniformly_however_many_images_they_have() -> None:
    """A person with 300 images comes no more often than one with 30, as in LFW."""
    images = [300] + [30] * 9
    pairs = draw_pairs(rows_of(images), 2000, np.random.default_rng(0))
    shares = np.bincount(persons(images)[pairs.a[pairs.same]], minlength=10) / 2000
    assert np.abs(shares - 0.1).max() < 0.03
    ends = persons(images)[np.concatenate([pairs.a[~pairs.same], pairs.b[~pairs.same]])]
    assert np.abs(np.bincount(ends, minlength=10) / 4000 - 0.1).max() < 0.03


def test_each_pair_of_a_persons_images_is_as_likely() -> None:
    drawn = [draw_pairs(rows_of([4, 1]), 1, np.random.default_rng(seed)) for seed in range(600)]
    same = [next(iter(unordered(pairs.take(pairs.same)))) for pairs in drawn]
    counts = [same.count((i, j)) for i in range(4) for j in range(i + 1, 4)]
    assert sum(counts) == 600
    assert min(counts) > 60
