"""Where the official pair and people lists of a set are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from likeness.data.layout import is_system
from likeness.data.sources import VARIANTS


def find_list(images: Path, name: str) -> Path | None:
    """The path of the list of a name; None where there is none.

    Args:
        images: a folder or an archive.
        name: of the file.
    """
    return next((place / name for place in _list_folders(images) if (place / name).is_file()), None)


def _list_folders(top: Path) -> Iterator[Path]:
    """Where lists may be: beside an archive; in a folder, and in those around its images."""
    if not top.is_dir():
        yield top.parent
        return
    yield from _around(top)
    for variant in VARIANTS.values():
        if (top / variant.folder).is_dir():
            yield from _around(top / variant.folder)


def _around(folder: Path) -> Iterator[Path]:
    """A folder, and as long as there is but one folder in it, that."""
    for _ in range(4):
        yield folder
        try:
            inner = (path for path in folder.iterdir() if path.is_dir() and not is_system(path.name))
            only = list(islice(inner, 2))
        except OSError:
            return
        if len(only) != 1:
            return
        folder = only[0]


def csv_hint(images: Path) -> str:
    """Says in brackets that there are CSV files where lists may be; "" where there are none."""
    names = sorted({path.name for place in _list_folders(images) for path in place.glob("*.csv")})
    if not names:
        return ""
    return f" (CSV files such as {names[0]} are not read: put the lists as published, *.txt, beside them)"
