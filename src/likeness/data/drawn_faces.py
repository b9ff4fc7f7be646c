"""The embedded data set: drawn faces in the form of LFW-a, with its lists beside the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from drawnfaces import take_census, write_archive
from likeness.data.cores import available_cores
from likeness.data.drawn_lists import draw_lists
from likeness.data.sources import SyntheticParams
from likeness.files import atomic_path, write_text
from likeness.progress import progress

ARCHIVE = "lfwa.tar.gz"


def write_drawn_faces(params: SyntheticParams, folder: Path, workers: int | None = None) -> Path:
    """Draws a set of faces into `folder/lfwa.tar.gz` and writes the official lists beside it.

    Args:
        params: how many people, and which seed.
        folder: is made if need be.
        workers: processes that draw, one a core if None; 1 draws in this process.

    Returns:
        The archive's path.

    Raises:
        OutputError: the folder cannot be written; an earlier archive is intact.
    """
    census = take_census(params.people, params.seed, params.mean_images)
    lists = draw_lists(census, params)
    target = folder / ARCHIVE
    with atomic_path(target) as temporary:
        write_archive(temporary, census, params.seed, workers or available_cores(), _with_progress)
    for name, text in lists.items():
        write_text(folder / name, text)
    return target


def _with_progress(images: Iterator[bytes], total: int) -> Iterator[bytes]:
    return progress(images, "drawing faces", total, "image")
