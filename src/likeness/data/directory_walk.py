"""The files below a folder, for every reader that takes whole folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

READ_ALREADY = "is a link to a folder that was read already"
Aside = Callable[[Path, str], None]
"""Receives the path of what cannot be read below a folder, and why."""


def files_below(top: Path, aside: Aside) -> Iterator[Path]:
    """Every regular file below `top`, folder by folder in the order of their names.

    Links to files and folders are followed; a folder that is reached a second time, as by a loop, is not read
    again. A folder that cannot be read does not stop the others.
    """
    seen = {_identity(top)}

    def note_error(error: OSError) -> None:
        aside(Path(str(error.filename)), f"cannot be read ({error.strerror})")

    for root, folders, files in os.walk(top, followlinks=True, onerror=note_error):
        folders[:] = [name for name in sorted(folders) if _is_new(Path(root, name), seen, aside)]
        for name in sorted(files):
            path = Path(root, name)
            try:
                if path.is_file():
                    yield path
                elif path.is_symlink():
                    aside(path, "is a link to nothing")
            except OSError as error:
                aside(path, f"cannot be read ({error.strerror})")


def _is_new(folder: Path, seen: set[tuple[int, int]], aside: Aside) -> bool:
    try:
        identity = _identity(folder)
    except OSError as error:
        aside(folder, f"cannot be read ({error.strerror})")
        return False
    if identity in seen:
        aside(folder, READ_ALREADY)
        return False
    seen.add(identity)
    return True


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
