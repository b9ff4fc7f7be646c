"""The photographs below a folder."""

from __future__ import annotations

from pathlib import Path

from likeness.data.directory_walk import READ_ALREADY, files_below
from likeness.data.layout import is_picture, is_system


def pictures_below(folder: Path) -> list[Path]:
    """The pictures below a folder, and what cannot be read there; nothing of system folders."""

    def note(path: Path, reason: str) -> None:
        if reason != READ_ALREADY and not is_system(path.relative_to(folder).as_posix()):
            unread.append(path)

    unread: list[Path] = []
    found = [path for path in files_below(folder, note) if is_picture(path.relative_to(folder).as_posix())]
    return sorted(found + unread)
