"""Members of a tar (gzip, bzip2, xz or plain), read as a stream; headers are bounded before they are read."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from likeness.data.archive_members import (
    KEPT_BYTES,
    LeftAside,
    Member,
    Wanted,
    check_unchanged,
    checked_path,
    stamp_of,
)
from likeness.data.decompression import BLOCK, DECODERS, BombError, Digesting, Expander, Source
from likeness.errors import ArchiveError

MAX_HEADER = 1 << 20
"""Bytes of an extended tar header; a path takes some hundred."""
READ_AHEAD = 1 << 18


class TarReader:
    """Members of a tar, read as a stream in one pass that also takes the file's digest."""

    def __init__(self, path: Path, wanted: Wanted, kind: str) -> None:
        self.sha256: str | None = None
        self.aside: list[LeftAside] = []
        self._path = path
        self._wanted = wanted
        self._kind = kind

    def __iter__(self) -> Iterator[Member]:
        name = ""
        before = stamp_of(self._path)
        try:
            with self._path.open("rb") as stream:
                source = Digesting(stream)
                content: Source = Expander(source, self._kind) if self._kind in DECODERS else source
                for member in self._members(content):
                    name = member.path
                    yield member
                while source.read(BLOCK):
                    pass
                self.sha256 = source.digest.hexdigest()
        except BombError as error:
            raise ArchiveError(f"{self._path}: {error}, after member {name!r}: refused as a bomb") from error
        except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError) as error:
            where = f"after member {name!r}" if name else "at its beginning"
            raise ArchiveError(
                f"{self._path}: is truncated or damaged {where} ({error}); fetch the archive again"
            ) from error
        check_unchanged(self._path, before)

    def _members(self, content: Source) -> Iterator[Member]:
        buffered = io.BufferedReader(_File(content), READ_AHEAD)  # tarfile asks for a few kB at a time
        with tarfile.open(fileobj=buffered, mode="r|", tarinfo=_BoundedInfo) as tar:
            while (info := tar.next()) is not None:
                path = checked_path(self._path, info.name, info.isfile() or info.isdir(), info.issparse())
                if info.isfile() and self._wanted(path):
                    yield Member(path, _content(tar, info))
                # TarFile remembers every member: memory would grow with their number.
                tar.members.clear()  # type: ignore[attr-defined]
            _check_end(tar)


class _BoundedInfo(tarfile.TarInfo):
    """A header that is refused where it is damaged, and whose extensions are bounded before they are read.

    `TarFile` takes a damaged header for the end of the archive, and drops whatever follows.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _BoundedInfo:
        try:
            return super().fromtarfile(archive)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"a damaged header: {error}") from error

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        extended = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE)
        if self.type in (*extended, tarfile.SOLARIS_XHDTYPE) and self.size > MAX_HEADER:
            raise tarfile.ReadError(f"an extended header of {self.size} bytes; at most {MAX_HEADER} are read")
        if self.size < 0:
            raise tarfile.ReadError("a header with a negative size")
        processed: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return processed


class _File(io.RawIOBase):
    """A source as `tarfile` wants it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        part = self._source.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    """The bytes of a plain file, at most `KEPT_BYTES`; `TarFile.extractfile` takes several times as long."""
    stream: Any = tar.fileobj
    stream.seek(info.offset_data)
    wanted = min(info.size, KEPT_BYTES)
    data: bytes = stream.read(wanted)
    if len(data) < wanted:
        raise tarfile.ReadError("unexpected end of data")
    return data


def _check_end(tar: tarfile.TarFile) -> None:
    """An archive ends with two blocks of zeros, and zeros alone may follow.

    Raises:
        EOFError: it ends otherwise.
    """
    zeros = 0
    rest = tar.fileobj
    while rest is not None and (block := rest.read(BLOCK)):
        if block.strip(b"\0"):
            raise EOFError("something follows its end mark, or a header was overwritten with zeros")
        zeros += len(block)
    if zeros < tarfile.BLOCKSIZE:  # the first of the two blocks was read as a header
        raise EOFError("the end mark of the tar is missing")
