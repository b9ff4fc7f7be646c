from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest

from drawnfaces import MOST_IMAGES, take_census
from drawnfaces.capture import draw_capture
from drawnfaces.names import person_name
from drawnfaces.people import draw_identity

SEED, MEAN_IMAGES = 3, 3.0


def numbers(value: object) -> Iterator[float]:
    """Every number inside a nested dataclass."""
    if isinstance(value, (int, float)):
        yield float(value)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name))


def test_an_identity_has_more_than_25_parameters_that_vary() -> None:
    people = [list(numbers(dataclasses.replace(draw_identity(1, person), glasses=None))) for person in range(60)]
    varying = sum(len(set(column)) > 10 for column in zip(*people, strict=True))
    assert varying > 40


def test_people_and_photographs_depend_on_seed_person_and_number_alone() -> None:
    assert draw_identity(5, 7) == draw_identity(5, 7)
    assert draw_capture(5, 7, 2) == draw_capture(5, 7, 2)
    identities = {draw_identity(seed, person) for seed in (5, 6) for person in (7, 8)}
    captures = {draw_capture(seed, person, n) for seed in (5, 6) for person in (7, 8) for n in (1, 2)}
    assert len(identities) == 4
    assert len(captures) == 8


def test_names_are_different_for_a_hundred_thousand_people() -> None:
    names = {person_name(0, person) for person in range(100_000)}
    assert len(names) == 100_000
    assert all(re.fullmatch(r"[A-Z][a-z]+_[A-Z][a-z]+", name) for name in names)
    assert person_name(0, 1) != person_name(1, 1)


def test_the_first_people_are_the_same_whatever_their_number() -> None:
    few, many = (take_census(people, SEED, MEAN_IMAGES) for people in (40, 400))
    known = dict(zip(many.numbers.tolist(), zip(many.names, many.images.tolist(), strict=True), strict=True))
    for number, name, images in zip(few.numbers.tolist(), few.names, few.images.tolist(), strict=True):
        assert known[number] == (name, images)


@pytest.mark.parametrize("mean", [1.8, 2.3, 5.0])
def test_most_people_have_few_photographs_and_few_have_many(mean: float) -> None:
    images = take_census(2000, SEED, mean).images
    assert images.mean() == pytest.approx(mean, rel=0.02)
    assert images.min() == 1
    assert images.max() == MOST_IMAGES
    assert (images == 1).sum() > (images == 2).sum() > (images == 6).sum() > 0


def test_the_people_of_a_census_are_in_the_order_of_their_names() -> None:
    names = take_census(400, SEED, MEAN_IMAGES).names
    assert names == sorted(names)
