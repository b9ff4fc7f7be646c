"""Whose photograph a file is, by its path; one rule for every reader of folders and archives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from likeness.images.formats import HEIC_SUFFIXES, INSTALL_HEIF, OTHER_SUFFIXES, SUFFIXES, is_read

Layout = Callable[[str], tuple[str, int] | None]
"""From a path with forward slashes to (person, number), or None for a file that is no photograph of the set."""

LFW_FILE = re.compile(r"(?:.*/)?(?P<person>[^/]+)/(?P=person)_(?P<number>\d{4,9})\.jpg")
SYSTEM_NAMES = frozenset(
    {"__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "recycler", "system volume information"}
    | {"lost+found", "thumbs.db", "desktop.ini", "lightroom previews.lrdata"}
)
"""Folders and files of operating systems and storage devices: thumbnails, trash. Compared in lower case."""
GROUPS = frozenset({"train", "test", "val", "valid", "validation", "training", "images", "holdout"})
"""Folders that divide a set; the people are below them."""
_DATE = re.compile(r"(19|20)\d\d([\s._-]?\d\d?){0,2}|\d\d?[\s._-]\d\d?[\s._-](19|20)\d\d")
_LIST = re.compile(r"((mis)?match)?(pairs|people)\w*\.(txt|csv)", re.IGNORECASE)
_NUMBER = re.compile(r"(\d{1,9})$")


def is_system(path: str) -> bool:
    """Whether any part of a path is hidden or a system's own: nobody's photograph, in every reader alike."""
    return any(part.startswith(".") or part.lower() in SYSTEM_NAMES for part in path.split("/"))


def is_picture(path: str) -> bool:
    """Whether a file is called a picture, of a format that is read or not, and is not the system's."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES | OTHER_SUFFIXES and not is_system(path)


def is_list(path: str) -> bool:
    """Whether a file is called as LFW's lists of pairs or people are, as text or as CSV."""
    return bool(_LIST.fullmatch(path.rpartition("/")[2])) and not is_system(path)


def why_left_aside(path: str) -> str:
    """Why a file that is no photograph of the set is not taken, for the list of what was left aside."""
    suffix = PurePosixPath(path).suffix.lower()
    if is_system(path):
        return "hidden, or in a system folder"
    if suffix in HEIC_SUFFIXES and not is_read(path):
        return f"a HEIC picture; {INSTALL_HEIF}"
    if suffix in OTHER_SUFFIXES - HEIC_SUFFIXES:
        return f"a format that is not read ({suffix[1:].upper()}); export it as JPEG or PNG"
    if is_list(path):
        return "a list that is not read; put pairs*.txt and people*.txt, as published, beside the people's folders"
    if is_read(path):
        return "a picture in no person's folder, or not named as the set's pictures are"
    return "no picture"


def lfw_layout(path: str) -> tuple[str, int] | None:
    """`ANY/NAME/NAME_0001.jpg`, the form of every LFW variant."""
    found = LFW_FILE.fullmatch(path)
    return (found["person"], int(found["number"])) if found and not is_system(path) else None


def folder_layout(path: str) -> tuple[str, int] | None:
    """A picture in a folder: (its outermost folder, 0); `people_of` settles both for a whole set."""
    parts = path.split("/")
    picture = len(parts) > 1 and is_read(path) and not is_system(path)
    return (composed(parts[0]), 0) if picture else None


def people_of(paths: Sequence[str]) -> list[tuple[str, int]]:
    """Person and number of each picture of a folder-per-person set.

    The person is the outermost folder by which pictures differ: folders around the whole set (an archive's top
    folder, a doubled one) and those that divide it (`train`, `test`) do not count, and folders below a person's
    (dates, albums) belong to the person. The number is the one at the end of the file names, where all of a
    person's files have one and no two the same; else pictures are counted in the order of their paths.

    Args:
        paths: with forward slashes, each with a folder.
    """
    inside = _without_common_folders([path.split("/") for path in paths])
    people = [
        composed(parts[1] if len(parts) > 2 and parts[0].lower() in GROUPS else parts[0]) for parts in inside
    ]
    rows: dict[str, list[int]] = {}
    for row in sorted(range(len(paths)), key=paths.__getitem__):
        rows.setdefault(people[row], []).append(row)
    numbers = {row: number for own in rows.values() for row, number in _numbered([paths[row] for row in own], own)}
    return [(person, numbers[row]) for row, person in enumerate(people)]


def composed(name: str) -> str:
    """A name in composed characters (NFC): file systems store one name in either form."""
    return unicodedata.normalize("NFC", name)


def is_date(folder: str) -> bool:
    """Whether the name of a folder is a year, a month of one or a day; another number may be a person's."""
    return bool(_DATE.fullmatch(folder))


def holds_lfw(folder: Path) -> bool:
    """Whether a folder holds people in the form of LFW right below it."""
    return any(lfw_layout(f"{path.parent.name}/{path.name}") for path in folder.glob("*/*_0001.jpg"))


def _without_common_folders(paths: list[list[str]]) -> list[list[str]]:
    """A folder around all of them is no person, unless what it holds is divided by dates."""
    while paths and len({parts[0] for parts in paths}) == 1 and all(len(parts) > 2 for parts in paths):
        if all(is_date(parts[1]) for parts in paths):
            break
        paths = [parts[1:] for parts in paths]
    return paths


def _numbered(paths: list[str], rows: list[int]) -> list[tuple[int, int]]:
    """(row, number) of one person's pictures, given in the order of their paths."""
    found = [_NUMBER.search(PurePosixPath(path).stem) for path in paths]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < len(paths) or len(set(numbers)) < len(paths) or min(numbers) < 1:
        numbers = list(range(1, len(paths) + 1))
    return list(zip(rows, numbers, strict=True))
