"""Image files out of a folder, a tar, a tar.gz or a zip, one after the other, nothing ever unpacked to disk.

An archive is a stranger's: a member that would reach outside its folder, that is a link or a device, or that
is out of proportion is refused by name, and with it the archive.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Protocol

from likeness.errors import ArchiveError, SourceError
from likeness.files import file_sha256

MAX_MEMBER = 256 << 20
"""Bytes; no photograph is larger, and a member is read as a whole."""
FREE_EXPANSION = 64 << 20
MAX_EXPANSION = 200
"""An archive may expand to so many times its size, but for the first `FREE_EXPANSION` bytes."""
BLOCK = 1 << 16
END_OF_TAR = bytes(1024)

Wanted = Callable[[str], bool]


class Member(NamedTuple):
    """One file: its path inside the archive or folder, with forward slashes, and its bytes."""

    path: str
    data: bytes


class Reader(Protocol):
    """Iterates over the wanted files of a source; `sha256` is that of an archive, known after the last file."""

    sha256: str | None

    def __iter__(self) -> Iterator[Member]: ...


def open_reader(path: Path, wanted: Wanted) -> Reader:
    """The reader for what stands at `path`; `wanted` says by its path whether a file is read at all.

    Raises:
        SourceError: nothing stands there.
        ArchiveError: the file is no archive. While iterating: it is truncated, damaged, or holds a member that
            must not be read.
    """
    if path.is_dir():
        return FolderReader(path, wanted)
    try:
        with path.open("rb") as stream:
            kind = kind_of(stream.read(512))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    if kind == "html":
        raise ArchiveError(
            f"{path}: is an HTML page, not an archive: a server's error page was saved in its place"
        )
    if kind == "unknown":
        raise ArchiveError(f"{path}: is no tar, tar.gz or zip archive; fetch it again")
    return ZipReader(path, wanted) if kind == "zip" else TarReader(path, wanted, kind)


def kind_of(head: bytes) -> Literal["gzip", "zip", "tar", "html", "unknown"]:
    """What a file is by its first 512 bytes."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    return "html" if re.match(rb"\s*<(!doctype|html|head|\?xml)", head, re.IGNORECASE) else "unknown"


class FolderReader:
    """Files below a folder, in the order of their paths."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self._folder = folder
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        for path in _files_below(self._folder):
            name = _printable(path.relative_to(self._folder).as_posix())
            if self._wanted(name):
                yield Member(name, self._read(path))

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > MAX_MEMBER:
                raise ArchiveError(f"{path}: is {path.stat().st_size} bytes, too large for an image; take it out")
            return path.read_bytes()
        except OSError as error:
            raise SourceError(
                f"{path}: cannot be read ({error.strerror}); make it readable or take it out"
            ) from error


class TarReader:
    """Members of a tar or tar.gz, read as a stream in one pass that also takes the file's digest."""

    def __init__(self, path: Path, wanted: Wanted, kind: Literal["tar", "gzip"]) -> None:
        self.sha256: str | None = None
        self._path = path
        self._wanted = wanted
        self._kind = kind

    def __iter__(self) -> Iterator[Member]:
        name = ""
        try:
            with self._path.open("rb") as stream:
                source = _Digesting(stream)
                content = _Tail(_Gunzip(source) if self._kind == "gzip" else source)
                for member in self._members(content):
                    name = member.path
                    yield member
                content.drain()
                self.sha256 = source.digest.hexdigest()
        except _BombError as error:
            raise ArchiveError(f"{self._path}: {error}, after member {name!r}: refused as a bomb") from error
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            where = f"after member {name!r}" if name else "at its beginning"
            raise ArchiveError(
                f"{self._path}: is truncated or damaged {where} ({error}); fetch the archive again"
            ) from error

    def _members(self, content: _Tail) -> Iterator[Member]:
        with tarfile.open(fileobj=content, mode="r|") as tar:
            while (info := tar.next()) is not None:
                path = _checked(self._path, info.name, info.size, info.isfile() or info.isdir())
                file = tar.extractfile(info) if info.isfile() and self._wanted(path) else None
                if file is not None:
                    yield Member(path, file.read())
                # TarFile remembers every member: memory would grow with their number.
                tar.members.clear()  # type: ignore[attr-defined]


class ZipReader:
    """Members of a zip in the order of its directory."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self._path = path
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        name = ""
        try:
            with zipfile.ZipFile(self._path) as archive:
                for info in archive.infolist():
                    name = info.filename
                    path = self._check(info)
                    if not info.is_dir() and self._wanted(path):
                        yield Member(path, archive.read(info))
            self.sha256 = file_sha256(self._path)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise ArchiveError(
                f"{self._path}: is truncated or damaged at member {name!r} ({error}); fetch the archive again"
            ) from error

    def _check(self, info: zipfile.ZipInfo) -> str:
        kind = stat.S_IFMT(info.external_attr >> 16)
        path = _checked(self._path, info.filename, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        if info.flag_bits & 1:
            raise ArchiveError(f"{self._path}: member {info.filename!r} is encrypted; supply it decrypted")
        if info.file_size > FREE_EXPANSION and info.file_size > MAX_EXPANSION * info.compress_size:
            raise ArchiveError(
                f"{self._path}: member {info.filename!r} expands from {info.compress_size} to {info.file_size} "
                "bytes: refused as a bomb"
            )
        return path


class _BombError(Exception):
    """Compressed data expand beyond proportion."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Digesting:
    """Passes a stream on and takes its sha256."""

    def __init__(self, stream: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(size)
        self.digest.update(block)
        self.count += len(block)
        return block


class _Gunzip:
    """Expands a gzip stream block by block; unlike `gzip.GzipFile` it watches the proportion."""

    def __init__(self, source: _Digesting) -> None:
        self._source = source
        self._decoder = zlib.decompressobj(wbits=31)
        self._input = b""
        self._expanded = 0

    def read(self, size: int, /) -> bytes:
        parts: list[bytes] = []
        missing = size
        while missing and self._refill():
            part = self._decoder.decompress(self._input, missing)
            self._input = self._decoder.unconsumed_tail
            parts.append(part)
            missing -= len(part)
        self._watch(size - missing)
        return b"".join(parts)

    def _refill(self) -> bool:
        """Sees to it that there is something to expand; False at the end of the stream."""
        if self._decoder.eof:  # one gzip file may follow another; zeros pad a tape
            self._input = (self._decoder.unused_data or self._source.read(BLOCK)).lstrip(b"\0")
            if not self._input:
                return False
            self._decoder = zlib.decompressobj(wbits=31)
        if not self._input:
            self._input = self._source.read(BLOCK)
            if not self._input:
                raise EOFError("the compressed data break off")
        return True

    def _watch(self, count: int) -> None:
        self._expanded += count
        if self._expanded > FREE_EXPANSION and self._expanded > MAX_EXPANSION * self._source.count:
            raise _BombError(f"{self._source.count} bytes expand to more than {self._expanded}")


class _Tail(io.RawIOBase):
    """Passes a tar on and sees that it ends with its end mark.

    Without it `tarfile` takes a tar that was cut between two members for a complete one.
    """

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._tail = b""

    def read(self, size: int = -1, /) -> bytes:
        block = self._source.read(size)
        self._tail = (self._tail + block)[-len(END_OF_TAR) :]
        return block

    def drain(self) -> None:
        """Reads to the end.

        Raises:
            EOFError: the end mark, two blocks of zeros, is missing.
        """
        while self.read(BLOCK):
            pass
        if self._tail != END_OF_TAR:
            raise EOFError("the end mark of the tar is missing")


def _checked(archive: Path, name: str, size: int, plain: bool) -> str:
    """The member's path in one spelling, or an ArchiveError that names it."""
    path = _printable(name).replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    wrong = ""
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        wrong = "has an absolute path"
    elif ".." in parts:
        wrong = "points outside its folder"
    elif not plain:
        wrong = "is a link or a device"
    elif size > MAX_MEMBER:
        wrong = f"is {size} bytes large"
    if wrong:
        raise ArchiveError(f"{archive}: member {path!r} {wrong}: the archive is refused, nothing of it is used")
    return "/".join(parts)


def _printable(name: str) -> str:
    """Bytes of a file name that are no UTF-8 reach Python as surrogates, which no table can store."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _files_below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders.sort()
        yield from (path for name in sorted(files) if (path := Path(root, name)).is_file())
