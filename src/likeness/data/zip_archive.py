"""Members of a zip, stored or deflated ones, whose expansion can be bounded."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from likeness.data.archive_members import (
    KEPT_BYTES,
    LeftAside,
    Member,
    Wanted,
    check_unchanged,
    checked_path,
    stamp_of,
)
from likeness.data.decompression import BLOCK, BombError, Budget
from likeness.errors import ArchiveError
from likeness.files import file_sha256

_DIRECTORY_END = b"PK\x05\x06"


class ZipReader:
    """Members of a zip in the order of its directory; stored or deflated ones, whose expansion can be bounded."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self.sha256: str | None = None
        self.aside: list[LeftAside] = []
        self._path = path
        self._wanted = wanted

    def __iter__(self) -> Iterator[Member]:
        name = ""
        before = stamp_of(self._path)
        try:
            stated = self._check_end()
            budget = Budget(self._path.stat().st_size)
            with zipfile.ZipFile(self._path) as archive:
                if len(archive.infolist()) & 0xFFFF != stated:  # a damaged entry can hide those behind it
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
        check_unchanged(self._path, before)

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
        path = checked_path(self._path, name, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        if info.flag_bits & 1:
            raise ArchiveError(f"{self._path}: member {name!r} is encrypted; supply it decrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(
                f"{self._path}: member {name!r} is neither stored nor deflated; pack the files again, for "
                "instance as tar.gz"
            )
        return path

    def _check_end(self) -> int:
        """The end record is at the very end, with the comment whose length it states.

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
        if stated == 0xFFFF and at >= 76 and tail[at - 20 : at - 16] == b"PK\6\7":
            # zip64: its own end record is before its locator, which is before this one
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
