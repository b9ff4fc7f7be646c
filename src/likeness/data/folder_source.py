"""Files below a folder, one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from likeness.data.archive_members import KEPT_BYTES, LeftAside, Member, Wanted, printable
from likeness.data.directory_walk import READ_ALREADY, files_below
from likeness.data.layout import is_system


class FolderReader:
    """Files below a folder, in the order of their paths; links to folders are followed, loops are not."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self.aside: list[LeftAside] = []
        self._folder = folder
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        for path in files_below(self._folder, self._note):
            name = printable(path.relative_to(self._folder).as_posix())
            if not self._wanted(name):
                continue
            try:
                data = _read_unchanged(path)
            except OSError as error:
                self._note(path, f"cannot be read ({error.strerror or error})")
                continue
            yield Member(name, data)

    def _note(self, path: Path, reason: str) -> None:
        name = printable(path.relative_to(self._folder).as_posix())
        known = reason == READ_ALREADY or is_system(name)
        self.aside.append(LeftAside(name, reason, "other" if known else "unread"))


def _read_unchanged(path: Path) -> bytes:
    """The file's bytes, at most `KEPT_BYTES`.

    Raises:
        OSError: it cannot be read, or somebody writes to it.
    """
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        data = stream.read(KEPT_BYTES)
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError("it was changed while it was read")
    return data
