"""The embedded default: an archive of synthetic faces in the form of LFW-a, with its lists beside it."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2

from likeness.data.cores import available_cores
from likeness.data.synthetic.census import Census, SyntheticParams, take_census
from likeness.data.synthetic.lists import draw_lists
from likeness.data.synthetic.portrait import draw_photographs
from likeness.files import atomic_path, write_text
from likeness.progress import progress

__all__ = ["ARCHIVE", "SyntheticParams", "write_archive"]

ARCHIVE = "lfwa.tar.gz"
_FOLDER = "lfw2"
_CHUNK = 8  # people a task

_Task = tuple[int, list[tuple[int, int]]]
"""Seed, then person and number of photographs."""


def write_archive(params: SyntheticParams, folder: Path, workers: int | None = None) -> Path:
    """Draws a set of faces into `folder/lfwa.tar.gz` and writes the official lists beside it.

    Every photograph has its own random stream, named by (seed, person, number). So the files are the same byte
    for byte whatever the number of workers, and people keep their photographs when their number grows. (Another
    version of NumPy, OpenCV or zlib, or a processor with other vector units, may round otherwise.) Photographs
    pass through a bounded queue: memory grows by some hundred bytes a person.

    Args:
        params: how many people, and which seed.
        folder: is made if need be.
        workers: processes that draw, one a core if None; 1 draws in this process.

    Returns:
        The archive's path.

    Raises:
        OutputError: the folder cannot be written; an archive of before is intact.
    """
    census = take_census(params)
    lists = draw_lists(census, params)
    target = folder / ARCHIVE
    with atomic_path(target) as temporary:
        _write_photographs(temporary, params.seed, census, workers or available_cores())
    for name, text in lists.items():
        write_text(folder / name, text)
    return target


def _write_photographs(path: Path, seed: int, census: Census, workers: int) -> None:
    """A tar in which no time, owner or compression setting depends on the machine."""
    jpegs = progress(_draw_all(seed, census, workers), "drawing faces", int(census.images.sum()), "image")
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, images in zip(census.names, census.images, strict=True):
            for number in range(1, int(images) + 1):
                _add(archive, f"{_FOLDER}/{name}/{name}_{number:04d}.jpg", next(jpegs))


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))
    archive.getmembers().clear()  # tarfile would keep a record of every member until the end


def _draw_all(seed: int, census: Census, workers: int) -> Iterator[bytes]:
    """All photographs in the order of the census."""
    people = list(zip(census.numbers.tolist(), census.images.tolist(), strict=True))
    tasks = [(seed, people[start : start + _CHUNK]) for start in range(0, len(people), _CHUNK)]
    if workers == 1:
        for task in tasks:
            yield from draw_photographs(*task)
        return
    context = get_context("spawn")  # a fork would inherit locks of whatever threads run here
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        yield from _in_order(pool, tasks, 4 * workers)


def _in_order(pool: ProcessPoolExecutor, tasks: list[_Task], ahead: int) -> Iterator[bytes]:
    waiting: deque[Future[list[bytes]]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(draw_photographs, *task))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
