"""Tables of what the official lists say of the face set.

Facts that span two tables (does a listed image exist, is a person on two sides) become columns here, so that
an expectation over one column can hold them and name the offending rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from likeness.data.faceset import FaceSet
from likeness.data.pairs import Folds, ListedPair, ListedPerson, read_pairs, read_people
from likeness.data.problems import NOT_ACQUIRED
from likeness.data.protocol import PAIR_LISTS, PEOPLE_LISTS
from likeness.data.sources import LISTS
from likeness.errors import PairListError
from likeness.files import file_sha256

PEOPLE_LIST_NAMES = ("peopleDevTrain.txt", "peopleDevTest.txt", PEOPLE_LISTS[2])
VIEW_1_SIDES = {
    "pairsDevTrain.txt": "train",
    "peopleDevTrain.txt": "train",
    "pairsDevTest.txt": "test",
    "peopleDevTest.txt": "test",
}
VIEW_2_LISTS = (*PAIR_LISTS[2], PEOPLE_LISTS[2])


@dataclass(frozen=True)
class Lists:
    """The lists that could be read, and what is wrong with the others.

    Attributes:
        pairs: folds of pairs by list name.
        people: folds of people by list name.
        problems: message by list name, "" for those that could be read.
    """

    pairs: Mapping[str, Folds]
    people: Mapping[str, list[list[ListedPerson]]]
    problems: Mapping[str, str]


def read_lists(paths: Mapping[str, Path]) -> Lists:
    """Reads every official list that came with the images; a malformed one is a problem, not an exception."""
    pairs, people, problems = {}, {}, {}
    for name, path in sorted(paths.items()):
        try:
            if name in PEOPLE_LIST_NAMES:
                people[name] = read_people(path)
            elif name in (*PAIR_LISTS[1], *PAIR_LISTS[2]):
                pairs[name] = read_pairs(path)
            else:
                continue
            problems[name] = ""
        except PairListError as error:
            problems[name] = str(error).replace(str(path), name)
    return Lists(pairs, people, problems)


def list_tables(faces: FaceSet) -> dict[str, pd.DataFrame]:
    """The tables by name; but for the table of the lists itself, without those that have no row."""
    lists = read_lists(faces.lists)
    pairs = pairs_table(faces, lists)
    about_lists = {
        "pairs": pairs,
        "classes": classes_table(pairs),
        "listed people": listed_people_table(faces, lists),
        "view 1": view_1_table(lists),
        "view 2": view_2_table(lists),
    }
    filled = {name: table for name, table in about_lists.items() if len(table)}
    return {"lists": lists_table(faces, lists), **filled}


def lists_table(faces: FaceSet, lists: Lists) -> pd.DataFrame:
    """list, problem ("" if none), as_published: whether the file is the one of LFW's authors."""
    digests = {name: f"sha256:{file_sha256(faces.lists[name])}" for name in lists.problems}
    return pd.DataFrame(
        [
            {"list": name, "problem": problem, "as_published": digests[name] == LISTS[name][0].digest}
            for name, problem in lists.problems.items()
        ],
        columns=["list", "problem", "as_published"],
    )


def pairs_table(faces: FaceSet, lists: Lists) -> pd.DataFrame:
    """place (file:line), fold, first, second, same, absent, broken and faceless (names of images that are not
    there, that cannot be read, or that show no face that can be compared; "" if none), repeated (whether the same
    pair came before in the list)."""
    present = faces.rows_by_name()
    usable, problems = faces.usable, faces.manifest["problem"]
    unusable = {name: str(problems[row]) for name, row in present.items() if not usable[row]}
    faceless = {name: problem for name, problem in unusable.items() if problem in NOT_ACQUIRED}
    broken = {name: problem for name, problem in unusable.items() if name not in faceless}

    def row(name: str, fold: int, pair: ListedPair) -> dict[str, object]:
        images = (pair.first, pair.second)
        return {
            "list": name,
            "place": f"{name}:{pair.place.line}",
            "fold": fold,
            "first": str(pair.first),
            "second": str(pair.second),
            "same": pair.same,
            "absent": ", ".join(str(image) for image in images if image not in present),
            "broken": ", ".join(f"{image} ({broken[image]})" for image in images if image in broken),
            "faceless": ", ".join(f"{image} ({faceless[image]})" for image in images if image in faceless),
            "key": tuple(sorted(images)),
        }

    table = pd.DataFrame(
        [
            row(name, fold, pair)
            for name, folds in lists.pairs.items()
            for fold, pairs in enumerate(folds)
            for pair in pairs
        ]
    )
    return table.assign(repeated=table.duplicated(["list", "key"])).drop(columns="key") if len(table) else table


def classes_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """list, fold, same, different, same_share: the usable pairs, whose images exist and are usable."""
    if not len(pairs):
        return pairs
    usable = pairs[(pairs[["absent", "broken", "faceless"]] == "").all(axis=1)]
    table = usable.groupby(["list", "fold"])["same"].agg(pairs="size", same="sum").reset_index()
    return table.assign(different=table["pairs"] - table["same"], same_share=table["same"] / table["pairs"])


def listed_people_table(faces: FaceSet, lists: Lists) -> pd.DataFrame:
    """place (file:line), person, listed and found: how many images the list and the face set have."""
    found = faces.manifest["person"].value_counts()
    table = pd.DataFrame(
        [
            {"place": f"{name}:{row.place.line}", "person": row.person, "listed": row.images}
            for name, folds in lists.people.items()
            for people in folds
            for row in people
        ]
    )
    return table.assign(found=table["person"].map(found).fillna(0).astype(int)) if len(table) else table


def view_1_table(lists: Lists) -> pd.DataFrame:
    """person, train, test: where each person of the lists of view 1 is named first on either side, "" if not."""
    sides: dict[str, dict[str, str]] = {"train": {}, "test": {}}
    for name, side in VIEW_1_SIDES.items():
        for person, _, place in _named(lists, name):
            sides[side].setdefault(person, place)
    people = sorted(sides["train"].keys() | sides["test"].keys())
    table = pd.DataFrame(
        [
            {"person": person, **{side: places.get(person, "") for side, places in sides.items()}}
            for person in people
        ]
    )
    return table.assign(divided=(table["train"] == "") | (table["test"] == "")) if len(table) else table


def view_2_table(lists: Lists) -> pd.DataFrame:
    """person, places, folds: in how many folds of view 2 each person is, and where first in each."""
    where: dict[str, dict[int, str]] = {}
    for name in VIEW_2_LISTS:
        for person, fold, place in _named(lists, name):
            where.setdefault(person, {}).setdefault(fold, place)
    return pd.DataFrame(
        [
            {"person": person, "places": ", ".join(where[person].values()), "folds": len(where[person])}
            for person in sorted(where)
        ]
    )


def _named(lists: Lists, name: str) -> Iterator[tuple[str, int, str]]:
    """Person, fold and file:line of every mention in a list."""
    for fold, people in enumerate(lists.people.get(name, [])):
        for row in people:
            yield row.person, fold, f"{name}:{row.place.line}"
    for fold, pairs in enumerate(lists.pairs.get(name, [])):
        for pair in pairs:
            for image in (pair.first, pair.second):
                yield image.person, fold, f"{name}:{pair.place.line}"
