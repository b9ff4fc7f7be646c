"""The packed pixel store while it is being written: one plain .npy file, never more than a batch in memory."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt


class PixelWriter:
    """Writes rows uint8 [*size] by number, from several threads and in any order, into a .npy of unknown length.

    Every write is a system call rather than a store into a memory map: on a full disk it raises an OSError,
    where a memory map would kill the process.
    """

    def __init__(self, path: Path, size: tuple[int, ...]) -> None:
        self._size = size
        self._length = math.prod(size)
        self._offset = len(_header(0, size))
        self._file = path.open("wb")

    def __enter__(self) -> PixelWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, row: int, pixels: npt.NDArray[np.uint8]) -> None:
        """Writes rows uint8 [n, *size] from number `row` on."""
        _write_at(self._file.fileno(), pixels.tobytes(), self._offset + row * self._length)

    def finish(self, count: int) -> None:
        """Writes the header, now that the number of rows is known."""
        _write_at(self._file.fileno(), _header(count, self._size), 0)


def sort_rows(path: Path, order: npt.NDArray[np.int64]) -> None:
    """Puts the rows of a store into `order`, int64 [N]: row i becomes what row order[i] was.

    Row by row through plain reads: a memory map would count the whole store as memory of this process.
    """
    if np.array_equal(order, np.arange(len(order))):
        return
    size = np.load(path, mmap_mode="r").shape[1:]
    header, length = _header(len(order), size), math.prod(size)
    fresh = path.with_suffix(".sorted")
    with path.open("rb") as source, fresh.open("wb", buffering=1 << 20) as target:
        target.write(header)
        for row in order.tolist():
            target.write(os.pread(source.fileno(), length, len(header) + row * length))
    fresh.replace(path)


def _header(count: int, size: tuple[int, ...]) -> bytes:
    """NumPy leaves room in it for any number of rows, so its length does not depend on `count`."""
    stream = io.BytesIO()
    shape = {"descr": "|u1", "fortran_order": False, "shape": (count, *size)}
    np.lib.format.write_array_header_1_0(stream, shape)
    return stream.getvalue()


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written
