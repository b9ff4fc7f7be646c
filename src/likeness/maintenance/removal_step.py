"""One thing that can be removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One thing that can be removed.

    Attributes:
        what: in words.
        bytes: that it takes; None where that is known only afterwards.
        remove: removes it. Raises a LikenessError where it cannot.
    """

    what: str
    bytes: int | None
    remove: Callable[[], None]


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is nothing."""
    if path.is_file():
        return path.stat().st_size
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(path) for name in names)
