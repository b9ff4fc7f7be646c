"""Image files become rows of the pixel store, a batch after the other, on every core."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import LifoQueue
from types import TracebackType
from typing import TypeAlias

import numpy as np
import pandas as pd

from likeness.artifacts.manifest import MANIFEST
from likeness.data.archive_members import Member
from likeness.data.images import ImageRecord, read_batch
from likeness.data.pixel_writer import PixelWriter
from likeness.data.problems import UNDECODABLE
from likeness.data.sources import DataParams
from likeness.errors import WorkerError
from likeness.images import Pixels
from likeness.isolation import Limits, Worker
from likeness.progress import progress

BATCH_FILES = 64
BATCH_BYTES = 8 << 20
TABLE_ROWS = 8192
"""Facts are folded into a table after so many: tuples of Python objects take several times the room."""
LIMITS = Limits(seconds=300.0)
"""Of the work on one batch, or on one file of a batch that failed; generous, because machines are busy."""

Read: TypeAlias = tuple[Pixels, list[ImageRecord]]


def pack(files: Iterable[Member], path: Path, params: DataParams, workers: int, total: int | None) -> pd.DataFrame:
    """Writes the pixels of all images to a store, in the order in which they come.

    Each worker is a process: the decoder of JPEG keeps the interpreter's lock, so that threads would take turns,
    and a file that brings a decoder down costs no more than its own row.

    Args:
        files: the images; at most a few batches of them are in memory.
        path: of the store.
        params: how they are cut.
        workers: how many processes decode.
        total: how many images to expect, for the progress bar.

    Returns:
        The facts of each image, in the same order.

    Raises:
        OSError: the store cannot be written.
    """
    tables: list[pd.DataFrame] = []
    facts: list[ImageRecord] = []
    with PixelWriter(path, params.cut.shape) as writer, _Workers(workers, params) as pool:

        def work(start: int, batch: list[Member]) -> list[ImageRecord]:
            pixels, found = pool.read(batch)
            writer.write(start, pixels)
            return found

        done = _run(pool.threads, work, _batches(files), 2 * workers)
        for fact in progress(done, "reading images", total, "image"):
            facts.append(fact)
            if len(facts) == TABLE_ROWS:
                tables.append(_table(facts))
                facts = []
        table = pd.concat([*tables, _table(facts)], ignore_index=True)
        writer.finish(len(table))
    return table


class _Workers:
    """Worker processes, each driven by a thread; they start when they are needed, and end with the block.

    Args:
        count: of processes.
        params: how images are cut.
    """

    def __init__(self, count: int, params: DataParams) -> None:
        self.threads = ThreadPoolExecutor(count)
        self._params = params
        self._stack = ExitStack()
        self._idle: LifoQueue[Worker] = LifoQueue()  # the last one used is used again, so that few may suffice
        for _ in range(count):
            self._idle.put(self._stack.enter_context(Worker(LIMITS)))

    def __enter__(self) -> _Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.threads.shutdown(cancel_futures=True)
        self._stack.close()

    def read(self, batch: list[Member]) -> Read:
        """Pixels and facts of a batch; where it fails as a whole, of each file alone."""
        worker = self._idle.get()
        try:
            return self._read(worker, batch)
        except WorkerError:
            parts = [self._read_alone(worker, file) for file in batch]
            return np.concatenate([pixels for pixels, _ in parts]), [fact for _, facts in parts for fact in facts]
        finally:
            self._idle.put(worker)

    def _read(self, worker: Worker, batch: list[Member]) -> Read:
        return worker.call(read_batch, batch, self._params.cut)

    def _read_alone(self, worker: Worker, file: Member) -> Read:
        try:
            return self._read(worker, [file])
        except WorkerError as error:
            digest = hashlib.sha256(file.data).hexdigest()
            reason = f"the file {error}"
            fact = ImageRecord(file.path, len(file.data), digest, problem=UNDECODABLE, error=reason)
            return np.zeros((1, *self._params.cut.shape), np.uint8), [fact]


def _run(
    pool: ThreadPoolExecutor,
    work: Callable[[int, list[Member]], list[ImageRecord]],
    batches: Iterable[list[Member]],
    ahead: int,
) -> Iterator[ImageRecord]:
    """Runs batches at once, at most `ahead` waiting, and yields their facts in the order of the batches."""
    waiting: deque[Future[list[ImageRecord]]] = deque()
    start = 0
    for batch in batches:
        waiting.append(pool.submit(work, start, batch))
        start += len(batch)
        if len(waiting) > ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


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


def _table(facts: list[ImageRecord]) -> pd.DataFrame:
    kinds = {name: kind for name, kind in MANIFEST.columns.items() if name in ImageRecord._fields}
    return pd.DataFrame(facts, columns=list(ImageRecord._fields)).astype(kinds)
