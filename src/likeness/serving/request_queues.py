"""Where requests wait and are answered: small photographs never behind large ones, each in bounded time.

Photographs are decoded and searched for faces in worker processes, which are ended when they take too long. A
request with a photograph of much work waits in a queue of its own, so that files that are made to be slow hold up
no others. Each queue takes so many at once, lets so many wait, and turns away the rest.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from typing import TypeVar

import anyio
import anyio.to_thread

from likeness.errors import BusyError, ImageError, WorkerError
from likeness.faces import Face
from likeness.images import work
from likeness.isolation import Limits, Worker
from likeness.serving.face_reading import Reading, read_faces

T = TypeVar("T")
ReadFaces = Callable[[bytes, Reading, str], list[Face]]

LIGHT_WORK = 5_000_000
"""Pixels, counted once a scan, up to which a photograph is light."""
MAX_HELD = 512 << 20
"""Bytes of all forms that are read or answered at the moment."""

_SECONDS = 10.0  # for the reading of one photograph
_MEMORY = 1 << 30
_WAITING = 64
_WAITING_HEAVY = 16


class RequestQueue:
    """Answers so many questions at once, in threads, and lets so many wait.

    Args:
        places: questions that are answered at once, each with a worker process.
        waiting: questions that may wait.
    """

    def __init__(self, places: int, waiting: int) -> None:
        self._limiter = anyio.CapacityLimiter(places)
        self._most = places + waiting
        self._inside = 0
        self._closed = False
        self._workers: LifoQueue[Worker] = LifoQueue()
        for _ in range(places):
            self._workers.put(Worker(Limits(_SECONDS, _MEMORY)))

    async def run(self, answer: Callable[[ReadFaces], T]) -> T:
        """Answers a question, with a function that reads its photographs.

        Raises:
            BusyError: too many wait already.
        """
        if self._inside >= self._most:
            raise BusyError("too many requests wait already; try again in a few seconds")
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(self._answer, answer, limiter=self._limiter)
        finally:
            self._inside -= 1

    def _answer(self, answer: Callable[[ReadFaces], T]) -> T:
        with self._worker() as worker:

            def read(content: bytes, reading: Reading, name: str) -> list[Face]:
                try:
                    return worker.call(read_faces, content, reading, name)
                except WorkerError as error:
                    raise ImageError(f"{name} {error}: not used; save it smaller, as JPEG or PNG") from error

            return answer(read)

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        worker = self._workers.get()
        try:
            yield worker
        finally:
            self._workers.put(worker)
            if self._closed:
                self.close()

    def start(self) -> None:
        """Starts the worker processes, which otherwise the first question does."""
        for _ in range(self._workers.qsize()):
            threading.Thread(target=self._start_one, daemon=True).start()

    def _start_one(self) -> None:
        with self._worker() as worker:
            worker.call(os.getpid)

    def close(self) -> None:
        """Ends the worker processes; one that is in use ends after its question."""
        self._closed = True
        with suppress(Empty):
            while True:
                self._workers.get_nowait().__exit__(None, None, None)


class RequestQueues:
    """The two queues, and the memory of what they hold.

    Args:
        places: light questions that are answered at once.
    """

    def __init__(self, places: int) -> None:
        self._light = RequestQueue(places, _WAITING)
        self._heavy = RequestQueue(1, _WAITING_HEAVY)
        self._held = 0

    async def run(self, photographs: Iterable[bytes], answer: Callable[[ReadFaces], T]) -> T:
        """Answers a question about photographs in the queue that is for them.

        Raises:
            BusyError: too many wait there already.
        """
        heaviest = await anyio.to_thread.run_sync(lambda: max(map(work, photographs), default=0))
        return await (self._light if heaviest <= LIGHT_WORK else self._heavy).run(answer)

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Inside the block bytes may be held; the function that it yields receives how many more.

        Raises:
            BusyError: by that function, where all requests together would hold more than `MAX_HELD`.
        """
        own = 0

        def hold(count: int) -> None:
            nonlocal own
            if self._held + count > MAX_HELD:
                raise BusyError("too many uploads at once; try again in a few seconds")
            own += count
            self._held += count

        try:
            yield hold
        finally:
            self._held -= own

    def start(self) -> None:
        """Starts the worker processes of both queues."""
        self._light.start()
        self._heavy.start()

    def close(self) -> None:
        """Ends them."""
        self._light.close()
        self._heavy.close()
