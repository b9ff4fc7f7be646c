from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.data.splits import Identities, Pairs
from likeness.errors import DataError, ParamsError
from likeness.training.batches import PairBatch, PersonBatch
from likeness.training.samplers.identities import PersonBatches
from likeness.training.samplers.pairs import DrawnPairs, ListedPairs
from likeness.training.samplers.sampler import SAMPLERS, SamplerParams, build_sampler

ROWS = np.array([3, 5, 8, 9, 12, 20, 21])
LABELS = np.array([0, 0, 0, 1, 2, 2, 3])
PEOPLE = Identities(ROWS, LABELS)
LISTED = Pairs(np.array([3, 5, 9, 3, 12]), np.array([5, 8, 12, 20, 20]), np.array([1, 1, 0, 0, 1], dtype=bool))
OWNER = dict(zip(ROWS.tolist(), LABELS.tolist(), strict=True))
BY_IDENTITY = SAMPLERS.params("identities")


def listed(batches: list[PairBatch]) -> list[tuple[int, int, bool]]:
    """The pairs of some batches, as rows."""
    return [
        (int(batch.rows[a]), int(batch.rows[b]), bool(same))
        for batch in batches
        for a, b, same in zip(*batch.pairs, strict=True)
    ]


def crowd(sizes: list[int]) -> Identities:
    """People with so many photographs each, rows shuffled against labels."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return Identities(np.random.default_rng(0).permutation(len(labels)) * 2, labels)


def test_restricted_protocol_feeds_pairs_alone() -> None:
    assert isinstance(build_sampler(LISTED, SAMPLERS.params("pairs"), 2, 0), ListedPairs)
    with pytest.raises(ParamsError, match="the protocol is restricted"):
        build_sampler(LISTED, BY_IDENTITY, 2, 0)


@pytest.mark.parametrize(
    ("sampler", "forbidden"), [(ListedPairs, PEOPLE), (DrawnPairs, LISTED), (PersonBatches, LISTED)]
)
def test_no_sampler_takes_what_its_protocol_forbids(sampler: type, forbidden: Pairs | Identities) -> None:
    with pytest.raises(TypeError):
        sampler(forbidden, SAMPLERS.params("pairs"), 2, 0)


def test_a_restricted_batch_has_no_identities() -> None:
    batch = build_sampler(LISTED, SAMPLERS.params("pairs"), 2, 0).epoch(0)[0]
    assert not hasattr(batch, "labels")


def test_an_epoch_shows_each_listed_pair_once_over_unique_images() -> None:
    batches = ListedPairs(LISTED, SAMPLERS.params("pairs"), 2, 0).epoch(0)
    assert [len(batch.pairs.same) for batch in batches] == [2, 2, 1]
    wanted = zip(LISTED.a.tolist(), LISTED.b.tolist(), LISTED.same.tolist(), strict=True)
    assert sorted(listed(batches)) == sorted(wanted)
    whole = ListedPairs(LISTED, SAMPLERS.params("pairs"), 5, 0).epoch(0)[0]
    assert whole.rows.tolist() == [3, 5, 8, 9, 12, 20]  # ten ends, six images


@pytest.mark.parametrize("params", [SAMPLERS.params("pairs"), BY_IDENTITY])
def test_an_epoch_depends_on_seed_and_number_alone(params: SamplerParams) -> None:
    def rows(seed: int, number: int) -> list[int]:
        np.random.seed(number)  # global state must not matter
        torch.manual_seed(number)
        return [
            int(row)
            for batch in build_sampler(crowd([5] * 9), params, 8, seed).epoch(number)
            for row in batch.rows
        ]

    assert rows(1, 4) == rows(1, 4)
    assert rows(1, 4) != rows(1, 5)
    assert rows(1, 4) != rows(2, 4)


def test_drawn_pairs_are_true_and_half_same() -> None:
    sampler = DrawnPairs(PEOPLE, SAMPLERS.params("pairs", pairs_per_epoch=60), 16, 0)
    pairs = listed([batch for number in range(5) for batch in sampler.epoch(number)])
    assert len(pairs) == 300
    assert sum(same for _, _, same in pairs) == 150
    assert all((OWNER[a] == OWNER[b]) == same and a != b for a, b, same in pairs)
    assert {a for a, _, _ in pairs} | {b for _, b, _ in pairs} == set(ROWS.tolist())


def test_drawn_pairs_do_not_drown_people_with_few_photographs() -> None:
    people = crowd([200, 2, 2, 2])
    pairs = listed(DrawnPairs(people, SAMPLERS.params("pairs", pairs_per_epoch=800), 800, 0).epoch(0))
    owner = dict(zip(people.rows.tolist(), people.labels.tolist(), strict=True))
    shares = np.bincount([owner[a] for a, _, same in pairs if same]) / 400
    assert (abs(shares - 0.25) < 0.08).all()


def test_a_persons_photographs_meet_in_one_batch() -> None:
    people = crowd([6] * 10 + [1] * 20)
    params = SAMPLERS.params("identities", images_per_person=6, images_per_group=6)
    for batch in PersonBatches(people, params, 24, 0).epoch(0):
        counts = torch.bincount(batch.labels)
        assert set(counts[:10].tolist()) <= {0, 6}
        assert len(batch.rows) <= 24


def test_a_cap_keeps_one_person_from_filling_the_epoch_and_draws_others_next_time() -> None:
    params = SAMPLERS.params("identities", images_per_person=4)
    sampler = PersonBatches(crowd([300, 3, 1, 1]), params, 64, 0)
    first, second = (sampler.epoch(number)[0] for number in range(2))
    assert torch.bincount(first.labels).tolist() == [4, 3, 1, 1]
    assert set(first.rows[first.labels == 0].tolist()) != set(second.rows[second.labels == 0].tolist())


@pytest.mark.parametrize(("views", "counts"), [(0, [3, 0, 2, 0]), (1, [3, 1, 2, 1]), (2, [3, 2, 2, 2])])
def test_people_with_one_photograph(views: int, counts: list[int]) -> None:
    batch = PersonBatches(PEOPLE, SAMPLERS.params("identities", single_views=views), 64, 0).epoch(0)[0]
    assert torch.bincount(batch.labels, minlength=4).tolist() == counts
    singles = batch.labels == 3
    assert set(batch.rows[singles].tolist()) <= {21}


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=30),
    cap=st.integers(1, 15),
    group=st.integers(1, 15),
    batch_size=st.integers(2, 40),
)
def test_batches_of_people_keep_their_bounds(sizes: list[int], cap: int, group: int, batch_size: int) -> None:
    params = SAMPLERS.params("identities", images_per_person=cap, images_per_group=group)
    people = crowd(sizes)
    owner = dict(zip(people.rows.tolist(), people.labels.tolist(), strict=True))
    batches = PersonBatches(people, params, batch_size, 1).epoch(0)
    rows = [int(row) for batch in batches for row in batch.rows]
    assert len(rows) == len(set(rows))
    assert all(len(batch.rows) <= batch_size for batch in batches)
    assert all(owner[int(r)] == int(n) for batch in batches for r, n in zip(batch.rows, batch.labels, strict=True))
    assert max(np.bincount([owner[row] for row in rows])) <= cap
    left_out = sum(min(size, cap) for size in sizes) - len(rows)
    assert 0 <= left_out < batch_size / 2


def test_a_share_is_a_fixed_subset_of_people_and_differs_by_seed() -> None:
    people = crowd([3] * 40)

    def seen(seed: int) -> set[int]:
        sampler = build_sampler(people, SAMPLERS.params("identities", share=0.5), 16, seed)
        return {int(label) for number in range(3) for batch in sampler.epoch(number) for label in batch.labels}

    assert len(seen(0)) == 20
    assert seen(0) != seen(1)
    pairs = build_sampler(LISTED, SAMPLERS.params("pairs", share=0.4), 8, 0)
    assert len(listed(pairs.epoch(0))) == 2


def test_nothing_to_draw_from_is_refused() -> None:
    nobody = Identities(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    singles = Identities(np.arange(3), np.arange(3))
    with pytest.raises(DataError, match="no image"):
        build_sampler(nobody, BY_IDENTITY, 8, 0)
    with pytest.raises(DataError, match="two photographs"):
        build_sampler(singles, SAMPLERS.params("pairs"), 8, 0)
    with pytest.raises(DataError, match="fewer than two"):
        build_sampler(singles, SAMPLERS.params("identities", single_views=0), 8, 0)


def test_all_pairs_of_a_batch_of_people() -> None:
    batch = PersonBatch(torch.arange(3), torch.tensor([7, 7, 9]))
    first, second, same = batch.pairs
    assert list(zip(first.tolist(), second.tolist(), same.tolist(), strict=True)) == [
        (0, 1, True),
        (0, 2, False),
        (1, 2, False),
    ]
