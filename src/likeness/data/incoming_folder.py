"""The files of the incoming folder: which there are, which are left aside and why, and whether one was changed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from likeness.data.layout import GROUPS, folder_layout, is_date, is_system, why_left_aside
from likeness.data.names import printable, spelled


class Stamp(NamedTuple):
    """What changes when somebody writes to a file: size, times in ns, number of the file on its disk."""

    size: int
    modified: int
    changed: int
    inode: int


@dataclass(frozen=True)
class Left:
    """A file that stays in the incoming folder, or was no photograph in an archive.

    Attributes:
        name: its path below the incoming folder.
        reason: a sentence.
        until: seconds since 1970 when it will have settled; None where it does not wait for that.
        waits: whether it is looked at again the next time.
    """

    name: str
    reason: str
    until: float | None = None
    waits: bool = False


def stamp_of(path: Path) -> Stamp | None:
    """None where the file is gone."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def remove_old_empty_folders(incoming: Path, before: float) -> None:
    """Those that have been empty for a while: a fresh one is about to be filled."""
    for root, _, _ in os.walk(incoming, topdown=False):
        folder = Path(root)
        with contextlib.suppress(OSError):  # it is in use, or not ours
            if folder != incoming and folder.stat().st_mtime < before:
                folder.rmdir()


def files_in(incoming: Path, left: list[Left]) -> Iterator[Path]:
    """Every regular file, by folder and name; what else there is goes to `left`."""

    def unreadable(error: OSError) -> None:
        name = Path(error.filename or incoming).relative_to(incoming).as_posix()
        left.append(Left(printable(name), f"The folder cannot be read ({error.strerror}).", waits=True))

    for root, folders, files in os.walk(incoming, onerror=unreadable) if incoming.exists() else ():
        folders.sort()
        for name in sorted([*files, *(one for one in folders if Path(root, one).is_symlink())]):
            path = Path(root, name)
            reason = _why_aside(path, incoming)
            if reason:
                left.append(Left(printable(path.relative_to(incoming).as_posix()), reason))
            else:
                yield path


def _why_aside(path: Path, incoming: Path) -> str:
    name = path.relative_to(incoming).as_posix()
    if is_system(name):
        return f"It is {why_left_aside(name)}."
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"It cannot be looked at ({error.strerror})."
    return "" if stat.S_ISREG(mode) else "It is a link, a pipe or a device, and no file."


def unclear_folders(paths: Iterable[str], known: Container[str]) -> frozenset[str]:
    """Folders right below the incoming one that may be a person, or hold the folders of several.

    A folder is a person where it is known as one, or holds a picture itself, or folders by date alone.

    Args:
        paths: of files, below the incoming folder.
        known: people's names, as `folded` gives them.
    """
    inside: dict[str, set[str]] = {}
    for path in filter(folder_layout, paths):
        top, *rest = path.split("/")
        inside.setdefault(top, set()).add(rest[0] if len(rest) > 1 else "")
    return frozenset(
        top
        for top, below in inside.items()
        if folded(top) not in known and "" not in below and not all(map(is_date, below))
    )


def person_folder(path: str, unclear: Container[str], known: Container[str]) -> str | None:
    """The folder on the path of a picture that is its person; None where that cannot be decided.

    Args:
        path: below the incoming folder.
        unclear: see `unclear_folders`.
        known: people's names, as `folded` gives them.
    """
    top, *rest = path.split("/")
    if top not in unclear:
        return top
    return rest[0] if top.lower() in GROUPS or folded(rest[0]) in known else None


def folded(name: str) -> str:
    """A person's name as it is compared: "ann lee" is Ann_Lee."""
    return spelled(name).casefold()
