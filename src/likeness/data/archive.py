"""Image files out of a folder, a tar (gzip, bzip2, xz or plain) or a zip, one by one, never unpacked to disk.

An archive is a stranger's: a member that would reach outside its folder, that is a link, a device or sparse, or
that is out of proportion is refused by name, and with it the archive. Headers are bounded before they are read,
and an archive that ends otherwise than archives end is damaged.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from likeness.data.expanding import BLOCK, BombError, Budget, Digesting, Expander, Source
from likeness.data.layout import is_system
from likeness.data.walking import READ_ALREADY, files_below
from likeness.errors import ArchiveError, SourceError
from likeness.files import file_sha256
from likeness.images import MAX_BYTES

KEPT_BYTES = MAX_BYTES + 1
"""Of a larger file no more is read: it is no image that could be used, and a row says so."""
MAX_HEADER = 1 << 20
"""Bytes of an extended tar header; a path takes some hundred."""
READ_AHEAD = 1 << 18
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_FORMS = "tar, tar.gz, tar.bz2, tar.xz or zip"
_DIRECTORY_END = b"PK\x05\x06"

AsideKind = Literal["unread", "photograph", "other"]
"""unread: nobody knows what it holds; photograph: a picture that is not taken; other: nothing of the set."""
Wanted = Callable[[str], bool]


class Member(NamedTuple):
    """One file: its path inside the archive or folder, with forward slashes, and its bytes."""

    path: str
    data: bytes


class LeftAside(NamedTuple):
    """Something in a source that was not taken: its path, why, and what was lost with it."""

    path: str
    reason: str
    kind: AsideKind = "other"


class Reader(Protocol):
    """Iterates over the wanted files of a source.

    Attributes:
        sha256: that of an archive, known after the last file; None for a folder.
        aside: what could not be read, known likewise.
    """

    sha256: str | None
    aside: list[LeftAside]

    def __iter__(self) -> Iterator[Member]: ...


def open_reader(path: Path, wanted: Wanted) -> Reader:
    """The reader for what is at `path`; `wanted` says by its path whether a file is read at all.

    Raises:
        SourceError: nothing is there.
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
        raise ArchiveError(f"{path}: is no archive of a kind that is read ({_FORMS})")
    return ZipReader(path, wanted) if kind == "zip" else TarReader(path, wanted, kind)


def kind_of(head: bytes) -> Literal["gzip", "bzip2", "xz", "zip", "tar", "html", "unknown"]:
    """What a file is by its first 512 bytes."""
    for magic, kind in PACKED.items():
        if head.startswith(magic):
            return kind  # type: ignore[return-value]
    if head.startswith((b"PK\x03\x04", _DIRECTORY_END)):
        return "zip"
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return "tar"
    return "html" if re.match(rb"\s*<(!doctype|html|head|\?xml)", head, re.IGNORECASE) else "unknown"


def _is_old_tar(head: bytes) -> bool:
    """Whether the checksum of a first header without a magic word is right, as V7 Unix wrote them."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class FolderReader:
    """Files below a folder, in the order of their paths; links to folders are followed, loops are not."""

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self.aside: list[LeftAside] = []
        self._folder = folder
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        for path in files_below(self._folder, self._note):
            name = _printable(path.relative_to(self._folder).as_posix())
            if not self._wanted(name):
                continue
            try:
                data = _read_unchanged(path)
            except OSError as error:
                self._note(path, f"cannot be read ({error.strerror or error})")
                continue
            yield Member(name, data)

    def _note(self, path: Path, reason: str) -> None:
        name = _printable(path.relative_to(self._folder).as_posix())
        known = reason == READ_ALREADY or is_system(name)
        self.aside.append(LeftAside(name, reason, "other" if known else "unread"))


def _read_unchanged(path: Path) -> bytes:
    """The file's bytes, at most `KEPT_BYTES`.

    Raises:
        OSError: it cannot be read, or somebody writes to it.
    """
    with path.open("rb") as stream:
        before = os.fstat(stream.fileno())
        data = stream.read(KEPT_BYTES)
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError("it was changed while it was read")
    return data


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
        before = _stamp(self._path)
        try:
            with self._path.open("rb") as stream:
                source = Digesting(stream)
                content: Source = Expander(source, self._kind) if self._kind in PACKED.values() else source
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
        _check_unchanged(self._path, before)

    def _members(self, content: Source) -> Iterator[Member]:
        buffered = io.BufferedReader(_File(content), READ_AHEAD)  # tarfile asks for a few kB at a time
        with tarfile.open(fileobj=buffered, mode="r|", tarinfo=_BoundedInfo) as tar:
            while (info := tar.next()) is not None:
                path = _checked(self._path, info.name, info.isfile() or info.isdir(), info.issparse())
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


class ZipReader:
    """Members of a zip in the order of its directory; stored or deflated ones, whose expansion can be bounded."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self.aside: list[LeftAside] = []
        self._path = path
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        name = ""
        before = _stamp(self._path)
        try:
            stated = self._check_end()
            budget = Budget(self._path.stat().st_size)
            with zipfile.ZipFile(self._path) as archive:
                if len(archive.infolist()) & 0xFFFF != stated:  # a damaged entry can swallow those behind it
                    raise EOFError(f"{stated} members are stated, its directory holds {len(archive.infolist())}")
                for info in archive.infolist():
                    name = _name_of(info)
                    path = self._check(info, name)
                    if not info.is_dir() and self._wanted(path):
                        yield Member(path, self._read(archive, info, budget))
            self.sha256 = file_sha256(self._path)
        except BombError as error:
            raise ArchiveError(f"{self._path}: {error}, at member {name!r}: refused as a bomb") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise ArchiveError(
                f"{self._path}: is truncated or damaged at member {name!r} ({error}); fetch the archive again"
            ) from error
        _check_unchanged(self._path, before)

    def _read(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes:
        """The member, block by block: neither the size that it states nor that of a block can be trusted."""
        parts: list[bytes] = []
        size = 0
        with archive.open(info) as stream:
            while size < KEPT_BYTES and (block := stream.read(min(BLOCK, KEPT_BYTES - size))):
                budget.expanded(len(block))
                parts.append(block)
                size += len(block)
        if size < KEPT_BYTES and size != info.file_size:
            raise zipfile.BadZipFile(f"it states {info.file_size} bytes and holds {size}")
        return b"".join(parts)

    def _check(self, info: zipfile.ZipInfo, name: str) -> str:
        kind = stat.S_IFMT(info.external_attr >> 16)
        path = _checked(self._path, name, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        if info.flag_bits & 1:
            raise ArchiveError(f"{self._path}: member {name!r} is encrypted; supply it decrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(
                f"{self._path}: member {name!r} is neither stored nor deflated; pack the files again, for "
                "instance as tar.gz"
            )
        return path

    def _check_end(self) -> int:
        """The end record stands at the very end, with the comment whose length it states.

        Returns:
            The number of members that it states, of which it holds the lower 16 bits.

        Raises:
            EOFError: something follows the archive.
        """
        with self._path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - (1 << 16) - 22))
            tail = stream.read()
        at = tail.rfind(_DIRECTORY_END)
        if at < 0 or len(tail) - at < 22:
            raise EOFError("its directory is missing")
        stated, comment = struct.unpack_from("<10xH8xH", tail, at)
        if len(tail) - at - 22 != comment:
            raise EOFError("something follows its end")
        if (
            stated == 0xFFFF and at >= 76 and tail[at - 20 : at - 16] == b"PK\6\7"
        ):  # zip64: its own record stands before that
            (stated,) = struct.unpack_from("<32xQ", tail, at - 20 - 56)
        return int(stated) & 0xFFFF


def _name_of(info: zipfile.ZipInfo) -> str:
    """The member's name; without the flag for UTF-8 it may be UTF-8 all the same, else it is code page 437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _check_unchanged(path: Path, before: tuple[int, int]) -> None:
    if _stamp(path) != before:
        raise ArchiveError(f"{path}: was changed while it was read; run again when nobody writes to it")


def _checked(archive: Path, name: str, plain: bool, sparse: bool = False) -> str:
    """The member's path in one spelling, or an ArchiveError that names it."""
    path = _printable(name).replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    wrong = ""
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        wrong = "has an absolute path"
    elif any(part.strip() == ".." for part in parts):
        wrong = "points outside its folder"
    elif "\0" in path:
        wrong = "has a null character in its name"
    elif not plain:
        wrong = "is a link or a device"
    elif sparse:
        wrong = "is a sparse file"
    if wrong:
        raise ArchiveError(f"{archive}: member {path!r} {wrong}: the archive is refused, nothing of it is used")
    return "/".join(parts)


def _printable(name: str) -> str:
    """Bytes of a file name that are no UTF-8 reach Python as surrogates, which no table can store."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
