"""The official pair and people lists, read into rows that remember their line.

Formats, fields separated by tabs:
    pairsDevTrain.txt, pairsDevTest.txt: a line `N`, then N pairs of one person (`name n1 n2`), then N of two
    people (`name1 n1 name2 n2`). pairs.txt: a line `F N`, then that for each of F folds.
    peopleDevTrain.txt, peopleDevTest.txt: a line `N`, then N people (`name images`). people.txt: a line `F`,
    then that for each of F folds.
Source: http://vis-www.cs.umass.edu/lfw/README.txt (Huang et al. 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from likeness.data.layout import composed
from likeness.data.splits import Pairs
from likeness.errors import PairListError

_MOST_DIGITS = 9
SHOWN = 10  # faults that a message spells out before it only counts


class Place(NamedTuple):
    """A line of a list; lines count from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class ImageName(NamedTuple):
    """How a list names an image; equal to the keys of `FaceSet.rows_by_name`."""

    person: str
    number: int

    def __str__(self) -> str:
        return f"{self.person}_{self.number:04d}"


@dataclass(frozen=True, slots=True)
class ListedPair:
    """One row of a pair list."""

    first: ImageName
    second: ImageName
    place: Place

    @property
    def same(self) -> bool:
        """Whether both images show one person."""
        return self.first.person == self.second.person


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One row of a people list."""

    person: str
    images: int
    place: Place


Folds = list[list[ListedPair]]


def read_pairs(path: Path) -> Folds:
    """The pairs of a list, fold by fold; a list without folds is one fold.

    Raises:
        PairListError: the file cannot be read, or any line is not what its place in the format asks for; the
            message names all such lines.
    """
    reader = _Reader(path)
    header = reader.header({1: "the number of pairs per class", 2: "the numbers of folds and of pairs per class"})
    folds, per_class = header if len(header) == 2 else (1, header[0])
    rows = reader.rows(1, folds * 2 * per_class)
    pairs = [
        _pair(fields, (row % (2 * per_class)) < per_class, reader.place(1 + row), reader.fault)
        for row, fields in enumerate(rows)
    ]
    reader.raise_if_faulty()
    whole = [pair for pair in pairs if pair is not None]
    return [whole[2 * per_class * fold :][: 2 * per_class] for fold in range(folds)]


def read_people(path: Path) -> list[list[ListedPerson]]:
    """The people of a list, fold by fold; a list without folds is one fold.

    Raises:
        PairListError: as for `read_pairs`.
    """
    reader = _Reader(path)
    (announced,) = reader.header({1: "the number of people, or of folds"})
    at = 0
    folds: list[list[ListedPerson]] = []
    folded = len(reader.fields(1)) == 1
    for _ in range(announced if folded else 1):
        if folded:
            at += 1
            (count,) = reader.header({1: "the number of people of the fold"}, at)
        else:
            count = announced
        rows = reader.rows(at + 1, count, last=not folded or len(folds) + 1 == announced)
        people = (_person(fields, reader.place(at + 1 + i), reader.fault) for i, fields in enumerate(rows))
        folds.append([person for person in people if person is not None])
        at += count
    reader.raise_if_faulty()
    return folds


def locate(pairs: Sequence[ListedPair], rows: Mapping[tuple[str, int], int]) -> Pairs:
    """Turns listed pairs into manifest rows, in the order of the list.

    Args:
        pairs: P pairs.
        rows: manifest row by (person, number), see `FaceSet.rows_by_name`.

    Raises:
        PairListError: an image is absent; the message names every such line.
    """
    absent = [
        f"{pair.place}: names {image}, which is not among the {len(rows)} images"
        for pair in pairs
        for image in dict.fromkeys((pair.first, pair.second))
        if image not in rows
    ]
    if absent:
        raise PairListError(
            listing("the pair list names absent images", absent)
            + "\nUse the lists that belong to these images, or ingest the complete set"
        )
    a = np.array([rows[pair.first] for pair in pairs], dtype=np.int64)
    b = np.array([rows[pair.second] for pair in pairs], dtype=np.int64)
    return Pairs(a, b, np.array([pair.same for pair in pairs], dtype=bool))


def listing(head: str, lines: Sequence[str]) -> str:
    """A message of one headline with the count, and the first lines under it."""
    rest = [f"… and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n  ".join([f"{head} ({len(lines)}):", *lines[:SHOWN], *rest])


class _Reader:
    """The lines of a list, and the faults found in them so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        try:
            self.lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
        except OSError as error:
            raise PairListError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise PairListError(f"{path}: is no UTF-8 text (byte {error.start}), so it is no list") from error

    def place(self, index: int) -> Place:
        return Place(self.path, index + 1)

    def fields(self, index: int) -> list[str]:
        return [composed(field.strip()) for field in self._line(index).strip().split("\t")]

    def _line(self, index: int) -> str:
        return self.lines[index] if index < len(self.lines) else ""

    def fault(self, place: Place, text: str) -> None:
        self.faults.append(f"{place}: {text}")

    def header(self, meanings: Mapping[int, str], index: int = 0) -> list[int]:
        """The positive whole numbers of a header line; nothing after a broken one could be understood."""
        fields = self.fields(index)
        numbers = [_whole(field) for field in fields]
        if len(fields) not in meanings or None in numbers:
            found = repr(self.lines[index][:60]) if index < len(self.lines) else "the end of the file"
            self.fault(self.place(index), f"expected {' or '.join(meanings.values())}, found {found}")
            self.raise_if_faulty()
        return [number for number in numbers if number is not None]

    def rows(self, start: int, count: int, last: bool = True) -> Iterable[list[str]]:
        """The fields of `count` rows; fewer, or more before the file's end, is a fault."""
        found = len(self.lines) - start
        if found < count or (last and found > count):
            text = f"announces {count} rows, found {max(found, 0)}; is the file complete?"
            self.fault(self.place(start - 1), text)
            self.raise_if_faulty()
        return (self.fields(start + i) for i in range(count))

    def raise_if_faulty(self) -> None:
        if self.faults:
            raise PairListError(listing("malformed list", self.faults) + "\nFetch the list again from its source")


def _pair(fields: list[str], same: bool, place: Place, fault: Callable[[Place, str], None]) -> ListedPair | None:
    numbers = [_whole(field) for field in (fields[1:3] if same else fields[1::2])]
    if len(fields) != (3 if same else 4) or not all(fields) or None in numbers:
        form = "name, number, number" if same else "name, number, name, number"
        fault(place, f"expected {form} between tabs, found {chr(9).join(fields)[:80]!r}")
        return None
    names = (fields[0], fields[0] if same else fields[2])
    first, second = (ImageName(name, number or 0) for name, number in zip(names, numbers, strict=True))
    if first == second:
        fault(place, f"pairs {first} with itself")
    elif not same and names[0] == names[1]:
        fault(place, f"is among pairs of two people but names {names[0]} twice")
    return ListedPair(first, second, place)


def _person(fields: list[str], place: Place, fault: Callable[[Place, str], None]) -> ListedPerson | None:
    images = _whole(fields[1]) if len(fields) == 2 else None
    if images is None or not fields[0]:
        fault(place, f"expected name, number of images between a tab, found {chr(9).join(fields)[:80]!r}")
        return None
    return ListedPerson(fields[0], images, place)


def _whole(text: str) -> int | None:
    """A positive whole number of at most nine digits, or None."""
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain and int(text) > 0 else None
