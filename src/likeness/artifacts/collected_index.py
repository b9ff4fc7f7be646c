"""`data/collected.json` and the index beside the collected photographs: those that came after the data set."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.json_file import JsonFile


@dataclass(frozen=True)
class Photograph:
    """One collected photograph: whose it is, its file's digest, and its file's name in the person's folder."""

    person: str
    sha256: str
    file: str


@dataclass(frozen=True)
class CollectedIndex:
    """The photographs that count, in the order of their arrival."""

    photographs: tuple[Photograph, ...]


@dataclass(frozen=True)
class CollectedNote:
    """What git and DVC know of the collection.

    Attributes:
        photographs: how many count.
        people: of how many people.
        index_sha256: digest of the index; None where nothing was collected.
    """

    photographs: int
    people: int
    index_sha256: str | None


COLLECTED_INDEX = JsonFile("index.json", CollectedIndex)
COLLECTED_NOTE = JsonFile("collected.json", CollectedNote)
