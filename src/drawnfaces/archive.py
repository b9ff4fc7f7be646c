"""An archive of drawn faces in the form of LFW-a."""

from __future__ import annotations

import gzip
import io
import os
import signal
import tarfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2

from drawnfaces.census import Census
from drawnfaces.portrait import draw_photographs

FOLDER = "lfw2"
"""Top folder of the archive, as in LFW-a."""
_CHUNK = 8  # people a task

_Task = tuple[int, list[tuple[int, int]]]
"""Seed, then person and number of photographs."""


def write_archive(
    path: Path,
    census: Census,
    seed: int,
    workers: int,
    track: Callable[[Iterator[bytes], int], Iterable[bytes]] = lambda images, total: images,
) -> None:
    """Draws the photographs of all people into a tar.gz in LFW-a's form.

    Every photograph has its own random stream, named by (seed, person, number). So the files are the same byte
    for byte whatever the number of workers, and people keep their photographs when their number grows. No time,
    owner or compression setting depends on the machine. Photographs pass through a bounded queue: memory grows
    by some hundred bytes a person.

    Args:
        path: of the archive.
        census: the people.
        seed: as that of the census.
        workers: processes that draw; 1 draws in this process.
        track: passes the JPEG files on, whose number it is given, and may show progress.

    Raises:
        OSError: the file cannot be written.
    """
    jpegs = iter(track(_draw_all(seed, census, workers), int(census.images.sum())))
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, images in zip(census.names, census.images, strict=True):
            for number in range(1, int(images) + 1):
                _add(archive, f"{FOLDER}/{name}/{name}_{number:04d}.jpg", next(jpegs))


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
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        yield from _in_order(pool, tasks, 4 * workers)


def _start_worker() -> None:
    """Ends with the process that started it, however that ends, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
