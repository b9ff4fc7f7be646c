"""Image files become rows of the pixel store, a batch after the other, on every core."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import pandas as pd

from likeness.data.archive import Member
from likeness.data.faceset import MANIFEST_COLUMNS
from likeness.data.images import Facts, read_images
from likeness.data.sources import DataParams
from likeness.data.store import PixelWriter, write_rows
from likeness.errors import DataError
from likeness.progress import progress

BATCH_FILES = 64
BATCH_BYTES = 8 << 20
TABLE_ROWS = 8192
"""Facts are folded into a table after so many: tuples of Python objects take several times the room."""
_PR_SET_PDEATHSIG = 1  # prctl(2)


def pack(files: Iterable[Member], path: Path, params: DataParams, workers: int, total: int | None) -> pd.DataFrame:
    """Writes the pixels of all images to a store, in the order in which they come.

    The decoder of JPEG keeps the interpreter's lock, so that threads would take turns: each worker is a process.

    Args:
        files: the images; at most a few batches of them are in memory.
        path: of the store.
        params: how they are cut.
        workers: how many processes decode.
        total: how many images to expect, for the progress bar.

    Returns:
        The facts of each image, in the same order.

    Raises:
        DataError: a worker was killed.
        OSError: the store cannot be written.
    """
    tables: list[pd.DataFrame] = []
    facts: list[Facts] = []
    work = partial(_read_and_write, path, params.crop, params.size)
    with _single_threaded(), PixelWriter(path, params.size) as writer, _pool(workers) as pool:
        done = _run(pool, work, _batches(files), 2 * workers)
        for fact in progress(done, "reading images", total, "image"):
            facts.append(fact)
            if len(facts) == TABLE_ROWS:
                tables.append(_table(facts))
                facts = []
        table = pd.concat([*tables, _table(facts)], ignore_index=True)
        writer.finish(len(table))
    return table


def _read_and_write(
    path: Path, crop: tuple[int, int] | None, size: tuple[int, int], start: int, files: list[Member]
) -> list[Facts]:
    """One batch, in a worker: its pixels are written from row `start` on."""
    pixels, facts = read_images(files, crop, size)
    write_rows(path, start, pixels)
    return facts


def _pool(workers: int) -> Executor:
    """Forked processes, which start at once and share what is imported; threads where a fork is not safe."""
    if sys.platform != "linux":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, get_context("fork"), initializer=_start_worker, initargs=(os.getpid(),))


def _start_worker(parent: int) -> None:
    """Ends with the process that started it, and leaves Ctrl-C to that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this was asked for
        os._exit(1)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Ends OpenCV's threads, which a forked process would wait for in vain."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _run(
    pool: Executor,
    work: Callable[[int, list[Member]], list[Facts]],
    batches: Iterable[list[Member]],
    ahead: int,
) -> Iterator[Facts]:
    """Runs batches at once, at most `ahead` waiting, and yields their facts in the order of the batches."""
    waiting: deque[Future[list[Facts]]] = deque()
    start = 0
    try:
        for batch in batches:
            waiting.append(pool.submit(work, start, batch))
            start += len(batch)
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            "a process that decodes images was ended from outside, perhaps for lack of memory; "
            "free some memory, then run again"
        ) from error


def _batches(files: Iterable[Member]) -> Iterator[list[Member]]:
    batch: list[Member] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file.data)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _table(facts: list[Facts]) -> pd.DataFrame:
    kinds = {name: kind for name, kind in MANIFEST_COLUMNS.items() if name in Facts._fields}
    return pd.DataFrame(facts, columns=list(Facts._fields)).astype(kinds)
