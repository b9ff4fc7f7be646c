"""Compressed streams, expanded block by block and never beyond proportion."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

FREE_EXPANSION = 64 << 20
MAX_EXPANSION = 30
"""Data may expand to so many times their size, but for the first `FREE_EXPANSION` bytes."""
BLOCK = 1 << 16
_LZMA_MEMORY = 128 << 20


class BombError(Exception):
    """Compressed data expand beyond proportion."""


class Source(Protocol):
    """Anything to read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


class Budget:
    """Counts what comes in and what it expands to.

    Raises:
        BombError: from `expanded`, where that is out of proportion.
    """

    def __init__(self, packed: int = 0) -> None:
        self.packed = packed
        self.total = 0

    def expanded(self, count: int) -> None:
        """Counts `count` bytes that came out."""
        self.total += count
        if self.total > FREE_EXPANSION and self.total > MAX_EXPANSION * self.packed:
            raise BombError(f"{self.packed} bytes expand to more than {self.total}")


class Digesting:
    """Passes a stream on and takes its sha256."""

    def __init__(self, stream: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        block = self._stream.read(size)
        self.digest.update(block)
        self.count += len(block)
        return block


class _Decoder(Protocol):
    """What the decompressors of bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Zlib:
    """zlib's decompressor with that interface."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        part = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self.needs_input = not self._decoder.unconsumed_tail
        return part


DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": _Zlib,
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY),
}
"""By the name of the compression."""


class Expander:
    """Expands a stream; several compressed files one after another are one stream, and zeros pad a tape.

    Args:
        source: of the compressed bytes.
        kind: a key of `DECODERS`.

    Raises:
        EOFError: from `read`, where the data break off.
        BombError: likewise, where they expand beyond proportion.
    """

    def __init__(self, source: Digesting, kind: str) -> None:
        self._source, self._make = source, DECODERS[kind]
        self._decoder = self._make()
        self._input = b""
        self._budget = Budget()

    def read(self, size: int, /) -> bytes:
        """At most `size` expanded bytes; fewer at the end alone."""
        parts: list[bytes] = []
        missing = size
        while missing and self._refill():
            part = self._decoder.decompress(self._input, missing)
            self._input = b""
            parts.append(part)
            missing -= len(part)
        self._budget.packed = self._source.count
        self._budget.expanded(size - missing)
        return b"".join(parts)

    def _refill(self) -> bool:
        """Sees to it that there is something to expand; False at the end of the stream."""
        if self._decoder.eof:
            self._input = (self._decoder.unused_data or self._source.read(BLOCK)).lstrip(b"\0")
            if not self._input:
                return False
            self._decoder = self._make()
            return True
        if self._decoder.needs_input:
            self._input = self._source.read(BLOCK)
            if not self._input:
                raise EOFError("the compressed data break off")
        return True
