"""Unpacks an untrusted archive into numbered files; meant for a worker process with limits of its own."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from likeness.data.archive import open_reader
from likeness.data.layout import is_system
from likeness.errors import ArchiveError, OutputError

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
FREE_BYTES = 64 << 20
MAX_RATIO = 20
"""An archive of photographs may hold so many times its size: they are compressed already."""
SLOWEST = 5e6
"""Bytes a second that any disk reads and writes; gives the time limit of a large archive."""


@dataclass(frozen=True)
class Extracted:
    """One file of an archive: its path there, the name of its copy, and the digest of its content."""

    member: str
    copy: str
    sha256: str


def unpack(archive: Path, target: Path, room: int) -> tuple[list[Extracted], list[str]]:
    """Writes the files of an archive into a folder, under numbers.

    Args:
        archive: a zip or tar.
        target: a new folder.
        room: bytes that the copies may take.

    Returns:
        The files, and the names of those that were left aside because they are hidden or the system's.

    Raises:
        ArchiveError: it is damaged, dangerous, out of proportion, too large, or holds no file.
    """
    aside: list[str] = []

    def wanted(path: str) -> bool:
        if is_system(path):
            aside.append(path)
        return not is_system(path)

    shutil.rmtree(target, ignore_errors=True)  # of a try that its limits ended
    target.mkdir(parents=True)
    limit = min(FREE_BYTES + MAX_RATIO * archive.stat().st_size, room)
    found: list[Extracted] = []
    for path, content in open_reader(archive, wanted):
        limit -= len(content)
        if limit < 0:
            raise ArchiveError(
                f"{archive.name}: its files take more room than is free, or more than {MAX_RATIO} times its size: "
                "not unpacked"
            )
        copy = f"{len(found):06d}"
        _write(target / copy, content)
        found.append(Extracted(path, copy, hashlib.sha256(content).hexdigest()))
    if not found:
        raise ArchiveError(f"{archive.name}: holds no file that could be a photograph")
    return found, aside


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); free some space") from error
