from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from drawnfaces import Census, take_census
from likeness.data.drawn_lists import CIRCLE, draw_lists
from likeness.data.holdout import choose_holdout, components
from likeness.data.pairs import ListedPair, read_pairs, read_people
from likeness.data.sources import SyntheticParams

PARAMS = SyntheticParams(people=400, seed=3, mean_images=3.0, train_pairs=500, test_pairs=250, fold_pairs=20)


def census_of(params: SyntheticParams) -> Census:
    return take_census(params.people, params.seed, params.mean_images)


@pytest.fixture(scope="module")
def census() -> Census:
    return census_of(PARAMS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, census: Census) -> Path:
    return written(tmp_path_factory.mktemp("lists"), census, PARAMS)


def written(folder: Path, census: Census, params: SyntheticParams) -> Path:
    for name, text in draw_lists(census, params).items():
        (folder / name).write_text(text)
    return folder


def people_of(pairs: list[ListedPair]) -> set[str]:
    return {image.person for pair in pairs for image in (pair.first, pair.second)}


def test_development_lists_are_as_long_as_asked_and_half_same_half_different(folder: Path) -> None:
    for name, count in (("pairsDevTrain.txt", 500), ("pairsDevTest.txt", 250)):
        (pairs,) = read_pairs(folder / name)
        assert [pair.same for pair in pairs] == [True] * count + [False] * count


def test_ten_folds_of_view_2(folder: Path) -> None:
    folds = read_pairs(folder / "pairs.txt")
    assert [len(fold) for fold in folds] == [40] * 10
    seen = [people_of(fold) for fold in folds]
    assert sum(len(people) for people in seen) == len(set().union(*seen))


def test_every_person_is_once_in_each_view_with_the_right_count(folder: Path, census: Census) -> None:
    expected = dict(zip(census.names, census.images.tolist(), strict=True))
    development = [read_people(folder / f"peopleDev{part}.txt")[0] for part in ("Train", "Test")]
    for groups in (development, read_people(folder / "people.txt")):
        listed = [(person.person, person.images) for group in groups for person in group]
        assert len(listed) == 400
        assert dict(listed) == expected


def test_pairs_stay_among_the_people_of_their_list(folder: Path) -> None:
    names = {}
    for part in ("Train", "Test"):
        names[part] = {person.person for person in read_people(folder / f"peopleDev{part}.txt")[0]}
        (pairs,) = read_pairs(folder / f"pairsDev{part}.txt")
        assert people_of(pairs) <= names[part]
    assert names["Train"].isdisjoint(names["Test"])


@pytest.mark.parametrize("name", ["pairsDevTrain.txt", "pairsDevTest.txt", "pairs.txt"])
def test_pairs_name_images_that_exist_and_none_comes_twice(folder: Path, census: Census, name: str) -> None:
    images = dict(zip(census.names, census.images.tolist(), strict=True))
    pairs = [pair for fold in read_pairs(folder / name) for pair in fold]
    for pair in pairs:
        assert all(1 <= image.number <= images[image.person] for image in (pair.first, pair.second))
    assert len({frozenset((pair.first, pair.second)) for pair in pairs}) == len(pairs)


def test_a_fifth_of_the_training_pairs_can_be_held_out_without_losing_one(folder: Path) -> None:
    (pairs,) = read_pairs(folder / "pairsDevTrain.txt")
    code = {name: index for index, name in enumerate(sorted(people_of(pairs)))}
    first = np.array([code[pair.first.person] for pair in pairs])
    second = np.array([code[pair.second.person] for pair in pairs])
    component = components(first, second)
    sizes = [len(set(first[component == one]) | set(second[component == one])) for one in np.unique(component)]
    assert max(sizes) <= CIRCLE
    held = choose_holdout(first, second, 0.2, np.random.default_rng(0))
    assert held[:500].sum() == held[500:].sum() == 100


def test_fewer_pairs_are_listed_where_people_are_few_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    params = dataclasses.replace(PARAMS, people=40, mean_images=1.8)
    folder = written(tmp_path, census_of(params), params)
    (pairs,) = read_pairs(folder / "pairsDevTrain.txt")
    assert 10 <= len(pairs) // 2 < 500
    assert f"pairsDevTrain.txt: {len(pairs) // 2} pairs per class instead of 500" in caplog.text


@pytest.mark.parametrize("seed", range(8))
def test_the_smallest_set_always_fills_its_lists(tmp_path: Path, seed: int) -> None:
    params = SyntheticParams(people=40, seed=seed, mean_images=1.8, train_pairs=10, test_pairs=10, fold_pairs=1)
    folder = written(tmp_path, census_of(params), params)
    assert all(len(fold) == 2 for fold in read_pairs(folder / "pairs.txt"))
    assert read_pairs(folder / "pairsDevTrain.txt")[0]
    assert read_pairs(folder / "pairsDevTest.txt")[0]
