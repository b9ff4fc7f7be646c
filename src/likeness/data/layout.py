"""Whose photograph a file is, by its path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

Layout = Callable[[str], tuple[str, int] | None]
"""From a path with forward slashes to (person, number), or None for a file that is no photograph of the set."""

LFW_FILE = re.compile(r"(?:.*/)?(?P<person>[^/]+)/(?P=person)_(?P<number>\d{4,9})\.jpg")
PICTURE = re.compile(r"(?:.*/)?(?P<person>[^/.][^/]*)/[^/.][^/]*\.(?:jpe?g|png|bmp|webp|pgm)", re.IGNORECASE)


def lfw_layout(path: str) -> tuple[str, int] | None:
    """`ANY/NAME/NAME_0001.jpg`, the form of every LFW variant."""
    found = LFW_FILE.fullmatch(path)
    return (found["person"], int(found["number"])) if found else None


def folder_layout(path: str) -> tuple[str, int] | None:
    """`ANY/NAME/anything.jpg`: the person is the folder; the number, in order of paths, comes later (0)."""
    found = PICTURE.fullmatch(path)
    return (found["person"], 0) if found and not path.startswith("__MACOSX/") else None


def holds_lfw(folder: Path) -> bool:
    """Whether a folder holds people in the form of LFW right below it."""
    return any(lfw_layout(f"{path.parent.name}/{path.name}") for path in folder.glob("*/*_0001.jpg"))
