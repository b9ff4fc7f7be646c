"""What the readers of folders and archives have in common: their members, and which of them are dangerous."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from likeness.errors import ArchiveError
from likeness.images import MAX_BYTES

KEPT_BYTES = MAX_BYTES + 1
"""Of a larger file no more is read: it is no image that could be used, and a row says so."""
AsideKind = Literal["unread", "list", "photograph", "other"]
"""unread: nobody knows what it holds; list, photograph: one that is not taken; other: nothing of the set."""
Wanted = Callable[[str], bool]


class Member(NamedTuple):
    """One file: its path inside the archive or folder, with forward slashes, and its bytes."""

    path: str
    data: bytes


class LeftAside(NamedTuple):
    """Something in a source that was not taken: its path, why, and what was lost with it."""

    path: str
    reason: str
    kind: AsideKind = "other"


class Reader(Protocol):
    """Iterates over the wanted files of a source.

    Attributes:
        sha256: that of an archive, known after the last file; None for a folder.
        aside: what could not be read, known likewise.
    """

    sha256: str | None
    aside: list[LeftAside]

    def __iter__(self) -> Iterator[Member]: ...


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of modification: by which a change of an archive is noticed."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def check_unchanged(path: Path, before: tuple[int, int]) -> None:
    """Compares with the stamp from before an archive was read.

    Raises:
        ArchiveError: it was changed meanwhile.
    """
    if stamp_of(path) != before:
        raise ArchiveError(f"{path}: was changed while it was read; run again when nobody writes to it")


def checked_path(archive: Path, name: str, plain: bool, sparse: bool = False) -> str:
    """The member's path in one spelling.

    Args:
        archive: for the message.
        name: as the archive has it.
        plain: it is a file or a folder.
        sparse: it is a file with holes.

    Raises:
        ArchiveError: the member must not be read.
    """
    path = printable(name).replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    wrong = ""
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        wrong = "has an absolute path"
    elif any(part.strip() == ".." for part in parts):
        wrong = "points outside its folder"
    elif "\0" in path:
        wrong = "has a null character in its name"
    elif not plain:
        wrong = "is a link or a device"
    elif sparse:
        wrong = "is a sparse file"
    if wrong:
        raise ArchiveError(f"{archive}: member {path!r} {wrong}: the archive is refused, nothing of it is used")
    return "/".join(parts)


def printable(name: str) -> str:
    """Bytes of a file name that are no UTF-8 reach Python as surrogates, which no table can store."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
